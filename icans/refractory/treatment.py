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

from icans.carried import Carried
from icans.course.due import Due
from icans.course.freshness import stale_after
from icans.facts import NO_IMPROVEMENT, WORSENING, ReassessmentOverdue, Refractory, RefractoryIndeterminate
from icans.findings import INDICATOR_OF_GRADE
from icans.findings_log import FindingsLog
from icans.grading.assessment import Assessment
from icans.policy.policy import Policy
from icans.refractory.day_only import has_reference, is_vague, outcomes, worsens
from icans.refractory.lines import Line, Situation, hours_between, rests_on
from icans.refractory.no_improvement import NOT_ASSESSABLE, Verdict, improved, judge, not_below
from icans.refractory.worsening import worse_again, worse_under_treatment
from icans.steroids.doses import Doses

NEEDED: dict[str, tuple[str, ...]] = {
    "no-reference": ("assessment-at-treatment-start",),
    "not-assessable": ("assessment-without-sedation",),
    "time-imprecise": ("exact-times",),
    "treatment-gap": ("doses-since-treatment-start",),
    "event-carry": ("event-status",),
    "ice-only": ("clinician-judgement",),
    "capd-only": ("clinician-judgement",),
    "interval-overlap": (),
}


class Treatment(Carried):
    """Treatment lines of one course, as of the last instant processed; copied for checkpoints."""

    def __init__(self) -> None:
        self.lines: tuple[Line, ...] = ()
        self.armed = False
        self.candidates: tuple[tuple[datetime, datetime], ...] = ()
        self.last_bridge: datetime | None = None
        self.dues: tuple[datetime, ...] = ()

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

    def give(self, at: datetime, situation: Situation) -> None:
        """Take the doses of one instant: they may start a line, bridge a gap or end up behind one."""
        given = situation.doses.clocked_at(at)
        if given is None:
            return
        gap = self.last_bridge is None or at - self.last_bridge > situation.policy.treatment_gap
        bridges = given.bridges
        started = False
        line = self.current(situation.course.episode)
        if situation.course.open and situation.course.headline > 0 and given.plausible:
            lapsed = line is not None and line.broken
            if self.armed or gap or lapsed or _doubles(at, given.amount, situation):
                unknown_starts = given.unknown and (self.armed or gap or lapsed)
                if unknown_starts or _qualifies(at, situation.doses, situation.policy):
                    self._start(at, given.earliest, situation, None)
                    started = True
                else:
                    self._remember(at, at, situation.policy)
        line = self.current(situation.course.episode)
        if line is not None and gap and bridges and not started and self.last_bridge is not None:
            self._set(replace(line, broken=True))
        if bridges or started:
            self.bridge(given.end if bridges else at)

    def bridge(self, until: datetime) -> None:
        """Steroids cover until then; a first dose too small to bridge a gap covers its own instant only."""
        self.last_bridge = max(until, self.last_bridge or until)

    def _remember(self, dose_at: datetime, decided_at: datetime, policy: Policy) -> None:
        kept = (c for c in self.candidates if c[0] > dose_at - policy.qualifying_window)
        self.candidates = (*kept, (dose_at, decided_at))

    def completes(self, dose_at: datetime, doses: Doses, policy: Policy) -> datetime | None:
        """Where the history changes if the dose at ``dose_at`` completes an earlier qualifying sum."""
        for candidate, decided_at in self.candidates:
            if candidate <= dose_at < candidate + policy.qualifying_window:
                if _qualifies(candidate, doses, policy):
                    return decided_at
        return None

    def rise_from_zero(self, assessment: Assessment, situation: Situation) -> None:
        """An onset, or a rise from 0 without active treatment: the first qualifying dose near it starts a line."""
        line = self.current(situation.course.episode)
        if line is not None and self.active(line, assessment.at, situation.policy):
            return
        since = assessment.at - situation.policy.onset_lead
        self.armed = True
        for at, given in situation.doses.clocked_between(since, assessment.at):
            if line is not None and at <= line.start:
                continue  # this line's own doses, or those before it
            if not given.plausible:
                continue
            if given.unknown or _qualifies(at, situation.doses, situation.policy):
                self._start(at, given.earliest, situation, assessment)
                self.bridge(given.end if given.bridges else at)
                return
            self._remember(at, assessment.at, situation.policy)

    def _start(self, at: datetime, earliest: datetime, situation: Situation, answers: Assessment | None) -> None:
        course = situation.course
        previous = self.current(course.episode)
        if previous is not None:
            self._supersede(previous, at, answers.at if answers else at, situation)
        self.armed = False
        reference = answers or _reference(at, situation)
        self.lines = (
            *self.lines,
            Line(
                episode=course.episode,
                number=previous.number + 1 if previous else 1,
                start=at,
                earliest=earliest,
                grade_at_start=course.headline,
                headline_rows=course.headline_rows,
                reference=reference,
                answers=answers.at if answers else None,
            ),
        )
        self.dues = (*self.dues[-2:], at + situation.policy.reference_after, at + situation.policy.evaluation_due)

    def _supersede(self, line: Line, start: datetime, at: datetime, situation: Situation) -> None:
        for finding_id in (*line.finding_ids, *line.re_worsening_ids, *line.indeterminate_ids, line.overdue_id):
            situation.log.close(at, finding_id)
        line = replace(line, superseded_at=start, missed=None)
        self._set(line)
        if line.met_a and line.verdict_at == at and line.evaluation is not None and len(line.finding_ids) == 1:
            # no improvement was told beside the other clause, whose finding this very dose has ended
            self._met(line, NO_IMPROVEMENT, at, line.evaluation, situation)

    # -- assessments ---------------------------------------------------------------------------------

    def observe(self, assessment: Assessment, admitted: bool, previous_headline: int, situation: Situation) -> bool:
        """Let a row speak to the current line. Returns True if the row serves it though not admitted."""
        line = self.current(situation.course.episode)
        if line is None:
            return False
        at = assessment.at
        judged_before = line.verdict is not None and line.verdict_at is not None and line.verdict_at < at
        put_off = assessment.put_off and situation.course.headline == previous_headline
        served = self._weigh(line, assessment, admitted, put_off, situation)
        line = self.lines[-1]
        decisive = line.verdict_at == at and line.verdict is not None and line.verdict.kind != "indeterminate"
        rose = admitted and situation.course.headline > previous_headline
        if rose and judged_before and not decisive and self.active(line, at, situation.policy):
            found = worse_again(line, assessment, previous_headline, situation)
            finding_id = situation.log.open(at, found)
            self._set(replace(line, re_worsening_ids=(*line.re_worsening_ids, finding_id)))
        return served

    def _weigh(self, line: Line, assessment: Assessment, admitted: bool, put_off: bool, situation: Situation) -> bool:
        """Both clauses on one row; True if the row serves the line though it is not admitted.

        put_off: instead of an ICE or CAPD only a reason was charted, and the headline stays: no overdue ends with it.
        """
        at = assessment.at
        reference = line.reference
        if reference is None:
            if assessment.full and assessment.assessable and at <= line.start + situation.policy.reference_after:
                self._set(replace(line, reference=assessment))
            else:
                self._candidate(line, assessment, put_off, situation)
            return False
        if admitted and assessment.assessable:
            active = self.active(line, at, situation.policy)
            worse = worse_under_treatment(line, assessment, active, situation)
            if worse and (not is_vague(line, assessment) or worsens(line, assessment, situation)):
                line = replace(line, met_b=assessment)
                self._set(line)
                self._met(line, WORSENING, at, assessment, situation)
            if improved(assessment, reference):
                line = self.current(situation.course.episode) or line
                for finding_id in line.finding_ids:
                    situation.log.close(at, finding_id)
        line = self.current(situation.course.episode) or line
        return self._candidate(line, assessment, put_off, situation, admitted)

    def _candidate(
        self, line: Line, assessment: Assessment, put_off: bool, situation: Situation, admitted: bool = True
    ) -> bool:
        """Whether the row may serve the 24-hour evaluation, or settle an indeterminate one."""
        at, due = assessment.at, line.start + situation.policy.evaluation_due
        decisive = line.reference is not None and assessment.by_itself and not_below(assessment, line.reference)
        if at <= due:
            if at < line.start + situation.policy.evaluation_from:
                return False
            if assessment.full and assessment.by_itself:
                self._set(replace(line, evaluation_full=assessment))
            elif assessment.full:
                self._set(replace(line, not_assessable=True))
            elif decisive:
                self._set(replace(line, evaluation_partial=assessment, partial_admitted=admitted))
            return False
        if line.verdict is None or (line.no_reference and line.missed is not None):
            if assessment.full or (decisive and not put_off):
                self._judge(line, assessment, at, situation)
                return not admitted
        elif line.verdict.kind == "indeterminate" and not line.no_reference and admitted:
            if assessment.by_itself:
                self._judge(line, assessment, at, situation)
        return False

    # -- verdicts ------------------------------------------------------------------------------------

    def next_due(self, at: datetime) -> datetime | None:
        """When the current line, or the one before it, is judged, found to have no reference, or reported as not
        judged, by time alone."""
        waits = [line.missed.waits for line in self.lines[-2:] if line.missed is not None and line.missed.waits]
        return min([due for due in (*self.dues, *waits) if due > at], default=None)

    def fall_due(
        self,
        at: datetime,
        sedated_until: datetime | None,
        situation: Situation,
        timeline: Callable[[Assessment], None],
    ) -> None:
        """Judge what is due at ``at``, after all assessments and doses of that instant. sedated_until: the end of the
        sedatives that run then, None if none does; a missing assessment is reported after it."""
        if not situation.course.open:
            return
        for line in self.lines[-2:]:
            if line.episode != situation.course.episode:
                continue
            if line.reference is None and not line.no_reference and at >= line.start + situation.policy.reference_after:
                if line.superseded_at is None or line.superseded_at >= line.start + situation.policy.reference_after:
                    reason = "time-imprecise" if has_reference(line, situation) else "no-reference"
                    verdict = Verdict("indeterminate", reason)
                    line = replace(line, no_reference=True, verdict=verdict, verdict_at=at)
                    self._set(line)
                    self._indeterminate(line, at, None, situation)
                    line = next(o for o in self.lines if (o.episode, o.number) == (line.episode, line.number))
            due = line.start + situation.policy.evaluation_due
            if line.missed is not None:
                self._report_missed(line, line.missed, at, sedated_until, situation)
            if at != due or (line.superseded_at is not None and line.superseded_at < due):
                continue
            evaluation = line.evaluation_full or line.evaluation_partial
            if line.evaluation_full is None and line.evaluation_partial is None and line.not_assessable:
                self._judge(line, None, at, situation)
            elif evaluation is not None and line.reference is not None:
                if not evaluation.full and not line.partial_admitted and not evaluation.reason:
                    timeline(evaluation)
                self._judge(line, evaluation, at, situation)
            elif evaluation is None:
                self._report_missed(line, Due(since=due), at, sedated_until, situation)

    def _judge(self, line: Line, evaluation: Assessment | None, at: datetime, situation: Situation) -> None:
        situation.log.close(at, line.overdue_id)
        line = replace(line, missed=None)
        self._set(line)
        if line.reference is None:
            return
        active = evaluation is not None and self.active(line, evaluation.at, situation.policy)
        if evaluation is not None and evaluation.by_itself:
            verdict = judge(line.start, line.reference, evaluation, active, situation.policy)
            if is_vague(line, evaluation):
                said = outcomes(line, evaluation, at, line.verdict is None, situation)
                if said != {verdict.label}:
                    verdict = Verdict("indeterminate", "time-imprecise", verdict.late)
        else:
            verdict = NOT_ASSESSABLE
        line = replace(line, verdict=verdict, verdict_at=at, evaluation=evaluation)
        self._set(line)
        if verdict.kind == "indeterminate":
            self._indeterminate(line, at, evaluation, situation)
            return
        for finding_id in line.indeterminate_ids:
            situation.log.close(at, finding_id)
        if verdict.kind == "met" and evaluation is not None:
            self._met(line, NO_IMPROVEMENT, at, evaluation, situation)

    def _met(self, line: Line, reason: str, at: datetime, evaluation: Assessment, situation: Situation) -> None:
        """The definition is met: a finding of its own, unless the other clause's finding still holds."""
        if any(situation.log.holds(f) for f in line.finding_ids):
            return
        if reason == NO_IMPROVEMENT and line.met_b is not None and line.met_b.at == at:
            return  # both clauses at one instant: worsening is told
        grade = evaluation.counts_as.low
        late = reason == NO_IMPROVEMENT and evaluation.at > line.start + situation.policy.evaluation_late
        facts = Refractory(
            reason=reason,
            episode=line.episode,
            line=line.number,
            treatment_start=line.start,
            grade_at_treatment_start=line.grade_at_start,
            grade=grade,
            hours_since_treatment_start=hours_between(at, line.start),
            late=late,
            also_met=None,
            definition=situation.policy.definition,
        )
        basis, evidence = rests_on(line, evaluation, situation)
        key = f"{line.episode}|{line.number}|{reason}"
        basis = replace(basis, early=reason == WORSENING and at - line.start < situation.policy.early_worsening_note)
        indicator = "critical" if reason == WORSENING and grade > 1 else INDICATOR_OF_GRADE["refractory"][grade]
        found = situation.course.finding(key, at, indicator, facts, evidence, basis)
        finding_id = situation.log.open(at, found)
        self._set(replace(line, finding_ids=(*line.finding_ids, finding_id)))
        if line.superseded_at is not None and line.superseded_at <= at:
            situation.log.close(at, finding_id)

    def _indeterminate(self, line: Line, at: datetime, evaluation: Assessment | None, situation: Situation) -> None:
        assert line.verdict is not None
        reason = line.verdict.reason
        key = f"{line.episode}|{line.number}|{reason}"
        overlaps = evaluation is not None and reason == "interval-overlap"
        facts = RefractoryIndeterminate(
            episode=line.episode,
            line=line.number,
            treatment_start=line.start,
            grade_at_treatment_start=line.grade_at_start,
            reason=reason,
            needed=evaluation.missing if evaluation is not None and overlaps else NEEDED[reason],
        )
        basis, evidence = rests_on(line, evaluation, situation)
        found = situation.course.finding(key, at, "info", facts, evidence, basis)
        if situation.log.holds(found.id):
            return
        self._set(replace(line, indeterminate_ids=(*line.indeterminate_ids, situation.log.open(at, found))))
        if line.superseded_at is not None and line.superseded_at <= at:
            situation.log.close(at, found.id)

    def _report_missed(
        self, line: Line, missed: Due, at: datetime, sedated_until: datetime | None, situation: Situation
    ) -> None:
        """The assessment at 24 hours is missing: reported as soon as the patient can be assessed."""
        course, log = situation.course, situation.log
        limit = stale_after(course.headline, situation.policy)
        missed = missed.looked_at(at, missed.since, limit, sedated_until, course.headline, course.rose_at)
        line = replace(line, missed=missed)
        if not missed.holds:
            log.close(at, line.overdue_id)
        elif not log.holds(line.overdue_id):
            basis, evidence = rests_on(line, None, situation)
            key, falls_due = f"{line.episode}|{line.number}", missed.fell or at
            facts = ReassessmentOverdue(
                episode=line.episode,
                line=line.number,
                treatment_start=line.start,
                grade_at_treatment_start=line.grade_at_start,
            )
            found = course.finding(key, falls_due, "warning", facts, evidence, basis)
            line = replace(line, overdue_id=log.open(at, found))
        if line.superseded_at is not None and line.superseded_at <= at:
            log.close(at, line.overdue_id)
            line = replace(line, missed=None)
        self._set(line)

    def reassessment_holds(self, log: FindingsLog) -> bool:
        return any(log.holds(line.overdue_id) for line in self.lines[-2:])

    def close_all(self, at: datetime, log: FindingsLog) -> None:
        """The episode is resolved or monitoring has ended: no line speaks any more."""
        for line in self.lines:
            for finding_id in (*line.finding_ids, *line.re_worsening_ids, *line.indeterminate_ids, line.overdue_id):
                log.close(at, finding_id)
        self.lines = tuple([replace(line, missed=None) if line.missed else line for line in self.lines])


def _qualifies(start: datetime, doses: Doses, policy: Policy) -> bool:
    """The doses that start within a day from ``start`` add up to a treatment start."""
    given = doses.clocked_between(start, start + policy.qualifying_window)
    return sum((at_once.amount for _, at_once in given), Decimal(0)) >= policy.qualifying_dose


def _reference(at: datetime, situation: Situation) -> Assessment | None:
    """In the day before treatment start, the later of the last full assessable row and the row that set the grade."""
    course, since = situation.course, at - situation.policy.reference_before
    if course.headline_rows:
        since = max(since, course.headline_rows[0].at)  # a grade 0 before the rise is no grade at treatment start
    rows = [row for row in (course.last_full, *course.headline_rows[-1:]) if row is not None]
    return max([row for row in rows if since <= row.at <= at], key=lambda row: row.at, default=None)


def _doubles(at: datetime, amount: Decimal, situation: Situation) -> bool:
    """At least twice every single dose of the days before, of which at least one has a known size."""
    if not amount:
        return False
    smaller = False
    for given in situation.doses.clocked_back_from(at, at - situation.policy.doubling_lookback):
        if amount < situation.policy.doubling_factor * given.amount:
            return False
        smaller = smaller or given.amount > 0
    return smaller
