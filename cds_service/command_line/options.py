"""What all commands share: settings and site from the options, and where results and messages go."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from cds_service.errors import Refusal
from cds_service.site.settings import Settings, load_settings

if TYPE_CHECKING:
    from cds_service.output.text import Page
    from cds_service.site.site import Site


def settings_of(options: Namespace) -> Settings:
    """The settings in force for a command."""
    names = ("zone", "known", "host", "port", "policy_file", "mappings_folder")
    given = {name: getattr(options, name, None) for name in names}
    config = getattr(options, "config", None)
    return load_settings(config, os.environ, given)


def compiled_site(options: Namespace) -> Site:
    """Policy and terminology for a command, compiled."""
    from cds_service.site.site import site_of

    return site_of(settings_of(options))


def page_of(site: Site, options: Namespace) -> Page:
    """How text is laid out: coloured on a terminal, unless NO_COLOR is set."""
    from cds_service.output.text import Page

    terminal = options.output is None and sys.stdout.isatty()
    return Page(site.zone, coloured=terminal and "NO_COLOR" not in os.environ)


def json_bytes(value: object) -> bytes:
    """A result as indented JSON."""
    import orjson

    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def write(result: bytes, output: Path | None) -> None:
    """The result to the file, or to standard output. Raises Refusal if the file cannot be written."""
    if output is None:
        sys.stdout.buffer.write(result)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(result)
    except OSError as error:
        raise Refusal(f"{output} cannot be written: {error.strerror}") from error


def say(message: str) -> None:
    """A message to standard error."""
    print(f"icans-cds: {message}", file=sys.stderr)
