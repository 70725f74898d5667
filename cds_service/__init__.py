"""The doors of the service: ``evaluate_bundle``, ``replay_bundle``, ``handle_hook`` and ``HookError``.

The names are loaded on first use, so that importing the package (for ``icans-cds --help``, say) costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cds_service.evaluation import evaluate_bundle
    from cds_service.hooks.answer import handle_hook
    from cds_service.hooks.errors import HookError
    from cds_service.replay import replay_bundle

__all__ = ["HookError", "evaluate_bundle", "handle_hook", "replay_bundle"]

_MODULE_OF = {
    "evaluate_bundle": "cds_service.evaluation",
    "replay_bundle": "cds_service.replay",
    "handle_hook": "cds_service.hooks.answer",
    "HookError": "cds_service.hooks.errors",
}


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        return getattr(import_module(_MODULE_OF[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
