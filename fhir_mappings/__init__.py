"""From FHIR (R4 and R5, JSON) to the record: bytes in, one record a patient and every data problem out."""

from fhir_mappings.intake.bundles import NotFhir, Source
from fhir_mappings.reading import Reading, read, read_prefetch
from fhir_mappings.settings import ReadSettings
from fhir_mappings.terminology.lookup import Terminology, TerminologyError, load_terminology

__all__ = [
    "NotFhir",
    "ReadSettings",
    "Reading",
    "Source",
    "Terminology",
    "TerminologyError",
    "load_terminology",
    "read",
    "read_prefetch",
]
