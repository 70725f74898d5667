"""Three published courses as tables: days, scores, drugs and doses from the papers, clock times a fixture.

Frisch et al. (JMC 2025), van Nijendaal et al. (Haematologica 2026), Katsin et al. (Front Immunol 2024).
Consciousness is charted only where the papers print it; a printed range of ICE is charted as a range.
"""

from __future__ import annotations

from tests.spec.tables import Scenario

COURSES = (
    Scenario(
        "32c",
        "39 years (Katsin et al. 2024): coma one hour after the first dose, recovered in 32 hours",
        """
        D0 08:30 | infusion
        D14 10:00 | ICE 2
        D14 10:30 | dexamethasone 20 mg IV
        D14 11:30 | consciousness unarousable
        D14 12:30 | dexamethasone 4 mg intrathecal
        D14 16:30 | dexamethasone 20 mg IV
        D14 18:30 | ICE 6
        D14 22:30 | dexamethasone 20 mg IV
        D15 04:30 | dexamethasone 20 mg IV
        D15 10:30 | dexamethasone 16 mg IV
        D15 20:00 | ICE 10
        """,
        """
        D1 20:30 | assessment-not-found info | since D0 08:30, until D14 10:00
        D14 10:00 | grade-change critical | previousGrade 0, grade 3, gradeLow 3, gradeHigh 3
                  | | direction onset, episode 1, decidingDomain ice, iceScore 2
                  | | onsetOnSteroids false, until D14 11:30
        D14 10:00 | icans-active warning | grade 3, gradeLow 3, gradeHigh 3, since D14 10:00, episode 1
                  | | until D14 11:30
        D14 11:30 | grade-change critical | previousGrade 3, grade 4, gradeLow 4, gradeHigh 4
                  | | direction worsening, episode 1, decidingDomain consciousness
                  | | iceScore none, until D14 18:30
        D14 11:30 | icans-active warning | grade 4, gradeLow 4, gradeHigh 4, since D14 10:00, episode 1
                  | | until D14 18:30
        D14 11:30 | refractory critical | episode 1, line 1, treatmentStart D14 10:30
                  | | gradeAtTreatmentStart 3, reason worsening-under-treatment
                  | | grade 4, hoursSinceTreatmentStart 1, late false
                  | | until D14 18:30
        D14 18:30 | grade-change info | previousGrade 4, grade 2, gradeLow 2, gradeHigh 2
                  | | direction improvement, episode 1, decidingDomain ice, iceScore 6
                  | | until D15 18:30
        D14 18:30 | icans-active info | grade 2, gradeLow 2, gradeHigh 2, since D14 10:00, episode 1
                  | | until D15 20:00
        D15 06:30 | assessment-overdue info | lastAssessment D14 18:30, intervalHours 8, grade 2
                  | | until D15 10:30
        D15 10:30 | reassessment-overdue warning | episode 1, line 1, treatmentStart D14 10:30
                  | | gradeAtTreatmentStart 3, until D15 20:00
        D15 20:00 | grade-change info | previousGrade 2, grade 0, gradeLow 0, gradeHigh 0
                  | | direction resolution, episode 1, decidingDomain none
                  | | iceScore 10, until D16 20:00
        D17 08:00 | assessment-not-found info | since D15 20:00, until none
        """,
        birth="1987-02-01",
    ),
    Scenario(
        "32a",
        "51 years (Frisch et al. 2025): onset, documented grade 4, sedated, recovered by day 19",
        """
        D0 08:30 | infusion
        D7 08:00 | ICE 9
        D7 08:00 | documented grade 2
        D7 14:00 | ICE 6
        D7 15:00 | methylprednisolone ? mg IV
        D8 15:00 | methylprednisolone ? mg IV
        D9 15:00 | methylprednisolone ? mg IV
        D10 08:00 | documented grade 4
        D10 11:30 | propofol 4000 mg IV | until D16 08:00
        D10 12:00 | hydrocortisone 50 mg intrathecal
        D10 15:00 | methylprednisolone ? mg IV
        D11 15:00 | methylprednisolone ? mg IV
        D12 15:00 | methylprednisolone ? mg IV
        D19 08:00 | ICE 10
        D20 08:00 | ICE 10
        """,
        """
        D1 20:30 | assessment-not-found info | since D0 08:30, until D7 08:00
        D7 08:00 | grade-change info | previousGrade 0, grade 1, gradeLow 1, gradeHigh 1
                 | | direction onset, episode 1, decidingDomain ice, iceScore 9
                 | | onsetOnSteroids false, documentedGrade 2, until D7 14:00
        D7 08:00 | icans-active info | grade 1, gradeLow 1, gradeHigh 1, since D7 08:00, episode 1
                 | | until D7 14:00
        D7 14:00 | grade-change warning | previousGrade 1, grade 2, gradeLow 2, gradeHigh 2
                 | | direction worsening, episode 1, decidingDomain ice, iceScore 6
                 | | until D8 14:00
        D7 14:00 | icans-active info | grade 2, gradeLow 2, gradeHigh 2, since D7 08:00, episode 1
                 | | until D10 08:00
        D7 15:00 | dose-unknown info | lowerBoundMg 0, until D8 15:00
        D8 02:00 | assessment-overdue info | lastAssessment D7 14:00, intervalHours 8, grade 2
                 | | until D8 15:00
        D8 15:00 | reassessment-overdue warning | episode 1, line 1, treatmentStart D7 15:00
                 | | gradeAtTreatmentStart 2, until D10 08:00
        D8 15:00 | dose-unknown info | lowerBoundMg 0, until D9 15:00
        D9 15:00 | dose-unknown info | lowerBoundMg 0, until D10 15:00
        D10 08:00 | grade-change critical | previousGrade 2, grade 4, gradeLow 4, gradeHigh 4
                  | | direction worsening, episode 1, decidingDomain documented
                  | | iceScore none, documentedGrade 4, until D11 08:00
        D10 08:00 | icans-active warning | grade 4, gradeLow 4, gradeHigh 4, since D7 08:00, episode 1
                  | | until D19 08:00
        D10 08:00 | refractory critical | episode 1, line 1, treatmentStart D7 15:00
                  | | gradeAtTreatmentStart 2, reason no-improvement-24h, grade 4
                  | | hoursSinceTreatmentStart 65, late true, until D19 08:00
        D10 15:00 | dose-unknown info | lowerBoundMg 0, until D11 15:00
        D11 15:00 | dose-unknown info | lowerBoundMg 0, until D12 15:00
        D12 15:00 | dose-unknown info | lowerBoundMg 0, until D13 15:00
        D16 20:00 | assessment-overdue info | lastAssessment D10 08:00, intervalHours 8, grade 4
                  | | until D19 08:00
        D19 08:00 | grade-change info | previousGrade 4, grade 0, gradeLow 0, gradeHigh 0
                  | | direction resolution, episode 1, decidingDomain none
                  | | iceScore 10, until D20 08:00
        """,
        birth="1975-02-01",
    ),
    Scenario(
        "32b",
        "54 years (van Nijendaal et al. 2026): four lines of treatment in 88 days",
        """
        D-8 09:00 | dexamethasone 40 mg IV
        D0 08:00 | ICE 10
        D0 08:30 | infusion
        D0 09:00 | dexamethasone 10 mg IV
        D1 08:00 | ICE 10
        D1 09:00 | dexamethasone 10 mg IV
        D2 08:00 | ICE 10
        D2 09:00 | dexamethasone 10 mg IV
        D3 08:00 | ICE 9
        D3 09:00 | dexamethasone 10 mg IV
        D5 08:00 | ICE 5
        D5 09:00 | dexamethasone 10 mg IV
        D5 15:00 | dexamethasone 10 mg IV
        D5 21:00 | dexamethasone 10 mg IV
        D6 03:00 | dexamethasone 10 mg IV
        D7 08:00 | ICE 1
        D7 09:00 | methylprednisolone 1000 mg IV
        D8 08:00 | ICE 0-2
        D8 08:00 | seizure unspecified
        D8 08:00 | documented grade 3
        D8 09:00 | methylprednisolone 1000 mg IV
        D9 09:00 | methylprednisolone 1000 mg IV
        D10 08:00 | documented grade 3
        D10 09:00 | dexamethasone 40 mg IV
        D12 08:00 | ICE 8-9
        D13 08:00 | ICE 7
        D15 08:00 | ICE 0-1
        D15 08:00 | seizure unspecified
        D25 08:00 | GCS eye 3
        D40 08:00 | GCS eye 4
        D41 08:00 | GCS eye 1
        D41 08:00 | seizure unspecified
        D41 08:00 | documented grade 4
        D41 09:00 | methylprednisolone 1000 mg IV
        D42 09:00 | methylprednisolone 1000 mg IV
        D43 09:00 | methylprednisolone 1000 mg IV
        D45 08:00 | GCS eye 1
        D45 10:00 | hydrocortisone 20 mg intrathecal
        D47 08:00 | GCS eye 3
        D47 10:00 | hydrocortisone 20 mg intrathecal
        D49 08:00 | GCS eye 4
        D88 08:00 | GCS eye 4
        """,
        """
        D3 08:00 | grade-change info | previousGrade 0, grade 1, gradeLow 1, gradeHigh 1
                 | | direction onset, episode 1, decidingDomain ice, iceScore 9
                 | | onsetOnSteroids true, until D4 08:00
        D3 08:00 | icans-active info | grade 1, gradeLow 1, gradeHigh 1, since D3 08:00, episode 1
                 | | until D5 08:00
        D4 08:00 | assessment-overdue info | lastAssessment D3 08:00, intervalHours 12, grade 1
                 | | until D4 09:00
        D4 09:00 | reassessment-overdue warning | episode 1, line 1, treatmentStart D3 09:00
                 | | gradeAtTreatmentStart 1, until D5 08:00
        D5 08:00 | grade-change warning | previousGrade 1, grade 2, gradeLow 2, gradeHigh 2
                 | | direction worsening, episode 1, decidingDomain ice, iceScore 5
                 | | until D6 08:00
        D5 08:00 | icans-active info | grade 2, gradeLow 2, gradeHigh 2, since D3 08:00, episode 1
                 | | until D7 08:00
        D5 08:00 | refractory-indeterminate info | episode 1, line 1, treatmentStart D3 09:00
                 | | gradeAtTreatmentStart 1, reason treatment-gap
                 | | until D5 09:00
        D5 20:00 | assessment-overdue info | lastAssessment D5 08:00, intervalHours 8, grade 2
                 | | until D6 09:00
        D6 09:00 | reassessment-overdue warning | episode 1, line 2, treatmentStart D5 09:00
                 | | gradeAtTreatmentStart 2, until D7 08:00
        D7 08:00 | grade-change critical | previousGrade 2, grade 3, gradeLow 3, gradeHigh 3
                 | | direction worsening, episode 1, decidingDomain ice
                 | | iceScore 1, until D8 08:00
        D7 08:00 | icans-active warning | grade 3, gradeLow 3, gradeHigh 3, since D3 08:00, episode 1
                 | | until D12 08:00
        D7 08:00 | refractory critical | episode 1, line 2, treatmentStart D5 09:00
                 | | gradeAtTreatmentStart 2, reason no-improvement-24h, grade 3
                 | | hoursSinceTreatmentStart 47, late true, until D7 09:00
        D7 09:00 | cumulative-dose info | thresholdMg 195, dexamethasoneEquivalentMg 267.5
                 | | last24hMg 187.5, sinceOnsetMg 237.5, prophylacticMg 30
                 | | uncounted 0, steroidDays 7, until D8 09:00
        D7 20:00 | assessment-overdue info | lastAssessment D7 08:00, intervalHours 8, grade 3
                 | | until D8 08:00
        D8 08:00 | grade-possible-change info | previousGrade 3, gradeLow 3, gradeHigh 4
                 | | direction worsening, until D10 08:00
        D8 09:00 | refractory critical | episode 1, line 3, treatmentStart D7 09:00
                 | | gradeAtTreatmentStart 3, reason no-improvement-24h, grade 3
                 | | hoursSinceTreatmentStart 24, late false, until D12 08:00
        D8 09:00 | cumulative-dose warning | thresholdMg 380, dexamethasoneEquivalentMg 455
                 | | sinceOnsetMg 425, prophylacticMg 30, uncounted 0
                 | | steroidDays 8, until D9 09:00
        D8 20:00 | assessment-overdue info | lastAssessment D8 08:00, intervalHours 8, grade 3
                 | | until D10 08:00
        D9 09:00 | cumulative-dose warning | thresholdMg 532.5, dexamethasoneEquivalentMg 642.5
                 | | sinceOnsetMg 612.5, prophylacticMg 30, uncounted 0
                 | | steroidDays 9, until D10 09:00
        D10 09:00 | steroid-days info | steroidDays 10, dexamethasoneEquivalentMg 682.5, until D11 09:00
        D10 20:00 | assessment-overdue info | lastAssessment D10 08:00, intervalHours 8, grade 3
                  | | until D12 08:00
        D12 08:00 | grade-change info | previousGrade 3, grade 1, gradeLow 1, gradeHigh 1
                  | | direction improvement, episode 1, decidingDomain ice
                  | | iceScore none, until D13 08:00
        D12 08:00 | icans-active info | grade 1, gradeLow 1, gradeHigh 1, since D3 08:00, episode 1
                  | | until D15 08:00
        D14 08:00 | assessment-overdue info | lastAssessment D13 08:00, intervalHours 12, grade 1
                  | | until D15 08:00
        D15 08:00 | grade-change critical | previousGrade 1, grade 3, gradeLow 3, gradeHigh 4
                  | | direction worsening, episode 1, decidingDomain ice
                  | | iceScore none, until D16 08:00
        D15 08:00 | icans-active warning | grade 3, gradeLow 3, gradeHigh 4, since D3 08:00, episode 1
                  | | until D41 08:00
        D15 08:00 | grade-possible-change info | previousGrade 3, gradeLow 3, gradeHigh 4
                  | | direction worsening, until D25 08:00
        D15 20:00 | assessment-overdue info | lastAssessment D15 08:00, intervalHours 8, grade 3
                  | | until D41 08:00
        D25 08:00 | grade-possible-change info | previousGrade 3, gradeLow 0, gradeHigh 3
                  | | direction improvement, until D41 08:00
        D41 08:00 | grade-change critical | previousGrade 3, grade 4, gradeLow 4, gradeHigh 4
                  | | direction worsening, episode 1, decidingDomain consciousness
                  | | iceScore none, documentedGrade 4, until D42 08:00
        D41 08:00 | icans-active warning | grade 4, gradeLow 4, gradeHigh 4, since D3 08:00, episode 1
                  | | until D47 08:00
        D41 09:00 | cumulative-dose warning | thresholdMg 850, dexamethasoneEquivalentMg 870
                  | | last24hMg 187.5, sinceOnsetMg 840, prophylacticMg 30
                  | | uncounted 0, steroidDays 11, until D42 09:00
        D41 20:00 | assessment-overdue info | lastAssessment D41 08:00, intervalHours 8, grade 4
                  | | until D88 12:00, reopened D45 08:00
        D42 09:00 | reassessment-overdue warning | episode 1, line 4, treatmentStart D41 09:00
                  | | gradeAtTreatmentStart 4, until D45 08:00
        D45 08:00 | refractory-indeterminate info | episode 1, line 4, treatmentStart D41 09:00
                  | | gradeAtTreatmentStart 4, reason treatment-gap
                  | | until D47 08:00
        D47 08:00 | icans-active warning | grade 3, gradeLow 0, gradeHigh 3, since D3 08:00, episode 1
                  | | until D88 12:00
        D47 08:00 | grade-change info | previousGrade 4, grade 3, gradeLow 0, gradeHigh 3
                  | | direction improvement, episode 1, decidingDomain none
                  | | iceScore none, until D48 08:00
        D47 08:00 | grade-possible-change info | previousGrade 3, gradeLow 0, gradeHigh 3
                  | | direction improvement, until D88 12:00
        """,
        birth="1972-02-01",
        deceased="D88 12:00",
    ),
)
