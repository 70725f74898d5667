"""L34, L12: an empty list of cards means that everything was read and nothing holds, and nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from cds_service import handle_hook
from cds_service.evaluation import evaluate_record
from cds_service.hooks.errors import HookError
from cds_service.site.site import bundled_site
from icans import Problem, Record
from tests.support.hook_calls import KEY_OF, PATIENT, SERVICE, body_of, check_response, course, hook_call

KIND_OF = {key: kind for kind, key in KEY_OF.items()}
SOURCES = ("observations", "procedures", "medicationAdministrations")
NOTHING = {"resourceType": "Bundle", "type": "searchset"}
WARNING = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "suppressed"}]}


def rows(key: str, **changes: Any) -> dict[str, Any]:
    found = [entry["resource"] for entry in course()["entry"] if entry["resource"]["resourceType"] == KIND_OF[key]]
    return NOTHING | {"entry": [{"resource": row | changes} for row in found[:2]]}


def read_in_full(key: str) -> dict[str, Any]:
    return {"an empty Bundle": NOTHING, "null": None}


def not_read(key: str) -> dict[str, Any]:
    return {
        "rows of another patient": rows(key, subject={"reference": "Patient/somebody-else"}),
        "a further page": NOTHING | {"link": [{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]},
        "a total without rows": NOTHING | {"total": 3},
        "an entry without a resource": NOTHING | {"entry": [{"fullUrl": "urn:x"}]},
        "a warning": NOTHING | {"entry": [{"resource": WARNING}]},
        "a wrong shape": {"resourceType": "Patient"},
        "absent": ...,
    }


COMBINATIONS = [
    dict(zip(SOURCES, states, strict=True))
    for states in product(*([*read_in_full(key).items(), *not_read(key).items()] for key in SOURCES))
]


def answer(sources: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The cards, None for a 412."""
    prefetch = {"patient": {"resourceType": "Patient", "id": PATIENT}, "conditions": NOTHING}
    prefetch |= {key: value for key, value in sources.items() if value is not ...}
    try:
        return check_response(json.loads(handle_hook(SERVICE, body_of(hook_call(prefetch=prefetch)))))
    except HookError as error:
        assert error.status == 412
        return None


@pytest.mark.parametrize("observations", [*read_in_full("observations"), *not_read("observations")])
def test_L34_no_card_only_where_all_three_sources_were_read_in_full(observations: str) -> None:
    for states in COMBINATIONS:
        if states["observations"][0] != observations:
            continue
        cards = answer({key: value for key, (_, value) in states.items()})
        names = {name for name, _ in states.values()}
        if observations in ("absent", "a wrong shape"):
            assert cards is None
        elif names <= set(read_in_full("")):
            assert cards == []
        else:
            assert cards is not None and len(cards) == 1, states
            assert cards[0]["indicator"] == "info"
            alert = cards[0]["extension"]["org.icans-cds.alert"]
            assert {problem["code"] for problem in alert["facts"]["problems"]} == {"partial-data"}


def test_L12_no_identifier_of_another_patient_is_named() -> None:
    cards = answer({key: rows(key, subject={"reference": "Patient/somebody-else"}) for key in SOURCES})
    assert cards and "somebody-else" not in json.dumps(cards)


def test_L34_an_infusion_that_could_not_be_used_was_not_read() -> None:
    cards = answer({**dict.fromkeys(SOURCES, NOTHING), "procedures": rows("procedures", status=7)})
    assert cards and cards[0]["indicator"] == "info"


def test_L34_what_a_client_can_never_give_is_not_missing_and_the_card_can_be_switched_off() -> None:
    site, now = bundled_site(), datetime(2026, 3, 8, tzinfo=UTC)
    missing = Problem("partial-data", "", "prefetch.medicationAdministrations", "Absent.", affects=("dose",))
    record = Record(patient="Patient/1", incomplete=frozenset({"administrations"}), problems=(missing,))
    assert len(evaluate_record(record, site, now).cards) == 1
    assert len(evaluate_record(record, site, now, never_read=frozenset({"procedures"})).cards) == 1
    assert not evaluate_record(record, site, now, never_read=frozenset({"administrations"})).cards
    assert not evaluate_record(record, site, now, unread_card=False).cards
