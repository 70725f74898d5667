"""``icans-cds evaluate``: what holds at one instant, and the assessment behind it."""

from __future__ import annotations

from argparse import Namespace

from cds_service.command_line.inputs import answer_asked_for
from cds_service.command_line.options import json_bytes, page_of, write


def evaluate(options: Namespace) -> int:
    """The answer for one patient, as text or as JSON."""
    from cds_service.output.text import evaluation_text
    from cds_service.published.result_json import evaluation_json

    site, answer, status = answer_asked_for(options)
    if options.format == "json":
        write(json_bytes(evaluation_json(answer.evaluation, answer.cards)), options.output)
    else:
        write(evaluation_text(answer, page_of(site, options)).encode(), options.output)
    return status
