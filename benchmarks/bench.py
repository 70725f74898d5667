"""The performance table: ratios measured in one run on one machine (`make bench`).

Calls are compared with `orjson.loads` of the same bytes, replays with the same course at a tenth and a
hundredth of the events, commands with what the interpreter or fhir.resources costs to start. Every number but
the round trip is a ratio of medians of one run. Exit status 1 if a bar is missed.

    python -m benchmarks.bench [WORD ...]     (only the rows whose name holds one of the words)
"""

from __future__ import annotations

import gc
import http.client
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import orjson

from benchmarks import bodies
from cds_service import evaluate_bundle, handle_hook, replay_bundle

ROOT = Path(__file__).resolve().parent.parent
COMMAND = Path(sys.executable).with_name("icans-cds")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a ratio with the bar it must not pass and the aim."""

    name: str
    ratio: float
    unit: str
    bar: float
    aim: str
    detail: str

    @property
    def text(self) -> str:
        verdict = "ok" if self.ratio <= self.bar else "MISSED"
        return (
            f"{self.name:<58} {self.ratio:8.2f} {self.unit:<12} bar {self.bar:>5g}  aim {self.aim:<7}"
            f"{verdict:<7} {self.detail}"
        )


def seconds(call: Callable[[], object]) -> float:
    """Processor seconds of a call in this process: what else runs on the machine counts less."""
    gc.collect()  # what an earlier row left behind is not this row's time
    start = time.process_time()
    call()
    return time.process_time() - start


def elapsed(call: Callable[[], object]) -> float:
    """Seconds on the clock, for whole processes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def compared(
    measured: Callable[[], object],
    base: Callable[[], object],
    rounds: int,
    clock: Callable[[Callable[[], object]], float] = seconds,
) -> tuple[float, float]:
    """Median seconds of both, taken in turn after one call of each to warm up."""
    measured(), base()
    pairs = [(clock(measured), clock(base)) for _ in range(rounds)]
    first, second = zip(*pairs, strict=True)
    return statistics.median(first), statistics.median(second)


def hook_row(count: int, relevant: float, bar: float, aim: str) -> Row:
    """handle_hook on a prefetch body against orjson.loads (J) of the same bytes."""
    body = bodies.prefetch_body(count, relevant)
    answer = orjson.loads(handle_hook("icans-patient-view", body, as_of=bodies.AS_OF))
    rounds = max(9, 20_000 // count)
    call, parse = compared(
        lambda: handle_hook("icans-patient-view", body, as_of=bodies.AS_OF),
        lambda: orjson.loads(body),
        rounds,
    )
    size = f"{len(body) / 1e6:.2f} MB, {len(answer['cards'])} cards"
    return Row(
        f"handle_hook, {count:,} resources, {relevant:.0%} relevant",
        call / parse,
        "J",
        bar,
        aim,
        f"{call * 1e3:.1f} ms, J {parse * 1e3:.2f} ms, {size}",
    )


def replay_row(name: str, factor: int, bar: float, *, denser: bool = False, filing: str = "as charted") -> Row:
    """replay_bundle on ``factor`` times the events against once the events of the same course."""
    spacing = timedelta(hours=6)
    small = bodies.course_bundle(100, spacing=spacing, filing=filing)
    large = bodies.course_bundle(100 * factor, spacing=spacing / factor if denser else spacing, filing=filing)
    rounds = 3
    replay_bundle(small)
    base = statistics.median(seconds(lambda: replay_bundle(small)) for _ in range(15))
    long = statistics.median(seconds(lambda: replay_bundle(large)) for _ in range(rounds))
    return Row(name, long / base, "x", bar, "linear", f"{long * 1000:.0f} ms, once the events {base * 1000:.1f} ms")


def doses_row(name: str, number: int, bar: float, spacing: timedelta) -> Row:
    """One evaluation of ``number`` doses against one of a quarter of them."""
    many, few = (bodies.doses_bundle(count, spacing=spacing * number / count) for count in (number, number // 4))
    as_of = bodies.INFUSION + timedelta(days=60)
    call, other = compared(lambda: evaluate_bundle(many, as_of=as_of), lambda: evaluate_bundle(few, as_of=as_of), 1)
    return Row(name, call / other, "x", bar, "4", f"{call * 1000:.0f} ms against {other * 1000:.0f} ms")


def start_row(name: str, command: Sequence[str], base: Sequence[str], bar: float, aim: str) -> Row:
    """A whole process against another."""

    def run(arguments: Sequence[str]) -> Callable[[], object]:
        return lambda: subprocess.run(arguments, check=True, capture_output=True, cwd=tempfile.gettempdir())

    call, other = compared(run(command), run(base), 11, elapsed)
    return Row(name, call / other, "x", bar, aim, f"{call * 1000:.0f} ms against {other * 1000:.0f} ms")


def round_trip_row(clients: int, calls: int) -> Row:
    """The 99th percentile of HTTP round trips, in ms, of ``clients`` that call at the same time."""
    body = bodies.prefetch_body(200, 0.09)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([COMMAND, "serve", "--port", str(port)], stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        with ThreadPoolExecutor(clients) as pool:
            for _ in pool.map(lambda _: round_trips(port, body, 5), range(clients)):
                pass
            times = sorted(sum(pool.map(lambda _: round_trips(port, body, calls), range(clients)), []))
    finally:
        server.terminate()
        server.wait()
    p99 = times[int(len(times) * 0.99)] * 1e3
    detail = f"median {statistics.median(times) * 1e3:.1f} ms, {len(times)} calls, clients on the same cores"
    return Row(f"HTTP round trip p99, {clients} clients, 200 resources", p99, "ms", 100, "< 30", detail)


def wait_for(port: int) -> None:
    """Until the server answers; TimeoutError after 20 s."""
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the server did not start")


def round_trips(port: int, body: bytes, calls: int) -> list[float]:
    """Seconds of each of ``calls`` calls over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        connection.request("POST", "/cds-services/icans-patient-view", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        times.append(time.perf_counter() - start)
        if answer.status != 200:
            raise RuntimeError(f"status {answer.status}: {content[:200]!r}")
    connection.close()
    return times


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def evaluate_course() -> list[str]:
    course = ROOT / "cds_service" / "examples" / "s2.json"
    return [str(COMMAND), "evaluate", str(course), "--as-of", "2026-03-15T12:30:00Z", "--format", "json"]


#: Name -> how the row is measured.
ROWS: dict[str, Callable[[], Row]] = {
    "hook 2000": lambda: hook_row(2000, 0.09, 2.0, "<= 1.0"),
    "hook 500": lambda: hook_row(500, 0.97, 12, "<= 4"),
    "hook 200": lambda: hook_row(200, 0.09, 6, "<= 3"),
    "replay 10x longer": lambda: replay_row("replay_bundle, 10x the events, longer", 10, 12),
    "replay 100x longer": lambda: replay_row("replay_bundle, 100x the events, longer", 100, 120),
    "replay 10x denser": lambda: replay_row("replay_bundle, 10x the events, denser", 10, 12, denser=True),
    "replay 100x denser": lambda: replay_row("replay_bundle, 100x the events, denser", 100, 120, denser=True),
    "replay 10x batches": lambda: replay_row(
        "replay_bundle, 10x, 12-hour batch filing", 10, 12, filing="12-hour batches"
    ),
    "replay 100x batches": lambda: replay_row(
        "replay_bundle, 100x, 12-hour batch filing", 100, 120, filing="12-hour batches"
    ),
    "replay 10x dense batches": lambda: replay_row(
        "replay_bundle, 10x, denser, 12-hour batch filing", 10, 12, denser=True, filing="12-hour batches"
    ),
    "replay 100x dense batches": lambda: replay_row(
        "replay_bundle, 100x, denser, 12-hour batch filing", 100, 120, denser=True, filing="12-hour batches"
    ),
    "replay 10x at once": lambda: replay_row("replay_bundle, 10x, all known at once", 10, 12, filing="at once"),
    "replay 100x at once": lambda: replay_row("replay_bundle, 100x, all known at once", 100, 120, filing="at once"),
    "doses at once": lambda: doses_row("evaluate, 4,000 doses at one instant, 4x as many", 4000, 5, timedelta(0)),
    "doses spread": lambda: doses_row(
        "evaluate, 20,000 doses over 25 days, 4x as many", 20000, 5, timedelta(days=25) / 20000
    ),
    "http": lambda: round_trip_row(clients=8, calls=50),
    "start help": lambda: start_row(
        "icans-cds --help against python -c pass", [str(COMMAND), "--help"], python("pass"), 12, "<= 8"
    ),
    "start evaluate": lambda: start_row(
        "icans-cds evaluate s2 against import fhir.resources",
        evaluate_course(),
        python("import fhir.resources.R4B.observation"),
        4,
        "<= 2",
    ),
}


def main(words: Sequence[str]) -> int:
    missed = 0
    for name, measure in ROWS.items():
        if words and not any(word in name for word in words):
            continue
        row = measure()
        missed += row.ratio > row.bar
        print(row.text, flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
