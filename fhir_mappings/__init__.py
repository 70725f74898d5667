"""From FHIR (R4 and R5, JSON) to the record: bytes in, one record a patient and every data problem out.

The names below are for other rooms. They are loaded on first use: reading needs nothing of ``mapping_check``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fhir_mappings.fhir_types.validate import load_models
    from fhir_mappings.intake.bundles import NotFhir, Source, contents
    from fhir_mappings.intake.gather import AFFECTS
    from fhir_mappings.mapping_check.check import MappingCheck
    from fhir_mappings.mapping_check.report import Report, ReportRow
    from fhir_mappings.mapping_check.rows import mapping_csv
    from fhir_mappings.mapping_check.template import mapping_template
    from fhir_mappings.reading import Reading, read, read_prefetch
    from fhir_mappings.settings import ReadSettings
    from fhir_mappings.terminology.lookup import Terminology, TerminologyError, load_terminology
    from fhir_mappings.terminology.systems import BASE

__all__ = [
    "AFFECTS",
    "BASE",
    "MappingCheck",
    "NotFhir",
    "ReadSettings",
    "Reading",
    "Report",
    "ReportRow",
    "Source",
    "Terminology",
    "TerminologyError",
    "contents",
    "load_models",
    "load_terminology",
    "mapping_csv",
    "mapping_template",
    "read",
    "read_prefetch",
]

_MODULE_OF = {
    "AFFECTS": "intake.gather",
    "BASE": "terminology.systems",
    "MappingCheck": "mapping_check.check",
    "NotFhir": "intake.bundles",
    "ReadSettings": "settings",
    "Reading": "reading",
    "Report": "mapping_check.report",
    "ReportRow": "mapping_check.report",
    "Source": "intake.bundles",
    "Terminology": "terminology.lookup",
    "TerminologyError": "terminology.lookup",
    "contents": "intake.bundles",
    "load_models": "fhir_types.validate",
    "load_terminology": "terminology.lookup",
    "mapping_csv": "mapping_check.rows",
    "mapping_template": "mapping_check.template",
    "read": "reading",
    "read_prefetch": "reading",
}


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        return getattr(import_module(f"fhir_mappings.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
