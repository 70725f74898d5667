"""From the paths of a command line to the records that the command is asked for."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cds_service.command_line.files import Inputs, gather
from cds_service.command_line.options import compiled_site, say, settings_of
from cds_service.errors import DONE, NOT_FHIR, NOTHING_EVALUABLE, Refusal

if TYPE_CHECKING:
    from cds_service.evaluation import Answer
    from cds_service.site.site import Site
    from fhir_mappings import Reading, ReadSettings, Source
    from icans import Record

#: Data older than this are unlikely to be meant as of now.
OLD_DATA = timedelta(hours=48)
MOST_NAMED = 20


def read_all(inputs: Inputs, settings: ReadSettings, patient: str | None) -> Reading:
    """Everything that is FHIR, read as one; what is not moves from ``inputs.sources`` to ``inputs.unread``.

    Raises Refusal (not FHIR) if there is something and none of it is FHIR.
    """
    from fhir_mappings import NotFhir, read

    if inputs.passed_over and not inputs.sources and not inputs.unread:
        raise Refusal(f"nothing was read: all files of the folder were passed over: {inputs.passed_over}", NOT_FHIR)
    if len(inputs.sources) > 1:
        inputs.sources = [source for source in inputs.sources if _is_fhir(source, inputs)]
    while inputs.sources or not inputs.unread:
        try:
            return read(inputs.sources, settings, patient, [message.partition(": ")[0] for message in inputs.unread])
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

    inputs = gather(options.paths, settings_of(options).body_bytes)
    reading = read_all(inputs, site.read_settings(now), patient_reference(options.patient))
    for message in inputs.unread:
        say(message)
    if inputs.passed_over:
        say(f"files of the folder that hold no resources, by their names, passed over: {inputs.passed_over}")
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
    read = _was_read(reading)
    if len(inputs.sources) > 1 or "mappings check" in read:
        say(read)
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
    from cds_service.output.text import UNMAPPED

    counts = ", ".join(f"{number} {kind}" for kind, number in sorted(reading.counts.items()))
    every = [*reading.problems, *(problem for record in reading.records.values() for problem in record.problems)]
    problems = f"; problems: {tally([problem.code for problem in every])}" if every else ""
    unmapped = any(problem.code in UNMAPPED for problem in every)
    hint = " Codes, units or texts are not understood: icans-cds mappings check PATH lists them." if unmapped else ""
    return f"Read: {counts or 'no resource'}{problems}.{hint}"


def _several(patients: Sequence[str]) -> str:
    named = ", ".join(patients[:MOST_NAMED])
    more = f" and {len(patients) - MOST_NAMED} more" if len(patients) > MOST_NAMED else ""
    return f"the data hold {len(patients)} {'patient' if len(patients) == 1 else 'patients'}: {named}{more}"
