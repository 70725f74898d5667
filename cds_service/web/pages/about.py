"""What a user may know of the service itself: ``GET /about``.

The source attributes are those of an evidence-based decision support intervention in 45 CFR 170.315(b)(11)(iv)(A)
(ONC, HTI-1 final rule, 89 FR 1192).
"""

from __future__ import annotations

from typing import Any

from cds_service.site.site import Site
from cds_service.site.version import RELEASE_STATUS, VERSION

DEVELOPER = "The icans-cds project"
CITATIONS = (
    "Lee DW, Santomasso BD, Locke FL, et al. ASTCT consensus grading for cytokine release syndrome and neurologic "
    "toxicity associated with immune effector cells. Biol Blood Marrow Transplant 2019;25(4):625-638. "
    "doi:10.1016/j.bbmt.2018.12.758",
)
NOT_USED = (
    "race",
    "ethnicity",
    "sexualOrientation",
    "genderIdentity",
    "sex",
    "socialDeterminantsOfHealth",
)


def about(site: Site) -> dict[str, Any]:
    """Developer, version, policy and terminology in force, and the decision support source attributes."""
    return {
        "name": "icans-cds",
        "version": VERSION,
        "developer": DEVELOPER,
        "policy": site.policy.label,
        "mappings": site.terminology.label,
        "purpose": (
            "Grades charted findings of patients after CAR-T cell infusion against ASTCT 2019 and shows, to "
            "clinicians, what was recorded, what follows from it and what is missing. It cannot judge cause and does "
            "not replace bedside assessment. Absence of a card does not mean absence of ICANS."
        ),
        "regulatoryStatus": "not determined",
        "decisionSupportType": "evidence-based (rules; no training data)",
        "sourceAttributes": {
            "regulation": "45 CFR 170.315(b)(11)(iv)(A)",
            "bibliographicCitation": list(CITATIONS),
            "developer": DEVELOPER,
            "fundingSource": "none declared",
            "releaseAndRevisionDates": RELEASE_STATUS,
            "use": {
                **{attribute: {"used": False} for attribute in NOT_USED},
                "language": {"used": True, "purpose": "only as the charted reason why an ICE item is not valid"},
                "dateOfBirth": {"used": True, "purpose": "whether ICE or CAPD applies"},
                "healthStatusAssessments": {
                    "used": True,
                    "purpose": "ICE, CAPD, level of consciousness, seizure, motor, intracranial pressure findings and "
                    "grades charted by a clinician are what is graded",
                },
            },
        },
    }
