"""A replay shows at each instant the card that a call at that instant is answered with."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import icans
from cards import CardContext, render
from icans.record import Record
from tests.properties.boundaries import BOUNDARY_COURSES
from tests.properties.strategies import Shape, records, treated_records
from tests.properties.test_agreement import COURSE, DAYS_ONLY, POLICY

CONTEXT = CardContext()


def assert_same_cards(record: Record) -> None:
    for moment in icans.replay(record, POLICY).moments:
        shown = render(moment.evaluation, context=CONTEXT, modules=moment.modules)
        asked = icans.evaluate(record, POLICY, moment.at)
        assert shown == render(asked, context=CONTEXT, modules=moment.modules)


@settings(COURSE, max_examples=60)
@given(
    st.one_of(
        records(),
        treated_records(),
        treated_records(DAYS_ONLY),
        records(Shape(second_infusion=True, sedatives=2)),
    )
)
def test_the_same_card_through_both_doors(record: Record) -> None:
    assert_same_cards(record)


@pytest.mark.parametrize("record", BOUNDARY_COURSES, ids=range(len(BOUNDARY_COURSES)))
def test_the_same_card_on_the_boundaries_of_the_rules(record: Record) -> None:
    assert_same_cards(record)
