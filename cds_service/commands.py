"""The commands of ``icans-cds``: each gathers its input, calls one use case and prints its result."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cds_service.errors import DONE, NOT_FHIR, NOTHING_EVALUABLE, Refusal
from cds_service.settings import Settings, load_settings

if TYPE_CHECKING:
    from cds_service.inputs import Inputs
    from cds_service.site import Site
    from cds_service.terminal import Page
    from fhir_mappings import Reading
    from icans.policy import PolicyEntry
    from icans.record import Record

#: Data older than this are unlikely to be meant as of now.
OLD_DATA = timedelta(hours=48)
MOST_NAMED = 20


def evaluate(options: Namespace) -> int:
    """``icans-cds evaluate``: what holds at one instant."""
    from cds_service.evaluation import PatientNotFound, SeveralPatients, evaluate_record, last_known, one_record
    from cds_service.outputs import evaluation_json
    from cds_service.terminal import evaluation_text

    site = _site(options)
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
        _say(f"--as-of was not given: evaluated as of now, though the last thing recorded is of {last.isoformat()}")
    answer = evaluate_record(record, site, options.as_of or now)
    if options.format == "json":
        _write(_json(evaluation_json(answer.evaluation, answer.cards)), options.output)
    else:
        _write(evaluation_text(answer, _page(site, options)).encode(), options.output)
    return _status(inputs)


def replay(options: Namespace) -> int:
    """``icans-cds replay``: the record stepped through, card by card."""
    import orjson

    from cds_service.evaluation import PatientNotFound
    from cds_service.outputs import alert_lines, replay_json
    from cds_service.replay import play, records_asked_for
    from cds_service.terminal import replay_text

    site = _site(options)
    inputs, reading = _read(options, site, None)
    try:
        records = records_asked_for(reading, options.patient)
    except PatientNotFound as error:
        raise _not_there(error, inputs, site) from error
    evaluable = _require_evaluable(records, reading, inputs)
    courses = (play(record, site, options.as_of) for record in evaluable)
    if options.format == "json":
        result = _json([replay_json(played.replay, played.cards) for played in courses])
    elif options.format == "ndjson":
        lines = (line for played in courses for line in alert_lines(played.replay))
        result = b"".join(orjson.dumps(line) + b"\n" for line in lines)
    else:
        page = _page(site, options)
        result = "\n".join(replay_text(played, page) for played in courses).encode()
    _write(result, options.output)
    return _status(inputs)


def policy_show(options: Namespace) -> int:
    """``icans-cds policy show``: every setting in force, with its citation."""
    from cds_service.policies import current_policy, current_policy_entries
    from cds_service.terminal import policy_text
    from icans.policy import PolicyError

    file = _settings(options).policy_file
    try:
        policy, entries = current_policy(file), current_policy_entries(file)
    except PolicyError as error:
        raise Refusal(f"policy: {error}") from error
    if options.format == "json":
        _write(_json({"policy": policy.label, "settings": [_entry_json(entry) for entry in entries]}), options.output)
    else:
        _write(f"Policy {policy.label}\n\n{policy_text(entries)}".encode(), options.output)
    return DONE


def serve(options: Namespace) -> int:
    """``icans-cds serve``: the HTTP door."""
    settings = _settings(options)
    from cds_service.serve import serve as serve_until_stopped

    return serve_until_stopped(settings)


def _settings(options: Namespace) -> Settings:
    names = ("zone", "known", "host", "port", "policy_file", "mappings_folder")
    given = {name: getattr(options, name, None) for name in names}
    config = getattr(options, "config", None)
    return load_settings(config, os.environ, given)


def _site(options: Namespace) -> Site:
    from cds_service.site import site_of

    return site_of(_settings(options))


def _read(options: Namespace, site: Site, now: datetime | None) -> tuple[Inputs, Reading]:
    from cds_service.evaluation import patient_reference
    from cds_service.inputs import gather, read_all

    inputs = gather(options.paths)
    reading = read_all(inputs, site.read_settings(now), patient_reference(options.patient))
    for message in inputs.unread:
        _say(message)
    if inputs.passed_over:
        _say(f"of the folder, .json and .ndjson files are read; passed over: {inputs.passed_over}")
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
        _say(f"{len(records) - len(evaluable)} of {len(records)} patients have nothing to evaluate")
    if len(inputs.sources) > 1:
        _say(_was_read(reading))
    return evaluable


def _was_read(reading: Reading) -> str:
    from cds_service.inputs import tally

    counts = ", ".join(f"{number} {kind}" for kind, number in sorted(reading.counts.items()))
    every = [*reading.problems, *(problem for record in reading.records.values() for problem in record.problems)]
    problems = f"; problems: {tally([problem.code for problem in every])}" if every else ""
    return f"Read: {counts or 'no resource'}{problems}."


def _not_there(error: Exception, inputs: Inputs, site: Site) -> Refusal:
    """Nobody in the data is an empty input; somebody else is a wrong option."""
    from cds_service.inputs import read_all

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


def _page(site: Site, options: Namespace) -> Page:
    from cds_service.terminal import Page

    terminal = options.output is None and sys.stdout.isatty()
    return Page(site.zone, coloured=terminal and "NO_COLOR" not in os.environ)


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


def _json(value: object) -> bytes:
    import orjson

    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _write(result: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(result)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(result)
    except OSError as error:
        raise Refusal(f"{output} cannot be written: {error.strerror}") from error


def _say(message: str) -> None:
    print(f"icans-cds: {message}", file=sys.stderr)
