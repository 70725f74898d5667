"""Paths of a command line to bytes of FHIR: files, folders, ``-`` for standard input; gzipped or not.

Of a folder, files are read by their names. What could hold resources and is not read is named, and so is a folder
that cannot be looked into: a result of half of the data must not look like one of all of it.
"""

from __future__ import annotations

import gzip
import io
import os
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from cds_service.errors import Refusal

if TYPE_CHECKING:
    from fhir_mappings import Source

ZIPPED = ".gz"
LINES = (".ndjson", ".jsonl")
READ_SUFFIXES = tuple(f"{suffix}{zipped}" for suffix in (".json", *LINES) for zipped in ("", ZIPPED))
#: Names of what may hold resources in a form that is not read here.
_COULD_HOLD = frozenset(
    {".xml", ".zip", ".gz", ".tar", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".fhir", ".bundle", ".parquet"}
)
#: Members by which the notes of a Bulk Data export are distinguished from resources (manifest, log), in pairs.
_EXPORT_NOTES = (("transactionTime", "output"), ("exportId", "eventId"))


@dataclass(slots=True)
class Inputs:
    """What was found: sources in the order of their names; passed_over: files of a folder that hold no resources;
    unread: one message for each file or folder that cannot be read or is not FHIR."""

    sources: list[Source] = field(default_factory=list)
    passed_over: int = 0
    unread: list[str] = field(default_factory=list)


def gather(paths: Sequence[str], most: int) -> Inputs:
    """All sources of the paths. most: bytes that are taken of standard input, a pipe or a device, which may be endless.

    Raises Refusal (usage) for a path that does not exist, and for what is longer than ``most``.
    """
    inputs = Inputs()
    inputs.sources.extend(_read(paths, inputs, most, _whole))
    return inputs


def stream(paths: Sequence[str], inputs: Inputs, most: int) -> Iterator[Source]:
    """The sources of the paths one after the other, NDJSON line by line: for what keeps no more than one in memory.

    What cannot be read goes to ``inputs``. most, and what is raised: as in gather; a missing path before the first.
    """
    return _read(paths, inputs, most, _line_by_line)


def _read(
    paths: Sequence[str], inputs: Inputs, most: int, take: Callable[[str, BinaryIO], Iterator[Source]]
) -> Iterator[Source]:
    """What ``take`` makes of each file; one that cannot be read, or not to its end, is noted in ``inputs``."""
    missing = [path for path in paths if path != "-" and not os.path.exists(path)]
    if missing:
        raise Refusal(f"{missing[0]} does not exist")
    for path in paths:
        if path == "-":
            if sys.stdin is None:
                raise Refusal("standard input is closed: name a file")
            yield from take("standard input", _bounded("standard input", sys.stdin.buffer, most))
            continue
        for file in _files(Path(path), inputs):
            try:
                with file.open("rb") as opened:
                    content: BinaryIO = opened if file.is_file() else _bounded(str(file), opened, most)
                    zipped = file.name.lower().endswith(ZIPPED)
                    yield from take(str(file), cast(BinaryIO, gzip.GzipFile(fileobj=content)) if zipped else content)
            except (OSError, EOFError, zlib.error) as error:
                reason = getattr(error, "strerror", None) or "it is damaged, or not what its name says"
                inputs.unread.append(f"{file}: cannot be read: {reason}")


def _bounded(name: str, opened: BinaryIO, most: int) -> BinaryIO:
    """What comes from where no end need be. Raises Refusal if it is longer than ``most``."""
    data = opened.read(most + 1)
    if len(data) > most:
        limit = f"{most / 1_000_000:g} MB, which is all that is taken of it (body_limit_megabytes)"
        raise Refusal(f"{name} is longer than {limit}: name a file instead")
    return io.BytesIO(data)


def _whole(name: str, opened: BinaryIO) -> Iterator[Source]:
    from fhir_mappings import Source

    data = opened.read()
    if not _is_export_note(data):
        yield Source(_unzipped(name), data)


def _line_by_line(name: str, opened: BinaryIO) -> Iterator[Source]:
    from fhir_mappings import Source

    if not _unzipped(name).lower().endswith(LINES):
        yield from _whole(name, opened)
        return
    for number, line in enumerate(opened, start=1):
        if line.strip(b"\xef\xbb\xbf \t\r\n") and not _is_export_note(line):
            yield Source(f"{name} line {number}", line)


def _unzipped(name: str) -> str:
    """The name by which the form of a file's content is recognised."""
    return name[: -len(ZIPPED)] if name.lower().endswith(ZIPPED) else name


def _files(path: Path, inputs: Inputs) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return

    def note(error: OSError) -> None:
        inputs.unread.append(f"{error.filename}: cannot be looked into: {error.strerror}")

    for folder, subfolders, names in os.walk(path, onerror=note):
        subfolders.sort()
        for name in sorted(names):
            file = Path(folder, name)
            if name.startswith("."):
                inputs.passed_over += 1
            elif name.lower().endswith(READ_SUFFIXES):
                if file.is_file():
                    yield file
                else:
                    inputs.unread.append(f"{file}: is no file, and not read")
            elif file.suffix.lower() in _COULD_HOLD:
                inputs.unread.append(f"{file}: not read: of a folder, .json, .ndjson and .jsonl, or each .gz, are")
            else:
                inputs.passed_over += 1


def _is_export_note(data: bytes) -> bool:
    """Whether this is the manifest or the log of a Bulk Data export: about resources, and none itself."""
    start = data[:65536]
    if b"resourceType" in start or not any(one.encode() in start for one, _ in _EXPORT_NOTES):
        return False
    import orjson

    try:
        first = orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        try:
            first = orjson.loads(data.lstrip().partition(b"\n")[0])
        except orjson.JSONDecodeError:
            return False
    return isinstance(first, dict) and any(one in first and other in first for one, other in _EXPORT_NOTES)
