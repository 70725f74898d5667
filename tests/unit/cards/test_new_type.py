"""A type of finding is added in its own places: a class, a row, a wording; everything else follows from the table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import jsonschema
import pytest

from cards import CardContext, Times, alert_json, line, render
from cards.models import check_response
from cards.rendering import WORDINGS
from cards.sources import RECORD
from cards.view import View
from cards.wording.parts import Body, Wording, facts_of
from cds_service.published.schemas import schema
from icans.facts import Facts, Grade, Milligrams
from icans.findings import FINDING_TYPES, Alert, FindingType
from tests.support.evaluations import alert, day, evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class FullMoon(Facts):
    """A made-up type."""

    type = "full-moon"
    grade: Grade
    seen_at: datetime | None
    silver_mg: Milligrams
    names: tuple[str, ...]


def summary(alert: Alert, view: View) -> str:
    return f"Full moon at grade {facts_of(alert, FullMoon).grade}"


def moon_line(alert: Alert, times: Times) -> str:
    return "full moon"


def body(alert: Alert, view: View) -> Body:
    return Body(lead="The moon is full.")


@pytest.fixture
def registered(monkeypatch):
    """The made-up type in the table of types and among the wordings, and nowhere else."""
    monkeypatch.setitem(FINDING_TYPES, "full-moon", FindingType(FullMoon, "data", expires=True))
    wording = Wording(summary=summary, body=body, line=moon_line, rule="G6", source=RECORD)
    monkeypatch.setitem(WORDINGS, "full-moon", wording)
    schema.cache_clear()
    yield
    schema.cache_clear()


def test_a_type_needs_a_class_a_row_and_a_wording(registered):
    facts = FullMoon(grade=2, seen_at=None, silver_mg=Decimal("1.5"), names=("Selene",))
    found = alert(day(7), facts)
    assert (found.finding.type, found.finding.module, found.finding.expires) == ("full-moon", "data", True)
    (card,) = render(evaluation(found), context=CardContext(), hook_instance="call")
    check_response({"cards": [card]})
    assert card["summary"] == "Full moon at grade 2"
    times = View.of(evaluation(found), CardContext())
    assert line(found, times) == "full moon"
    printed = alert_json(found)
    assert printed["facts"] == {"grade": 2, "seenAt": None, "silverMg": 1.5, "names": ["Selene"]}
    complete = {**schema("alert")["$defs"]["complete"], "$defs": schema("alert")["$defs"]}
    complete.pop("$ref")
    jsonschema.validate(printed, schema("alert"))
    jsonschema.validate(printed, complete)
    for wrong in ({"grade": 5}, {"silverMg": -1}, {"names": "Selene"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**printed, "facts": {**printed["facts"], **wrong}}, schema("alert"))
    printed["facts"].pop("seenAt")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(printed, complete)
