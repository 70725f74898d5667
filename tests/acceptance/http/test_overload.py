"""Many callers, slow callers, and calls that take too long: each call has its time, and health is always answered."""

from __future__ import annotations

import gc
import http.client
import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from cds_service.fhir_client.places import Places
from cds_service.hooks.access import NO_PLACE
from cds_service.site.settings import Settings
from cds_service.web import connections
from cds_service.web.app import ARRIVED, create_app
from cds_service.web.connections import ARRIVING_SECONDS, CALLS, CONNECTIONS, Server
from tests.support import fhir_server
from tests.support.fhir_server import Handler, serving
from tests.support.hook_calls import SERVICE, body_of, check_response, hook_call

PATH = f"/cds-services/{SERVICE}"
CALL = body_of(hook_call())
PATIENT_SETTINGS = Settings(fetch_seconds=60, answer_seconds=120)


@contextmanager
def running(application: Any, body_bytes: int = 128_000_000) -> Iterator[Server]:
    """The server in a thread of this process."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(application, listener, body_bytes)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.task_dispatcher.shutdown(timeout=30)
        server.close()


def request(server: Server, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", int(server.effective_port), timeout=60)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def connected(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(server.effective_port)), timeout=60)


def test_500_idle_connections_do_not_stop_the_service() -> None:
    with running(create_app(PATIENT_SETTINGS)) as server, ExitStack() as held:
        assert server.adj.connection_limit > 600
        for _ in range(500):
            held.enter_context(connected(server))
        assert request(server, "POST", PATH, CALL)[0] == 200
        assert len(server.active_channels) >= 500


def test_where_room_is_short_idle_connections_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "CONNECTIONS", 100)
    with running(create_app(PATIENT_SETTINGS)) as server, ExitStack() as held:
        assert server.adj.connection_limit == 100 < CONNECTIONS
        for _ in range(150):
            held.enter_context(connected(server))
        assert request(server, "POST", PATH, CALL)[0] == 200


def test_a_request_that_trickles_in_is_given_up() -> None:
    with running(create_app(PATIENT_SETTINGS)) as server, connected(server) as slow:
        slow.sendall(b"POST /cds-services/x HTTP/1.1\r\nHost: localhost\r\n")
        until(lambda: any(channel.request for channel in list(server.active_channels.values())))
        (channel,) = server.active_channels.values()
        channel.last_activity = channel.request.begun + 2 * ARRIVING_SECONDS  # its last byte came just now
        server.maintenance(channel.request.begun + ARRIVING_SECONDS)
        assert not channel.will_close
        server.maintenance(channel.request.begun + ARRIVING_SECONDS + 1)
        assert channel.will_close


def until(holds: Callable[[], bool]) -> None:
    for _ in range(2000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("it never came to that")


def test_health_has_a_lane_of_its_own() -> None:
    """Every thread for calls is taken, and more calls are waiting: a health check is answered all the same."""
    app, release, begun = create_app(PATIENT_SETTINGS), threading.Event(), threading.Semaphore(0)

    def slow(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/about":
            begun.release()
            release.wait(60)
        return app.wsgi_app(environ, start_response)

    with running(slow) as server, ThreadPoolExecutor(CALLS + 4) as callers:
        waiting = [callers.submit(request, server, "GET", "/about") for _ in range(CALLS + 4)]
        for _ in range(CALLS):
            assert begun.acquire(timeout=60)
        assert [request(server, "GET", path)[0] for path in ("/healthz", "/readyz")] == [200, 200]
        assert not any(call.done() for call in waiting)
        release.set()
        assert {call.result()[0] for call in waiting} == {200}


def test_32_calls_on_a_hanging_server_keep_no_other_call_waiting() -> None:

    def hangs_till_the_end(handler: Handler) -> None:
        handler.fhir.closing.wait(60)
        handler.close_connection = True

    hanging = dict.fromkeys((*fhir_server.TYPES, "metadata"), hangs_till_the_end)
    with (
        serving(faults=hanging) as hangs,
        serving() as good,
        running(create_app(PATIENT_SETTINGS)) as server,
        ThreadPoolExecutor(40) as callers,
    ):
        on_hanging = body_of(hook_call(prefetch=None, fhirServer=hangs.base))
        waiting = [callers.submit(request, server, "POST", PATH, on_hanging) for _ in range(32)]
        until(lambda: len(hangs.asked_for("Patient")) == 32)
        assert request(server, "POST", PATH, CALL)[0] == 200
        assert request(server, "POST", PATH, body_of(hook_call(prefetch=None, fhirServer=good.base)))[0] == 412
        assert good.asked
        status, said = request(server, "POST", PATH, on_hanging)  # the 33rd: at once
        assert (status, NO_PLACE.encode() in said) == (412, True)
        assert not any(call.done() for call in waiting)
        hangs.closing.set()
        assert {call.result()[0] for call in waiting} == {412}


def test_places_are_given_back() -> None:
    places = Places(most=3, most_of_one=2)
    one, other, third = "https://one.example/fhir", "https://other.example/fhir", "https://third.example"
    for _ in range(3):
        with places.taken(one) as first, places.taken(f"{one}/tenant") as second, places.taken(one) as none:
            assert (first, second, none) == (True, True, False)
            with places.taken(other) as free, places.taken(third) as full:
                assert (free, full) == (True, False)


def answered(settings: Settings, **environ: Any) -> Any:
    return (
        create_app(settings)
        .test_client()
        .post(PATH, data=CALL, content_type="application/json", environ_overrides=environ)
    )


def out_of_time(response: Any) -> bool:
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    issue = response.get_json(force=True)["issue"][0]
    return bool(issue["code"] == "timeout" and "no card was produced" in issue["diagnostics"])


def test_the_time_in_the_queue_counts() -> None:
    settings = Settings(answer_seconds=30)
    assert out_of_time(answered(settings, **{ARRIVED: time.monotonic() - 31}))
    assert answered(settings, **{ARRIVED: time.monotonic()}).status_code == 200


def test_the_server_tells_when_a_request_arrived() -> None:
    told: list[float] = []

    def note(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        told.append(environ[ARRIVED])
        start_response("200 OK", [])
        return []

    with running(note) as server:
        before = time.monotonic()
        request(server, "POST", "/", b"{}")
    assert before <= told[0] <= time.monotonic()


@pytest.mark.parametrize("place", ["icans.evaluate", "fhir_mappings.read_prefetch"])
def test_an_evaluation_that_takes_too_long_is_cut_off(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(*_: Any, **__: Any) -> None:
        while True:
            try:
                sum(range(1000))
            except Exception:  # noqa: BLE001 - nothing that is evaluated may take the end of its time for its own
                continue

    app = create_app(Settings(answer_seconds=0.5)).test_client()
    with monkeypatch.context() as patch:
        patch.setattr(place, endless)
        assert out_of_time(app.post(PATH, data=CALL, content_type="application/json"))
    assert gc.isenabled()
    patient = create_app(PATIENT_SETTINGS).test_client()
    assert check_response(patient.post(PATH, data=CALL, content_type="application/json").get_json())


def test_a_call_that_waits_for_its_turn_is_given_up_in_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluating, release = threading.Event(), threading.Event()

    def slow(*_: Any, **__: Any) -> None:
        evaluating.set()
        release.wait(60)
        raise ZeroDivisionError

    app = create_app(Settings(answer_seconds=1))

    def post(arrived: float) -> Any:
        return app.test_client().post(
            PATH, data=CALL, content_type="application/json", environ_overrides={ARRIVED: arrived}
        )

    with monkeypatch.context() as patch, ThreadPoolExecutor(1) as pool:
        patch.setattr("icans.evaluate", slow)
        first = pool.submit(post, time.monotonic() + 60)
        assert evaluating.wait(60)
        assert out_of_time(post(time.monotonic()))
        release.set()
        assert first.result().status_code == 500
    assert post(time.monotonic() + 60).status_code == 200


AFTERWARDS = """
import sys, time
from cds_service.fhir_client.deadlines import Deadline
from cds_service.hooks.turn import OutOfTime, Turn

with Turn().held(Deadline(60)):
    pass
try:
    with Turn().held(Deadline(0.05)):
        while True:
            pass
except OutOfTime:
    print("cut")
sys.setprofile(lambda *_: None)
(lambda: time.monotonic())()
print("goes on")
"""


def test_calls_leave_nothing_behind_in_the_interpreter() -> None:
    """A cut that was withdrawn left CPython looking for it at every step, and without end under a profiler."""
    run = subprocess.run([sys.executable, "-c", AFTERWARDS], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.split("\n") == ["cut", "goes on", ""]


# --- what callers send


def exchange(server: Server, sent: bytes) -> tuple[int, dict[str, Any]]:
    """Status and body of the answer to these bytes."""
    with connected(server) as connection:
        connection.sendall(sent)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, json.loads(answer.read())


@pytest.mark.parametrize("length", ["9" * 5000, "1" * 400, "1e9", "+5", "0x10"])
def test_a_length_that_is_none_is_answered(length: str) -> None:
    with running(create_app(PATIENT_SETTINGS)) as server:
        head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
        status, outcome = exchange(server, head.encode())
    assert (status in (400, 413), outcome["resourceType"]) == (True, "OperationOutcome")


def test_a_large_body_stays_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a temporary file would hold a patient's data")

    for name in ("TemporaryFile", "NamedTemporaryFile", "SpooledTemporaryFile"):
        monkeypatch.setattr(tempfile, name, refuse)
    padded = CALL[:-1] + b" " * 3_000_000 + b"}"
    with running(create_app(PATIENT_SETTINGS)) as server:
        assert request(server, "POST", PATH, padded)[0] == 200


def test_large_bodies_are_taken_in_while_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "BODIES_BYTES", 5_000_000)
    head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with running(create_app(PATIENT_SETTINGS), body_bytes=4_000_000) as server:
        with connected(server) as first:
            first.sendall(f"{head}Content-Length: 3000000\r\n\r\n".encode())
            until(lambda: server.large_bytes() == 3_000_000)
            for further in ("Content-Length: 2500000", "Transfer-Encoding: chunked"):
                status, outcome = exchange(server, f"{head}{further}\r\n\r\n".encode())
                assert (status, outcome["issue"][0]["code"]) == (503, "transient")
            assert request(server, "POST", PATH, CALL)[0] == 200
        until(lambda: server.large_bytes() == 0)
        assert request(server, "POST", PATH, CALL[:-1] + b" " * 2_500_000 + b"}")[0] == 200
