"""``icans-cds replay``: the record stepped through in the order in which it became known, card by card."""

from __future__ import annotations

from argparse import Namespace

from cds_service.command_line.inputs import exit_status, not_there, read_paths, require_evaluable
from cds_service.command_line.options import compiled_site, json_bytes, page_of, write


def replay(options: Namespace) -> int:
    """The courses of the patients asked for, in the format asked for."""
    import orjson

    from cds_service.evaluation import PatientNotFound
    from cds_service.output.course_text import replay_text
    from cds_service.published.result_json import alert_lines, replay_json
    from cds_service.replay import play, records_asked_for

    site = compiled_site(options)
    inputs, reading = read_paths(options, site, None)
    try:
        records = records_asked_for(reading, options.patient)
    except PatientNotFound as error:
        raise not_there(error, inputs, site) from error
    evaluable = require_evaluable(records, reading, inputs)
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
    return exit_status(inputs)
