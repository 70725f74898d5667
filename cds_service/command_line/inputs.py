"""Paths of a command line to bytes of FHIR: files, folders of .json and .ndjson, ``-`` for standard input."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from cds_service.errors import NOT_FHIR, Refusal

if TYPE_CHECKING:
    from fhir_mappings import Reading, ReadSettings, Source

READ_SUFFIXES = (".json", ".ndjson")


@dataclass(slots=True)
class Inputs:
    """What was found: sources in the order of their names; passed_over: files of a folder with other names;
    unread: one message for each file that cannot be read or is not FHIR."""

    sources: list[Source] = field(default_factory=list)
    passed_over: int = 0
    unread: list[str] = field(default_factory=list)


def gather(paths: Sequence[str]) -> Inputs:
    """All sources of the paths. Raises Refusal (usage) for a path that does not exist."""
    from fhir_mappings import Source

    inputs = Inputs()
    for path in paths:
        if path == "-":
            inputs.sources.append(Source("standard input", sys.stdin.buffer.read()))
            continue
        if not os.path.exists(path):
            raise Refusal(f"{path} does not exist")
        for file in _files(Path(path), inputs):
            try:
                inputs.sources.append(Source(str(file), file.read_bytes()))
            except OSError as error:
                inputs.unread.append(f"{file}: cannot be read: {error.strerror}")
    return inputs


def stream(paths: Sequence[str], inputs: Inputs) -> Iterator[Source]:
    """The sources of the paths one after the other, NDJSON line by line: for what keeps no more than one in memory.

    What cannot be read goes to ``inputs``. Raises Refusal (usage) for a path that does not exist, before the first.
    """
    missing = [path for path in paths if path != "-" and not os.path.exists(path)]
    if missing:
        raise Refusal(f"{missing[0]} does not exist")
    for path in paths:
        if path == "-":
            yield from _streamed("standard input", sys.stdin.buffer)
            continue
        for file in _files(Path(path), inputs):
            try:
                with file.open("rb") as opened:
                    yield from _streamed(str(file), opened)
            except OSError as error:
                inputs.unread.append(f"{file}: cannot be read: {error.strerror}")


def _streamed(name: str, opened: BinaryIO) -> Iterator[Source]:
    from fhir_mappings import Source

    if not name.lower().endswith(".ndjson"):
        yield Source(name, opened.read())
        return
    for number, line in enumerate(opened, start=1):
        if line.strip():
            yield Source(f"{name} line {number}", line)


def read_all(inputs: Inputs, settings: ReadSettings, patient: str | None) -> Reading:
    """Everything that is FHIR, read as one; what is not moves from ``inputs.sources`` to ``inputs.unread``.

    Raises Refusal (not FHIR) if there is something and none of it is FHIR.
    """
    from fhir_mappings import NotFhir, read

    if len(inputs.sources) > 1:
        inputs.sources = [source for source in inputs.sources if _is_fhir(source, inputs)]
    while inputs.sources or not inputs.unread:
        try:
            return read(inputs.sources, settings, patient)
        except NotFhir as error:
            inputs.unread.append(str(error))
            inputs.sources = [source for source in inputs.sources if source.name != error.name]
    raise Refusal("\n".join(inputs.unread), NOT_FHIR)


def _is_fhir(source: Source, inputs: Inputs) -> bool:
    """Told one by one, so that a folder of wrong files is not read again for each of them."""
    from fhir_mappings import NotFhir
    from fhir_mappings.intake.bundles import contents

    try:
        contents(source)
    except NotFhir as error:
        inputs.unread.append(str(error))
        return False
    return True


def tally(codes: Iterator[str] | Sequence[str]) -> str:
    """``code-unmapped 12, unit-unknown 3``: how often each occurs, the most frequent first."""
    counted = Counter(codes)
    return ", ".join(
        f"{code} {number}" for code, number in sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    )


def _files(path: Path, inputs: Inputs) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, subfolders, names in os.walk(path):
        subfolders.sort()
        for name in sorted(names):
            if name.lower().endswith(READ_SUFFIXES):
                yield Path(folder, name)
            else:
                inputs.passed_over += 1
