"""Whom development trust serves: this machine, asked of each request, whatever server runs the application."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cds_service.site.settings import Settings
from cds_service.web.app import create_app
from tests.support.hook_calls import SERVICE, body_of, hook_call

CALL = body_of(hook_call())


def status(settings: Settings | None = None, peer: str | None = "127.0.0.1", **headers: str) -> int:
    """Status of a hook call from ``peer``; the demonstration page and the call are always answered alike."""
    client = create_app(settings).test_client()
    how: dict[str, Any] = {"headers": {name.replace("_", "-"): value for name, value in headers.items()}}
    how["environ_overrides"] = {"REMOTE_ADDR": peer} if peer is not None else {}
    called = client.post(f"/cds-services/{SERVICE}", data=CALL, content_type="application/json", **how)
    shown = client.get("/demo", **how)
    assert (called.status_code == 200) == (shown.status_code == 200)
    if called.status_code == 403:
        assert called.get_json(force=True)["issue"][0]["code"] == "forbidden"
    public = [client.get(path, **how).status_code for path in ("/cds-services", "/healthz", "/about", "/schemas")]
    assert public == [200] * 4
    return called.status_code


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.1", "::1"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]:8080", "icans.localhost:9000"])
def test_this_machine_is_served_under_its_own_names(peer: str, host: str) -> None:
    assert status(peer=peer, Host=host) == 200


@pytest.mark.parametrize("peer", ["10.0.0.5", "192.168.1.2", "203.0.113.9", "fd00::5", "", "a-socket"])
def test_peers_beyond_this_machine_are_not_served(peer: str) -> None:
    assert status(peer=peer) == 403


@pytest.mark.parametrize(
    "host",
    [
        "rebound.example",
        "127.0.0.1.rebound.example",
        "localhost.rebound.example",
        "10.0.0.5",
        "localhost@evil",
        "",
        "a b",
    ],
)
def test_other_names_are_not_served(host: str) -> None:
    assert status(Host=host) == 403


@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"])
def test_a_proxy_on_this_machine_is_not_served(header: str) -> None:
    assert status(**{header: "for=203.0.113.9"}) == 403


def test_a_name_of_the_settings_is_served() -> None:
    assert status(Settings(public_url="https://icans.example/cds"), Host="icans.example") == 200


@pytest.mark.parametrize(
    ("host", "expected"),
    [("icans", 200), ("10.0.0.5:8080", 200), ("[fd00::5]:8080", 200), ("localhost", 200), ("rebound.example", 403)],
)
def test_a_container_is_served_by_addresses_and_short_names(host: str, expected: int) -> None:
    settings = Settings(host="0.0.0.0", development=True)
    assert status(settings, peer="172.17.0.1", Host=host, X_Forwarded_For="172.17.0.1") == expected


@pytest.mark.parametrize("trust", ["none", "jwt"])
def test_under_another_server_the_trust_is_that_of_the_environment(trust: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert status() == 200
    monkeypatch.setenv("ICANS_CDS_TRUST", trust)
    assert status() == 503


def test_under_another_server_the_environment_names_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "site.toml"
    config.write_text('host = "0.0.0.0"\n', encoding="utf-8")
    monkeypatch.setenv("ICANS_CDS_CONFIG", str(config))
    assert status() == 503
    monkeypatch.setenv("ICANS_CDS_HOST", "127.0.0.1")
    assert status() == 200
