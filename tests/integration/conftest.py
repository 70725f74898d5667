"""A live HAPI FHIR server for the whole test run, where Java and Maven are there; otherwise a skip with its reason."""

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
BUILD_SECONDS, START_SECONDS = 900, 240


@pytest.fixture(scope="session")
def hapi() -> Iterator[str]:
    """The base URL of a HAPI FHIR R4 server with nothing in it."""
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            pytest.skip(f"live HAPI FHIR: {tool} is not installed (Java 17 and Maven are needed)")
    class_path = _class_path()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["java", "-Xmx1g", "-cp", class_path, "Main", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    too_slow = threading.Timer(START_SECONDS, process.kill)
    too_slow.start()
    try:
        base = _base_url(process)
        too_slow.cancel()
        yield base
    finally:
        too_slow.cancel()
        process.kill()
        process.wait()


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
            pytest.skip(f"live HAPI FHIR: Maven could not build it: {reason}")
        except subprocess.TimeoutExpired:
            pytest.skip(f"live HAPI FHIR: Maven was not done after {BUILD_SECONDS} s")
    return f"{compiled}{os.pathsep}{listed.read_text().strip()}"


def _are_there(class_path: str) -> bool:
    return all(Path(entry).exists() for entry in class_path.strip().split(os.pathsep))


def _base_url(process: subprocess.Popen[str]) -> str:
    """Read from what the server prints; a server that ends before is a skip, a broken machine and no broken test."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("READY "):
            return line.removeprefix("READY ").strip()
    pytest.skip(f"live HAPI FHIR: it did not start (status {process.wait()}, after {START_SECONDS} s at most)")
