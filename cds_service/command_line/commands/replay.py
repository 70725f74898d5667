"""``icans-cds replay``: the record stepped through in the order in which it became known, card by card."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING
from urllib.parse import quote

from cds_service.command_line.inputs import exit_status, not_there, read_paths, require_evaluable
from cds_service.command_line.options import compiled_site, create_folder, json_bytes, page_of, say, write
from cds_service.errors import Refusal

if TYPE_CHECKING:
    from cds_service.site.site import Site
    from icans import Record


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
        return _pages(evaluable, site, options, exit_status(inputs))
    else:
        page = page_of(site, options)
        result = "\n".join(replay_text(played, page) for played in courses).encode()
    write(result, options.output)
    return exit_status(inputs)


def _pages(records: list[Record], site: Site, options: Namespace, status: int) -> int:
    """One patient: a page. Several: a folder with a page each and ``index.html``."""
    from cds_service.output.html import index_page, replay_page
    from cds_service.replay import play

    page = page_of(site, options)
    if len(records) == 1:
        write(replay_page([play(records[0], site, options.as_of)], page).encode(), options.output)
        return status
    folder = options.output
    if folder is None:
        raise Refusal(f"{len(records)} patients make a page each: give a folder with --output, or one of --patient ID")
    if folder.is_file():
        raise Refusal(f"{folder} is a file; {len(records)} patients make a folder of pages")
    create_folder(folder)
    rows = []
    for number, record in enumerate(records, start=1):
        played = play(record, site, options.as_of)
        name = f"{quote(record.patient.removeprefix('Patient/'), safe='')}.html"
        write(replay_page([played], page).encode(), folder / name)
        rows.append((name, played))
        if number % 10 == 0:
            say(f"{number} of {len(records)} patients")
    write(index_page(rows, page).encode(), folder / "index.html")
    say(f"{folder}: {len(rows)} pages, and index.html")
    return status
