"""Steroid exposure and refractoriness: scenarios 15 to 26, 31 and 33."""

from __future__ import annotations

from tests.spec.tables import Scenario

STEROIDS = (
    Scenario(
        "22",
        "Hydrocortisone 100 mg alone starts no treatment and counts 3.75 mg",
        """
        D0 08:30 | infusion
        D3 08:00 | ICE 8
        D3 09:00 | hydrocortisone 100 mg IV
        """,
        """
        D3 08:00 | grade-change info | direction onset, grade 1
        as of D3 10:00 | refractory.state untreated, exposure.dexamethasoneEquivalentMg 3.75
        """,
    ),
    Scenario(
        "23",
        "Dexamethasone 4 mg intrathecal and 96 mg IV: 96, and 4 apart; no tier",
        """
        D0 08:30 | infusion
        D1 09:00 | dexamethasone 96 mg IV
        D1 12:00 | dexamethasone 4 mg intrathecal
        """,
        """
        as of D1 13:00 | exposure.dexamethasoneEquivalentMg 96, exposure.intrathecalMg.dexamethasone 4
                       | exposure.uncounted 0
        """,
    ),
    Scenario(
        "24",
        "Methylprednisolone 1,000 mg three times and dexamethasone 20 mg twice: 602.5, tiers 1 to 3",
        """
        D0 08:30 | infusion
        D1 09:00 | methylprednisolone 1000 mg IV
        D2 09:00 | methylprednisolone 1000 mg IV
        D3 09:00 | methylprednisolone 1000 mg IV
        D4 09:00 | dexamethasone 20 mg IV
        D4 21:00 | dexamethasone 20 mg IV
        """,
        """
        D2 09:00 | cumulative-dose info | thresholdMg 195, dexamethasoneEquivalentMg 375, uncounted 0
        D3 09:00 | cumulative-dose warning | thresholdMg 532.5, crossedMg 380+532.5
                 | | dexamethasoneEquivalentMg 562.5
        as of D4 22:00 | exposure.dexamethasoneEquivalentMg 602.5, exposure.steroidDays 4
        """,
    ),
    Scenario(
        "25",
        "One gram twice by an interface, one entered in error, one not done: counted once",
        """
        D0 08:30 | infusion
        D1 09:00 | methylprednisolone 1000 mg IV
        D1 09:00:30 | methylprednisolone 1000 mg IV
        D1 12:00 | methylprednisolone 1000 mg IV | entered-in-error
        D1 15:00 | methylprednisolone 1000 mg IV | not-done
        """,
        """
        as of D1 16:00 | exposure.dexamethasoneEquivalentMg 187.5, exposure.upperBoundMg 375
        problem | duplicate
        """,
    ),
    Scenario(
        "26",
        "Methylprednisolone without an amount: a lower bound, one uncounted, no tier",
        """
        D0 08:30 | infusion
        D1 09:00 | dexamethasone 20 mg IV
        D2 09:00 | methylprednisolone ? mg IV
        """,
        """
        D2 09:00 | dose-unknown info | lowerBoundMg 20
        as of D2 10:00 | exposure.dexamethasoneEquivalentMg 20, exposure.upperBoundMg none
                       | exposure.uncounted 1, exposure.steroidDays 2
        """,
    ),
    Scenario(
        "33",
        "Grade 2 given dexamethasone 20 mg once daily: no dose finding",
        """
        D0 08:30 | infusion
        D3 08:00 | ICE 5
        D3 09:00 | dexamethasone 20 mg IV
        D4 08:00 | ICE 8
        D4 09:00 | dexamethasone 20 mg IV
        """,
        """
        D3 08:00 | grade-change warning | direction onset, grade 2
        D4 08:00 | grade-change info | direction improvement, previousGrade 2, grade 1
        """,
    ),
)

REFRACTORINESS = (
    Scenario(
        "15",
        "Prophylaxis on days 0 to 2, onset on day 3, first dose after it on day 4: treatment starts on day 4",
        """
        D0 08:30 | infusion
        D0 09:00 | dexamethasone 10 mg IV
        D1 09:00 | dexamethasone 10 mg IV
        D2 09:00 | dexamethasone 10 mg IV
        D3 08:00 | ICE 8
        D4 08:00 | ICE 8
        D4 09:00 | dexamethasone 10 mg IV
        D5 08:00 | ICE 8
        """,
        """
        D3 08:00 | grade-change info | direction onset, grade 1, onsetOnSteroids true
        D5 09:00 | refractory info | reason no-improvement-24h, line 1, treatmentStart D4 09:00
                 | | gradeAtTreatmentStart 1, grade 1, hoursSinceTreatmentStart 24
                 | | late false
        as of D5 10:00 | exposure.prophylacticMg 30, exposure.dexamethasoneEquivalentMg 40
        """,
    ),
    Scenario(
        "16",
        "Worse 6 h after the first dose; a larger dose starts line 2, which responds",
        """
        D0 08:30 | infusion
        D3 08:00 | ICE 5
        D3 09:00 | dexamethasone 20 mg IV
        D3 15:00 | ICE 2
        D3 16:00 | methylprednisolone 1000 mg IV
        D4 15:00 | ICE 5
        """,
        """
        D3 08:00 | grade-change warning | direction onset, grade 2
        D3 15:00 | grade-change critical | direction worsening, previousGrade 2, grade 3
        D3 15:00 | refractory critical | reason worsening-under-treatment, line 1, treatmentStart D3 09:00
                 | | grade 3, hoursSinceTreatmentStart 6, until D3 16:00
        D3 16:00 | cumulative-dose info | thresholdMg 195, dexamethasoneEquivalentMg 207.5
        D4 15:00 | grade-change info | direction improvement, previousGrade 3, grade 2
        as of D4 17:00 | refractory.state responded, refractory.line 2, refractory.treatmentStart D3 16:00
        """,
    ),
    Scenario(
        "17",
        "Worse exactly 24 h after treatment start belongs to the worsening clause",
        """
        D0 08:30 | infusion
        D3 08:00 | ICE 8
        D3 09:00 | dexamethasone 10 mg IV
        D4 09:00 | ICE 5
        """,
        """
        D3 08:00 | grade-change info | direction onset, grade 1
        D4 09:00 | grade-change warning | direction worsening, previousGrade 1, grade 2
        D4 09:00 | refractory critical | reason worsening-under-treatment, line 1, grade 2
                 | | hoursSinceTreatmentStart 24
        """,
    ),
    Scenario(
        "17b",
        "Worse one minute later: no improvement at 24 h instead",
        """
        D0 08:30 | infusion
        D3 08:00 | ICE 8
        D3 09:00 | dexamethasone 10 mg IV
        D4 09:01 | ICE 5
        """,
        """
        D3 08:00 | grade-change info | direction onset, grade 1
        D4 09:00 | reassessment-overdue warning | line 1, treatmentStart D3 09:00, gradeAtTreatmentStart 1
                 | | until D4 09:01
        D4 09:01 | grade-change warning | direction worsening, previousGrade 1, grade 2
        D4 09:01 | refractory warning | reason no-improvement-24h, line 1, grade 2
                 | | hoursSinceTreatmentStart 24.02, late false
        """,
    ),
    Scenario(
        "18",
        "3 to 2 at 8 h and back to 3 at 23 h: never above the reference, so no improvement at 24 h",
        """
        D0 08:30 | infusion
        D3 08:00 | ICE 2
        D3 09:00 | dexamethasone 20 mg IV
        D3 17:00 | ICE 5
        D4 08:00 | ICE 2
        """,
        """
        D3 08:00 | grade-change critical | direction onset, grade 3
        D3 17:00 | grade-change info | direction improvement, previousGrade 3, grade 2
        D4 08:00 | grade-change critical | direction worsening, previousGrade 2, grade 3
        D4 09:00 | refractory critical | reason no-improvement-24h, line 1, grade 3, late false
        """,
    ),
    Scenario(
        "19",
        "Grade 2 unchanged, ICE 3 to 6: the clinician decides",
        """
        D0 08:30 | infusion
        D3 08:00 | ICE 3
        D3 09:00 | dexamethasone 20 mg IV
        D4 08:00 | ICE 6
        """,
        """
        D3 08:00 | grade-change warning | direction onset, grade 2
        D4 09:00 | refractory-indeterminate info | reason ice-only, line 1
        """,
    ),
    Scenario(
        "20",
        "Dose at 20:00, checks at 08:00: overdue at 24 h, responded late",
        """
        D0 08:30 | infusion
        D3 08:00 | ICE 8
        D3 20:00 | dexamethasone 10 mg IV
        D4 08:00 | ICE 10
        D5 08:00 | ICE 10
        """,
        """
        D3 08:00 | grade-change info | direction onset, grade 1
        D4 08:00 | grade-change info | direction resolution, previousGrade 1, grade 0
        D4 20:00 | reassessment-overdue warning | line 1, treatmentStart D3 20:00, until D5 08:00
        as of D5 09:00 | refractory.state resolved, refractory.lines.0.verdict responded
                       | refractory.lines.0.late true
        """,
    ),
    Scenario(
        "21",
        "One dose, next assessment 36 h later, same grade: the treatment had lapsed",
        """
        D0 08:30 | infusion
        D3 08:00 | ICE 8
        D3 09:00 | dexamethasone 10 mg IV
        D4 21:00 | ICE 8
        """,
        """
        D3 08:00 | grade-change info | direction onset, grade 1
        D4 09:00 | reassessment-overdue warning | line 1, treatmentStart D3 09:00, until D4 21:00
        D4 21:00 | refractory-indeterminate info | reason treatment-gap, line 1
        """,
    ),
    Scenario(
        "31",
        "Relapse on a taper: a new episode, and treatment starts only at the next qualifying dose",
        """
        D0 08:30 | infusion
        D3 08:00 | ICE 8
        D5 08:00 | ICE 10
        D6 08:00 | ICE 10
        D39 08:00 | ICE 10
        D39 09:00 | dexamethasone 4 mg IV
        D40 08:00 | ICE 2
        D40 09:00 | dexamethasone 4 mg IV
        D41 08:00 | ICE 2
        D41 09:00 | dexamethasone 20 mg IV
        """,
        """
        D3 08:00 | grade-change info | direction onset, grade 1, episode 1
        D5 08:00 | grade-change info | direction resolution, previousGrade 1, grade 0, episode 1
        D40 08:00 | grade-change critical | direction recurrence, grade 3, episode 2, onsetOnSteroids true
        D42 09:00 | reassessment-overdue warning | episode 2, line 1, treatmentStart D41 09:00
        as of D40 10:00 | refractory.state untreated
        as of D41 10:00 | refractory.state watch, refractory.line 1, refractory.treatmentStart D41 09:00
                        | grade.episode 2
        """,
    ),
)
