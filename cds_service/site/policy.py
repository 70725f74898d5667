"""The policy in force: the bundled file and a site's overrides, read once a process."""

from __future__ import annotations

import functools
import pkgutil
from pathlib import Path

from icans import Policy, PolicyEntry, PolicyError, load_policy, policy_entries, table_in_force


def default_text() -> str:
    """The bundled policy file."""
    data = pkgutil.get_data("icans.policy", "icans-default.toml")
    if data is None:
        raise PolicyError("", "the bundled policy file is missing from this installation")
    return data.decode()


def override_text(path: Path | None) -> str | None:
    """A site's policy file; PolicyError if it cannot be read."""
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise PolicyError("", f"cannot read {path}: {reason}") from error


@functools.cache
def current_policy(path: Path | None = None) -> Policy:
    """The policy with the overrides of ``path``; raises PolicyError naming the setting and the reason."""
    return load_policy(default_text(), table_in_force(), override_text(path))


def current_policy_entries(path: Path | None = None) -> tuple[PolicyEntry, ...]:
    """Every setting in force with its citation, for ``policy show``; raises as current_policy."""
    return policy_entries(default_text(), table_in_force(), override_text(path))
