"""A chart with one bad datum for each row of docs/problems.md, and the same chart without it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cds_service.examples.shifting import shift_bundle
from tests.support.builders import (
    ASSESSMENT,
    ROUTES,
    SNOMED,
    Resource,
    bundle,
    capd,
    concept,
    consciousness,
    hook_request,
    ice,
    ice_items,
    icp_edema,
    infusion,
    motor,
    observation,
    on_day,
    propofol,
    steroid,
)

AS_OF = datetime(2026, 3, 6, 12, tzinfo=UTC)
#: Day 5 at noon: ICE 5 and alert at 08:00 (grade 2), dexamethasone 10 mg at 09:00.
CHART = (
    infusion(on_day(0, "08:30"), id="infusion"),
    ice(on_day(4), 10, id="ice4"),
    consciousness(on_day(5), "alert", id="alert5"),
    ice(on_day(5), 5, id="ice5"),
    steroid(on_day(5, "09:00"), "dexamethasone", "10", id="dose5"),
)


@dataclass(frozen=True)
class Case:
    """bad: what is charted besides; instead: resources of CHART, by id, that the bad ones represent.

    live: sent as a live call of now, moved in time. prefetch: changes to the prefetch of a hook call.
    """

    bad: tuple[Resource, ...] = ()
    instead: tuple[str, ...] = ()
    as_of: datetime = AS_OF
    live: bool = False
    prefetch: dict[str, Any] | None = None
    birth: str = "1970-01-01"

    def chart(self, *, with_bad: bool) -> Resource:
        kept = CHART if not with_bad else tuple(r for r in CHART if r["id"] not in self.instead)
        return bundle(*kept, *(self.bad if with_bad else ()), birth=self.birth)

    def request(self, *, with_bad: bool) -> bytes:
        """The same as a hook call; a live one ends now."""
        if not self.live:
            body = json.loads(hook_request(self.chart(with_bad=with_bad), self.as_of.isoformat()))
            if with_bad and self.prefetch is not None:
                body["prefetch"] |= self.prefetch
                body["prefetch"] = {key: value for key, value in body["prefetch"].items() if value != "absent"}
            return json.dumps(body).encode()
        chart = shift_bundle(self.chart(with_bad=with_bad), datetime.now(UTC) - self.as_of)
        body = json.loads(hook_request(chart, self.as_of.isoformat()))
        del body["extension"]
        return json.dumps(body).encode()


def late_ice(score: Any = 1, **changes: Any) -> Resource:
    """A worse ICE at 10:00, which would be grade 3 if it could be used."""
    return {"id": "bad", **ice(on_day(5, "10:00"), score), **changes}


def late_dose(**changes: Any) -> Resource:
    return {"id": "bad", **steroid(on_day(5, "10:00"), "dexamethasone", "10"), **changes}


def without(resource: Resource, name: str) -> Resource:
    return {key: value for key, value in resource.items() if key != name}


LIQUID = {"dose": {"value": 10, "unit": "vial"}, "route": concept(SNOMED, ROUTES["IV"])}
ITEMS = ice_items(on_day(5), {"orientation": 4, "naming": 3, "command": 1, "writing": 0, "attention": 0})["component"]
BLEEDING = (
    icp_edema(on_day(5), "intracranial-hemorrhage", id="bad"),
    icp_edema(on_day(5), "diffuse-edema", id="edema"),
)
NO_WRITING = {"orientation": 4, "naming": 0, "command": 1, "attention": 0}
CASES: dict[tuple[str, str], Case] = {
    ("value-out-of-range", "ICE 11"): Case((late_ice(11),)),
    ("value-out-of-range", "methylprednisolone 5,000 mg"): Case(
        (steroid(on_day(5, "10:00"), "methylprednisolone", "5000", id="bad"),)
    ),
    ("value-not-numeric", 'ICE "-"'): Case((late_ice("-"),)),
    ("inconsistent-arousal", "ICE 5 beside unarousable"): Case(
        (ice(on_day(5, "10:00"), 5, id="i"), consciousness(on_day(5, "10:00"), "unarousable", id="bad"))
    ),
    ("items-total-mismatch", "total 6, items 8"): Case(
        (observation(on_day(5), (ASSESSMENT, "ice-total"), {"valueInteger": 6, "component": ITEMS}, id="bad"),),
        ("ice5",),
    ),
    ("item-not-charted", "three ICE by items without writing"): Case(
        tuple(ice_items(on_day(5, f"{hour}:00"), NO_WRITING, id=f"i{hour}") for hour in ("09", "10", "11"))
    ),
    ("wrong-tool-for-age", "CAPD 20 in an adult"): Case((capd(on_day(5, "10:00"), 20, id="bad"),)),
    ("finding-unspecific", "weakness, not specified"): Case((motor(on_day(5), "weakness-unspecified", id="bad"),)),
    ("hemorrhage-excluded", "diffuse edema with hemorrhage"): Case(BLEEDING),
    ("sedation", "propofol bolus half an hour before"): Case((propofol(on_day(5, "07:30"), id="bad"),)),
    ("unit-unknown", "dexamethasone 10 vial"): Case((late_dose(dosage=LIQUID),)),
    ("dose-missing", "dexamethasone without amount"): Case(
        (steroid(on_day(5, "10:00"), "dexamethasone", None, id="bad"),)
    ),
    ("route-missing", "dexamethasone 10 mg without route"): Case(
        (steroid(on_day(5, "10:00"), "dexamethasone", "10", None, id="bad"),)
    ),
    ("drug-unmapped", '"study drug dexamethasone or placebo"'): Case(
        (late_dose(medicationCodeableConcept={"text": "study drug dexamethasone or placebo"}),)
    ),
    ("time-missing", "ICE 1 without a time"): Case(
        (without(late_ice(), "effectiveDateTime"),), as_of=AS_OF - timedelta(days=4, hours=6)
    ),
    ("time-imprecise", 'ICE 1 of "2026-03"'): Case(
        (late_ice(effectiveDateTime="2026-03"),), as_of=AS_OF - timedelta(days=4, hours=6)
    ),
    ("duplicate", "dexamethasone 10 mg again after 30 s"): Case(
        (steroid(on_day(5, "09:00:30"), "dexamethasone", "10", id="twice"),)
    ),
    ("status-not-usable", "preliminary ICE 1"): Case((late_ice(status="preliminary"),)),
    ("reference-unresolved", "a drug that the record does not hold"): Case(
        (
            without(late_dose(), "medicationCodeableConcept")
            | {"medicationReference": {"reference": "Medication/elsewhere"}},
        )
    ),
    ("partial-data", "no administrations in the call"): Case(prefetch={"medicationAdministrations": "absent"}),
    ("invalid-resource", "status that is a list"): Case((late_ice(status=["final"]),)),
    ("time-implausible", "ICE 1 of the year 9999"): Case(
        (late_ice(effectiveDateTime="9999-12-31", issued=on_day(5, "10:00")),)
    ),
    ("infusion-missing", "no infusion on record"): Case((), ("infusion",), as_of=AS_OF - timedelta(days=1)),
    ("code-unmapped", '"ICE score" under a local code'): Case(
        (late_ice(code={"coding": [{"system": "urn:oid:1.2.3", "code": "77"}], "text": "ICE score"}),)
    ),
    ("unknown-modifier", "ICE 1 with a modifier extension"): Case(
        (late_ice(modifierExtension=[{"url": "https://example.org/not", "valueBoolean": True}]),)
    ),
    ("conflicting-values", "ICE 1 at the same time"): Case((ice(on_day(5), 1, id="second"),)),
    ("time-in-future", "ICE 1 in two hours"): Case(({"id": "bad", **ice(on_day(5, "14:00"), 1)},), live=True),
    ("other-patient", "ICE 1 of another patient"): Case((late_ice(subject={"reference": "Patient/else"}),)),
    ("subject-missing", "ICE 1 of a group"): Case((late_ice(subject={"reference": "Group/7"}),)),
}
