"""The server as a process: its start, its trust, its port, its end."""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.hook_calls import SERVICE, body_of, check_response, hook_call

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("ICANS_CDS_")}


@contextmanager
def running(*options: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    """A server on a free port: process, base URL, and the lines it wrote to standard error at its start."""
    command = [sys.executable, "-m", "cds_service", "serve", "--port", "0", *options]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=CLEAN | environment
    )
    lines: queue.Queue[str] = queue.Queue()
    assert process.stderr is not None
    stderr = process.stderr
    threading.Thread(target=lambda: [lines.put(line) for line in stderr], daemon=True).start()
    said: list[str] = []
    try:
        while not any("http://" in line for line in said):
            said.append(lines.get(timeout=30))
        port = re.search(r":(\d+)/", said[-1])
        assert port is not None
        yield process, f"http://127.0.0.1:{port[1]}", said
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, list[str]]]:
    with running() as (_, base, said):
        yield base, said


def post(url: str, body: bytes) -> tuple[int, str, bytes]:
    """Status, media type and body of an answer, whatever its status."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.headers.get_content_type(), response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get_content_type(), error.read()


def exchange(base: str, sent: bytes) -> bytes:
    """What the server answers to these bytes on a connection of their own."""
    host, port = base.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(sent)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
            if b"}]}" in received:
                break
    return received


def test_it_answers_hook_calls_and_says_loudly_whom_it_trusts(server: tuple[str, list[str]]) -> None:
    base, said = server
    assert "DEVELOPMENT TRUST" in "".join(said) and "this machine only" in "".join(said)
    status, media_type, body = post(f"{base}/cds-services/{SERVICE}", body_of(hook_call()))
    assert (status, media_type) == (200, "application/json")
    assert check_response(json.loads(body))


def test_eight_clients_at_once_get_the_same_answer(server: tuple[str, list[str]]) -> None:
    base, _ = server
    body = body_of(hook_call())
    with ThreadPoolExecutor(8) as clients:
        answers = set(clients.map(lambda _: post(f"{base}/cds-services/{SERVICE}", body), range(40)))
    assert len(answers) == 1 and answers.pop()[0] == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"NOT HTTP AT ALL\r\n\r\n", 400),
        (b"POST /cds-services/x HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /cds-services/x HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n", 413),
    ],
)
def test_what_the_server_itself_refuses_is_an_outcome_too(
    server: tuple[str, list[str]], sent: bytes, status: int
) -> None:
    head, _, body = exchange(server[0], sent).partition(b"\r\n\r\n")
    assert f" {status} ".encode() in head.splitlines()[0]
    assert b"application/fhir+json" in head
    assert json.loads(body)["resourceType"] == "OperationOutcome"


def test_a_body_over_the_limit_is_read_and_refused() -> None:
    with running(ICANS_CDS_BODY_LIMIT_MEGABYTES="1") as (_, base, _said):
        status, media_type, _ = post(f"{base}/cds-services/{SERVICE}", b" " * 3_000_000)
    assert (status, media_type) == (413, "application/fhir+json")


def test_beyond_loopback_hook_calls_are_refused_and_it_says_why() -> None:
    with running("--host", "0.0.0.0") as (_, base, said):
        status, media_type, body = post(f"{base}/cds-services/{SERVICE}", body_of(hook_call()))
    assert (status, media_type) == (503, "application/fhir+json")
    assert "cannot verify callers" in json.loads(body)["issue"][0]["diagnostics"]
    assert "ICANS_CDS_DEVELOPMENT=1" in "".join(said)


def test_beyond_loopback_development_trust_is_asked_for_and_said() -> None:
    with running("--host", "0.0.0.0", ICANS_CDS_DEVELOPMENT="1") as (_, base, said):
        status, _, _ = post(f"{base}/cds-services/{SERVICE}", body_of(hook_call()))
    assert status == 200
    assert "WHOEVER CAN REACH THIS PORT" in "".join(said)


def test_a_configuration_file_can_take_the_trust_away(tmp_path: Path) -> None:
    config = tmp_path / "site.toml"
    config.write_text('trust = "none"\nzone = "Europe/Berlin"\n')
    with running("--config", str(config)) as (_, base, _said):
        assert post(f"{base}/cds-services/{SERVICE}", body_of(hook_call()))[0] == 503


def test_it_ends_quietly_when_asked_to() -> None:
    with running() as (process, _base, _said):
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def serve_and_fail(*options: str, **environment: str) -> str:
    """The message of a server that does not start."""
    command = [sys.executable, "-m", "cds_service", "serve", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=CLEAN | environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_port_in_use_is_said() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        assert f"127.0.0.1:{port} is in use" in serve_and_fail("--port", port)


def test_settings_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    config = tmp_path / "site.toml"
    config.write_text("colour = 1\n")
    assert "colour" in serve_and_fail("--config", str(config))
    config.write_text("port = [\n")
    assert "not valid TOML" in serve_and_fail("--config", str(config))
    assert "cannot be read" in serve_and_fail("--config", str(tmp_path / "missing.toml"))
    assert "ICANS_CDS_ZONE" in serve_and_fail(ICANS_CDS_ZONE="Mars/Olympus")
    assert "missing.toml" in serve_and_fail("--policy", str(tmp_path / "missing.toml"))
    assert "is not a folder" in serve_and_fail("--mappings", str(tmp_path / "missing"))
    assert "cannot listen on" in serve_and_fail("--host", "203.0.113.1")
    assert "--port" in serve_and_fail("--port", "70000")
