"""A site as it is once compiled: policy, terminology, time zone. Compiled once a process for given settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cds_service.errors import Refusal
from cds_service.site.settings import Settings

if TYPE_CHECKING:
    from cards import CardContext
    from fhir_mappings import ReadSettings, Terminology
    from icans import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What every call at one site has in common; known, about_url: as in Settings.

    by_server: the terminology of FHIR servers that have their own, by base URL.
    """

    policy: Policy
    terminology: Terminology
    zone: tzinfo
    zone_configured: bool
    known: str
    about_url: str | None
    by_server: Mapping[str, Terminology] = field(default_factory=dict)

    def read_settings(self, now: datetime | None) -> ReadSettings:
        """How FHIR is read. now: the present for a live call, None where an as-of is given."""
        from fhir_mappings import ReadSettings

        return ReadSettings(
            terminology=self.terminology,
            zone=self.zone,
            zone_configured=self.zone_configured,
            known="effective" if self.known == "effective" else "issued",
            administration_known="recorded" if self.policy.administration_known == "recorded" else "start",
            preliminary_observations=self.policy.preliminary_observations,
            now=now,
            future_tolerance=self.policy.future_tolerance,
            longest_administration=self.policy.longest_administration,
            death_contradiction=self.policy.death_contradiction,
        )

    def of_server(self, base: str | None) -> Site:
        """The site as it is for data of a FHIR server: with its own mappings, where it has some."""
        found = self.by_server.get(plain_base(base)) if base is not None else None
        return self if found is None else replace(self, terminology=found)

    def card_context(self) -> CardContext:
        """How cards are worded here."""
        from cards import CardContext

        return CardContext(zone=self.zone, about_url=self.about_url, mappings=self.terminology.label)


def plain_base(url: str) -> str:
    """A base URL without what does not tell servers apart: letter case of the host, default port, last slash."""
    parts = urlsplit(url.strip())
    try:
        port = parts.port
    except ValueError:
        return url
    default = {"https": 443, "http": 80}.get(parts.scheme)
    shown = "" if port in (None, default) else f":{port}"
    return f"{parts.scheme}://{parts.hostname or ''}{shown}{parts.path.rstrip('/')}"


@lru_cache(maxsize=8)
def site_of(settings: Settings) -> Site:
    """The compiled site. Raises Refusal naming the policy or mapping file that cannot be used and why."""
    from cds_service.site.policy import current_policy
    from fhir_mappings import TerminologyError, load_terminology
    from icans import PolicyError

    try:
        policy = current_policy(settings.policy_file)
        folders = [settings.mappings_folder, *(folder for _, folder in settings.mappings_by_server)]
        for folder in folders:
            if folder is not None and not folder.is_dir() and not folder.is_file():
                raise Refusal(f"mappings folder {folder} is not a folder")
        terminology = load_terminology(settings.mappings_folder)
        by_server = {plain_base(base): load_terminology(folder) for base, folder in settings.mappings_by_server}
    except OSError as error:
        raise Refusal(f"{error.filename} cannot be read: {error.strerror}") from error
    except PolicyError as error:
        raise Refusal(f"policy: {error}") from error
    except TerminologyError as error:
        raise Refusal(f"mappings: {error}") from error
    zone: tzinfo = UTC
    if settings.zone:
        from zoneinfo import ZoneInfo

        zone = ZoneInfo(settings.zone)
    return Site(
        policy=policy,
        terminology=terminology,
        zone=zone,
        zone_configured=bool(settings.zone),
        known=settings.known,
        about_url=f"{settings.public_url}/about" if settings.public_url else None,
        by_server=by_server,
    )


def bundled_site() -> Site:
    """The site of bundled policy and terminology, in UTC: what the Python functions use."""
    return site_of(Settings())
