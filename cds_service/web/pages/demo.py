"""The demonstration patients as pages: ``GET /demo``, in development trust only.

Each published course is moved in time so that its most telling moment is now, and evaluated as of now.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pkgutil import get_data
from typing import Any

import orjson
from flask import Flask, Response, abort, request

from cds_service.evaluation import evaluate_record
from cds_service.examples.shifting import TELLING_MOMENTS, shift_bundle
from cds_service.output.html import CONTENT_SECURITY_POLICY, card_html, document, replay_page, said
from cds_service.output.text import Page
from cds_service.replay import play
from cds_service.site.site import Site

#: What each course shows, in a sentence.
STORIES = {
    "s0": "51 years old: ICE falls from day 7, steroids of unrecorded amount, grade 4 on day 10.",
    "s1": "54 years old: grade 3 on day 7 under dexamethasone, then a third day of high-dose methylprednisolone.",
    "s2": "39 years old: onset at grade 3 on day 14, coma an hour after the first dose.",
}
PAPERS = {
    "s0": "Frisch et al., 2025",
    "s1": "van Nijendaal et al., Haematologica 2026",
    "s2": "Katsin et al., Frontiers in Immunology 2024",
}


def add_demo(app: Flask, site: Site) -> None:
    """Add the pages to an application in development trust."""

    @app.get("/demo")
    def demo() -> Response:
        return _page(demo_page(site, _this_minute(), request.host_url.rstrip("/")))

    @app.get("/demo/<name>")
    def demo_course(name: str) -> Response:
        name, _, suffix = name.partition(".")
        if name not in STORIES or suffix not in ("", "json"):
            abort(404)
        bundle = moved_course(name, _this_minute())
        if suffix:
            return Response(orjson.dumps(bundle), mimetype="application/fhir+json")
        return _page(replay_page([play(_record(bundle, site), site, None)], Page(site.zone)))


def demo_page(site: Site, now: datetime, base: str) -> str:
    """All demonstration patients with the cards that hold now. base: address of this server, for the commands."""
    parts = [
        "<h1>Demonstration patients</h1>",
        "<p>Published cases, moved in time so that the most telling moment of each is now. Below are the cards that a "
        "clinician who opens the chart at this minute would see. No data of real care are here; clock times that the "
        "papers do not print were set.</p>",
        f'<p class="quiet">As of {said(Page(site.zone).clock(now))}. Policy {said(site.policy.label)}, '
        f"mappings {said(site.terminology.label)}.</p>",
    ]
    for name in STORIES:
        parts += _patient_html(name, site, now, base)
    return document("icans-cds: demonstration patients", parts)


def moved_course(name: str, now: datetime) -> dict[str, Any]:
    """A bundled course, moved so that its most telling moment is ``now``."""
    data = get_data("cds_service", f"examples/{name}.json")
    bundle: dict[str, Any] = orjson.loads(data or b"{}")
    return shift_bundle(bundle, now - datetime.fromisoformat(TELLING_MOMENTS[name]))


def _patient_html(name: str, site: Site, now: datetime, base: str) -> list[str]:
    answer = evaluate_record(_record(moved_course(name, now), site), site, now)
    evaluation = answer.evaluation
    grade, refractory = evaluation.grade.working, evaluation.refractory.state.replace("-", " ")
    state = f"Grade {grade}" if grade is not None else "No grade"
    command = f"curl -s {base}/demo/{name}.json | icans-cds replay -"
    return [
        f'<section id="{name}"><h2>{said(PAPERS[name])}</h2>',
        f"<p>{said(STORIES[name])}</p>",
        f'<p class="quiet">{said(evaluation.patient)}: {said(state)}; refractoriness: {said(refractory)}.</p>',
        *(card_html(card) for card in answer.cards),
        f'<p>The whole course: <a href="/demo/{name}">as a page</a>, or in a terminal:</p>',
        f"<pre>{said(command)}</pre></section>",
    ]


def _record(bundle: dict[str, Any], site: Site) -> Any:
    from fhir_mappings import Source, read

    reading = read([Source("demonstration", orjson.dumps(bundle))], site.read_settings(None), None)
    (record,) = reading.records.values()
    return record


def _this_minute() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0)


def _page(html: str) -> Response:
    response = Response(html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["Cache-Control"] = "no-store"
    return response
