"""Rejected, corrected, imprecise and missing data: scenarios 34 to 38."""

from __future__ import annotations

from tests.spec.tables import Scenario

TIME = (
    Scenario(
        "34",
        "ICE 11, ICE 7.5 and ICE '-' are rejected and flagged, never clamped",
        """
        D0 08:30 | infusion
        D3 08:00 | ICE 11
        D4 08:00 | ICE 7.5
        D5 08:00 | ICE -
        """,
        """
        problem | value-out-of-range
        problem | value-not-numeric
        as of D5 09:00 | grade.iceScore none, grade.low none
        """,
    ),
    Scenario(
        "35",
        "ICE corrected from 2 to 7 after a card: withdrawn, and the corrected grade shown",
        """
        D0 08:30 | infusion
        D5 08:00 | ICE 2 | id corrected
        D5 08:00 | ICE 7 | id corrected, version 2 filed D5 12:00
        """,
        """
        D5 08:00 | grade-change critical | direction onset, grade 3, until D5 12:00, withdrawn
        D5 08:00 | grade-change info | direction onset, grade 1, shown D5 12:00, until D6 12:00
        """,
    ),
    Scenario(
        "36",
        "Death ends monitoring and is no grade 5",
        """
        D0 08:30 | infusion
        D5 08:00 | ICE 2
        """,
        """
        D5 08:00 | grade-change critical | direction onset, grade 3, until D5 20:00
        D5 08:00 | icans-active warning | grade 3, until D5 20:00
        as of D5 21:00 | monitoring ended, grade.documentedGrade none
        """,
        deceased="D5 20:00",
    ),
    Scenario(
        "37",
        "Offsets differ: instants are compared",
        """
        D0 08:30 | infusion
        2026-03-06T03:00:00-05:00 | ICE 5
        2026-03-06T11:00:00+02:00 | dexamethasone 20 mg IV
        2026-03-07T10:00:00+02:00 | ICE 5
        """,
        """
        D5 08:00 | grade-change warning | direction onset, grade 2
        D6 09:00 | refractory warning | reason no-improvement-24h, treatmentStart D5 09:00, grade 2
                 | | hoursSinceTreatmentStart 24
        """,
    ),
    Scenario(
        "37b",
        "Treatment start known by its day only: the two ends of the day differ, so no verdict",
        """
        D0 08:30 | infusion
        D5 08:00 | ICE 5
        D5 | dexamethasone 20 mg IV
        D6 08:00 | ICE 5
        D6 20:00 | ICE 5
        """,
        """
        D5 08:00 | grade-change warning | direction onset, grade 2
        D7 00:00 | refractory-indeterminate info | reason time-imprecise, line 1
        """,
    ),
    Scenario(
        "38",
        "No infusion recorded: grades and clocks work, no day numbers, no tiers",
        """
        D5 08:00 | ICE 5
        D5 09:00 | methylprednisolone 2000 mg IV
        D6 08:00 | ICE 5
        """,
        """
        D5 08:00 | grade-change warning | direction onset, grade 2
        D6 09:00 | refractory warning | reason no-improvement-24h, line 1, grade 2
        problem | infusion-missing
        as of D6 10:00 | infusion none, exposure.dexamethasoneEquivalentMg none, exposure.steroidDays none
                       | exposure.last24hMg 0
        """,
    ),
)
