"""Each of more than forty one-line faults is caught by the courses that engine and oracle are compared on."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import icans
from fhir_mappings import ReadSettings, Source, load_terminology, read
from icans.record import Record
from tests.oracle.replay import last_instant
from tests.oracle.replay import replay as oracle_replay
from tests.properties.agreement import holding, turns
from tests.properties.boundaries import BOUNDARY_COURSES
from tests.properties.seeded_faults import FAULTS, Fault
from tests.properties.strategies import Shape, records, treated_records
from tests.properties.test_agreement import COURSE, NIGHTS, POLICY
from tests.spec.scenarios import SCENARIOS
from tests.spec.tables import collection

pytestmark = pytest.mark.slow
PACKAGE = Path(icans.__file__).parent
GENERATED = 120


def scenario_records() -> list[Record]:
    reading = ReadSettings(terminology=load_terminology())
    found = []
    for scenario in SCENARIOS:
        source = Source(scenario.number, json.dumps(collection(scenario)).encode())
        found += list(read([source], reading).records.values())
    return found


def generated_records() -> list[Record]:
    found: list[Record] = []

    @settings(COURSE, max_examples=GENERATED, suppress_health_check=list(HealthCheck))
    @given(st.one_of(treated_records(Shape(corrections=False, late=False)), treated_records(), records(NIGHTS)))
    def collect(record: Record) -> None:
        found.append(record)

    collect()
    return found


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fixed courses, each with the alerts the oracle expects, as a file."""
    courses = []
    for number, record in enumerate((*BOUNDARY_COURSES, *scenario_records(), *generated_records())):
        end = last_instant(record)
        if end is not None:
            result = oracle_replay(record, POLICY, end)
            instants = turns(result, POLICY, end) if number < len(BOUNDARY_COURSES) else []
            then = {at: holding(record, POLICY, at) for at in instants[1::4]}
            for shown in result.alerts:
                shown.running = {}  # read off by now, and no data
            courses.append((record, end, result, then))
    path = tmp_path_factory.mktemp("expected") / "courses"
    path.write_bytes(pickle.dumps((POLICY, courses)))
    return path


def run_copy(expected: Path, folder: Path, fault: Fault | None) -> subprocess.CompletedProcess[str]:
    """Compare a copy of the clinic that has the fault, in a process of its own."""
    copy = folder / "icans"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    if fault is not None:
        source = (copy / fault.file).read_text(encoding="utf-8")
        assert source.count(fault.line) == 1, f"{fault.line!r} is not one line of {fault.file}"
        (copy / fault.file).write_text(source.replace(fault.line, fault.changed), encoding="utf-8")
    command = [sys.executable, "-m", "tests.properties.seeded_faults", str(expected), str(folder)]
    root = Path(__file__).parents[2]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)


def test_without_a_fault_nothing_differs(expected: Path, tmp_path: Path) -> None:
    result = run_copy(expected, tmp_path, None)
    assert result.returncode == 0, result.stdout + result.stderr


def test_there_are_forty_faults_and_more() -> None:
    assert len(FAULTS) == len({(f.file, f.line) for f in FAULTS}) > 40


@pytest.mark.parametrize("fault", FAULTS, ids=[f"{f.file}: {f.changed}" for f in FAULTS])
def test_a_seeded_fault_is_caught(fault: Fault, expected: Path, tmp_path: Path) -> None:
    result = run_copy(expected, tmp_path, fault)
    assert result.returncode == 1 and result.stdout, f"not caught: {fault.changed} {result.stderr}"
