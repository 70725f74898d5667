"""The grade over time: headline, episodes, possible changes, discrepancies and freshness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from icans.carried import Carried
from icans.chart import CourseStart
from icans.course.due import Due
from icans.course.items import Items
from icans.facts import (
    DataQuality,
    Facts,
    GradeChange,
    GradeDiscrepancy,
    GradePossibleChange,
    IcansActive,
    StatedProblem,
)
from icans.findings import INDICATOR_OF_GRADE, Basis, Finding, finding_id, key_time
from icans.findings_log import FindingsLog
from icans.grading.assessment import Assessment
from icans.policy.policy import Policy
from icans.record import DocumentedGrade, Evidence, evidence_of


class Course(Carried):
    """One monitored course (one infusion), as of the last instant processed; copied for checkpoints."""

    def __init__(self, patient: str, number: int = 0, start: CourseStart | None = None) -> None:
        self.patient = patient
        self.number = number  # 0: nothing is monitored yet
        self.infusion = start
        self.since: datetime | None = start.at if start else None
        self.ended: datetime | None = None
        self.headline = 0
        self.headline_at: datetime | None = None
        self.rose_at: datetime | None = None
        self.headline_rows: tuple[Assessment, ...] = ()  # what set the headline, from its last rise from 0
        self.last: Assessment | None = None
        self.last_found_at: datetime | None = None  # the last assessable one that was not put off
        self.last_full_at: datetime | None = None
        self.last_full: Assessment | None = None
        self.episode = 0
        self.open = False
        self.onset: datetime | None = None
        self.first_onset: datetime | None = None
        self.first_onset_day: date | None = None
        self.onset_on_steroids: bool | None = None
        self.clear_since: datetime | None = None
        self.peak = 0
        self.episodes: tuple[tuple[datetime, datetime], ...] = ()
        self.change_id: str | None = None
        self.active_id: str | None = None
        self.items = Items()
        self.possible: Mapping[tuple[Any, ...], str] = {}
        self.discrepancy_id: str | None = None
        self.overdue: Due | None = None  # the next assessment
        self.overdue_id: str | None = None
        self.not_found: Due | None = None
        self.not_found_id: str | None = None
        self.upcoming: tuple[datetime, ...] = ()  # instants at which something falls due, as of the last settled one

    @property
    def monitored(self) -> bool:
        return self.number > 0 and self.ended is None

    def finding(
        self,
        key: str,
        at: datetime,
        indicator: str,
        facts: Facts,
        evidence: tuple[Evidence, ...] = (),
        basis: Basis = None,
        *,
        lasting: bool = False,
    ) -> Finding:
        """A finding of this course; courses after the first are named in key and facts."""
        if self.number > 1:
            key, facts = f"{self.number}|{key}", replace(facts, course=self.number)
        found = finding_id(self.patient, facts.type, key)
        return Finding(
            id=found, at=at, indicator=indicator, facts=facts, evidence=evidence, basis=basis, lasting=lasting
        )

    # -- headline and episodes -----------------------------------------------------------------------

    def observe(self, assessment: Assessment, onset_on_steroids: bool | None, policy: Policy, log: FindingsLog) -> str:
        """Let an admitted assessment move the headline. Returns the direction of the change, or ""."""
        at = assessment.at
        if assessment.full:
            self.last_full_at = at
            if assessment.assessable:
                self.last_full = assessment
        if not assessment.assessable:
            return ""
        self.last = assessment
        log.close(at, self.discrepancy_id)
        grade, previous = assessment.counts_as, self.headline
        direction = ""
        if grade.low > self.headline:
            direction = self._rise(assessment, onset_on_steroids)
        elif grade.high < self.headline:
            direction = "improvement" if grade.high else "resolution"
            self.headline = grade.high
        if direction:
            self._changed(assessment, previous, direction, log)
        if direction or not assessment.put_off:
            self.last_found_at = at
            log.close(at, self.not_found_id)
        self._possible(assessment, bool(direction), log)
        self._clear_run(assessment, policy)
        self.peak = max(self.peak, self.headline)
        return direction

    def _rise(self, assessment: Assessment, onset_on_steroids: bool | None) -> str:
        if self.headline == 0:
            self.headline_rows = ()
        self.headline = assessment.counts_as.low
        self.rose_at = assessment.at
        if self.open:
            return "worsening"
        self.episode += 1
        self.open = True
        self.onset = assessment.at
        self.onset_on_steroids = onset_on_steroids
        self.clear_since = None
        if self.first_onset is None:
            self.first_onset, self.first_onset_day = assessment.at, assessment.day
        return "onset" if self.episode == 1 else "recurrence"

    def _changed(self, assessment: Assessment, previous: int, direction: str, log: FindingsLog) -> None:
        at = assessment.at
        self.headline_at, self.headline_rows = at, (*self.headline_rows, assessment)
        log.close(at, self.change_id)
        log.close(at, self.active_id)
        rising = direction in ("onset", "worsening", "recurrence")
        low, high = assessment.working or assessment.counts_as
        scored = assessment.ice_score is not None
        facts = GradeChange(
            previous_grade=previous,
            grade=self.headline,
            grade_low=low,
            grade_high=high,
            direction=direction,
            deciding_domain=assessment.deciding_domain,
            ice_score=assessment.ice_score,
            ice_low=None if scored else assessment.ice_low,
            ice_high=None if scored else assessment.ice_high,
            episode=self.episode,
            onset_on_steroids=self.onset_on_steroids,
            documented_grade=assessment.documented,
        )
        key = f"{self.episode}|{key_time(at)}|{previous}|{self.headline}"
        indicator = INDICATOR_OF_GRADE["grade-change"][self.headline] if rising else "info"
        change = self.finding(key, at, indicator, facts, assessment.evidence, assessment)
        self.change_id = log.open(at, change)
        self.active_id = None
        if self.headline:
            key = f"{self.episode}|{self.headline}|{key_time(at)}"
            standing = IcansActive(
                grade=self.headline,
                grade_low=low,
                grade_high=high,
                since=self.onset,
                episode=self.episode,
                last_assessment=at,
                stale=False,
                refractory_lines=(),
                treatment_line=None,
            )
            indicator = INDICATOR_OF_GRADE["icans-active"][self.headline]
            active = self.finding(key, at, indicator, standing, assessment.evidence, assessment)
            self.active_id = log.open(at, active)

    def _possible(self, assessment: Assessment, moved: bool, log: FindingsLog) -> None:
        """What is missing could move the grade: said as long as nothing settles it."""
        grade, headline, at = assessment.counts_as, self.headline, assessment.at
        direction = possible_direction(assessment, headline)
        signature = (headline, grade.low, grade.high, assessment.missing)
        kept = {s: i for s, i in self.possible.items() if log.holds(i)}
        if moved or not (assessment.inconclusive or assessment.put_off):  # what proves nothing ends nothing
            for other, finding_id in kept.items():
                if not direction or other != signature:
                    log.close(at, finding_id)
            kept = {s: i for s, i in kept.items() if log.holds(i)}
        if direction and signature not in kept:
            facts = GradePossibleChange(
                previous_grade=headline,
                grade_low=grade.low,
                grade_high=grade.high,
                direction=direction,
                missing=assessment.missing,
            )
            key = f"{key_time(at)}|{grade.low}|{grade.high}"
            found = self.finding(key, at, "info", facts, assessment.evidence, assessment)
            kept = {**kept, signature: log.open(at, found)}
        self.possible = kept

    def _clear_run(self, assessment: Assessment, policy: Policy) -> None:
        """An unbroken run of clear assessments over a day resolves the episode."""
        if not self.open:
            return
        if not assessment.clear:
            self.clear_since = None
        elif self.clear_since is None:
            self.clear_since = assessment.at
        elif assessment.at - self.clear_since >= policy.resolution and self.onset is not None:
            self.open = False
            self.episodes = (*self.episodes, (self.onset, self.clear_since))

    def compare_documented(
        self, documented: DocumentedGrade, assessment: Assessment, at: datetime, log: FindingsLog
    ) -> None:
        """The grade charted by a clinician beside the computed one; ``at`` is when both stand."""
        log.close(at, self.discrepancy_id)
        self.discrepancy_id = None
        strict, working, grade = assessment.strict, assessment.working, documented.grade
        if strict is None or working is None or not outside(grade, assessment):
            return
        facts = GradeDiscrepancy(
            documented_grade=grade,
            grade_low=working.low,
            grade_high=working.high,
            strict_low=strict.low,
            strict_high=strict.high,
        )
        key = f"{key_time(documented.at)}|{grade}"
        evidence = (*evidence_of([documented]), *assessment.evidence)
        found = self.finding(key, documented.at, "info", facts, evidence, assessment)
        self.discrepancy_id = log.open(at, found)

    def count_items(self, at: datetime, absent: tuple[str, ...], policy: Policy, log: FindingsLog) -> None:
        """Take an ICE by items; an item that is never charted is reported, all of them in one finding."""
        before, self.items = self.items, self.items.after(at, absent, policy)
        found, since = self.items.found, self.items.since
        if since is None or found == before.found:
            return
        for problem in found[len(before.found) :]:
            log.note(problem)
        facts = DataQuality(problems=tuple(map(StatedProblem.of, found)))
        log.open(at, self.finding("item-not-charted", since, "info", facts, (), found))

    # -- summary -------------------------------------------------------------------------------------

    def icans_hours(self) -> Decimal:
        """Hours from each onset to the first clear assessment of the run that resolved it."""
        spans = list(self.episodes)
        if self.open and self.onset is not None and self.last is not None:
            spans.append((self.onset, self.last.at))
        seconds = sum(((end - start).total_seconds() for start, end in spans), 0.0)
        return (Decimal(str(seconds)) / 3600).quantize(Decimal("0.01"))


def possible_direction(assessment: Assessment, headline: int) -> str:
    """Where what is missing could move the headline: "worsening" before "improvement", "" where it could not (C2)."""
    grade = assessment.counts_as
    if assessment.clear or not assessment.assessable or grade.high <= 1:
        return ""
    if grade.high > headline >= grade.low:
        return "worsening"
    return "improvement" if grade.low < headline <= grade.high else ""


def outside(documented: int, assessment: Assessment) -> bool:
    """Whether a documented grade lies outside the strict interval of an assessment."""
    strict = assessment.strict
    return strict is not None and not strict.low <= documented <= strict.high
