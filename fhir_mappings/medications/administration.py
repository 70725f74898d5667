"""MedicationAdministration to entries of a record: steroid doses, sedatives, CAR-T infusions, escalation.

What was given counts, never what was ordered: a status of its own, or an event in dosage.method or
statusReason, may say that a row is no dose. Whatever keeps the dose of a relevant drug from being used
becomes a problem.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fhir_mappings.contribution import Contribution
from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.fhir_types.medication import MedicationAdministration, Ratio
from fhir_mappings.intake.relevance import TYPED_REFERENCE
from fhir_mappings.medications.amounts import AmountReader, Given, rate_value
from fhir_mappings.medications.drugs import AdministeredDrug, Medications, administered_drug
from fhir_mappings.medications.times import AdministrationTimes, NoTime, administration_times
from fhir_mappings.settings import ReadSettings
from fhir_mappings.times import EARLIEST_INFUSION, IMPLAUSIBLE
from icans.record import Dose, Entry, Escalation, Infusion, Problem, Sedative

#: A charted end of a sedative or paralytic is kept up to this (L4).
LONGEST_SEDATION = timedelta(days=31)
GIVEN_STATUS = frozenset({"completed", "in-progress", "stopped"})
#: Statuses that say that nothing was given; no value was ever meant to be used.
VOID_STATUS = frozenset({"not-done", "entered-in-error"})
_AFFECTS = {
    "steroid": ("dose", "treatment-start"),
    "car-t": ("infusion",),
    "sedative": ("grade",),
    "paralytic": ("grade",),
}
#: What a drug of a role may have been (icans.record.MAY_BE), and what each of these could change.
_MAY_BE = {"steroid": ("dose",), "car-t": ("infusion",), "sedative": ("sedative",), "paralytic": ("sedative",)}
_AFFECTED_BY = {"dose": ("dose", "treatment-start"), "infusion": ("infusion",), "sedative": ("grade",)}


def _no_medication(reference: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class AdministrationContext:
    """How administrations are read. medication: the Medication of the input that a reference means.

    A patient is given the same drug by the same route again and again; what has been found out about each
    is kept for as long as the context.
    """

    settings: ReadSettings
    medication: Medications = _no_medication
    _drugs: dict[lean.CodeableConcept, AdministeredDrug] = field(default_factory=dict, repr=False)
    _routes: dict[lean.CodeableConcept, tuple[str | None, str]] = field(default_factory=dict, repr=False)
    _readers: dict[tuple[tuple[Ratio, ...], ...], AmountReader] = field(default_factory=dict, repr=False)

    def drug(self, resource: MedicationAdministration) -> AdministeredDrug:
        """The drug of an administration; one named by its concept alone is looked up once."""
        concept = resource.medication_codeable_concept
        if concept is None or resource.medication_reference is not None or resource.medication is not None:
            return administered_drug(resource, self.settings.terminology, self.medication)
        found = self._drugs.get(concept)
        if found is None:
            found = administered_drug(resource, self.settings.terminology, self.medication)
            self._drugs[concept] = found
        return found

    def route(self, resource: MedicationAdministration) -> str | None:
        """How the route counts, None if there is none or it is not known."""
        return self._route(resource)[0]

    def way(self, resource: MedicationAdministration) -> str:
        """The route itself ("intravenous"), "" if there is none."""
        return self._route(resource)[1]

    def _route(self, resource: MedicationAdministration) -> tuple[str | None, str]:
        concept = resource.dosage.route if resource.dosage else None
        if concept is None:
            return None, ""
        found = self._routes.get(concept)
        if found is None:
            terminology, pairs, texts = self.settings.terminology, tuple(concept.pairs), concept.texts
            found = self._routes[concept] = terminology.route(pairs, texts), terminology.way(pairs, texts)
        return found

    def amounts(self, drug: AdministeredDrug) -> AmountReader:
        """The reader of amounts of a drug of these strengths."""
        key = (drug.strengths, drug.mixture)
        reader = self._readers.get(key)
        if reader is None:
            reader = self._readers[key] = AmountReader(drug.strengths, self.settings.terminology.unit, drug.mixture)
        return reader


def read_administration(
    resource: MedicationAdministration, reference: str, context: AdministrationContext
) -> Contribution:
    """Entries and problems of one version of an administration, R4 or R5.

    reference: how the resource is named in entries and problems ("MedicationAdministration/1"). Versions,
    the subject and other patients are the caller's matter.
    """
    drug = context.drug(resource)
    if drug.match is None:
        return _unrecognised(resource, drug, reference, context)
    if drug.match.role == "other":
        return Contribution()
    affects = _AFFECTS.get(drug.match.role, ())
    times = administration_times(resource, context.settings)
    if isinstance(times, NoTime):
        if _status(resource) in VOID_STATUS:
            return Contribution()
        problem = Problem(times.code, reference, times.element, times.message, affects=affects)
        return Contribution(None, [], [problem])
    charted = _Charted(resource, reference, context, drug, times, affects)
    charted.read()
    return Contribution(times.known, charted.entries, charted.problems)


def _status(resource: MedicationAdministration) -> str:
    return (resource.status or "").strip()


def may_have_been(resource: MedicationAdministration, context: AdministrationContext) -> tuple[tuple[str, ...], str]:
    """What an administration that is not used may have been, and its drug as charted (L3).

    A steroid dose unless it was not given, or is known not to be a systemic glucocorticoid.
    """
    drug = context.drug(resource)
    if _status(resource) in VOID_STATUS or _event(resource, context.settings) == "not-given":
        return (), drug.shown
    if drug.match is not None:
        role = drug.match.role
        counts = role != "steroid" or not _never_counts(drug, context.route(resource))
        return (_MAY_BE.get(role, ()) if counts else ()), drug.shown
    return _unknown_drug(resource, drug, context)[1], drug.shown


def _unknown_drug(
    resource: MedicationAdministration, drug: AdministeredDrug, context: AdministrationContext
) -> tuple[tuple[str, str, str] | None, tuple[str, ...]]:
    """Problem code, element and sentence of a drug that is not known here, and what it may be; None and
    nothing for one that is named or coded and is certainly none that matters."""
    terminology = context.settings.terminology
    anything = ("dose", "infusion", "sedative")
    if not drug.texts and drug.unresolved is not None:
        message = f"The medication {drug.unresolved} is not in the input; it may be one that counts."
        return ("reference-unresolved", f"{drug.element}.reference", message), anything
    if not drug.named:
        message = "The drug is not named; it may be one that counts."
        return ("drug-unmapped", drug.element, message), anything
    if not terminology.looks_relevant(drug.texts, "medication", drug.codings):
        return None, ()
    if context.route(resource) == "excluded" or drug.local or terminology.says_local(drug.texts):
        return None, ()
    message = f'The drug "{drug.shown}" looks relevant, but cannot be classified; it is not counted.'
    infusion = terminology.looks_relevant(drug.texts, "assessment", drug.codings)
    return ("drug-unmapped", drug.element, message), ("infusion",) if infusion else ("dose",)


def _unrecognised(
    resource: MedicationAdministration, drug: AdministeredDrug, reference: str, context: AdministrationContext
) -> Contribution:
    """A drug that is not known here: reported where it may have been one that counts."""
    if _status(resource) in VOID_STATUS or _event(resource, context.settings) == "not-given":
        return Contribution()
    complaint, may_be = _unknown_drug(resource, drug, context)
    if complaint is None:
        return Contribution()
    affects = tuple(effect for kind in may_be for effect in _AFFECTED_BY[kind])
    times = administration_times(resource, context.settings)
    if isinstance(times, NoTime):
        return Contribution(None, [], [Problem(*_placed(complaint, reference), affects=affects)])
    at, known = times.start.at, times.known
    return Contribution(known, [], [Problem(*_placed(complaint, reference), at, known, affects)])


def _placed(complaint: tuple[str, str, str], reference: str) -> tuple[str, str, str, str]:
    code, element, message = complaint
    return code, reference, element, message


def _never_counts(drug: AdministeredDrug, route: str | None) -> bool:
    """A steroid that is not systemic by what it is, or given where it does not count. A local product charted
    into a vein is a contradiction and stays."""
    match = drug.match
    if match is None or match.role != "steroid":
        return False
    if route == "excluded":
        return True
    return (match.counts == "no" or drug.local) and not (drug.local and route in ("systemic", "intrathecal"))


def _event(resource: MedicationAdministration, settings: ReadSettings) -> str | None:
    """What dosage.method or statusReason charts: "given", "not-given", "stopped", "rate-change",
    "doubtful" (not listed, but saying no), None if neither says anything of it."""
    method = resource.dosage.method if resource.dosage else None
    concepts = [*((method,) if method else ()), *(resource.status_reason or ())]
    if not concepts:
        return None
    terminology = settings.terminology
    found = {terminology.event(concept.pairs, concept.texts) for concept in concepts}
    for event in ("not-given", "stopped", "rate-change", "given"):
        if event in found:
            return event
    unlisted = [text for concept in concepts for text in concept.texts]
    local = [code for concept in concepts for system, code in concept.pairs if not terminology.is_published(system)]
    return "doubtful" if terminology.says_not_given([*unlisted, *local]) else None


@dataclass(slots=True)
class _Charted:
    """One administration of a recognised drug on its way to entries and problems."""

    resource: MedicationAdministration
    reference: str
    context: AdministrationContext
    drug: AdministeredDrug
    times: AdministrationTimes
    affects: tuple[str, ...]
    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def read(self) -> None:
        """Whether it was given at all, then what it was."""
        status = _status(self.resource)
        event = _event(self.resource, self.context.settings)
        if _never_counts(self.drug, self.context.route(self.resource)):
            return
        if status in VOID_STATUS:
            self._problem("status-not-usable", "status", f"Its status is {status}: nothing was given.", ())
        elif status not in GIVEN_STATUS:
            shown = f'"{status}"' if status else "missing"
            self._problem("status-not-usable", "status", f"Its status is {shown}; it is not used.")
        elif self._modified():
            self._problem("unknown-modifier", "modifierExtension", "It carries a modifier that is not known here.")
        elif self.times.planned:
            message = f"{self.times.charted} lies in the future: planned, not counted."
            self._problem("time-in-future", self.times.element, message)
        else:
            self._flag()
            self._read_given(status, event)

    def _modified(self) -> bool:
        dosage = self.resource.dosage
        return (
            self.drug.modified
            or bool(self.resource.implicit_rules)
            or lean.has_content(self.resource.modifier_extension)
            or (dosage is not None and lean.has_content(dosage.modifier_extension))
        )

    def _flag(self) -> None:
        """What is said of a row that is used all the same."""
        if self.times.complaint is not None:
            code, message = self.times.complaint
            self._problem(code, self.times.element, message)
        match = self.drug.match
        if match is None:
            return
        if self.drug.unresolved is not None:
            message = f"The medication {self.drug.unresolved} is not in the input; read by its text."
            self._problem("reference-unresolved", f"{self.drug.element}.reference", message, ())
        elif match.by == "name":
            message = f'"{self.drug.shown}" has no code that is known here; read by its name as {match.ingredient}.'
            self._problem("code-unmapped", self.drug.element, message, ())

    def _read_given(self, status: str, event: str | None) -> None:
        role = self.drug.match.role if self.drug.match else ""
        if role in ("sedative", "paralytic"):
            self._sedative(status, event)
        elif event in ("not-given", "stopped", "rate-change"):
            self._problem("status-not-usable", "dosage.method", f"It charts {event}: no dose of its own.", ())
        elif role == "steroid":
            self._steroid(status, doubtful=event == "doubtful")
        elif event == "doubtful":
            self._problem("status-not-usable", "dosage.method", "Its event leaves open whether it was given.")
        elif role == "car-t" and self.times.start.at < EARLIEST_INFUSION:
            self._problem(IMPLAUSIBLE, self.times.element, f"The infusion at {self.times.charted} lies before 1990.")
        elif role == "car-t":
            self.entries.append(Infusion(source="administration", **self._where))
        elif role == "escalation" or self.context.route(self.resource) == "intrathecal":
            self.entries.append(Escalation(drug=self._ingredient, **self._where))

    def _steroid(self, status: str, doubtful: bool) -> None:
        dosage = self.resource.dosage
        self.times = self.times.without_end_after(self.context.settings.longest_administration)
        if self.times.endless:
            days = self.context.settings.longest_administration.days
            message = f"A dose is not given over more than {days} days; it counts as running without an end."
            self._problem(IMPLAUSIBLE, f"{self.times.element}.end", message)
        given = self.context.amounts(self.drug).given(dosage, self.times.start.at, self.times.exact_end)
        codes: list[str] = []
        if given.problem is not None:
            if not given.is_contradicting:
                codes.append(given.problem)
            said = given.message[:1].lower() + given.message[1:]
            self._problem(given.problem, given.element, f"{self._ingredient}: {said}")
        given = self._bounded(given, status, doubtful, codes)
        route = self._counted_route(codes)
        concept = dosage.route if dosage else None
        where = self._where | {"element": given.element, "shown": given.shown}
        dose = Dose(
            drug=self._ingredient,
            lower_mg=given.least,
            upper_mg=given.most,
            contradicting=given.is_contradicting,
            part_of=self._part_of,
            route=route,
            way=self.context.way(self.resource),
            route_shown=next(iter(concept.texts), "") if concept else "",
            end=self.times.end.at if self.times.end else None,
            running=self._running(status),
            problems=tuple(codes),
            identifiers=frozenset(
                f"{identifier.system or ''}|{identifier.value}"
                for identifier in self.resource.identifier or ()
                if identifier.value
            ),
            **where,
        )
        self.entries.append(dose)

    def _bounded(self, given: Given, status: str, doubtful: bool, codes: list[str]) -> Given:
        """Nothing for certain of a dose that is running, doubtful, or of a drug that is not certain."""
        match = self.drug.match
        if match is not None and match.conflicting:
            codes.append("conflicting-values")
            names = " and ".join((match.ingredient, *match.conflicting))
            self._problem("conflicting-values", self.drug.element, f"Its codes and names disagree: {names}.")
            return given._replace(least=Decimal(0), most=None)
        if doubtful:
            codes.append("status-not-usable")
            self._problem("status-not-usable", "dosage.method", "Its event leaves open whether it was given.")
            return given._replace(least=min(given.least, Decimal(0)))
        if self._running(status):
            codes.append("time-missing")
            message = "It is in progress without an end: counted in the upper bound only."
            self._problem("time-missing", f"{self.times.element.removesuffix('DateTime')}.end", message)
            return given._replace(least=min(given.least, Decimal(0)))
        return given

    def _running(self, status: str) -> bool:
        return self.times.endless or (status == "in-progress" and self.times.end is None)

    def _counted_route(self, codes: list[str]) -> str:
        route = self.context.route(self.resource)
        if route is not None and self.drug.local:
            codes.append("conflicting-values")
            message = f'"{self.drug.shown}" is a local form, but its route is recorded as {route}.'
            self._problem("conflicting-values", "dosage.route", message)
            return "unknown"
        if route is not None:
            return route
        codes.append("route-missing")
        concept = self.resource.dosage.route if self.resource.dosage else None
        names = [*concept.texts, *(code for _, code in concept.pairs if code)] if concept else []
        shown = next(iter(names), "")
        message = f'The route "{shown}" is not known.' if shown else "No route is recorded."
        self._problem("route-missing", "dosage.route", message)
        return "unknown"

    def _sedative(self, status: str, event: str | None) -> None:
        """Runs over its period, or open-ended while in progress or with a rate; a row that says stopped, or
        a rate of 0, ends it; anything else given is a bolus. Not given, doubtful or local: nothing."""
        if event in ("not-given", "doubtful") or self.context.route(self.resource) == "excluded" or self.drug.local:
            return
        self.times = self.times.without_end_after(LONGEST_SEDATION)
        end = self.times.end.at if self.times.end else None
        rate = rate_value(self.resource.dosage)
        if event == "stopped" or rate == 0 or (status == "stopped" and end is None):
            self._add_sedative("stop")
        elif end is not None:
            self._add_sedative("infusion", end=end)
            if status == "stopped":
                self._add_stop(end)
        elif status == "in-progress" or rate is not None or event == "rate-change" or self.times.endless:
            self._add_sedative("infusion")
        else:
            self._add_sedative("bolus")

    def _add_sedative(self, kind: str, end: datetime | None = None) -> None:
        self.entries.append(Sedative(drug=self._ingredient, kind=kind, end=end, **self._where))

    def _add_stop(self, end: datetime) -> None:
        now = self.context.settings.now
        if now is None or end <= now:
            stop = Sedative(drug=self._ingredient, kind="stop", **self._where)
            known = max(self.times.known, end)
            self.entries.append(replace(stop, at=end, earliest=end, known=known))

    @property
    def _part_of(self) -> tuple[str, ...]:
        stated = (TYPED_REFERENCE.search(part.reference or "") for part in self.resource.part_of or ())
        return tuple(f"{typed[1]}/{typed[2]}" for typed in stated if typed)

    @property
    def _ingredient(self) -> str:
        return self.drug.match.ingredient if self.drug.match else ""

    @property
    def _where(self) -> dict[str, Any]:
        return {
            "at": self.times.start.at,
            "earliest": self.times.start.earliest,
            "known": self.times.known,
            "day": self.times.start.day,
            "reference": self.reference,
            "element": self.drug.element,
            "shown": self.drug.shown,
        }

    def _problem(self, code: str, element: str, message: str, affects: tuple[str, ...] | None = None) -> None:
        self.problems.append(
            Problem(
                code,
                self.reference,
                element,
                message,
                self.times.start.at,
                self.times.known,
                self.affects if affects is None else affects,
            )
        )
