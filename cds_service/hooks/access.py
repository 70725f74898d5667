"""What a hook call lets this service fetch for itself: ``fhirServer`` and ``fhirAuthorization`` (CDS Hooks 2.0.1,
FHIR resource access), and fetching with it what the prefetch does not hold."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from cds_service.fhir_client.addresses import AddressRules, origin

if TYPE_CHECKING:
    from cds_service.fhir_client.client import FhirClient
    from cds_service.fhir_client.places import Places
    from cds_service.fhir_client.prefetch import Fetched
    from cds_service.hooks.turn import Hold
    from cds_service.site.site import Site
    from fhir_mappings import Reading

#: Kept back from the time for the whole call, for evaluating and answering.
ANSWERING_SECONDS = 0.5
NO_PLACE = "The FHIR server was not asked, because too many calls wait for it already"


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirAccess:
    """A FHIR server that a call names. token: for this call only; it is never written or kept."""

    base: str
    token: str | None = field(default=None, repr=False)


def fhir_access(members: Mapping[str, bytes], patient: str) -> FhirAccess | None:
    """The access a call gives, None without a FHIR server at an absolute http or https URL.

    An authorization that is not what CDS Hooks says (its five fields, Bearer, not expired, for this patient) is
    ignored: its token is not used.
    """
    base = _value(members.get("fhirServer", b"null"))
    if not isinstance(base, str) or origin(base.strip()) is None:
        return None
    return FhirAccess(base=base.strip(), token=_token(_value(members.get("fhirAuthorization", b"null")), patient))


@dataclass(frozen=True, slots=True, kw_only=True)
class HookFetch:
    """Fetches for one call. rules: which addresses may be called. seconds: how long fetching may take at most.

    hold: what the call holds while it is evaluated, and leaves to others while it waits here. places: those of all
    calls that wait.
    """

    rules: AddressRules
    seconds: float
    hold: Hold
    places: Places

    def __call__(
        self, site: Site, access: FhirAccess, patient: str, prefetch: Mapping[str, bytes | None], reading: Reading
    ) -> Fetched | None:
        """What ``reading`` of ``prefetch`` lacks; None if nothing is lacking or nothing could be asked for."""
        from cds_service.fhir_client.values import goes_on, lacks_medications
        from cds_service.hooks.discovery import prefetch_templates

        templates = prefetch_templates(site.terminology)
        wanted = {key for key in templates if key not in prefetch or key in reading.missing}
        goes_further = any(goes_on(value) for value in prefetch.values())
        whole = not wanted and not goes_further and not reading.linked
        if whole and not lacks_medications(prefetch, access.base):
            return None
        from cds_service.fhir_client.client import FhirClient
        from cds_service.fhir_client.deadlines import Deadline
        from cds_service.fhir_client.prefetch import Fetched

        seconds = min(self.seconds, self.hold.deadline.left - ANSWERING_SECONDS)
        client = FhirClient(access.base, deadline=Deadline(seconds), token=access.token, rules=self.rules)
        with self.hold.left(), self.places.taken(access.base) as has_place:
            if not has_place:
                return Fetched(reasons=dict.fromkeys(templates if reading.linked else wanted, NO_PLACE))
            return fetch_all(client, patient, prefetch, wanted, site, reading.linked)


def fetch_all(
    client: FhirClient,
    patient: str,
    given: Mapping[str, bytes | None],
    wanted: Collection[str],
    site: Site,
    linked: Iterable[str] = (),
) -> Fetched:
    """Fetches the keys ``wanted``, and every key of each other id of the patient, over any number of links (L6).

    linked: those that are known already. Further arguments, and the time it takes, are those of ``fetch``.
    """
    from cds_service.fhir_client.prefetch import fetch
    from cds_service.hooks.discovery import prefetch_templates

    templates = prefetch_templates(site.terminology)
    fetched = fetch(client, patient, templates, given, wanted, partial(infused, patient=patient, site=site))
    kept = {key: value for key, value in given.items() if key not in wanted}
    asked = {patient}
    while others := {*linked, *_linked({**kept, **fetched.prefetch}, patient, site)} - asked:
        for other in sorted(others):
            has_infusion = partial(infused, patient=other, site=site)
            fetched.add_linked(fetch(client, other, templates, {}, set(templates), has_infusion), kept)
        asked |= others
    return fetched


def _linked(prefetch: Mapping[str, bytes | None], patient: str, site: Site) -> tuple[str, ...]:
    """The patient's other ids, by the links of the Patient resources that are there by now."""
    from fhir_mappings import read_prefetch

    held = {"patient": prefetch["patient"]} if "patient" in prefetch else {}
    return read_prefetch(held, patient, site.read_settings(None)).linked


def infused(prefetch: Mapping[str, bytes | None], patient: str, site: Site) -> bool:
    """Whether a CAR-T infusion can be read from a prefetch."""
    from fhir_mappings import read_prefetch

    reading = read_prefetch(prefetch, patient, site.read_settings(None))
    return any(record.infusions for record in reading.records.values())


def _value(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _token(authorization: Any, patient: str) -> str | None:
    if not isinstance(authorization, dict):
        return None
    texts = [authorization.get(name) for name in ("access_token", "scope", "subject")]
    lifetime = authorization.get("expires_in")
    token = texts[0]
    if not all(isinstance(text, str) and text.strip() for text in texts) or not isinstance(token, str):
        return None
    if authorization.get("token_type") != "Bearer" or isinstance(lifetime, bool) or not isinstance(lifetime, int):
        return None
    if lifetime <= 0 or not token.isascii() or not token.isprintable() or " " in token:
        return None
    named = authorization.get("patient")
    same = named is None or (isinstance(named, str) and named.removeprefix("Patient/") == patient)
    return token if same else None
