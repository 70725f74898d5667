"""A live HAPI FHIR server for the whole test run, where Java and Maven are there; otherwise a skip with its reason.

It starts in the background when tests that need it were collected; they run last, and report what they wait for.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

RECIPE = Path(__file__).parent / "hapi"
#: Built once a machine: the class path names its own Maven repository.
BUILT = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "icans-cds-tests" / "hapi-8.6.0"
CLASS_PATH = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath"
BUILD_SECONDS, START_SECONDS = 900, 600


class NotHere(Exception):
    """Why there is no server: a machine without what it needs, and no broken test."""


class Starting(threading.Thread):
    """A server that is built and started while other tests run. step: what it is doing."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.step = "starting"
        self.base = ""
        self.reason = ""
        self.process: subprocess.Popen[str] | None = None

    def run(self) -> None:
        try:
            self.base = self._served()
        except NotHere as reason:
            self.reason = str(reason)

    def _served(self) -> str:
        for tool in ("java", "mvn"):
            if shutil.which(tool) is None:
                raise NotHere(f"{tool} is not installed (Java 17 and Maven are needed)")
        self.step = f"Maven builds it, {BUILD_SECONDS} s at most"
        class_path = _class_path()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.step = f"it starts, {START_SECONDS} s at most"
        command = ["java", "-Xmx1g", "-cp", class_path, "Main", str(port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        too_slow = threading.Timer(START_SECONDS, self.process.kill)
        too_slow.start()
        try:
            return _base_url(self.process)
        finally:
            too_slow.cancel()


SERVER = pytest.StashKey[Starting]()


def needs_server(item: pytest.Item) -> bool:
    return item.path.parent == RECIPE.parent and "hapi" in getattr(item, "fixturenames", ())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=needs_server)


def pytest_collection_finish(session: pytest.Session) -> None:
    if any(map(needs_server, session.items)) and not session.config.option.collectonly:
        session.config.stash[SERVER] = server = Starting()
        server.start()


@pytest.fixture(scope="session")
def hapi(pytestconfig: pytest.Config) -> Iterator[str]:
    """The base URL of a HAPI FHIR R4 server with nothing in it."""
    server = pytestconfig.stash[SERVER]
    terminal = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    try:
        while server.is_alive():
            if terminal is not None:
                terminal.write_line(f"waiting for the live HAPI FHIR server: {server.step}")
            server.join(20)
        if server.reason:
            pytest.skip(f"live HAPI FHIR: {server.reason}")
        assert server.base, "the thread that starts the server ended with an error of its own"
        yield server.base
    finally:
        if server.process is not None:
            server.process.kill()
            server.process.wait()


def _class_path() -> str:
    listed, compiled = BUILT / "cp.txt", BUILT / "target" / "classes"
    sources = [path for path in RECIPE.rglob("*") if path.is_file()]
    newest = max(path.stat().st_mtime for path in sources)
    if not listed.exists() or listed.stat().st_mtime < newest or not _are_there(listed.read_text()):
        shutil.copytree(RECIPE, BUILT, dirs_exist_ok=True)
        command = ["mvn", "-B", "-q", "compile", CLASS_PATH, "-Dmdep.outputFile=cp.txt"]
        try:
            subprocess.run(command, cwd=BUILT, check=True, capture_output=True, text=True, timeout=BUILD_SECONDS)
        except subprocess.CalledProcessError as error:
            reason = next((line for line in error.stdout.splitlines() if "ERROR" in line), "no reason given")
            raise NotHere(f"Maven could not build it: {reason}") from error
        except subprocess.TimeoutExpired as error:
            raise NotHere(f"Maven was not done after {BUILD_SECONDS} s") from error
    return f"{compiled}{os.pathsep}{listed.read_text().strip()}"


def _are_there(class_path: str) -> bool:
    return all(Path(entry).exists() for entry in class_path.strip().split(os.pathsep))


def _base_url(process: subprocess.Popen[str]) -> str:
    """Read from what the server prints."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("READY "):
            return line.removeprefix("READY ").strip()
    raise NotHere(f"it did not start (status {process.wait()}, after {START_SECONDS} s at most)")
