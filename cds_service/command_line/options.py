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
    """The result to the file, or to standard output. Raises Refusal if it cannot be written.

    A file is replaced by the whole result or stays as it was.
    """
    name = "standard output" if output is None else str(output)
    try:
        if output is None:
            if sys.stdout is None:
                raise Refusal("standard output is closed: give --output FILE")
            sys.stdout.buffer.write(result)
            sys.stdout.buffer.flush()
        elif output.exists() and not output.is_file():
            output.write_bytes(result)  # a device or a pipe
        else:
            _replace(output, result)
    except BrokenPipeError:
        raise
    except OSError as error:
        if output is None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in the buffer goes nowhere
        raise Refusal(f"{name} cannot be written: {error.strerror}") from error


def _replace(output: Path, result: bytes) -> None:
    import tempfile

    target = output.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with open(handle, "wb") as written:
            written.write(result)
        mode = target.stat().st_mode if target.exists() else 0o666 & ~_umask()
        os.chmod(name, mode)
        os.replace(name, target)
    except OSError:
        os.unlink(name)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def create_folder(folder: Path) -> None:
    """The folder, with those above it. Raises Refusal if it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refusal(f"{folder} cannot be made: {error.strerror}") from error


def say(message: str) -> None:
    """A message to standard error, each of its lines. Nothing in it can command the terminal."""
    for line in message.splitlines():
        shown = "".join(sign if sign.isprintable() else " " for sign in line)
        print(f"icans-cds: {shown}", file=sys.stderr)
