"""The commands of ``icans-cds``: each gathers its input, calls one use case and prints its result."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cds_service.command_line.options import compiled_site, json_bytes, page_of, say, settings_of, write
from cds_service.errors import DONE, NOT_FHIR, NOTHING_EVALUABLE, Refusal

if TYPE_CHECKING:
    from cds_service.command_line.inputs import Inputs
    from cds_service.evaluation import Answer
    from cds_service.site.site import Site
    from fhir_mappings import Reading
    from icans.policy.policy import PolicyEntry
    from icans.record import Record

#: Data older than this are unlikely to be meant as of now.
OLD_DATA = timedelta(hours=48)
MOST_NAMED = 20


def evaluate(options: Namespace) -> int:
    """``icans-cds evaluate``: what holds at one instant."""
    from cds_service.output.text import evaluation_text
    from cds_service.published.result_json import evaluation_json

    site, answer, status = answer_asked_for(options)
    if options.format == "json":
        write(json_bytes(evaluation_json(answer.evaluation, answer.cards)), options.output)
    else:
        write(evaluation_text(answer, page_of(site, options)).encode(), options.output)
    return status


def answer_asked_for(options: Namespace) -> tuple[Site, Answer, int]:
    """The one patient of the paths at the time asked for, and the exit status that goes with it."""
    from cds_service.evaluation import PatientNotFound, SeveralPatients, evaluate_record, last_known, one_record

    site = compiled_site(options)
    now = datetime.now(UTC)
    inputs, reading = _read(options, site, now if options.as_of is None else None)
    try:
        record = one_record(reading, options.patient)
    except SeveralPatients as error:
        raise Refusal(f"{_several(error.patients)}; choose one with --patient") from error
    except PatientNotFound as error:
        raise _not_there(error, inputs, site) from error
    _require_evaluable([record], reading, inputs)
    last = last_known(record)
    if options.as_of is None and last is not None and last < now - OLD_DATA:
        say(f"--as-of was not given: evaluated as of now, though the last thing recorded is of {last.isoformat()}")
    return site, evaluate_record(record, site, options.as_of or now), _status(inputs)


def replay(options: Namespace) -> int:
    """``icans-cds replay``: the record stepped through, card by card."""
    import orjson

    from cds_service.evaluation import PatientNotFound
    from cds_service.output.course_text import replay_text
    from cds_service.published.result_json import alert_lines, replay_json
    from cds_service.replay import play, records_asked_for

    site = compiled_site(options)
    inputs, reading = _read(options, site, None)
    try:
        records = records_asked_for(reading, options.patient)
    except PatientNotFound as error:
        raise _not_there(error, inputs, site) from error
    evaluable = _require_evaluable(records, reading, inputs)
    courses = (play(record, site, options.as_of) for record in evaluable)
    if options.format == "json":
        result = json_bytes([replay_json(played.replay, played.cards) for played in courses])
    elif options.format == "ndjson":
        lines = (line for played in courses for line in alert_lines(played.replay))
        result = b"".join(orjson.dumps(line) + b"\n" for line in lines)
    elif options.format == "html":
        from cds_service.output.html import replay_page

        result = replay_page(list(courses), page_of(site, options)).encode()
    else:
        page = page_of(site, options)
        result = "\n".join(replay_text(played, page) for played in courses).encode()
    write(result, options.output)
    return _status(inputs)


def policy_show(options: Namespace) -> int:
    """``icans-cds policy show``: every setting in force, with its citation."""
    from cds_service.output.text import policy_text
    from cds_service.site.policy import current_policy, current_policy_entries
    from icans.policy.policy import PolicyError

    file = settings_of(options).policy_file
    try:
        policy, entries = current_policy(file), current_policy_entries(file)
    except PolicyError as error:
        raise Refusal(f"policy: {error}") from error
    if options.format == "json":
        shown = {"policy": policy.label, "settings": [_entry_json(entry) for entry in entries]}
        write(json_bytes(shown), options.output)
    else:
        write(f"Policy {policy.label}\n\n{policy_text(entries)}".encode(), options.output)
    return DONE


def serve(options: Namespace) -> int:
    """``icans-cds serve``: the HTTP door."""
    settings = settings_of(options)
    from cds_service.web.server import serve as serve_until_stopped

    return serve_until_stopped(settings)


def _read(options: Namespace, site: Site, now: datetime | None) -> tuple[Inputs, Reading]:
    from cds_service.command_line.inputs import gather, read_all
    from cds_service.evaluation import patient_reference

    inputs = gather(options.paths)
    reading = read_all(inputs, site.read_settings(now), patient_reference(options.patient))
    for message in inputs.unread:
        say(message)
    if inputs.passed_over:
        say(f"of the folder, .json and .ndjson files are read; passed over: {inputs.passed_over}")
    return inputs, reading


def _require_evaluable(records: Sequence[Record], reading: Reading, inputs: Inputs) -> list[Record]:
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


def _was_read(reading: Reading) -> str:
    from cds_service.command_line.inputs import tally

    counts = ", ".join(f"{number} {kind}" for kind, number in sorted(reading.counts.items()))
    every = [*reading.problems, *(problem for record in reading.records.values() for problem in record.problems)]
    problems = f"; problems: {tally([problem.code for problem in every])}" if every else ""
    return f"Read: {counts or 'no resource'}{problems}."


def _not_there(error: Exception, inputs: Inputs, site: Site) -> Refusal:
    """Nobody in the data is an empty input; somebody else is a wrong option."""
    from cds_service.command_line.inputs import read_all

    everybody = read_all(inputs, site.read_settings(None), None)
    if not everybody.records:
        return Refusal(f"nothing to evaluate: the data name no patient. {_was_read(everybody)}", NOTHING_EVALUABLE)
    return Refusal(f"{error.args[0].partition(';')[0]}; {_several(sorted(everybody.records))}")


def _several(patients: Sequence[str]) -> str:
    named = ", ".join(patients[:MOST_NAMED])
    more = f" and {len(patients) - MOST_NAMED} more" if len(patients) > MOST_NAMED else ""
    return f"the data hold {len(patients)} {'patient' if len(patients) == 1 else 'patients'}: {named}{more}"


def _status(inputs: Inputs) -> int:
    return NOT_FHIR if inputs.unread else DONE


def _entry_json(entry: PolicyEntry) -> dict[str, Any]:
    from cards import to_json

    return {
        "key": entry.key,
        "section": entry.section,
        "meaning": entry.meaning,
        "value": to_json(entry.value),
        "unit": entry.unit,
        "citation": entry.citation,
        "reason": entry.reason or None,
        "overridable": entry.overridable,
        "overridden": entry.overridden,
        "minimum": to_json(entry.minimum),
        "maximum": to_json(entry.maximum),
        "choices": list(entry.choices),
        "notes": list(entry.notes),
    }
