"""The command line as its user meets it: what it prints, where, and with which exit status."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cds_service import evaluate_bundle, replay_bundle
from cds_service.command_line.commands import policy as commands
from cds_service.command_line.main import main
from cds_service.instants import instant
from tests.support import builders
from tests.support.hook_calls import AT_COMA, AT_ONSET, PATIENT, check_schema, course

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("ICANS_CDS_")}


class Done:
    """What a command did: exit status, standard output and standard error."""

    def __init__(self, returncode: int, stdout: bytes, stderr: bytes) -> None:
        assert b"Traceback" not in stderr
        self.returncode, self.stdout, self.stderr = returncode, stdout, stderr


def run(*arguments: str, given: bytes = b"", **environment: str) -> Done:
    """One command within this process, on streams of its own: a process of its own for each takes too long."""
    given_stream, out, err = (io.TextIOWrapper(io.BytesIO(data), "utf-8") for data in (given, b"", b""))
    with pytest.MonkeyPatch.context() as patch:
        for name, stream in (("stdin", given_stream), ("stdout", out), ("stderr", err)):
            patch.setattr(sys, name, stream)
        for name in os.environ.keys() - CLEAN.keys():
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        try:
            status = main(arguments)
        except SystemExit as left:
            status = int(left.code or 0)
        for stream in (out, err):
            stream.flush()
    return Done(status, out.buffer.getvalue(), err.buffer.getvalue())  # type: ignore[attr-defined]


def in_a_process(*arguments: str, given: bytes = b"") -> Done:
    command = [sys.executable, "-m", "cds_service", *arguments]
    done = subprocess.run(command, input=given, capture_output=True, timeout=120, env=CLEAN)
    return Done(done.returncode, done.stdout, done.stderr)


def printed(*arguments: str, given: bytes = b"", **environment: str) -> str:
    """Standard output of a command that succeeds."""
    done = run(*arguments, given=given, **environment)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def refused(status: int, *arguments: str, given: bytes = b"") -> str:
    """Standard error of a command that refuses: nothing on standard output, and a sentence."""
    done = run(*arguments, given=given)
    assert (done.returncode, done.stdout) == (status, b""), done.stderr.decode()
    assert done.stderr
    return done.stderr.decode()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("course") / "course.json"
    path.write_text(json.dumps(course()))
    return str(path)


def as_ndjson(bundle: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(entry["resource"]).encode() + b"\n" for entry in bundle["entry"])


def test_the_command_line_is_a_process(bundle: str) -> None:
    text = json.dumps(course()).encode()
    for given, path in ((b"", bundle), (text, "-")):
        done = in_a_process("replay", path, "--format", "json", given=given)
        assert (done.returncode, done.stderr) == (0, b"")
        assert json.loads(done.stdout) == replay_bundle(course())
    refusal = in_a_process("evaluate", "-", given=b"{}")
    assert (refusal.returncode, refusal.stdout) == (3, b"")


# --- evaluate


def test_evaluate_json_is_evaluate_bundle(bundle: str) -> None:
    document = json.loads(printed("evaluate", bundle, "--as-of", AT_COMA, "--format", "json"))
    check_schema("evaluate", document)
    assert document == evaluate_bundle(course(), as_of=instant(AT_COMA))
    assert (document["patient"], document["grade"]["working"], document["monitoring"]) == (
        "Patient/seed-002",
        4,
        "active",
    )


def test_evaluate_text_says_grade_and_cards_within_100_columns(bundle: str) -> None:
    text = printed("evaluate", bundle, "--as-of", AT_COMA)
    assert "Grade       4" in text
    assert "[CRITICAL]" in text
    assert max(map(len, text.splitlines())) <= 100
    assert "\x1b" not in text


def test_evaluate_without_as_of_on_old_data_says_so(bundle: str) -> None:
    bundle_text = json.dumps(course()).replace("2026-03-", "2019-03-")
    Path(bundle).with_name("old.json").write_text(bundle_text)
    done = run("evaluate", str(Path(bundle).with_name("old.json")), "--format", "json")
    assert done.returncode == 0
    assert b"--as-of was not given" in done.stderr
    assert json.loads(done.stdout)["monitoring"] == "ended"


def test_evaluate_names_the_patients_of_data_that_hold_several(tmp_path: Path) -> None:
    for name in ("s0", "s2"):
        (tmp_path / f"{name}.json").write_text(json.dumps(course(name)))
    message = refused(2, "evaluate", str(tmp_path), "--as-of", AT_COMA)
    assert "Patient/seed-000" in message and "Patient/seed-002" in message
    for patient in (PATIENT, f"Patient/{PATIENT}"):
        text = printed("evaluate", str(tmp_path), "--patient", patient, "--as-of", AT_COMA, "--format", "json")
        assert json.loads(text)["patient"] == "Patient/seed-002"
    assert "Patient/seed-000" in refused(2, "evaluate", str(tmp_path), "--patient", "nobody", "--as-of", AT_COMA)


# --- replay


def test_replay_json_is_replay_bundle(bundle: str) -> None:
    document = json.loads(printed("replay", bundle, "--format", "json"))
    check_schema("replay", document)
    assert document == replay_bundle(course())
    (played,) = document
    assert played["summary"]["peakGrade"] == 4
    assert [entry["shownAt"] for entry in played["alerts"]] == sorted(entry["shownAt"] for entry in played["alerts"])


def test_replay_text_tells_the_course_within_100_columns(bundle: str) -> None:
    text = printed("replay", bundle)
    assert "day +14   Sun 2026-03-15" in text
    assert max(map(len, text.splitlines())) <= 100
    lines = text.splitlines()
    (onset,) = [line for line in lines if line.startswith("  10:00  grade 3")]
    assert "ICE 2" in onset
    assert "  10:30  given      dexamethasone 20 mg IV; 20 mg dexamethasone-equivalent since infusion" in lines
    assert any(line.startswith("  10:00  CRITICAL") for line in lines[lines.index(onset) :])
    assert "Peak grade 4" in text


def test_replay_text_puts_what_has_no_time_under_its_own_day(tmp_path: Path) -> None:
    charted = [builders.ice("2026-03-06T08:00:00Z", 5), builders.steroid("2026-03-06", "dexamethasone", "10", "IV")]
    (tmp_path / "days.json").write_text(
        json.dumps(builders.bundle(builders.infusion("2026-03-01"), *charted)), encoding="utf-8"
    )
    text = printed("replay", str(tmp_path / "days.json"))
    assert "CAR-T infusion 2026-03-01, no time charted (day 0)." in text
    assert "day 0   Sun 2026-03-01\n         given      CAR-T cells infused\n" in text
    day_5 = text.split("day +5   Fri 2026-03-06\n")[1].split("\n\n")[0]
    assert "  08:00  grade 2    ICE 5" in day_5 and "         given      dexamethasone 10 mg" in day_5
    assert "onset 2026-03-06 08:00 UTC, day +5" in text


def test_replay_ndjson_is_one_alert_a_line_with_its_patient(bundle: str) -> None:
    lines = [json.loads(line) for line in printed("replay", bundle, "--format", "ndjson").splitlines()]
    (played,) = replay_bundle(course())
    assert lines == [{"patient": "Patient/seed-002", **alert} for alert in played["alerts"]]
    for line in lines:
        check_schema("alert", line)


def test_replay_as_of_cuts_the_record(bundle: str) -> None:
    (played,) = json.loads(printed("replay", bundle, "--as-of", AT_ONSET, "--format", "json"))
    assert played["summary"]["peakGrade"] == 3
    assert all(alert["shownAt"] <= AT_ONSET for alert in played["alerts"])


def test_replay_takes_all_patients_in_order(tmp_path: Path) -> None:
    for name in ("s2", "s0"):
        (tmp_path / f"{name}.json").write_text(json.dumps(course(name)))
    document = json.loads(printed("replay", str(tmp_path), "--format", "json"))
    assert [played["patient"] for played in document] == ["Patient/seed-000", "Patient/seed-002"]
    (one,) = json.loads(printed("replay", str(tmp_path), "--patient", PATIENT, "--format", "json"))
    assert {problem["code"] for problem in one["problems"]} == {"other-patient"}
    assert one | {"problems": []} == document[1]


def test_times_are_shown_in_the_site_zone(bundle: str) -> None:
    assert "CAR-T infusion 2026-03-01 09:30 CET" in printed("replay", bundle, "--zone", "Europe/Berlin")
    assert "CAR-T infusion 2026-03-01 09:30 CET" in printed("replay", bundle, ICANS_CDS_ZONE="Europe/Berlin")


def test_what_is_charted_cannot_command_the_terminal(tmp_path: Path) -> None:
    document = course()
    for entry in document["entry"]:
        if entry["resource"]["resourceType"] == "Observation":
            entry["resource"]["valueString"] = "\x1b[2J\x07owned"
            for name in ("valueInteger", "valueRange", "valueQuantity", "valueCodeableConcept"):
                entry["resource"].pop(name, None)
    (tmp_path / "b.json").write_text(json.dumps(document))
    for command in ("replay", "evaluate"):
        done = run(command, str(tmp_path / "b.json"), "--as-of", AT_COMA)
        assert b"\x1b" not in done.stdout + done.stderr and b"\x07" not in done.stdout + done.stderr


# --- input and output


def test_one_record_in_any_form_gives_the_same_bytes(bundle: str, tmp_path: Path) -> None:
    expected = printed("replay", bundle, "--format", "json")
    text = Path(bundle).read_bytes()
    assert printed("replay", "-", "--format", "json", given=text) == expected
    assert printed("replay", "-", "--format", "json", given=as_ndjson(course())) == expected
    (tmp_path / "all.ndjson").write_bytes(as_ndjson(course()))
    assert printed("replay", str(tmp_path / "all.ndjson"), "--format", "json") == expected
    folder = tmp_path / "folder" / "deeper"
    folder.mkdir(parents=True)
    for number, line in enumerate(reversed(as_ndjson(course()).splitlines())):
        (folder / f"{number}.json").write_bytes(line)
    assert printed("replay", str(tmp_path / "folder"), "--format", "json") == expected


def test_the_result_can_be_written_to_a_file(bundle: str, tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    assert printed("replay", bundle, "--format", "json", "--output", str(file)) == ""
    assert json.loads(file.read_text()) == replay_bundle(course())
    assert "cannot be written" in refused(2, "replay", bundle, "--output", str(tmp_path))


def test_other_names_in_a_folder_are_counted(tmp_path: Path) -> None:
    (tmp_path / "course.json").write_text(json.dumps(course()))
    (tmp_path / "notes.txt").write_text("not FHIR")
    done = run("replay", str(tmp_path), "--format", "json")
    assert done.returncode == 0
    assert b"passed over: 1" in done.stderr


def test_a_bad_file_in_a_folder_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "course.json").write_text(json.dumps(course()))
    (tmp_path / "broken.json").write_text('{"resourceType": "Bundle", ')
    done = run("replay", str(tmp_path), "--format", "json")
    assert done.returncode == 3
    assert b"broken.json" in done.stderr
    (found,), (whole,) = json.loads(done.stdout), replay_bundle(course())
    assert [row["grade"] for row in found["timeline"]] == [row["grade"] for row in whole["timeline"]]
    assert {problem["code"] for problem in found["problems"]} == {"partial-data"}


NOT_FHIR = {
    "empty": b"",
    "object": b"{}",
    "number": b"7",
    "text": b'"FHIR"',
    "html": b"<html></html>",
    "truncated": json.dumps(course()).encode()[:400],
    "invalid UTF-8": b'{"resourceType": "Bundle", "type": "\xff\xfe"}',
    "deep": b'{"resourceType":"Bundle","entry":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
}


@pytest.mark.parametrize("name", NOT_FHIR)
@pytest.mark.parametrize("command", ["evaluate", "replay"])
def test_what_is_not_fhir_is_status_3_and_named(tmp_path: Path, command: str, name: str) -> None:
    file = tmp_path / "data.json"
    file.write_bytes(NOT_FHIR[name])
    assert "data.json" in refused(3, command, str(file))
    assert "standard input" in refused(3, command, "-", given=NOT_FHIR[name])


@pytest.mark.parametrize("command", ["evaluate", "replay"])
def test_fhir_with_nothing_to_evaluate_is_status_4(tmp_path: Path, command: str) -> None:
    file = tmp_path / "data.json"
    for document in (
        {"resourceType": "Bundle", "type": "collection"},
        {"resourceType": "Patient", "id": "p"},
        {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": {"resourceType": "Patient", "id": "p"}}],
        },
    ):
        file.write_text(json.dumps(document))
        assert "nothing to evaluate" in refused(4, command, str(file))
    folder = tmp_path / "folder"
    folder.mkdir()
    assert "nothing to evaluate" in refused(4, command, str(folder))


def test_wrong_use_is_status_2(bundle: str, tmp_path: Path) -> None:
    refused(2)
    refused(2, "no-such-command")
    refused(2, "replay")
    refused(2, "policy")
    assert "does not exist" in refused(2, "replay", str(tmp_path / "missing.json"))
    for as_of in (
        "yesterday",
        "2026-03-15",
        "2026-03-15T10:00:00",
        "2026-13-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
    ):
        assert "--as-of" in refused(2, "evaluate", bundle, "--as-of", as_of)
    assert "policy" in refused(2, "evaluate", bundle, "--policy", str(tmp_path / "missing.toml"))
    (tmp_path / "policy.toml").write_text("no_such_setting = 1\n")
    assert "no_such_setting" in refused(2, "evaluate", bundle, "--policy", str(tmp_path / "policy.toml"))
    assert "is not a folder" in refused(2, "replay", bundle, "--mappings", str(tmp_path / "missing"))
    assert "zone" in refused(2, "replay", bundle, "--zone", "Mars/Olympus")


def test_an_output_that_nobody_reads_is_no_fault(bundle: str) -> None:
    command = [sys.executable, "-m", "cds_service", "replay", bundle, "--format", "json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=CLEAN)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(timeout=60) == 0


def test_a_fault_is_a_sentence_with_its_place(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> int:
        raise KeyError("Mrs Example")

    monkeypatch.setattr(commands, "policy_show", fail)
    assert main(["policy", "show"]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert "KeyError in fail" in err and "Mrs Example" not in err


# --- policy


def test_policy_show_lists_each_setting_with_its_citation(tmp_path: Path) -> None:
    document = json.loads(printed("policy", "show", "--format", "json"))
    assert document["policy"].startswith("icans-default/")
    assert all(setting["citation"] for setting in document["settings"])
    text = printed("policy", "show")
    assert all(setting["key"] in text for setting in document["settings"])
    assert max(map(len, text.splitlines())) <= 100
    (tmp_path / "policy.toml").write_text('protocol_enrolled = "all"\n')
    changed = json.loads(printed("policy", "show", "--format", "json", "--policy", str(tmp_path / "policy.toml")))
    assert changed["policy"].startswith(document["policy"] + "+")
    assert [setting["key"] for setting in changed["settings"] if setting["overridden"]] == ["protocol_enrolled"]


def test_policy_show_changed_lists_what_a_site_overrides_and_nothing_else(tmp_path: Path) -> None:
    assert "No setting differs" in printed("policy", "show", "--changed")
    (tmp_path / "policy.toml").write_text("[refractoriness]\ntreatment_gap = 36\n")
    text = printed("policy", "show", "--changed", "--policy", str(tmp_path / "policy.toml"))
    assert "[refractoriness]" in text and "treatment_gap = 36 h (overridden)" in text
    assert "qualifying_dose" not in text


def test_a_policy_template_is_a_policy_file_with_every_setting_that_may_be_overridden(tmp_path: Path) -> None:
    file, filled = tmp_path / "template.toml", tmp_path / "filled.toml"
    printed("policy", "show", "--write-template", str(file))
    document = json.loads(printed("policy", "show", "--format", "json"))
    lines = file.read_text().splitlines()
    settings = {line[1:].split(" = ")[0] for line in lines if re.match(r"#\w+ = ", line)}
    assert settings == {setting["key"] for setting in document["settings"] if setting["overridable"]}
    filled.write_text("\n".join(re.sub(r"^#(\w+ = )", r"\1", line) for line in lines))
    for written in (file, filled):
        shown = json.loads(printed("policy", "show", "--format", "json", "--policy", str(written)))
        assert shown["policy"] == document["policy"]
    filled.write_text(filled.read_text().replace("treatment_gap = 30", "treatment_gap = 36"))
    printed("policy", "show", "--policy", str(filled), "--write-template", str(file))
    assert [line for line in file.read_text().splitlines() if line[:1] not in ("#", "[", "")] == ["treatment_gap = 36"]


# --- start-up


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, cds_service.command_line.main\n"
        "try: cds_service.command_line.main.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'flask', 'pydantic', 'fhir', 'fhir_mappings', 'cards', 'icans', 'msgspec', 'orjson', 'logging'}\n"
        "sys.exit(','.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_evaluate_starts_without_the_web_and_without_fhir_models(bundle: str) -> None:
    code = (
        "import sys, cds_service.command_line.main\n"
        f"status = cds_service.command_line.main.main(['evaluate', {bundle!r}, '--as-of', {AT_COMA!r}])\n"
        "heavy = {'flask', 'waitress', 'fhir', 'requests', 'pint', 'rich'} & set(sys.modules)\n"
        "sys.exit(status or ','.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=CLEAN)
    assert done.returncode == 0, done.stderr
