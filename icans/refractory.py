"""Twenty-four hours without improvement: treatment lines and their verdicts (profile fridberg2026-24h).

Fridberg et al., Haematologica 2026, Table 1: no clinical improvement within 24 hours of treatment
initiation (clause A) and/or worsening to a higher grade within 24 hours under active treatment (clause B).
What the source leaves open (dose, gap, reference, tolerance) is a project decision, named in the policy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from icans.chart import Chart
from icans.course import Course
from icans.findings import key_time
from icans.grading import Assessment
from icans.journal import Journal
from icans.lines import Line, RefractoryBasis, hours_between, line_facts, line_now
from icans.policy import Policy
from icans.record import Dose
from icans.verdict import Verdict, improved, judge, not_below

WORSENING, NO_IMPROVEMENT = "worsening-under-treatment", "no-improvement-24h"
NO_IMPROVEMENT_INDICATOR = {1: "warning", 2: "warning", 3: "critical", 4: "critical"}
NEEDED = {
    "no-reference": ["assessment-at-treatment-start"],
    "not-assessable": ["assessment-without-sedation"],
    "time-imprecise": ["exact-times"],
    "treatment-gap": ["doses-since-treatment-start"],
    "event-carry": ["event-status"],
    "ice-only": ["clinician-judgement"],
    "interval-overlap": [],
}


class Treatment:
    """Treatment lines of one course, as of the last instant processed; copied for checkpoints."""

    def __init__(self) -> None:
        self.lines: tuple[Line, ...] = ()
        self.armed_from: datetime | None = None
        self.candidates: tuple[tuple[datetime, datetime], ...] = ()
        self.last_bridge: datetime | None = None

    def copy(self) -> Treatment:
        twin = Treatment.__new__(Treatment)
        twin.__dict__.update(self.__dict__)
        return twin

    def current(self, episode: int) -> Line | None:
        """The line in force in this episode."""
        return self.lines[-1] if self.lines and self.lines[-1].episode == episode else None

    def _set(self, line: Line) -> None:
        self.lines = tuple(line if (o.episode, o.number) == (line.episode, line.number) else o for o in self.lines)

    def active(self, line: Line, at: datetime, policy: Policy) -> bool:
        """No gap between bridging doses from treatment start to ``at`` is longer than allowed."""
        if line.broken:
            return False
        return self.last_bridge is None or at - max(self.last_bridge, line.start) <= policy.treatment_gap

    # -- doses ---------------------------------------------------------------------------------------

    def give(
        self, at: datetime, doses: list[Dose], course: Course, chart: Chart, policy: Policy, journal: Journal
    ) -> None:
        """Take the doses of one instant: they may start a line, bridge a gap or end up behind one."""
        given = chart.clocked_at(at, doses)
        if given is None:
            return
        gap = self.last_bridge is None or at - self.last_bridge > policy.treatment_gap
        bridges = given.bridges
        started = False
        line = self.current(course.episode)
        if course.open and course.headline > 0 and given.plausible:
            armed = self.armed_from is not None
            lapsed = line is not None and line.broken
            if armed or gap or lapsed or self._doubles(at, given.amount, chart, policy):
                unknown_starts = given.unknown and (armed or gap or lapsed)
                if unknown_starts or _sum_from(at, chart, policy) >= policy.qualifying_dose:
                    self._start(at, given.earliest, course, journal, policy, None)
                    started = True
                else:
                    self._remember(at, at, policy)
        line = self.current(course.episode)
        if line is not None and gap and bridges and not started and self.last_bridge is not None:
            self._set(replace(line, broken=True))
        if bridges or started:
            self.last_bridge = max(given.end, self.last_bridge or given.end)

    def _remember(self, dose_at: datetime, decided_at: datetime, policy: Policy) -> None:
        kept = (c for c in self.candidates if c[0] > dose_at - policy.qualifying_window)
        self.candidates = (*kept, (dose_at, decided_at))

    def _doubles(self, at: datetime, amount: Decimal, chart: Chart, policy: Policy) -> bool:
        smaller = False
        for given in chart.clocked_back_from(at, at - policy.doubling_lookback):
            if amount < policy.doubling_factor * given.amount:
                return False
            smaller = smaller or given.amount > 0
        return smaller

    def completes(self, dose_at: datetime, chart: Chart, policy: Policy) -> datetime | None:
        """Where the history changes if the dose at ``dose_at`` completes an earlier qualifying sum."""
        for candidate, decided_at in self.candidates:
            if candidate <= dose_at < candidate + policy.qualifying_window:
                if _sum_from(candidate, chart, policy) >= policy.qualifying_dose:
                    return decided_at
        return None

    def rise_from_zero(
        self, assessment: Assessment, course: Course, chart: Chart, policy: Policy, journal: Journal
    ) -> None:
        """An onset, or a rise from grade 0 inside an episode: the first qualifying dose near it starts a line."""
        line = self.current(course.episode)
        active = line is not None and self.active(line, assessment.at, policy)
        since = assessment.at - policy.onset_lead
        if not active:
            self.armed_from = since
        for at, given in chart.clocked_between(since, assessment.at):
            if line is not None and at <= line.start:
                continue  # this line's own doses, or those before it
            if not given.plausible or (active and not self._doubles(at, given.amount, chart, policy)):
                continue
            unknown_starts = given.unknown and not active
            if unknown_starts or _sum_from(at, chart, policy) >= policy.qualifying_dose:
                self._start(at, given.earliest, course, journal, policy, assessment)
                self.last_bridge = max(given.end, self.last_bridge or given.end)
                return
            self._remember(at, assessment.at, policy)

    def _start(
        self,
        at: datetime,
        earliest: datetime,
        course: Course,
        journal: Journal,
        policy: Policy,
        answers: Assessment | None,
    ) -> None:
        previous = self.current(course.episode)
        if previous is not None:
            self._supersede(previous, at, answers.at if answers else at, journal, policy)
        self.armed_from = None
        reference = answers or _reference(at, course, policy)
        self.lines = (
            *self.lines,
            Line(
                episode=course.episode, number=previous.number + 1 if previous else 1, start=at, earliest=earliest,
                grade_at_start=course.headline, reference=reference, answers=answers.at if answers else None,
            ),
        )  # fmt: skip

    def _supersede(self, line: Line, start: datetime, at: datetime, journal: Journal, policy: Policy) -> None:
        for finding_id in (*line.finding_ids, *line.re_worsening_ids, *line.indeterminate_ids, line.overdue_id):
            journal.close(at, finding_id)
        self._set(replace(line, superseded_at=start))

    # -- assessments ---------------------------------------------------------------------------------

    def observe(
        self,
        assessment: Assessment,
        admitted: bool,
        previous_headline: int,
        course: Course,
        policy: Policy,
        journal: Journal,
    ) -> bool:
        """Let a row speak to the current line. Returns True if the row serves it though not admitted."""
        line = self.current(course.episode)
        if line is None:
            return False
        at = assessment.at
        judged_before = line.verdict is not None and line.verdict_at is not None and line.verdict_at < at
        served = self._weigh(line, assessment, admitted, course, policy, journal)
        line = self.lines[-1]
        decisive = line.verdict_at == at and line.verdict is not None and line.verdict.kind != "indeterminate"
        rose = admitted and course.headline > previous_headline
        if rose and judged_before and not decisive and self.active(line, at, policy):
            self._re_worsening(line, assessment, previous_headline, course, journal)
        return served

    def _weigh(
        self, line: Line, assessment: Assessment, admitted: bool, course: Course, policy: Policy, journal: Journal
    ) -> bool:
        """Both clauses on one row; True if the row serves the line though it is not admitted."""
        at = assessment.at
        if line.reference is None:
            if assessment.full and assessment.assessable and at <= line.start + policy.reference_after:
                self._set(replace(line, reference=assessment))
            else:
                self._candidate(line, assessment, course, policy, journal)
            return False
        if admitted and assessment.assessable:
            self._clause_b(line, assessment, course, policy, journal)
            if improved(assessment, line.reference):
                line = self.current(course.episode) or line
                for finding_id in line.finding_ids:
                    journal.close(at, finding_id)
        return self._candidate(self.current(course.episode) or line, assessment, course, policy, journal, admitted)

    def _clause_b(self, line: Line, assessment: Assessment, course: Course, policy: Policy, journal: Journal) -> None:
        reference = line.reference
        if reference is None or line.met_b is not None or assessment.at <= max(line.start, reference.at):
            return
        if assessment.at > line.start + policy.evaluation_due:
            return
        if line.earliest != line.start or reference.earliest != reference.at or assessment.earliest != assessment.at:
            return  # known by its day only: what came first is not known
        if assessment.counts_as.low > reference.counts_as.high and self.active(line, assessment.at, policy):
            line = replace(line, met_b=assessment)
            self._set(line)
            self._met(line, WORSENING, assessment.at, assessment, course, policy, journal)

    def _candidate(
        self,
        line: Line,
        assessment: Assessment,
        course: Course,
        policy: Policy,
        journal: Journal,
        admitted: bool = True,
    ) -> bool:
        """Whether the row may serve the 24-hour evaluation, or settle an indeterminate one."""
        at, due = assessment.at, line.start + policy.evaluation_due
        decisive = line.reference is not None and assessment.assessable and not_below(assessment, line.reference)
        if at <= due:
            if at < line.start + policy.evaluation_from:
                return False
            if assessment.full and assessment.assessable:
                self._set(replace(line, evaluation_full=assessment))
            elif assessment.full:
                self._set(replace(line, not_assessable=True))
            elif decisive:
                self._set(replace(line, evaluation_partial=assessment, partial_admitted=admitted))
            return False
        if line.verdict is None or (
            line.no_reference and line.overdue_id is not None and journal.holds(line.overdue_id)
        ):
            if assessment.full or decisive:
                self._judge(line, assessment, at, course, policy, journal)
                return not admitted
        elif line.verdict.kind == "indeterminate" and line.verdict.reason != "no-reference" and admitted:
            if assessment.assessable:
                self._judge(line, assessment, at, course, policy, journal)
        return False

    # -- verdicts ------------------------------------------------------------------------------------

    def next_due(self, at: datetime, policy: Policy) -> datetime | None:
        """When the current line is judged, or found to have no reference, by time alone."""
        upcoming: datetime | None = None
        for line in self.lines[-2:]:
            for due in (line.start + policy.evaluation_due, line.start + policy.reference_after):
                if due > at and (upcoming is None or due < upcoming):
                    upcoming = due
        return upcoming

    def fall_due(
        self, at: datetime, course: Course, policy: Policy, journal: Journal, timeline: Callable[[Assessment], None]
    ) -> None:
        """Judge what is due at ``at``, after all assessments and doses of that instant."""
        for line in self.lines[-2:]:
            if not course.open or line.episode != course.episode:
                continue
            if line.reference is None and not line.no_reference and at >= line.start + policy.reference_after:
                if line.superseded_at is None or line.superseded_at >= line.start + policy.reference_after:
                    verdict = Verdict("indeterminate", "no-reference")
                    line = replace(line, no_reference=True, verdict=verdict, verdict_at=at)
                    self._set(line)
                    self._indeterminate(line, at, None, course, journal)
                    line = next(o for o in self.lines if (o.episode, o.number) == (line.episode, line.number))
            due = line.start + policy.evaluation_due
            if at != due or (line.superseded_at is not None and line.superseded_at < due):
                continue
            evaluation = line.evaluation_full or line.evaluation_partial
            if line.evaluation_full is None and line.evaluation_partial is None and line.not_assessable:
                self._judge(line, None, at, course, policy, journal)
            elif evaluation is not None and line.reference is not None:
                if not evaluation.full and not line.partial_admitted:
                    timeline(evaluation)
                self._judge(line, evaluation, at, course, policy, journal)
            elif evaluation is None:
                self._overdue(line, at, course, journal)

    def _judge(
        self, line: Line, evaluation: Assessment | None, at: datetime, course: Course, policy: Policy, journal: Journal
    ) -> None:
        journal.close(at, line.overdue_id)
        if line.reference is None:
            return
        active = evaluation is not None and self.active(line, evaluation.at, policy)
        if evaluation is not None and evaluation.assessable:
            verdict = judge(line.start, line.earliest, line.reference, evaluation, active, policy, journal.assessments)
        else:
            verdict = Verdict("indeterminate", "not-assessable")
        line = replace(line, verdict=verdict, verdict_at=at, evaluation=evaluation)
        self._set(line)
        if verdict.kind == "indeterminate":
            self._indeterminate(line, at, evaluation, course, journal)
            return
        for finding_id in line.indeterminate_ids:
            journal.close(at, finding_id)
        if verdict.kind == "met" and evaluation is not None:
            self._met(line, NO_IMPROVEMENT, at, evaluation, course, policy, journal)

    def _met(
        self,
        line: Line,
        reason: str,
        at: datetime,
        evaluation: Assessment,
        course: Course,
        policy: Policy,
        journal: Journal,
    ) -> None:
        """The definition is met: a finding of its own, unless the other clause's finding still holds."""
        if any(journal.holds(f) for f in line.finding_ids):
            return
        if reason == NO_IMPROVEMENT and line.met_b is not None and line.met_b.at == at:
            return  # both clauses at one instant: worsening is told
        grade = evaluation.counts_as.low
        late = reason == NO_IMPROVEMENT and evaluation.at > line.start + policy.evaluation_late
        facts = {
            "reason": reason,
            **line_facts(line),
            "grade": grade,
            "hoursSinceTreatmentStart": hours_between(at, line.start),
            "late": late,
            "alsoMet": None,
            "definition": policy.definition,
        }
        basis = RefractoryBasis(line=line_now(line, journal), reference=line.reference, evaluation=evaluation)
        evidence = (*(line.reference.evidence if line.reference else ()), *evaluation.evidence)
        key = f"{line.episode}|{line.number}|{reason}"
        indicator = "critical" if reason == WORSENING else NO_IMPROVEMENT_INDICATOR[grade]
        found = course.finding("refractory", key, at, indicator, facts, evidence, basis)
        finding_id = journal.open(at, found)
        self._set(replace(line, finding_ids=(*line.finding_ids, finding_id)))
        if line.superseded_at is not None and line.superseded_at <= at:
            journal.close(at, finding_id)

    def _indeterminate(
        self, line: Line, at: datetime, evaluation: Assessment | None, course: Course, journal: Journal
    ) -> None:
        assert line.verdict is not None
        reason = line.verdict.reason
        key = f"{line.episode}|{line.number}|{reason}"
        needed = list(evaluation.missing) if evaluation is not None and reason == "interval-overlap" else NEEDED[reason]
        facts = {**line_facts(line), "reason": reason, "needed": needed}
        basis = RefractoryBasis(line=line_now(line, journal), reference=line.reference, evaluation=evaluation)
        evidence = (*(line.reference.evidence if line.reference else ()), *(evaluation.evidence if evaluation else ()))
        found = course.finding("refractory-indeterminate", key, at, "info", facts, evidence, basis)
        if journal.holds(found.id):
            return
        self._set(replace(line, indeterminate_ids=(*line.indeterminate_ids, journal.open(at, found))))
        if line.superseded_at is not None and line.superseded_at <= at:
            journal.close(at, found.id)

    def _overdue(self, line: Line, at: datetime, course: Course, journal: Journal) -> None:
        key = f"{line.episode}|{line.number}"
        basis = RefractoryBasis(line=line_now(line, journal), reference=line.reference, evaluation=None)
        evidence = line.reference.evidence if line.reference else ()
        found = course.finding("reassessment-overdue", key, at, "warning", line_facts(line), evidence, basis)
        self._set(replace(line, overdue_id=journal.open(at, found)))
        if line.superseded_at is not None and line.superseded_at <= at:
            journal.close(at, found.id)

    def _re_worsening(
        self, line: Line, assessment: Assessment, previous: int, course: Course, journal: Journal
    ) -> None:
        at = assessment.at
        facts = {
            "episode": line.episode,
            "line": line.number,
            "previousGrade": previous,
            "grade": course.headline,
            "hoursSinceTreatmentStart": hours_between(at, line.start),
        }
        key = f"{line.episode}|{line.number}|{key_time(at)}"
        basis = RefractoryBasis(line=line_now(line, journal), reference=line.reference, evaluation=assessment)
        found = course.finding("re-worsening", key, at, "warning", facts, assessment.evidence, basis)
        finding_id = journal.open(at, found)
        self._set(replace(line, re_worsening_ids=(*line.re_worsening_ids, finding_id)))

    def reassessment_holds(self, journal: Journal) -> bool:
        return any(journal.holds(line.overdue_id) for line in self.lines[-2:])

    def close_all(self, at: datetime, journal: Journal) -> None:
        """The episode is resolved or monitoring has ended: no line speaks any more."""
        for line in self.lines:
            for finding_id in (*line.finding_ids, *line.re_worsening_ids, *line.indeterminate_ids, line.overdue_id):
                journal.close(at, finding_id)


def _sum_from(start: datetime, chart: Chart, policy: Policy) -> Decimal:
    """Dexamethasone-equivalent mg of the doses that start within a day from ``start``."""
    total = Decimal(0)
    for _, given in chart.clocked_between(start, start + policy.qualifying_window):
        total += given.amount
    return total


def _reference(at: datetime, course: Course, policy: Policy) -> Assessment | None:
    """The latest full assessable row in the day before treatment start, else the row that set the headline."""
    since = at - policy.reference_before
    if course.rose_from_zero_at is not None:
        since = max(since, course.rose_from_zero_at)  # a grade 0 before the rise is no grade at treatment start
    for candidate in (course.last_full, course.set_by):
        if candidate is not None and since <= candidate.at <= at:
            return candidate
    return None
