"""``/demo`` and ``replay --format html``: self-contained pages that show what the cards show."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from cds_service.command_line.main import main
from cds_service.examples.shifting import TELLING_MOMENTS, shift_bundle
from cds_service.site.settings import Settings
from cds_service.web.app import create_app
from tests.support.builders import ice, on_day, seizure
from tests.support.charts import chart
from tests.support.hook_calls import course

VOID = {"meta", "br", "hr"}


class Checked(HTMLParser):
    """Every element closed, and none that loads anything or runs."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.text = ""
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        names = dict(attrs)
        assert not {name for name in names if name.startswith("on") or name in ("src", "srcset")}
        assert (names.get("href") or "/").startswith(("/", "https://"))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def client():
    return create_app(Settings()).test_client()


def test_demo_lists_each_patient_with_its_cards_as_of_now(client):
    response = client.get("/demo")
    assert (response.status_code, response.content_type) == (200, "text/html; charset=utf-8")
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    page = Checked(response.text)
    assert page.seen.isdisjoint({"script", "img", "iframe", "link", "object"})
    for name in ("s0", "s1", "s2"):
        assert f"curl -s http://localhost/demo/{name}.json | icans-cds replay -" in page.text
    assert page.text.count("CRITICAL") >= 3
    assert "Absence of a card does not mean absence of ICANS." in page.text


@pytest.mark.parametrize("name", TELLING_MOMENTS)
def test_each_course_can_be_had_moved_and_as_a_page(client, name):
    bundle = client.get(f"/demo/{name}.json")
    assert bundle.mimetype == "application/fhir+json"
    assert len(bundle.json["entry"]) == len(course(name)["entry"])
    page = Checked(client.get(f"/demo/{name}").text)
    assert page.text.count("Recorded findings meet ICANS") >= 2
    assert client.get("/demo/s9").status_code == 404


@pytest.mark.parametrize("settings", [Settings(host="0.0.0.0"), Settings(trust="jwt")])
def test_there_is_no_demo_outside_development_trust(settings):
    app = create_app(settings)
    assert app.test_client().get("/demo").status_code == 404


def test_a_moved_course_is_the_same_course(client):
    from datetime import timedelta

    from cds_service import replay_bundle

    before = replay_bundle(course())[0]
    after = replay_bundle(shift_bundle(course(), timedelta(days=200, hours=3)))[0]
    assert [alert["facts"].get("grade") for alert in after["alerts"]] == [
        alert["facts"].get("grade") for alert in before["alerts"]
    ]
    assert [card["card"]["indicator"] for card in after["cards"]] == [
        card["card"]["indicator"] for card in before["cards"]
    ]


def test_moving_leaves_birth_dates_months_and_texts():
    from datetime import timedelta

    record = {
        "birthDate": "1970-01-01",
        "effectiveDateTime": "2026-03-31T23:30:00.5+02:00",
        "issued": "2026-03-31T23:30:00Z",
        "onsetDateTime": "2026-03",
        "date": "2026-02-28",
        "note": [{"text": "2026-02-28"}],
        "nonsense": "2026-02-31",
    }
    assert shift_bundle(record, timedelta(days=1)) == {
        "birthDate": "1970-01-01",
        "effectiveDateTime": "2026-04-01T23:30:00.500000+02:00",
        "issued": "2026-04-01T23:30:00Z",
        "onsetDateTime": "2026-03",
        "date": "2026-03-01",
        "note": [{"text": "2026-02-28"}],
        "nonsense": "2026-02-31",
    }


def test_replay_as_html_is_one_self_contained_page(tmp_path, capfdbinary):
    path = tmp_path / "s1.json"
    path.write_text(json.dumps(course("s1")), encoding="utf-8")
    assert main(["replay", str(path), "--format", "html"]) == 0
    page = Checked(capfdbinary.readouterr().out.decode())
    for told in ("day +7", "ICE 1", "methylprednisolone 1000 mg IV", "Peak grade 4", "Recorded findings meet ICANS"):
        assert told in page.text


def test_text_from_a_record_stays_text(tmp_path, capfdbinary):
    hostile = "<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1)) \u202e"
    fit = seizure(on_day(5), "unspecified")
    fit["valueCodeableConcept"]["coding"][0]["display"] = hostile
    fit["valueCodeableConcept"]["text"] = hostile
    bad = {**ice(on_day(5, "09:00"), 1), "valueString": hostile, "id": "x"}
    bad.pop("valueInteger")
    path = tmp_path / "hostile.json"
    path.write_text(json.dumps(chart(ice(on_day(5), 5), fit, bad)), encoding="utf-8")
    assert main(["replay", str(path), "--format", "html"]) == 0
    page = capfdbinary.readouterr().out.decode()
    assert Checked(page).seen.isdisjoint({"script", "img"})
    assert "\u202e" not in page
    assert not re.search(r"href=\"javascript", page)
