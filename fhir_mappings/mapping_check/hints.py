"""Which code of the project a name may mean, by its words: a hint for who fills in a site's mappings.

Never used for reading: a hint says where to look, the site says what it is.
"""

from __future__ import annotations

from collections.abc import Iterable

from fhir_mappings.terminology.drug_names import words

#: All of these words in a name hint at the assessment; the first that fits is taken.
_HINTS: tuple[tuple[str, str], ...] = (
    ("capd", "capd-total"),
    ("cornell", "capd-total"),
    ("pediatric delirium", "capd-total"),
    ("icans grade", "documented-icans-grade"),
    ("neurotoxicity grade", "documented-icans-grade"),
    ("crs grade", "documented-crs-grade"),
    ("cytokine release grade", "documented-crs-grade"),
    ("rass", "rass"),
    ("richmond", "rass"),
    ("gcs eye", "gcs-eye"),
    ("glasgow eye", "gcs-eye"),
    ("eye opening", "gcs-eye"),
    ("seizure duration", "seizure-duration"),
    ("seizure", "seizure"),
    ("seizures", "seizure"),
    ("level consciousness", "consciousness"),
    ("icans loc", "consciousness"),
    ("neuro loc", "consciousness"),
    ("loc arousal", "consciousness"),
    ("arousal", "consciousness"),
    ("cerebral edema", "icp-edema"),
    ("brain edema", "icp-edema"),
    ("intracranial pressure", "icp-edema"),
    ("ice orientation", "ice-orientation"),
    ("ice year", "ice-year"),
    ("ice month", "ice-month"),
    ("ice city", "ice-city"),
    ("ice hospital", "ice-hospital"),
    ("ice naming", "ice-naming"),
    ("ice objects", "ice-naming"),
    ("ice name", "ice-naming"),
    ("ice command", "ice-command"),
    ("ice commands", "ice-command"),
    ("ice writing", "ice-writing"),
    ("ice write", "ice-writing"),
    ("ice sentence", "ice-writing"),
    ("ice attention", "ice-attention"),
    ("ice count", "ice-attention"),
    ("ice counting", "ice-attention"),
    ("icans motor", "motor"),
    ("icans tremor", "motor"),
    ("icans consciousness", "consciousness"),
    ("ice score", "ice-total"),
    ("ice total", "ice-total"),
    ("ice", "ice-total"),
    ("cart infusion", "car-t-infusion"),
    ("car infusion", "car-t-infusion"),
    ("car reinfusion", "car-t-infusion"),
)
#: A name of these words alone is as little as a documented grade is called by; "ICANS tremor" is none.
_GRADE_WORDS = frozenset(
    {"icans", "score", "total", "overall", "current", "max", "maximum", "highest", "worst", "astct"}
)
#: What a row of these words alone is; within a longer name they are too often something else.
_ALONE = {frozenset({"loc"}): "consciousness"}
_RULES = tuple((frozenset(phrase.split()), code) for phrase, code in _HINTS)


def hint(texts: Iterable[str | None]) -> str | None:
    """The icans-assessment code that the words of a name hint at, None if none does."""
    said = {word for text in texts if text for word in words(text)}
    found = _ALONE.get(frozenset(said)) or next((code for needed, code in _RULES if needed <= said), None)
    return found or ("documented-icans-grade" if "icans" in said <= _GRADE_WORDS else None)
