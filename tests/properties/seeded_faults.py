"""Run a copy of the clinic with one line changed against what the oracle expects of fixed courses.

``python -m tests.properties.seeded_faults EXPECTED FOLDER``: FOLDER holds the changed package ``icans``, EXPECTED
the pickled courses. Prints the first difference and exits with status 1, or with 0 if there is none.
"""

from __future__ import annotations

import pickle
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # nothing here may import the clinic before its changed copy is in the path
    from tests.oracle.replay import Shown


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
    Fault("course/course.py", "elif grade.low < headline <= grade.high:", "elif grade.low < headline < grade.high:"),
    Fault(
        "refractory/no_improvement.py",
        "counts_as.high <= reference.counts_as.low - 1",
        "counts_as.high <= reference.counts_as.low",
    ),
    Fault("refractory/no_improvement.py", "counts_as.low >= max(1,", "counts_as.low > max(1,"),
    Fault("refractory/no_improvement.py", "now - before < policy.ice_gain", "now - before <= policy.ice_gain"),
    Fault(
        "refractory/worsening.py",
        "counts_as.low > reference.counts_as.high",
        "counts_as.low >= reference.counts_as.high",
    ),
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
    Fault("refractory/day_only.py", "stand = _shifted(rows, moved)", "stand = list(rows)"),
    Fault("refractory/day_only.py", "if given_at - covered > longest:", "if given_at - covered > 2 * longest:"),
    Fault(
        "steroids/exposure.py", "total >= policy.tiers[self.tiers_crossed]", "total > policy.tiers[self.tiers_crossed]"
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
    for record, end, shown in courses:
        by_id: dict[str, Shown] = {s.id: s for s in shown}
        different = agreement.differences(icans.replay(record, policy, end), by_id)
        if different:
            print(different[0])
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
