"""Every number in a sentence that a site may override comes from the policy in force."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache

import pytest

import icans
from cards import CardContext, Times, line, render
from cards.wording import literature
from cards.wording.assessment import _NOTES
from cards.wording.refractory import _CLAUSES, _OPEN_REASONS
from cds_service.output.course_text import replay_text
from cds_service.output.text import Page
from cds_service.replay import Played
from cds_service.site.policy import current_policy, current_policy_entries, default_text
from icans import Alert, Policy, PolicyEntry, Record, load_policy, table_in_force
from icans.policy.file import SECONDS
from icans.policy.policy import in_words
from tests.support.builders import bundle, infusion, on_day
from tests.support.evaluations import INFUSION, alert, day, dose, evaluation, every_type, exposure, ice_assessment
from tests.support.resources import reading
from tools.docs_cards import EXAMPLES, Example

UNITS = {"h": "h|hours?", "min": "min|minutes?", "d": "d|days?|calendar days", "s": "s|seconds?", "mg": "mg"}
IN_WORDS = {
    (60, "min"): r"\ban hour\b",
    (24, "h"): r"\b(once|twice|every) (a )?day\b|\bdaily\b",
    (7, "d"): r"\ba week\b",
}
#: What is quoted from a publication, or is the name of a published fact, stays whatever the policy.
QUOTED = [
    *literature._TIERS.values(),
    literature.DEFINITION_QUOTE,
    literature.EQUIVALENCE,
    literature.DOSE_LIMITS,
    literature.STEROID_DAYS,
    literature.EARLY_START,
    "last 24 h",
    "In the 24 h before it",
    "24-hour",  # the evaluation that the definition of refractory ICANS names
]


def overridable() -> list[PolicyEntry]:
    """The settings with a number that a site may change."""
    return [entry for entry in current_policy_entries() if entry.overridable and entry.minimum is not None]


def defaults(entry: PolicyEntry) -> tuple[Decimal, ...]:
    values = entry.value if isinstance(entry.value, tuple) else (entry.value,)
    return tuple(Decimal(value) for value in values)


def measured(value: Decimal, unit: str) -> tuple[Decimal, str]:
    """A value in seconds if it is a time: 180 min are 3 h."""
    return (value * SECONDS[unit], "s") if unit in SECONDS else (value, unit)


@cache
def odd_policy() -> Policy:
    """A policy in which every number that may be overridden, and every fixed duration, is no default of its unit."""
    taken = {measured(value, entry.unit) for entry in overridable() for value in defaults(entry)}
    lines = []
    for entry in overridable():
        low, high = Decimal(entry.minimum), Decimal(entry.maximum)
        step = Decimal(1) if high - low > 8 or entry.unit in ("grade", "points") else Decimal("0.25")
        middle = low + (high - low) // 2
        near = sorted((low + step * n for n in range(int((high - low) / step) + 1)), key=lambda v: abs(v - middle))
        free = [value for value in near if measured(value, entry.unit) not in taken]
        if entry.unit == "grade":
            free = [value for value in near if value not in defaults(entry)]
        chosen = sorted(free[: len(defaults(entry))])
        value = f"[{', '.join(map(str, chosen))}]" if isinstance(entry.value, tuple) else str(chosen[0])
        lines.append(f"{entry.key} = {value}")
    policy = load_policy(default_text(), table_in_force(), "\n".join(lines))
    free_to_change = {entry.key for entry in overridable()}
    fixed = [f.name for f in fields(Policy) if f.type == "timedelta" and f.name not in free_to_change]
    return replace(policy, **{name: getattr(policy, name) * 31 / 32 for name in fixed})


def default_wording(entry: PolicyEntry) -> Iterator[re.Pattern[str]]:
    """How a sentence could name the bundled value: ``24 h``, ``24-30 h``, ``16 to 24 hours``, ``an hour``."""
    for value in defaults(entry):
        if entry.unit in SECONDS:
            yield re.compile(
                rf"(?<![\d.]){in_words(timedelta(seconds=SECONDS[entry.unit] * float(value)))}\b(?! \d+ min| ago)"
            )
        if entry.unit in UNITS:
            yield re.compile(
                rf"(?<![\d.]){value}(th)?( to [\d.]+|-[\d.]+)?[ -]({UNITS[entry.unit]})\b(?! \d+ min| ago)"
            )
        if (value, entry.unit) in IN_WORDS:
            yield re.compile(IN_WORDS[value, entry.unit])


def samples() -> list[Alert]:
    """Every finding type, with every reason and note that is worded, and no number of its own."""
    made = every_type()
    own = {
        "hours_since_treatment_start": Decimal("23.20"),
        "interval_hours": 9,
        "steroid_days": 11,
        "lower_bound_mg": Decimal(41),
        "dexamethasone_equivalent_mg": Decimal(777),
        "threshold_mg": Decimal(555),
        "crossed_mg": (Decimal(444), Decimal(555)),
    }
    for kind, sample in made.items():
        facts = replace(sample.facts, **{name: own[name] for name in own if hasattr(sample.facts, name)})
        made[kind] = alert(sample.finding.at, facts, basis=sample.finding.basis)
    change, open_answer, met = made["grade-change"], made["refractory-indeterminate"], made["refractory"]
    noted = ice_assessment(5, 2, day(7, 14), notes=tuple(_NOTES))
    found = [*made.values(), alert(day(7), replace(change.facts, onset_on_steroids=True), basis=noted)]
    found += [alert(day(7), replace(change.facts, direction=to)) for to in ("resolution", "recurrence")]
    found.append(alert(day(7), replace(change.facts, deciding_domain="documented")))
    for reason in _OPEN_REASONS:
        facts = replace(open_answer.facts, reason=reason, needed=())
        found.append(alert(day(7), facts, basis=open_answer.finding.basis))
    for reason, also in zip(_CLAUSES, reversed(_CLAUSES), strict=True):
        facts = replace(met.facts, reason=reason, also_met=also, late=True)
        found.append(alert(day(7), facts, basis=replace(met.finding.basis, early=True)))
    return found


@cache
def card_texts(*, odd: bool) -> str:
    """All cards and lines of the samples."""
    policy = odd_policy() if odd else current_policy()
    texts, given = [], exposure(dose(day(3), "dexamethasone", "11", "1"))
    times = Times(now=day(8), zone=UTC, infusion_day=INFUSION.date(), policy=policy)
    for sample in samples():
        found = evaluation(sample, policy=policy, as_of=day(7, 17), exposure=given)
        for card in render(found, context=CardContext()):
            texts += [card["summary"], card["detail"]]
        texts.append(line(sample, times))
    return "\n".join(texts)


def charted(example: Example) -> Record:
    chart = bundle(infusion(on_day(0, "08:30"), id="infusion"), *example.charted)
    (record,) = reading(chart).records.values()
    return record


@cache
def explained(*, odd: bool) -> str:
    """What is not met of every rule, and what would meet it, now and then in the charts of the documents."""
    policy = odd_policy() if odd else current_policy()
    texts = set()
    for example in EXAMPLES:
        record = charted(example)
        end = datetime.fromisoformat(example.when).astimezone(UTC)
        for at in (end, end - timedelta(hours=30), end + timedelta(hours=7), end + timedelta(days=40)):
            for rule in icans.evaluate(record, policy, at).rules:
                texts |= {*rule.unmet, rule.would_change}
    return re.sub(r"(?m)^[\d.]+ (mg|days)", "What the record holds", "\n".join(sorted(texts)))


@cache
def replayed(*, odd: bool) -> str:
    """The findings among the lines of the charts of the documents."""
    policy = odd_policy() if odd else current_policy()
    texts = []
    for example in EXAMPLES:
        record = charted(example)
        course = icans.replay(record, policy)
        text = replay_text(Played(course, []), Page(UTC))
        texts.append("\n".join(row for row in text.splitlines() if " also " in row))
    return "\n".join(texts)


@pytest.mark.parametrize("texts", [card_texts, explained, replayed])
@pytest.mark.parametrize("entry", overridable(), ids=lambda entry: entry.key)
def test_no_sentence_names_the_default_of_a_setting_that_is_overridden(entry, texts):
    text = texts(odd=True)
    for quoted in QUOTED:
        text = text.replace(quoted, "")
    text = re.sub(r"\d+ (min|h|days) ago", "", text)
    for pattern in default_wording(entry):
        found = pattern.search(text)
        assert found is None, text[max(0, found.start() - 80) : found.end() + 40]


def test_the_search_finds_the_defaults_where_they_are_in_force():
    """The texts name these settings, and the patterns see them: otherwise the test above could not fail."""
    named = {
        entry.key
        for entry in overridable()
        for pattern in default_wording(entry)
        if pattern.search(card_texts(odd=False))
    }
    assert {"bolus_note", "treatment_gap", "reference_after", "evaluation_from", "combination_window"} <= named
    rules = explained(odd=False)
    assert "10 mg dexamethasone-equivalent in 24 h" in rules and "no assessment for 36 h" in rules
