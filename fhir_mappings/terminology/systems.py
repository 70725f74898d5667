"""Canonical URLs: the project's own and those of the code systems it reads. Identifiers, never fetched."""

from __future__ import annotations

import unicodedata
from typing import Final

BASE: Final = "https://icans-cds.org/fhir"

ASSESSMENT: Final = f"{BASE}/CodeSystem/icans-assessment"
FINDING: Final = f"{BASE}/CodeSystem/icans-finding"
NOT_ASSESSED: Final = f"{BASE}/CodeSystem/icans-not-assessed"
SCORE: Final = f"{BASE}/CodeSystem/icans-score"
INGREDIENT: Final = f"{BASE}/CodeSystem/ingredient"
ROUTE: Final = f"{BASE}/CodeSystem/administration-route"
EVENT: Final = f"{BASE}/CodeSystem/administration-event"
CONDITION: Final = f"{BASE}/CodeSystem/icans-condition"
#: Normalised texts, where a source sends words and no code: drug names, routes, units, events, answers.
MEDICATION_NAME: Final = f"{BASE}/CodeSystem/medication-name"
ROUTE_NAME: Final = f"{BASE}/CodeSystem/route-name"
UNIT_NAME: Final = f"{BASE}/CodeSystem/unit-name"
EVENT_NAME: Final = f"{BASE}/CodeSystem/event-name"
ANSWER_NAME: Final = f"{BASE}/CodeSystem/answer-name"
WORD: Final = f"{BASE}/CodeSystem/word"
#: Properties of a ConceptMap target: how a drug code counts, that a name is cut short, which way a route takes.
COUNTS: Final = f"{BASE}/property/counts"
TRUNCATED: Final = f"{BASE}/property/truncated"
WAY: Final = f"{BASE}/property/way"

LOINC: Final = "http://loinc.org"
SNOMED: Final = "http://snomed.info/sct"
RXNORM: Final = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC: Final = "http://www.whocc.no/atc"
NDC: Final = "http://hl7.org/fhir/sid/ndc"
ICD_10_PCS: Final = "http://www.cms.gov/Medicare/Coding/ICD10"
HCPCS: Final = "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
CPT: Final = "http://www.ama-assn.org/go/cpt"
UCUM: Final = "http://unitsofmeasure.org"
DRUG_FORM: Final = "http://terminology.hl7.org/CodeSystem/v3-orderableDrugForm"
DATA_ABSENT: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
REASON_NOT_GIVEN: Final = "http://terminology.hl7.org/CodeSystem/reason-medication-not-given"

#: The same code systems under their other registered identifiers (HL7 OID registry, THO NamingSystems).
ALIASES: Final = {
    "urn:oid:2.16.840.1.113883.6.1": LOINC,
    "urn:oid:2.16.840.1.113883.6.96": SNOMED,
    "urn:oid:2.16.840.1.113883.6.88": RXNORM,
    "urn:oid:2.16.840.1.113883.6.73": ATC,
    "http://www.whocc.no/atc/": ATC,
    "https://www.whocc.no/atc": ATC,
    "http://whocc.no/atc": ATC,
    "http://fhir.de/CodeSystem/bfarm/atc": ATC,
    "http://fhir.de/CodeSystem/dimdi/atc": ATC,
    "https://www.nlm.nih.gov/research/umls/rxnorm": RXNORM,
    "http://www.nlm.nih.gov/research/umls/rxnorm/": RXNORM,
    "urn:oid:2.16.840.1.113883.6.69": NDC,
    "urn:oid:2.16.840.1.113883.6.4": ICD_10_PCS,
    "http://hl7.org/fhir/sid/icd-10-pcs": ICD_10_PCS,
    "urn:oid:2.16.840.1.113883.6.285": HCPCS,
    "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets": HCPCS,
    "urn:oid:2.16.840.1.113883.6.8": UCUM,
    "http://unitsofmeasure.org/": UCUM,
    "http://terminology.hl7.org/CodeSystem/ucum": UCUM,
    "http://hl7.org/fhir/data-absent-reason": DATA_ABSENT,
}


def canonical_system(system: str | None) -> str | None:
    """The one URL under which a code system is looked up."""
    return ALIASES.get(system, system) if system else None


def answer_name(text: str) -> str:
    """An answer given as text, as a code of answer-name: signs are kept (-2 is not 2), case and blanks are not."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


#: Code systems whose codes say that something is absent or masked.
_ABSENT: Final = frozenset({DATA_ABSENT, "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"})


def is_absent(system: str | None) -> bool:
    """Whether a coding says only why there is none."""
    return canonical_system(system) in _ABSENT


#: Code systems whose codes are identifiers, never words.
PUBLISHED: Final = frozenset(
    {LOINC, SNOMED, RXNORM, ATC, NDC, ICD_10_PCS, HCPCS, CPT, ASSESSMENT, FINDING, NOT_ASSESSED}
)
