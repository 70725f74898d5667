"""Which FHIR servers are called: the guard of hook calls, from the URL down to the address connected to."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from werkzeug.test import TestResponse

from cds_service.fhir_client.addresses import AddressRules, NotAllowed, origin, same_origin
from cds_service.fhir_client.client import FhirClient, Search
from cds_service.fhir_client.deadlines import Deadline
from cds_service.web.app import create_app
from tests.support.hook_calls import AT_COMA, SERVICE, body_of, course, hook_call, prefetch_of

TOKEN = "eyJhbGciOi.s3cret-t0ken"
INTERNAL = "is not called: its address is an internal one, and the configuration does not name it"


def call(**changes: Any) -> TestResponse:
    changes = {"prefetch": None, "extension": {"org.icans-cds.asOf": AT_COMA}, **changes}
    client = create_app().test_client()
    return client.post(f"/cds-services/{SERVICE}", data=body_of(hook_call(**changes)), content_type="application/json")


@pytest.mark.parametrize(
    "base",
    [
        "http://127.0.0.1/fhir",
        "https://127.0.0.1/fhir",
        "https://localhost/fhir",
        "https://2130706433/fhir",
        "https://0x7f.1/fhir",
        "https://[::1]/fhir",
        "https://[::ffff:127.0.0.1]/fhir",
        "https://[64:ff9b::7f00:1]/fhir",
        "https://[2002:7f00:1::]/fhir",
        "https://10.1.2.3/fhir",
        "https://172.16.0.1/fhir",
        "https://192.168.1.1/fhir",
        "https://100.64.0.1/fhir",
        "https://169.254.169.254/latest/meta-data",
        "https://[fe80::1]/fhir",
        "https://[fd00::1]/fhir",
        "https://0.0.0.0/fhir",
        "https://224.0.0.1/fhir",
        "https://168.63.129.16/machine",
        "https://192.0.0.192/opc/v2/instance",
        "https://100.100.100.200/latest/meta-data",
        "https://[fec0::1]/fhir",
        "https://[::ffff:168.63.129.16]/fhir",
        "https://[64:ff9b::c000:c0]/fhir",
        "https://[2002:a83f:8110::]/fhir",
        "https://[2001:0:7f00:1::]/fhir",
        "https://[::127.0.0.1]/fhir",
        "https://[ff02::1]/fhir",
        "https://198.18.0.1/fhir",
        "https://240.0.0.1/fhir",
        "http://198.51.100.7/fhir",
        "ftp://198.51.100.7/fhir",
        "file:///etc/passwd",
        "https://user:secret@8.8.8.8/fhir",
        "https://@8.8.8.8/fhir",
        "https://8.8.8.8\\\\@127.0.0.1/fhir",
        "https://8.8.8.8/fhir?x=1",
        "https://8.8.8.8:99999/fhir",
        "",
    ],
)
def test_internal_addresses_are_not_called_unless_configured(base: str) -> None:
    with pytest.raises(NotAllowed):
        AddressRules().check(base)


def test_public_addresses_are_called_over_https() -> None:
    AddressRules().check("https://8.8.8.8/fhir")
    AddressRules().check("https://[2606:4700:4700::1111]/fhir")


def test_a_configured_server_is_called_wherever_it_is() -> None:
    rules = AddressRules(configured=("http://10.1.2.3:8080/fhir",))
    rules.check("http://10.1.2.3:8080/fhir/")
    rules.check("http://10.1.2.3:8080/fhir/tenant-1/..5")
    for other in (
        "http://10.1.2.3/fhir",
        "http://10.1.2.3:8080/admin",
        "http://10.1.2.3:8080/fhir/../admin",
        "http://10.1.2.3:8080/fhir/..",
        "http://10.1.2.3:8080/fhir/%2e%2e/admin",
        "http://10.1.2.3:8080/fhir/%252E%252e/admin",
        "http://10.1.2.3:8080/fhir/.%2e/admin",
        "http://10.1.2.3:8080/fhir%2f..%2fadmin",
        "http://10.1.2.3:8080/fhir/x%5c..%5c..%5cadmin",
        "http://10.1.2.3:8080/fhirs",
    ):
        with pytest.raises(NotAllowed):
            rules.check(other)


def test_loopback_is_called_in_development_trust_and_private_ranges_are_not() -> None:
    rules = AddressRules(development=True)
    rules.check("http://127.0.0.1:8080/fhir")
    rules.check("http://[::1]:8080/fhir")
    for other in ("http://10.1.2.3/fhir", "http://169.254.169.254/", "http://0.0.0.0/"):
        with pytest.raises(NotAllowed):
            rules.check(other)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_name_that_changes_its_address_is_not_connected_to(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name resolves to a public address when it is checked, and to this machine when it is connected to."""
    monkeypatch.setattr(AddressRules, "check", lambda self, base: None)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        base = f"{scheme}://localhost:{listener.getsockname()[1]}/fhir"
        found = Search("Observation?patient=1")
        FhirClient(base, deadline=Deadline(20), rules=AddressRules(), token=TOKEN).search(found)
        with pytest.raises(TimeoutError):
            listener.accept()
    assert found.cut == INTERNAL


def test_an_internal_address_is_refused_alike_whether_its_port_is_open_or_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        while_open = [refusal(f"https://127.0.0.1:{port}/fhir"), refusal(f"https://localhost:{port}/fhir")]
    assert {*while_open, refusal(f"https://127.0.0.1:{port}/fhir")} == {INTERNAL}


def test_what_is_connected_to_is_an_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with one internal address among public ones is not called at any of them."""
    known = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: known)
    monkeypatch.setattr(AddressRules, "check", lambda self, base: None)
    connected: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: connected.append(address))
    assert refusal("https://ehr.example/fhir") == INTERNAL
    assert connected == []


def refusal(base: str) -> str | None:
    found = Search("Observation?patient=1")
    FhirClient(base, deadline=Deadline(20), rules=AddressRules()).search(found)
    return found.cut


def test_a_server_that_may_not_be_called_is_a_412_that_says_so() -> None:
    response = call(fhirServer="http://169.254.169.254/fhir")
    assert response.status_code == 412
    assert INTERNAL in response.get_data(as_text=True)


@pytest.mark.parametrize("value", [7, {}, [], "", "fhir", "javascript:alert(1)", "http://", "https://[", None])
def test_a_fhir_server_that_is_no_address_fails_no_call(value: Any) -> None:
    assert call(fhirServer=value).status_code == 412
    assert call(fhirServer=value, prefetch=prefetch_of(course())).status_code == 200


def test_origins_are_compared_with_their_default_ports() -> None:
    assert same_origin("https://ehr.example/a", "https://EHR.example:443/b?c")
    assert same_origin("http://ehr.example:80/a", "http://ehr.example/b")
    assert not same_origin("http://ehr.example/a", "https://ehr.example/a")
    assert not same_origin("https://ehr.example/a", "https://ehr.example:8443/a")
    assert not same_origin("https://ehr.example/a", "https://ehr.example.evil.example/a")
    assert origin("https://user@ehr.example/a") is None
