"""``icans-cds serve``: the HTTP door."""

from __future__ import annotations

from argparse import Namespace

from cds_service.command_line.options import settings_of


def serve(options: Namespace) -> int:
    """Serves until interrupted."""
    settings = settings_of(options)
    from cds_service.web.server import serve as serve_until_stopped

    return serve_until_stopped(settings)
