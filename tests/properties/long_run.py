"""Engine against oracle on many courses: ``python -m tests.properties.long_run 100000 --processes 2``.

Courses are drawn in batches; shape and seed of a batch name it, so that a disagreement can be drawn again.
Prints how many courses of each shape were compared, and on how many each ruling made a difference. Exit status 1 if
engine and oracle ever differ. docs/agreement.md has the result of a long run.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing import get_context

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from icans.record import Record
from tests.oracle import memory
from tests.properties import ruled
from tests.properties.agreement import disagreements
from tests.properties.strategies import Shape, records, treated_records
from tests.properties.test_agreement import CHILDREN, DAYS_ONLY, NIGHTS, ON_TIME, POLICY

SHAPES: dict[str, st.SearchStrategy[Record]] = {
    "filed on time": records(ON_TIME),
    "treated, filed on time": treated_records(ON_TIME),
    "nights of RASS and GCS": records(NIGHTS),
    "children": records(CHILDREN),
    "late and corrected": records(),
    "treated, late and corrected": treated_records(),
    "days only": records(DAYS_ONLY),
    "treated, days only": treated_records(DAYS_ONLY),
    "two infusions and sedation": records(Shape(second_infusion=True, sedatives=2)),
    "reasons for no ICE": ruled.reasons(),
    "other causes": ruled.other_causes(),
    "sedated when due": ruled.sedated(),
    "treated children": ruled.treated_children(),
    "weeks of steroids": ruled.long_treatment(),
    "weeks of steroids, days only": ruled.long_treatment(DAYS_ONLY),
    "a month without assessments": ruled.quiet(),
    "deaths that are contradicted": ruled.contradicted_deaths(),
}
BATCH = 50
Batch = tuple[str, int, int]


def batches(courses: int, first_seed: int) -> Iterator[Batch]:
    """Shapes in turn, until that many courses are drawn."""
    names = list(SHAPES)
    for number in range(-(-courses // BATCH)):
        yield names[number % len(names)], first_seed + number, min(BATCH, courses - number * BATCH)


def run_batch(batch: Batch) -> tuple[Batch, int, Counter[str], list[str]]:
    """How many courses of the batch were compared, on how many each ruling made a difference, and one text a course
    on which engine and oracle differ."""
    shape, number, courses = batch
    compared = 0
    rules: Counter[str] = Counter()
    found: list[str] = []

    @seed(number)
    @settings(max_examples=courses, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(SHAPES[shape])
    def compare(record: Record) -> None:
        nonlocal compared
        compared += 1
        memory.decided.clear()
        different = disagreements(record, POLICY, pick=None if compared % 4 else compared // 4)
        rules.update(memory.decided)
        if different:
            found.append(f"{shape}, seed {number}, course {compared}:\n  " + "\n  ".join(different[:5]))

    compare()
    return batch, compared, rules, found


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.properties.long_run", description=__doc__)
    parser.add_argument("courses", type=int)
    parser.add_argument("--seed", type=int, default=1, help="of the first batch")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=None, help="start no batch after that long")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    counts: Counter[str] = Counter()
    decided: Counter[str] = Counter()
    different: list[str] = []
    with get_context("spawn").Pool(options.processes, maxtasksperchild=20) as pool:
        for (shape, _, _), compared, rules, found in pool.imap(run_batch, batches(options.courses, options.seed)):
            counts[shape] += compared
            decided += rules
            different += found
            for text in found:
                print(text, flush=True)
            if options.minutes is not None and time.monotonic() - started > options.minutes * 60:
                pool.terminate()
                break
    for shape, compared in counts.items():
        print(f"{compared:>8} {shape}")
    for rule, courses in sorted(decided.items(), key=lambda item: (int(item[0][1:].split()[0]), item[0])):
        print(f"{courses:>8} {rule}")
    seconds = time.monotonic() - started
    print(f"{counts.total():>8} courses from seed {options.seed}, {len(different)} differ, {seconds:.0f} s")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
