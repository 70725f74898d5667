"""The house itself: who imports whom, what is pinned, what ships."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("icans", "fhir_mappings", "cards", "cds_service")
LOCKS = ("requirements.lock", "requirements-runtime.lock")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
#: What each room may import next to the standard library and the other rooms.
ALLOWED = {
    "icans": {"pydantic"},
    "fhir_mappings": {"fhir", "pydantic", "msgspec", "orjson", "pint", "ucumvert", "lark", "rapidfuzz"},
    "cards": {"pydantic"},
}
#: Most entries of a folder of code (__init__.py and py.typed included); docs/developing.md has the map.
MOST_ENTRIES = 14
MOST_ENTRIES_OF = {"cds_service": 17}
#: Where a newcomer looks: question, file, and a pattern of the thing that decides it there.
WHERE = (
    ("ICE 0 in an awake patient is grade 3", "icans/grading/astct.py", r"^def ice_grade\("),
    ("the ASTCT table, one row a cell", "icans/grading/astct.py", r"^ICE_GRADES\b"),
    ("factor of methylprednisolone", "icans/policy/icans-default.toml", r"^value = \{.*\bmethylprednisolone = 0\.1875"),
    ("how a dose becomes dexamethasone-equivalents", "icans/steroids/equivalents.py", r"^def amount_of\("),
    ("when are two rows one dose", "icans/steroids/doses.py", r"def duplicate_of\("),
    ("when does a cumulative-dose finding begin", "icans/steroids/thresholds.py", r"facts = CumulativeDose\("),
    ("when does an unknown-dose finding begin", "icans/steroids/thresholds.py", r"facts = DoseUnknown\("),
    ("when is an assessment overdue, with which grace", "icans/course/freshness.py", r"def overdue_at\("),
    ("no improvement in 24 h (clause A)", "icans/refractory/no_improvement.py", r"^def judge\("),
    ("worsening (clause B)", "icans/refractory/worsening.py", r"^def worse_under_treatment\("),
    ("a time is known by its day only", "icans/refractory/day_only.py", r"^def is_vague\("),
    ("does sedation void an ICE", "icans/grading/sedation.py", r"def .*sedat"),
    ("ICE or CAPD for this age", "icans/grading/tool_for_age.py", r"^def tools_at\("),
    ("text of the refractory card", "cards/wording/refractory.py", r"^WORDINGS\b"),
    ("what published cohorts say", "cards/wording/literature.py", r"Strati"),
    ("which Observation status counts", "fhir_mappings/observations/observation.py", r"^USED_STATUS\b"),
    ("which version of a corrected resource counts", "fhir_mappings/patients/versions.py", r"^def ordered\("),
    ("where fhir.resources is asked", "fhir_mappings/fhir_types/validate.py", r"fhir\.resources"),
    ("retries against a FHIR server", "cds_service/fhir_client/retries.py", r"^class \w+\(Retry\)"),
    ("which addresses may be called", "cds_service/fhir_client/addresses.py", r"^class AddressRules\b"),
    ("a new hook", "cds_service/hooks/services.py", r"^SERVICES\b"),
    ("its prefetch templates", "cds_service/hooks/services.py", r"^PREFETCH\b"),
    ("when is a call answered with 412", "cds_service/hooks/answer.py", r"\b412\b"),
)


def test_rooms_import_only_what_the_table_allows():
    code = "from importlinter.cli import lint_imports_command as command; command()"
    run = subprocess.run(
        [sys.executable, "-c", code, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_rooms_use_only_the_libraries_the_table_allows():
    graph = grimp.build_graph(*ROOMS, include_external_packages=True, cache_dir=None)
    inside = {module for module in graph.modules if module.split(".")[0] in ROOMS}
    for room, allowed in ALLOWED.items():
        modules = {module for module in inside if module.split(".")[0] == room}
        used = set().union(*(graph.find_modules_directly_imported_by(module) for module in modules))
        libraries = {name.split(".")[0] for name in used - inside} - set(sys.stdlib_module_names)
        assert libraries <= allowed, room


def test_no_file_imports_one_that_imports_it():
    graph = grimp.build_graph(*ROOMS, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))


@pytest.mark.parametrize(("question", "file", "pattern"), WHERE, ids=[question for question, _, _ in WHERE])
def test_each_thing_is_where_a_newcomer_looks(question, file, pattern):
    assert re.search(pattern, (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), question


def test_no_folder_of_code_is_crowded():
    folders = {path.parent for path in python_files()}
    crowded = {}
    for folder in folders:
        entries = sorted(entry.name for entry in folder.iterdir() if entry.name != "__pycache__")
        name = str(folder.relative_to(ROOT))
        if len(entries) > MOST_ENTRIES_OF.get(name, MOST_ENTRIES):
            crowded[name] = entries
    assert not crowded


def test_every_package_is_pinned_with_hashes_and_no_host_is_named():
    for name in LOCKS:
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        assert not [line for line in lines if re.search(r"https?:|index|find-links|trusted|@ ", line)], name
        blocks = re.split(r"\n(?=\S)", "\n".join(lines))
        assert not [block for block in blocks if not re.match(r"[\w.-]+==[\w.]+", block)], name
        assert not [block for block in blocks if "--hash=sha256:" not in block], name


def pinned(lock: str) -> dict[str, str]:
    """Package (normalised name) -> version of a lock file."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE))


def names(requirements: list[str]) -> set[str]:
    """Normalised package names of requirement lines."""
    return {re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", line).group()).lower() for line in requirements}


def test_the_locks_hold_what_the_project_names():
    runtime, everything = pinned("requirements-runtime.lock"), pinned("requirements.lock")
    assert names(PROJECT["dependencies"]) <= runtime.keys()
    assert names(PROJECT["optional-dependencies"]["dev"]) <= everything.keys()
    assert runtime.items() <= everything.items()


def test_each_dependency_has_its_reason():
    reasons = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    named = names(PROJECT["dependencies"]) | names(PROJECT["optional-dependencies"]["dev"])
    assert not [name for name in named if name not in reasons.replace("fhir.resources", "fhir-resources")]


def test_the_changelog_speaks_of_this_version():
    assert f"## [{PROJECT['version']}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> list[str]:
    """Names of the files in a wheel built from a copy of this checkout, tests and all."""
    source = tmp_path_factory.mktemp("source")
    kept = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info")
    shutil.copytree(ROOT, source / "checkout", ignore=kept)
    code = "from setuptools import build_meta; print(build_meta.build_wheel('..'))"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=source / "checkout", capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    with zipfile.ZipFile(next(source.glob("*.whl"))) as archive:
        return archive.namelist()


def test_the_wheel_ships_the_four_rooms_only(wheel):
    tops = {name.split("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(ROOMS)


def test_the_wheel_ships_the_data_that_is_read_at_run_time(wheel):
    for pattern in (
        "icans/policy/*.toml",
        "fhir_mappings/terminology/bundled/*.json",
        "cds_service/published/schema_files/*.json",
        "cds_service/examples/*.json",
    ):
        shipped = {str(path.relative_to(ROOT)) for path in ROOT.glob(pattern)}
        assert shipped, pattern
        assert shipped <= set(wheel), pattern
    assert [name for name in wheel if name.endswith("licenses/NOTICE")]


def python_files() -> list[Path]:
    """Every Python file of the project, wherever it is."""
    folders = (*ROOMS, "tests", "examples", "benchmarks", "tools")
    return [path for folder in folders for path in (ROOT / folder).rglob("*.py")]


def test_files_stay_readable():
    texts = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in python_files()}
    assert not {path: lines for path, text in texts.items() if (lines := len(text.splitlines())) > 450}


def test_modules_are_named_for_what_they_hold():
    vague = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}
    assert not [path for path in python_files() if path.stem in vague]
