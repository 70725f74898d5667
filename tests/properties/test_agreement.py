"""Engine and oracle give the same alerts on generated courses."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import icans
from icans.grading.astct import table_in_force
from icans.policy.file import load_policy
from icans.policy.policy import Policy
from icans.record import Record
from tests.oracle.replay import last_instant
from tests.properties import ruled
from tests.properties.agreement import disagreements, disagreements_at
from tests.properties.boundaries import BOUNDARY_COURSES
from tests.properties.strategies import Shape, records, treated_records

POLICY_TEXT = Path(icans.__file__).parent / "policy" / "icans-default.toml"
POLICY: Policy = load_policy(POLICY_TEXT.read_text(encoding="utf-8"), table_in_force())
COURSE = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
ON_TIME = Shape(corrections=False, late=False)
CHILDREN = Shape(children=True, doses=0, kinds=(*Shape().kinds, *("capd",) * 6))
DAYS_ONLY = Shape(day_only=True)
RULED = (
    *(ruled.reasons(), ruled.other_causes(), ruled.sedated(), ruled.treated_children(), ruled.quiet()),
    ruled.contradicted_deaths(),
    *(ruled.long_treatment(), ruled.long_treatment(DAYS_ONLY)),
)
NIGHTS = Shape(doses=0, observations=16, kinds=("ice", "ice", "rass", "rass", "gcs", "gcs", "consciousness"))


@pytest.mark.parametrize("record", BOUNDARY_COURSES, ids=range(len(BOUNDARY_COURSES)))
def test_the_same_alerts_on_the_boundaries_of_the_rules(record: Record) -> None:
    assert disagreements(record, POLICY) == []


@settings(COURSE, max_examples=80)
@given(st.one_of(records(ON_TIME), treated_records(ON_TIME), records(CHILDREN), records(NIGHTS)))
def test_the_same_alerts_for_records_filed_on_time(record: Record) -> None:
    assert disagreements(record, POLICY) == []


@settings(COURSE, max_examples=80)
@given(st.one_of(records(), treated_records()))
def test_the_same_alerts_for_late_and_corrected_records(record: Record) -> None:
    assert disagreements(record, POLICY) == []


@settings(COURSE, max_examples=40)
@given(st.one_of(records(DAYS_ONLY), treated_records(DAYS_ONLY)))
def test_the_same_alerts_where_only_days_are_known(record: Record) -> None:
    assert disagreements(record, POLICY) == []


@settings(COURSE, max_examples=40)
@given(records(Shape(second_infusion=True, sedatives=2)))
def test_the_same_alerts_over_two_infusions_and_sedation(record: Record) -> None:
    assert disagreements(record, POLICY) == []


@settings(COURSE, max_examples=80)
@given(st.one_of(*RULED), st.integers(0, 1000))
def test_the_same_alerts_for_courses_about_one_rule(record: Record, pick: int) -> None:
    assert disagreements(record, POLICY, pick) == []


@settings(COURSE, max_examples=40)
@given(st.one_of(records(), treated_records()), st.integers(0, 240))
def test_what_holds_at_an_instant_is_the_same(record: Record, half_hours: int) -> None:
    end = last_instant(record)
    assert end is not None
    as_of = end - timedelta(minutes=30 * half_hours)
    assert disagreements_at(record, POLICY, as_of) == []


@pytest.mark.slow
@settings(COURSE, max_examples=2000)
@given(st.one_of(records(), treated_records(), treated_records(DAYS_ONLY), records(ON_TIME), treated_records(ON_TIME)))
def test_the_same_alerts_on_two_thousand_courses(record: Record) -> None:
    assert disagreements(record, POLICY) == []
