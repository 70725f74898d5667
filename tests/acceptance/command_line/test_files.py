"""Files and folders in, results out: what is read, what is named when it is not, and what a full disk leaves."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command_line.test_commands import run
from tests.support.hook_calls import AT_COMA, course

WHOLE = ("evaluate", "--as-of", AT_COMA, "--format", "json")
BOM = b"\xef\xbb\xbf"


def evaluated(*paths: Path) -> Any:
    done = run("evaluate", *map(str, paths[:1]), "--as-of", AT_COMA, "--format", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def as_bytes(suffix: str) -> bytes:
    bundle = course()
    if suffix == ".json":
        return json.dumps(bundle).encode()
    return b"\n".join(json.dumps(entry["resource"]).encode() for entry in bundle["entry"])


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Any:
    file = tmp_path_factory.mktemp("plain") / "course.json"
    file.write_bytes(as_bytes(".json"))
    return evaluated(file)


@pytest.mark.parametrize("in_folder", [False, True], ids=["a file", "in a folder"])
@pytest.mark.parametrize("mark", [b"", BOM], ids=["plain", "with a byte order mark"])
@pytest.mark.parametrize("zipped", ["", ".gz", ".GZ"])
@pytest.mark.parametrize("suffix", [".json", ".ndjson", ".jsonl"])
def test_L10_each_form_is_read(
    suffix: str, zipped: str, mark: bytes, in_folder: bool, tmp_path: Path, expected: Any
) -> None:
    folder = tmp_path / "export" / "part"
    folder.mkdir(parents=True)
    data = mark + as_bytes(suffix)
    file = folder / f"course.000{suffix}{zipped}"
    file.write_bytes(gzip.compress(data) if zipped else data)
    assert evaluated(tmp_path / "export" if in_folder else file) == expected
    check = run("mappings", "check", str(tmp_path), "--format", "json")
    assert (check.returncode, json.loads(check.stdout)["resources"]["Patient"]) == (0, 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "course.json").write_bytes(as_bytes(".json"))
    return tmp_path


def test_L10_manifest_and_log_of_an_export_are_passed_over_silently(folder: Path, expected: Any) -> None:
    manifest = {"transactionTime": AT_COMA, "request": "https://h/$export", "output": [{"type": "Patient", "url": "x"}]}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))
    events = [{"exportId": "x", "timestamp": AT_COMA, "eventId": name} for name in ("kickoff", "export_complete")]
    (folder / "log.ndjson").write_text("\n".join(map(json.dumps, events)))
    done = run(*WHOLE[:1], str(folder), *WHOLE[1:])
    assert (done.returncode, json.loads(done.stdout)) == (0, expected)
    assert b"manifest" not in done.stderr and b"log.ndjson" not in done.stderr


@pytest.mark.parametrize("name", ["doses.xml", "doses.zip", "doses.ndjson.zip", "doses.ndjson.bz2", "doses.parquet"])
def test_L10_a_file_that_could_hold_resources_is_named(name: str, folder: Path, expected: Any) -> None:
    (folder / name).write_bytes(b"?")
    done = run(*WHOLE[:1], str(folder), *WHOLE[1:])
    assert (done.returncode, json.loads(done.stdout)["grade"]) == (3, expected["grade"])
    assert name.encode() in done.stderr


def test_L10_a_folder_of_other_files_only_is_no_input(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("nothing")
    done = run("evaluate", str(tmp_path))
    assert (done.returncode, done.stdout) == (3, b"")


@pytest.mark.parametrize("cut", [8, -20], ids=["no archive", "cut short"])
def test_a_damaged_archive_is_named(cut: int, folder: Path, expected: Any) -> None:
    (folder / "more.ndjson.gz").write_bytes(gzip.compress(as_bytes(".ndjson"))[:cut])
    for command in (WHOLE[:1], ("mappings", "check")):
        done = run(*command, str(folder), *(WHOLE[1:] if command == WHOLE[:1] else ()))
        assert done.returncode == 3
        assert b"more.ndjson.gz" in done.stderr


def test_a_folder_that_cannot_be_looked_into_is_named(
    folder: Path, expected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = folder / "closed"
    closed.mkdir()
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    done = run(*WHOLE[:1], str(folder), *WHOLE[1:])
    assert (done.returncode, json.loads(done.stdout)["grade"]) == (3, expected["grade"])
    assert f"{closed}: cannot be looked into".encode() in done.stderr


def test_a_pipe_in_a_folder_is_not_waited_for(folder: Path, expected: Any) -> None:
    os.mkfifo(folder / "pipe.json")
    done = run(*WHOLE[:1], str(folder), *WHOLE[1:])
    assert (done.returncode, json.loads(done.stdout)["grade"]) == (3, expected["grade"])
    assert b"pipe.json" in done.stderr


def test_a_name_cannot_command_the_terminal(folder: Path) -> None:
    (folder / "a\x1b[2Jb.json").write_text("no FHIR")
    assert b"\x1b" not in run(*WHOLE[:1], str(folder), *WHOLE[1:]).stderr


# --- results


def test_a_result_that_cannot_be_written_leaves_the_old_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = folder / "result.txt"
    output.write_text("the old one")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    done = run(*WHOLE[:1], str(folder / "course.json"), *WHOLE[1:], "--output", str(output))
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"No space left on device" in done.stderr
    assert output.read_text() == "the old one"
    assert {path.name for path in folder.iterdir()} == {"course.json", "result.txt"}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_device_that_is_full_is_no_fault_of_the_program(folder: Path) -> None:
    done = run(*WHOLE[:1], str(folder), *WHOLE[1:], "--output", "/dev/full")
    assert (done.returncode, b"/dev/full cannot be written" in done.stderr) == (2, True)
    assert b"fault of this program" not in done.stderr


def test_N11_several_patients_are_a_folder_of_pages(folder: Path, tmp_path: Path) -> None:
    other = json.loads(as_bytes(".json").decode().replace("seed-002", "other-1"))
    (folder / "other.json").write_text(json.dumps(other))
    pages = tmp_path / "pages" / "today"
    done = run("replay", str(folder), "--format", "html", "--output", str(pages))
    assert (done.returncode, done.stdout) == (0, b"")
    assert {path.name for path in pages.iterdir()} == {"index.html", "seed-002.html", "other-1.html"}
    index = (pages / "index.html").read_text()
    assert 'href="seed-002.html"' in index and 'href="other-1.html"' in index
    assert "other-1" not in (pages / "seed-002.html").read_text()
    to_terminal = run("replay", str(folder), "--format", "html")
    assert (to_terminal.returncode, to_terminal.stdout) == (2, b"")
    assert b"--output" in to_terminal.stderr


# --- mappings


def test_N3_the_folder_of_a_template_is_made_and_the_check_is_printed(folder: Path) -> None:
    template = folder / "site" / "mappings" / "map.json"
    done = run("mappings", "check", str(folder / "course.json"), "--write-template", str(template))
    assert done.returncode == 0
    assert b"Understood" in done.stdout and template.exists()
    (folder / "blocked").write_text("")
    blocked = folder / "blocked" / "map.json"
    done = run("mappings", "check", str(folder / "course.json"), "--write-template", str(blocked))
    assert (done.returncode, b"Understood" in done.stdout) == (2, True)


def test_N10_mappings_may_be_one_file_and_not_an_empty_folder(folder: Path, expected: Any) -> None:
    file = folder / "map.json"
    source = {"url": "urn:map", "resourceType": "ConceptMap", "status": "active", "group": []}
    file.write_text(json.dumps(source))
    done = run(*WHOLE[:1], str(folder / "course.json"), *WHOLE[1:], "--mappings", str(file))
    assert done.returncode == 0, done.stderr
    (folder / "none").mkdir()
    done = run(*WHOLE[:1], str(folder / "course.json"), *WHOLE[1:], "--mappings", str(folder / "none"))
    assert (done.returncode, b"holds no .json and no .csv file" in done.stderr) == (2, True)


def test_N10_data_that_are_not_understood_name_the_check(folder: Path) -> None:
    bundle = course()
    coding = {"system": "urn:site", "code": "ICE1", "display": "ICE score total"}
    row = {"resourceType": "Observation", "id": "local", "status": "final", "code": {"coding": [coding]}}
    row |= {"subject": {"reference": "Patient/seed-002"}, "effectiveDateTime": AT_COMA, "valueInteger": 5}
    bundle["entry"].append({"resource": row})
    (folder / "course.json").write_text(json.dumps(bundle))
    done = run("replay", str(folder / "course.json"))
    assert (done.returncode, b"icans-cds mappings check" in done.stderr) == (0, True)


@pytest.mark.parametrize("command", [("replay",), ("evaluate",), ("mappings", "check")])
def test_input_without_end_is_refused_in_a_plain_sentence(command: tuple[str, ...]) -> None:
    environment = {"ICANS_CDS_BODY_LIMIT_MEGABYTES": "1"}
    done = run(*command, "-", given=b" " * 1_000_001, **environment)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"standard input is longer than 1 MB" in done.stderr and b"name a file" in done.stderr
    assert b"/dev/zero is longer than 1 MB" in run(*command, "/dev/zero", **environment).stderr
    assert b"longer" not in run(*command, "-", given=b" " * 1_000_000, **environment).stderr
