"""What published cohorts say about cumulative steroid dose and about the refractoriness definition.

Every sentence names population, number, design and limits. Group medians are context, not thresholds.
"""

from __future__ import annotations

from decimal import Decimal

FRIDBERG_COHORT = (
    "single-arm pilot, one protocol, 45 patients aged 75 or older, or 65 or older with a further risk "
    "factor, CD28-based products"
)
#: The footnote of Table 1 of Fridberg et al. 2026, quoted.
DEFINITION_QUOTE = (
    "no clinical improvement within 24 hours (hr) of treatment initiation and/or worsening to a higher "
    "grade within 24 hr under active treatment"
)
DEFINITION_LIMITS = (
    f"Its evidence: {FRIDBERG_COHORT}; 9 of the 45 met it (about 30 had ICANS; treatment could include anakinra). No "
    "consensus definition exists: other groups use other wordings, most without a time limit."
)
EQUIVALENCE = (
    "Equivalents by the usual anti-inflammatory ratios: dexamethasone 0.75 mg = methylprednisolone or "
    "triamcinolone 4 mg = prednisone or prednisolone 5 mg = hydrocortisone 20 mg = cortisone 25 mg = "
    "deflazacort 6 mg; betamethasone counted 1:1 (tables give 0.6 to 0.75 mg). For oral and parenteral "
    "doses only; other tables differ (methylprednisolone 1000 mg: 150 to 200 mg)."
)

_TIERS = {
    Decimal("195"): (
        "Among steroid recipients with large B-cell lymphoma after axicabtagene ciloleucel (retrospective "
        "cohort, ASCO 2020 abstract 8011; 60 of 100 patients received steroids in Strati et al., Blood "
        "2021), the upper half of cumulative dose (195-1803 mg) had a progression-free survival of 2 "
        "against 9 months (p = 0.005). Medians of whole cohorts: 160 mg (IQR 20-530; Fridberg et al. 2026, "
        "n = 45) and 186 mg (8-1803; Strati et al. 2021)."
    ),
    Decimal("380"): (
        "380 mg was the median in the 19 of 45 patients with an infection, 77.5 mg in those without "
        f"(P = 0.002, univariate; Fridberg et al., Haematologica 2026: {FRIDBERG_COHORT})."
    ),
    Decimal("532.5"): (
        "532.5 mg was the lower quartile in the 11 of 45 patients who died without relapse (median 850, IQR "
        "532.5-1020.6 mg); the others had a median of 77.5 mg (IQR 20-239.4; univariate; Fridberg et al., "
        f"Haematologica 2026: {FRIDBERG_COHORT})."
    ),
    Decimal("850"): (
        "850 mg was the median in the 11 of 45 patients who died without relapse (IQR 532.5-1020.6 mg); the "
        "others had a median of 77.5 mg (IQR 20-239.4; univariate; Fridberg et al., Haematologica 2026: "
        f"{FRIDBERG_COHORT})."
    ),
}
_SITE_TIER = "This threshold is the site's own; no published figure stands behind it."

DOSE_LIMITS = (
    "Limits: group medians are not thresholds of risk. The association is confounded by indication (sicker "
    "patients receive more), from small single cohorts with different products and time windows, and it is "
    "contradicted elsewhere (myeloma, n = 101, 34 % received steroids: no difference in progression-free or overall "
    "survival, Blood Cancer J 2024, doi 10.1038/s41408-024-01048-0; Fridberg et al.: no association with CAR-T "
    "expansion). Published treatment protocols "
    "reach these figures themselves. This card informs about exposure; it gives no advice on treatment."
)
STEROID_DAYS = (
    "In the retrospective large B-cell lymphoma cohort after axicabtagene ciloleucel (ASCO 2020 abstract "
    "8011; Strati et al., Blood 2021;137:3272, 60 of 100 patients received steroids, median 9 days), "
    "steroids over 10-30 days went with a progression-free survival of 5 against 8 months (p = 0.12, a "
    "trend), and prolonged use went with shorter overall survival (Strati et al.)."
)
EARLY_START = (
    "In ASCO 2020 abstract 8011 a start within 7 days went with a progression-free survival of 6 against 11 "
    "months (p = 0.07, a trend), and Strati et al. (Blood 2021;137:3272) report shorter overall survival with early "
    "steroids; both are associations, confounded by indication, and several protocols start this early on purpose."
)


def tier_evidence(threshold: Decimal) -> str:
    """The published figure behind a cumulative-dose threshold (mg of dexamethasone-equivalent)."""
    return _TIERS.get(threshold, _SITE_TIER)
