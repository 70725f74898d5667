"""Run a copy of the clinic with one line changed against what the oracle expects of fixed courses.

``python -m tests.properties.seeded_faults EXPECTED FOLDER``: FOLDER holds the changed package ``icans``, EXPECTED
the pickled courses. Prints the first difference and exits with status 1, or with 0 if there is none.
"""

from __future__ import annotations

import pickle
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fault:
    """One line of a rule, and what it is changed to."""

    file: str
    line: str
    changed: str


FAULTS = (
    Fault("grading/astct.py", "6: 2, 5: 2, 4: 2, 3: 2, 2: 3", "6: 2, 5: 2, 4: 2, 3: 3, 2: 3"),
    Fault("grading/astct.py", "duration_seconds > PROLONGED", "duration_seconds >= PROLONGED"),
    Fault(
        "grading/domains.py", "cutoff = self.at - policy.event_carry", "cutoff = self.at - policy.combination_window"
    ),
    Fault(
        "grading/domains.py", "value if value and value.at >= self.since", "value if value and value.at > self.since"
    ),
    Fault("grading/sedation.py", "if sedative.at <= at <= end", "if sedative.at <= at < end"),
    Fault("chart.py", "policy.ice_item_window + MICROSECOND", "policy.ice_item_window"),
    Fault("course/freshness.py", "counts_as.low > course.headline:", "counts_as.low >= course.headline:"),
    Fault("course/course.py", "self.clear_since >= policy.resolution", "self.clear_since > policy.resolution"),
    Fault("course/freshness.py", "if headline >= 2:", "if headline >= 3:"),
    Fault(
        "course/course.py", "if grade.low < headline <= grade.high else", "if grade.low < headline < grade.high else"
    ),
    Fault(
        "refractory/no_improvement.py",
        "counts_as.high <= reference.counts_as.low - 1",
        "counts_as.high <= reference.counts_as.low",
    ),
    Fault("refractory/no_improvement.py", "counts_as.low >= max(1,", "counts_as.low > max(1,"),
    Fault("refractory/no_improvement.py", "now - before >= least", "now - before > least"),
    Fault("refractory/worsening.py", "high = reference.counts_as.high", "high = reference.counts_as.high - 1"),
    Fault("refractory/treatment.py", "since = assessment.at - situation.policy.onset_lead", "since = assessment.at"),
    Fault(
        "refractory/treatment.py", "at < line.start + situation.policy.eval", "at <= line.start + situation.policy.eval"
    ),
    Fault("refractory/treatment.py", "line.start) <= policy.treatment_gap", "line.start) < policy.treatment_gap"),
    Fault(
        "refractory/treatment.py",
        "if amount < situation.policy.doubling_factor",
        "if amount <= situation.policy.doubling_factor",
    ),
    Fault("steroids/doses.py", "total >= policy.bridging_dose", "total > policy.bridging_dose"),
    Fault("refractory/treatment.py", "if said != {verdict.label}:", "if verdict.label not in said:"),
    Fault(
        "refractory/day_only.py",
        "if start < rise.at - policy.onset_lead:",
        "if start < rise.at - policy.treatment_gap:",
    ),
    Fault("refractory/day_only.py", "placed = _shifted(rows, moved)", "placed = list(rows)"),
    Fault("refractory/day_only.py", "if given_at - covered > longest:", "if given_at - covered > 2 * longest:"),
    Fault(
        "steroids/exposure.py",
        "total >= policy.tiers[self.tiers_crossed]",
        "total >= 1 + policy.tiers[self.tiers_crossed]",
    ),
    # L13: which reasons answer the call for an assessment
    Fault("grading/reasons.py", '"sedated", "aphasia"})', '"sedated", "aphasia", "refused"})'),
    Fault("grading/assess.py", "weight(reason) == 1 and grading.level_charted()", "weight(reason) == 1"),
    # L14 to L16: reference, treatment before a worsening, doses before the onset
    Fault("refractory/treatment.py", "(course.last_full, *course.headline_rows[-1:])", "(course.last_full,)"),
    Fault("refractory/worsening.py", "total >= policy.qualifying_dose", "total > policy.qualifying_dose"),
    Fault("refractory/worsening.py", "and treated(given, situation.policy)", ""),
    Fault("engine/history.py", "exposure.at_onset -= begun_between(", "exposure.at_onset -= 0 * begun_between("),
    # L17: what another cause ends
    Fault("grading/in_force.py", "event_grade(e).high <= low]", "event_grade(e).high < low]"),
    Fault("grading/in_force.py", "e.finding == attributed.finding or event_grade", "event_grade"),
    # L18, L19, L22: gains within a grade, grade 1, what an event holds
    Fault("refractory/no_improvement.py", "reference.counts_as == GradeRange(1, 1)", "False"),
    Fault("refractory/no_improvement.py", "before - now >= policy.capd_gain", "before - now > policy.capd_gain"),
    Fault("findings.py", '"refractory": {1: "info"', '"refractory": {1: "warning"'),
    Fault("refractory/no_improvement.py", "if without is not None and", "if not_better and without is not None and"),
    # L20, L21: how urgent it still is, and what runs with it
    Fault("engine/alerts.py", "if at >= since + self.policy.shown_for", "if at > since + self.policy.shown_for"),
    Fault("engine/alerts.py", "news.append(alert.also_met_at)", "pass"),
    Fault("engine/alerts.py", "alert.facts = replace(alert.facts, **alert.running)", "pass"),
    # L24, L25, L37: when something falls due
    Fault(
        "course/freshness.py",
        "if headline == 1 and policy.protocol_enrolled",
        "if headline == 5 and policy.protocol_enrolled",
    ),
    Fault("course/due.py", "if due <= at and sedated_until is not None:", "if due < at and sedated_until is not None:"),
    Fault("course/due.py", "base = sedated_until or at  #", "base = at  #"),
    Fault("course/freshness.py", "course.open or course.last_found_at is None", "course.last_found_at is None"),
    Fault("course/freshness.py", " and last >= since else course.onset", " else course.onset"),
    # L5, L27, L28: a death, a bag, a small day
    Fault("chart.py", "if any(infusion.at > death for infusion in self.infusions):", "if False:"),
    Fault(
        "chart.py",
        "bisect_right(self.instants, death + self.policy.death",
        "bisect_left(self.instants, death + self.policy.death",
    ),
    Fault("steroids/exposure.py", "reached + policy.tier_delay)", "reached + 2 * policy.tier_delay)"),
    Fault("steroids/exposure.py", "(min(other, when), tier)", "(other, tier)"),
    Fault("steroids/exposure.py", "given >= policy.steroid_day_minimum", "given > policy.steroid_day_minimum"),
    # L38, D6: one end of the day only, and what only an earlier event holds
    Fault("refractory/treatment.py", '"time-imprecise" if has_reference(line, situation) else ', ""),
    Fault(
        "refractory/treatment.py", "if evaluation is not None and evaluation.by_itself:", "if evaluation is not None:"
    ),
)


def main(expected: Path, folder: Path) -> int:
    """Compare the changed clinic, found in ``folder``, with the expectation; 1 if it differs."""
    sys.path.insert(0, str(folder))
    import icans
    from tests.properties import agreement

    if not Path(icans.__file__).is_relative_to(folder):
        print(f"{icans.__file__} is not the changed copy")
        return 2
    policy, courses = pickle.loads(expected.read_bytes())
    for record, end, result, then in courses:
        different = agreement.differences(icans.replay(record, policy, end), result)
        for as_of, shown in then.items():
            different += agreement.differences_at(icans.evaluate(record, policy, as_of), shown)
        if different:
            print(different[0])
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
