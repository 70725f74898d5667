"""A site as it is once compiled: policy, terminology, time zone. Compiled once a process for given settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING

from cds_service.errors import Refusal
from cds_service.settings import Settings

if TYPE_CHECKING:
    from cards import CardContext
    from fhir_mappings import ReadSettings
    from fhir_mappings.terminology import Terminology
    from icans.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What every call at one site has in common; known, about_url: as in Settings."""

    policy: Policy
    terminology: Terminology
    zone: tzinfo
    zone_configured: bool
    known: str
    about_url: str | None

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
        )

    def card_context(self) -> CardContext:
        """How cards are worded here."""
        from cards import CardContext

        return CardContext(zone=self.zone, about_url=self.about_url, mappings=self.terminology.label)


@lru_cache(maxsize=8)
def site_of(settings: Settings) -> Site:
    """The compiled site. Raises Refusal naming the policy or mapping file that cannot be used and why."""
    from cds_service.policies import current_policy
    from fhir_mappings.terminology import TerminologyError, load_terminology
    from icans.policy import PolicyError

    try:
        policy = current_policy(settings.policy_file)
        if settings.mappings_folder is not None and not settings.mappings_folder.is_dir():
            raise Refusal(f"mappings folder {settings.mappings_folder} is not a folder")
        terminology = load_terminology(settings.mappings_folder)
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
    )


def bundled_site() -> Site:
    """The site of bundled policy and terminology, in UTC: what the Python functions use."""
    return site_of(Settings())
