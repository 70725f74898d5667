"""Grading one assessment and the course: scenarios 1 to 14 and 30."""

from __future__ import annotations

from tests.spec.tables import Scenario

GRADING = (
    Scenario(
        "1",
        "ICE 0 in an awake patient (global aphasia) is grade 3, not 4",
        """
        D0 08:30 | infusion
        D5 08:00 | ICE 0
        D5 08:00 | consciousness alert
        """,
        """
        D5 08:00 | grade-change critical | direction onset, previousGrade 0, grade 3, gradeLow 3
                 | | gradeHigh 3, decidingDomain ice, iceScore 0
        """,
    ),
    Scenario(
        "2",
        "ICE 0 and consciousness not recorded: at least 3, asks for arousal",
        """
        D0 08:30 | infusion
        D5 08:00 | ICE 0
        """,
        """
        D5 08:00 | grade-change critical | direction onset, grade 3, gradeLow 3, gradeHigh 4
        D5 08:00 | grade-possible-change info | previousGrade 3, gradeLow 3, gradeHigh 4, direction worsening
        """,
    ),
    Scenario(
        "3",
        "ICE 0, unarousable, no sedative: grade 4",
        """
        D0 08:30 | infusion
        D5 08:00 | ICE 0
        D5 08:00 | consciousness unarousable
        """,
        """
        D5 08:00 | grade-change critical | direction onset, grade 4, gradeLow 4, gradeHigh 4
                 | | decidingDomain ice
        """,
    ),
    Scenario(
        "3b",
        "Unable to do ICE because unarousable: grade 4",
        """
        D0 08:30 | infusion
        D5 08:00 | ICE not assessed: unarousable
        """,
        """
        D5 08:00 | grade-change critical | direction onset, grade 4, gradeLow 4, gradeHigh 4, iceScore none
        """,
    ),
    Scenario(
        "4",
        "Propofol running, ICE 0, RASS -4, last grade 2: not assessable, no grade 4, no improvement",
        """
        D0 08:30 | infusion
        D4 08:00 | ICE 5
        D4 09:00 | dexamethasone 10 mg IV
        D4 20:00 | propofol 4000 mg IV | until D6 20:00
        D5 08:00 | ICE 0
        D5 08:00 | RASS -4
        """,
        """
        D4 08:00 | grade-change warning | direction onset, grade 2
        D5 09:00 | refractory-indeterminate info | reason not-assessable, line 1, treatmentStart D4 09:00
        as of D5 10:00 | grade.working 2, grade.asOf D4 08:00, refractory.state indeterminate
        """,
    ),
    Scenario(
        "5",
        "ICE 10, alert, one 2-minute focal seizure: grade 3",
        """
        D0 08:30 | infusion
        D5 08:00 | ICE 10
        D5 08:00 | consciousness alert
        D5 08:00 | seizure brief-or-resolving 120 s
        """,
        """
        D5 08:00 | grade-change critical | direction onset, grade 3, gradeHigh 3, decidingDomain seizure
                 | | iceScore 10
        """,
    ),
    Scenario(
        "6",
        "A seizure of exactly 5 minutes is grade 3",
        """
        D0 08:30 | infusion
        D5 08:00 | ICE 10
        D5 08:00 | consciousness alert
        D5 08:00 | seizure unspecified 300 s
        """,
        """
        D5 08:00 | grade-change critical | direction onset, grade 3, gradeHigh 3
        """,
    ),
    Scenario(
        "6b",
        "A seizure of 5 minutes and 1 second is grade 4",
        """
        D0 08:30 | infusion
        D5 08:00 | ICE 10
        D5 08:00 | consciousness alert
        D5 08:00 | seizure unspecified 301 s
        """,
        """
        D5 08:00 | grade-change critical | direction onset, grade 4, gradeHigh 4
        """,
    ),
    Scenario(
        "7",
        "ICE 8 with tremor and myoclonus: grade 1",
        """
        D0 08:30 | infusion
        D5 08:00 | ICE 8
        D5 08:00 | motor tremor
        D5 08:00 | motor myoclonus
        """,
        """
        D5 08:00 | grade-change info | direction onset, grade 1, gradeHigh 1
        """,
    ),
    Scenario(
        "8",
        "Hemorrhage with surrounding edema, ICE 9, alert: grade 1, hemorrhage excluded",
        """
        D0 08:30 | infusion
        D5 08:00 | ICE 9
        D5 08:00 | consciousness alert
        D5 08:00 | icp-edema intracranial-hemorrhage
        D5 08:00 | icp-edema focal-edema
        """,
        """
        D5 08:00 | grade-change info | direction onset, grade 1, gradeHigh 1
        problem | hemorrhage-excluded
        """,
    ),
    Scenario(
        "8b",
        "The same focal edema without hemorrhage: grade 3",
        """
        D0 08:30 | infusion
        D5 08:00 | ICE 9
        D5 08:00 | consciousness alert
        D5 08:00 | icp-edema focal-edema
        """,
        """
        D5 08:00 | grade-change critical | direction onset, grade 3, gradeHigh 3, decidingDomain icp-edema
        """,
    ),
    Scenario(
        "9",
        "Writing not valid (illiterate), the other nine points obtained: 0 to 1, no onset",
        """
        D0 08:30 | infusion
        D5 08:00 | ICE items full but writing literacy
        """,
        """
        as of D5 09:00 | grade.working 0, grade.low 0, grade.high 1
        """,
    ),
    Scenario(
        "9b",
        "The same with writing invalid at baseline: 0 to 1 at baseline, no alert, and two of them resolve nothing",
        """
        D0 08:00 | ICE items full but writing literacy
        D0 08:30 | infusion
        D5 08:00 | ICE items full but writing literacy
        """,
        """
        as of D5 09:00 | grade.working 0, grade.low 0, grade.high 1, grade.episode none
        """,
    ),
    Scenario(
        "10",
        "Orientation 2 of 4, naming 3 of 3, the rest missing: 5 to 8 points, grade 1 to 2",
        """
        D0 08:30 | infusion
        D5 08:00 | ICE items orientation 2 naming 3
        """,
        """
        D5 08:00 | grade-change info | direction onset, grade 1, gradeLow 1, gradeHigh 2, iceScore none
                 | | iceLow 5, iceHigh 8
        D5 08:00 | grade-possible-change info | previousGrade 1, gradeLow 1, gradeHigh 2, direction worsening
        """,
    ),
    Scenario(
        "11",
        "Baseline ICE 8: 8 and alert is at baseline, 6 is grade 2; known before the infusion it was an onset",
        """
        D0 08:00 | ICE 8
        D0 08:30 | infusion
        D1 08:00 | ICE 8
        D1 08:00 | consciousness alert
        D2 08:00 | ICE 6
        D2 08:00 | consciousness alert
        """,
        """
        D0 08:00 | grade-change info | direction onset, grade 1, until D0 08:30, withdrawn
        D2 08:00 | grade-change warning | direction onset, previousGrade 0, grade 2, gradeHigh 2
        as of D1 09:00 | grade.working 0, grade.low 0, grade.high 1
        """,
    ),
    Scenario(
        "12",
        "ICE 9 beside a documented grade 2, consciousness not recorded: compatible",
        """
        D0 08:30 | infusion
        D7 08:00 | ICE 9
        D7 08:00 | documented grade 2
        """,
        """
        D7 08:00 | grade-change info | direction onset, grade 1, gradeLow 1, gradeHigh 1, documentedGrade 2
                 | | decidingDomain ice
        as of D7 09:00 | grade.working 1, grade.strictLow 1, grade.strictHigh 3, grade.documentedGrade 2
        """,
    ),
    Scenario(
        "12b",
        "The same with consciousness alert: grade 1 and a discrepancy",
        """
        D0 08:30 | infusion
        D7 08:00 | ICE 9
        D7 08:00 | consciousness alert
        D7 08:00 | documented grade 2
        """,
        """
        D7 08:00 | grade-change info | direction onset, grade 1, documentedGrade 2
        D7 08:00 | grade-discrepancy info | documentedGrade 2, gradeLow 1, gradeHigh 1, strictLow 1
                 | | strictHigh 1
        """,
    ),
    Scenario(
        "13",
        "A child of nine: CAPD 9 and alert is grade 3",
        """
        D0 08:30 | infusion
        D5 08:00 | CAPD 9
        D5 08:00 | consciousness alert
        """,
        """
        D5 08:00 | grade-change critical | direction onset, grade 3, gradeHigh 3, decidingDomain capd
        """,
        birth="2017-01-01",
    ),
    Scenario(
        "13b",
        "A child of nine: CAPD 8 and awakens to voice is grade 2",
        """
        D0 08:30 | infusion
        D5 08:00 | CAPD 8
        D5 08:00 | consciousness awakens-to-voice
        """,
        """
        D5 08:00 | grade-change warning | direction onset, grade 2, gradeHigh 2, decidingDomain consciousness
        """,
        birth="2017-01-01",
    ),
    Scenario(
        "13c",
        "A child of nine: CAPD 8 and alert is 0 to 1; an ICE in the chart is ignored and flagged",
        """
        D0 08:30 | infusion
        D5 08:00 | CAPD 8
        D5 08:00 | consciousness alert
        D5 08:00 | ICE 3
        """,
        """
        as of D5 09:00 | grade.working 0, grade.low 0, grade.high 1
        problem | wrong-tool-for-age
        """,
        birth="2017-01-01",
    ),
    Scenario(
        "14",
        "A bare 'awakens spontaneously' with ICE 10: 0 to 1, no alert",
        """
        D0 08:30 | infusion
        D5 08:00 | ICE 10
        D5 08:00 | consciousness awakens-spontaneously
        """,
        """
        as of D5 09:00 | grade.working 0, grade.low 0, grade.high 1
        """,
    ),
    Scenario(
        "30",
        "Elective intubation for a lumbar puncture: not assessable while sedated, the last grade stays",
        """
        D0 08:30 | infusion
        D4 08:00 | ICE 8
        D4 08:00 | consciousness alert
        D4 10:00 | propofol 400 mg IV | until D4 16:00
        D4 12:00 | ICE 0
        D4 12:00 | RASS -5
        """,
        """
        D4 08:00 | grade-change info | direction onset, grade 1
        as of D4 13:00 | grade.working 1, grade.asOf D4 08:00
        """,
    ),
)
