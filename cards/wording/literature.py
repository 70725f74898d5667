"""What published cohorts say about cumulative steroid dose and about the refractoriness definition.

Every sentence names population, number, design and limits. Group medians are context, not thresholds.
"""

from __future__ import annotations

from decimal import Decimal

#: The footnote of Table 1 of Fridberg et al. 2026, quoted.
DEFINITION_QUOTE = (
    "no clinical improvement within 24 hours (hr) of treatment initiation and/or worsening to a higher "
    "grade within 24 hr under active treatment"
)
NO_CONSENSUS = "No consensus definition exists."
DEFINITION_LIMITS = (
    f"Single-arm pilot: 9 of 45 older patients met it (about 30 had ICANS; treatment could include anakinra). "
    f"{NO_CONSENSUS}"
)
EQUIVALENCE = "Factors: anti-inflammatory equivalence (dexamethasone 0.75 mg = methylprednisolone 4 mg); tables differ."

_TIERS = {
    Decimal("195"): (
        "The upper half of dose (195-1803 mg) had a progression-free survival of 2 against 9 months (p = 0.005; "
        "retrospective, axicabtagene ciloleucel, ASCO 2020 abstract 8011). Cohort medians: 160 mg (Fridberg et al. "
        "2026, n = 45), 186 mg (Strati et al. 2021)."
    ),
    Decimal("380"): (
        "380 mg was the median of 19 of 45 patients with an infection, 77.5 mg of those without (P = 0.002, "
        "univariate; single-arm pilot, Fridberg et al. 2026)."
    ),
    Decimal("532.5"): (
        "532.5 mg was the lower quartile of 11 of 45 patients who died without relapse (median 850 mg), 77.5 mg the "
        "median of the others (univariate; single-arm pilot, Fridberg et al. 2026)."
    ),
    Decimal("850"): (
        "850 mg was the median of 11 of 45 patients who died without relapse, 77.5 mg of the others (univariate; "
        "single-arm pilot, Fridberg et al. 2026)."
    ),
}
_SITE_TIER = "This threshold is the site's own; no published figure stands behind it."

DOSE_LIMITS = (
    "Group medians are not thresholds of risk: confounded by indication, small cohorts, contradicted elsewhere "
    "(Blood Cancer J 2024, doi 10.1038/s41408-024-01048-0: myeloma, n = 101, 34 % on steroids, no difference in "
    "survival). No advice on treatment."
)
STEROID_DAYS = (
    "After axicabtagene ciloleucel (retrospective; 60 of 100 received steroids, median 9 days; ASCO 2020 abstract "
    "8011), 10-30 days of steroids went with a progression-free survival of 5 against 8 months (p = 0.12, a trend), "
    "prolonged use with shorter overall survival (Strati et al. 2021)."
)
EARLY_START = (
    "starts within 7 days went with shorter progression-free survival (6 against 11 months, p = 0.07, a trend; ASCO "
    "2020 abstract 8011) and overall survival (Strati et al. 2021)."
)


def tier_evidence(threshold: Decimal) -> str:
    """The published figure behind a cumulative-dose threshold (mg of dexamethasone-equivalent)."""
    return _TIERS.get(threshold, _SITE_TIER)
