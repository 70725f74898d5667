"""Paths of a command line to bytes of FHIR, and to the records that a command is asked for.

A path is a file, a folder of .json and .ndjson, or ``-`` for standard input.
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from cds_service.command_line.options import compiled_site, say
from cds_service.errors import DONE, NOT_FHIR, NOTHING_EVALUABLE, Refusal

if TYPE_CHECKING:
    from cds_service.evaluation import Answer
    from cds_service.site.site import Site
    from fhir_mappings import Reading, ReadSettings, Source
    from icans import Record

READ_SUFFIXES = (".json", ".ndjson")
#: Data older than this are unlikely to be meant as of now.
OLD_DATA = timedelta(hours=48)
MOST_NAMED = 20


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
    from fhir_mappings import NotFhir, contents

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


def answer_asked_for(options: Namespace) -> tuple[Site, Answer, int]:
    """The one patient of the paths at the time asked for, and the exit status that goes with it."""
    from cds_service.evaluation import PatientNotFound, SeveralPatients, evaluate_record, one_record

    site = compiled_site(options)
    now = datetime.now(UTC)
    inputs, reading = read_paths(options, site, now if options.as_of is None else None)
    try:
        record = one_record(reading, options.patient)
    except SeveralPatients as error:
        raise Refusal(f"{_several(error.patients)}; choose one with --patient") from error
    except PatientNotFound as error:
        raise not_there(error, inputs, site) from error
    require_evaluable([record], reading, inputs)
    say_if_old(record, options, now)
    return site, evaluate_record(record, site, options.as_of or now), exit_status(inputs)


def say_if_old(record: Record, options: Namespace, now: datetime) -> None:
    """Whoever evaluates old data as of now has probably forgotten --as-of."""
    from cds_service.evaluation import last_known

    last = last_known(record)
    if options.as_of is None and last is not None and last < now - OLD_DATA:
        say(f"--as-of was not given: evaluated as of now, though the last thing recorded is of {last.isoformat()}")


def read_paths(options: Namespace, site: Site, now: datetime | None) -> tuple[Inputs, Reading]:
    """The paths of a command, read as one. now: the present, None where an as-of is given.

    Says what could not be read. Raises Refusal as gather and read_all do.
    """
    from cds_service.evaluation import patient_reference

    inputs = gather(options.paths)
    reading = read_all(inputs, site.read_settings(now), patient_reference(options.patient))
    for message in inputs.unread:
        say(message)
    if inputs.passed_over:
        say(f"of the folder, .json and .ndjson files are read; passed over: {inputs.passed_over}")
    return inputs, reading


def require_evaluable(records: Sequence[Record], reading: Reading, inputs: Inputs) -> list[Record]:
    """The records with something to evaluate; Refusal if there is none, saying what was read instead."""
    from cds_service.evaluation import is_evaluable

    evaluable = [record for record in records if is_evaluable(record)]
    if not evaluable:
        status = NOT_FHIR if inputs.unread else NOTHING_EVALUABLE
        raise Refusal(
            f"nothing to evaluate: no CAR-T infusion, no assessment and no steroid was found. {_was_read(reading)}",
            status,
        )
    if len(evaluable) < len(records):
        say(f"{len(records) - len(evaluable)} of {len(records)} patients have nothing to evaluate")
    if len(inputs.sources) > 1:
        say(_was_read(reading))
    return evaluable


def not_there(error: Exception, inputs: Inputs, site: Site) -> Refusal:
    """Nobody in the data is an empty input; somebody else is a wrong option."""
    everybody = read_all(inputs, site.read_settings(None), None)
    if not everybody.records:
        return Refusal(f"nothing to evaluate: the data name no patient. {_was_read(everybody)}", NOTHING_EVALUABLE)
    return Refusal(f"{error.args[0].partition(';')[0]}; {_several(sorted(everybody.records))}")


def exit_status(inputs: Inputs) -> int:
    """Done, or done with what could be read."""
    return NOT_FHIR if inputs.unread else DONE


def _was_read(reading: Reading) -> str:
    counts = ", ".join(f"{number} {kind}" for kind, number in sorted(reading.counts.items()))
    every = [*reading.problems, *(problem for record in reading.records.values() for problem in record.problems)]
    problems = f"; problems: {tally([problem.code for problem in every])}" if every else ""
    return f"Read: {counts or 'no resource'}{problems}."


def _several(patients: Sequence[str]) -> str:
    named = ", ".join(patients[:MOST_NAMED])
    more = f" and {len(patients) - MOST_NAMED} more" if len(patients) > MOST_NAMED else ""
    return f"the data hold {len(patients)} {'patient' if len(patients) == 1 else 'patients'}: {named}{more}"
