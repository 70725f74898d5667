"""What happened, as far as it is known: the fold of all rules over a patient's entries in effective order.

The result at any instant depends only on the entries known by then. Entries that become known late rewind
the fold to the earliest instant they can change; checkpoints bound the work.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date, datetime

from icans.chart import Chart, CourseStart, Instant, contradicted, is_death, starts_monitoring
from icans.course.course import Course
from icans.course.documented import compare_documented, tool_at, tools_after
from icans.course.freshness import admits, next_due, settle
from icans.engine.data_quality import doubtful, not_read, uncounted
from icans.engine.state import State
from icans.engine.timeline import timeline_entry
from icans.findings import Finding
from icans.findings_log import FindingsLog, Mark
from icans.grading.assess import assess
from icans.grading.assessment import Assessment
from icans.grading.domains import Surroundings
from icans.grading.in_force import InForce
from icans.grading.tool_for_age import Tools, tools_at
from icans.policy.policy import Policy
from icans.record import (
    DocumentedGrade,
    Dose,
    Entry,
    Observed,
    Problem,
    Record,
    Refused,
)
from icans.refractory.lines import Situation
from icans.refractory.treatment import Treatment
from icans.steroids.doses import Doses, duplicate_problem, reading_dropped
from icans.steroids.exposure import Exposure, begun_between
from icans.steroids.thresholds import dose_unknown, steroid_days, tier_crossed, with_treatment_from

#: So many instants go by between checkpoints as long as nothing becomes known late; after that, one.
SELDOM = 8


class History:
    """The fold. ``change`` takes entries that become known, ``advance`` moves on to an instant."""

    def __init__(self, record: Record, policy: Policy, *, timeline: bool = True) -> None:
        self.timeline = timeline
        self.record = record
        self.policy = policy
        self.chart = Chart(policy)
        self.doses = Doses(self.chart, policy)
        self.log = FindingsLog()
        self.state = self._blank()
        self.cursor: datetime | None = None
        self.checkpoints: list[tuple[datetime, State, Mark]] = []
        self.every, self.since_checkpoint = SELDOM, 0
        self.tool_ahead: datetime | None = None
        self.deaths: frozenset[datetime] = frozenset()  # recorded ones that nothing contradicts
        self.of_uncounted = {p for one in record.refused if "dose" in one.may_be for p in one.problems}
        self._deadline: tuple[datetime | None, datetime | None] = (None, None)
        self._seen = Situation(self.state.course, self.chart, self.doses, policy, self.log)

    def _blank(self) -> State:
        return State(InForce(), Course(self.record.patient), Treatment(), Exposure())

    # -- knowledge -----------------------------------------------------------------------------------

    def change(
        self,
        added: Sequence[Entry],
        removed: Sequence[Entry],
        problems: Sequence[tuple[datetime, Problem]] = (),
        corrected: Sequence[tuple[datetime, Problem]] = (),
        refused: Sequence[tuple[datetime, Refused]] = (),
        replaced: Sequence[tuple[datetime, Refused]] = (),
    ) -> None:
        """Take what became known, and drop what no longer stands; the fold rewinds as far as needed."""
        reaches: list[datetime | None] = [self._drop(entry) for entry in removed]
        reaches += [self.chart.remove_problem(at, problem) for at, problem in corrected]
        reaches += [self.chart.add_problem(at, problem) for at, problem in problems]
        reaches += [self.chart.remove_refused(at, one) for at, one in replaced]
        reaches += [self.chart.add_refused(at, one) for at, one in refused]
        reaches += [self._take(entry) for entry in added]
        before, self.deaths = self.deaths, self.chart.uncontradicted_deaths()
        reaches += sorted(before ^ self.deaths)
        if not reaches:
            return
        if None in reaches:
            self._rewind(None)
            return
        self._rewind(min([reach for reach in reaches if reach is not None]))
        for entry in added:
            if isinstance(entry, Dose):
                decided = self.state.treatment.completes(entry.at, self.doses, self.policy)
                if decided is not None:
                    self._rewind(decided)

    def _take(self, entry: Entry) -> datetime | None:
        reach = self.chart.add(entry)
        return self.doses.add(entry) if isinstance(entry, Dose) else reach

    def _drop(self, entry: Entry) -> datetime | None:
        reach = self.chart.remove(entry)
        return self.doses.remove(entry) if isinstance(entry, Dose) else reach

    def _rewind(self, instant: datetime | None) -> None:
        """Back to the state before ``instant`` (None: before everything)."""
        if instant is not None and (self.cursor is None or instant > self.cursor):
            return
        keep = 0 if instant is None else bisect_left(self.checkpoints, instant, key=lambda c: c[0])
        del self.checkpoints[keep:]
        self._deadline = (None, None)
        self.every, self.since_checkpoint = self.every if instant is None else 1, 0
        if self.checkpoints:
            self.cursor, state, mark = self.checkpoints[-1]
            self.state = state.copy()
            self.log.rewind(mark)
        else:
            self.cursor, self.state = None, self._blank()
            self.log.rewind(Mark(0, 0, 0, 0, 0))

    # -- time ----------------------------------------------------------------------------------------

    def next_deadline(self) -> datetime | None:
        """The next instant after the cursor at which something falls due by time alone."""
        if self._deadline[0] != self.cursor:
            self._deadline = (self.cursor, self._find_deadline())
        return self._deadline[1]

    def _find_deadline(self) -> datetime | None:
        at, course = self.cursor, self.state.course
        if at is None or not course.monitored:
            return None
        upcoming = self.state.exposure.next_change(at, self.policy)
        for due in (
            self.state.treatment.next_due(at),
            next_due(course, at),
            self.state.uncounted_until,
        ):
            if due is not None and (upcoming is None or due < upcoming):
                upcoming = due
        return upcoming

    def advance(self, until: datetime) -> None:
        """Process every instant up to and including ``until``."""
        while True:
            upcoming = self.chart.next_after(self.cursor)
            deadline = self.next_deadline()
            if deadline is not None and (upcoming is None or deadline < upcoming):
                upcoming = deadline
            if upcoming is None or upcoming > until:
                return
            self._process(upcoming)
            if upcoming == until:
                return

    def _process(self, at: datetime) -> None:
        """One instant whole: infusions, sedatives, observations, doses, deadlines."""
        start = self.chart.courses.get(at)
        if start is not None:
            self._keep()  # how one course ended is asked for when the next is over
        self.cursor = at
        self._deadline = (None, None)
        state = self.state
        instant = self.chart.at.get(at)
        if start is not None:
            self._begin(at, start)
        if instant is not None:
            for sedative in instant.sedatives:
                state.in_force.sedation = state.in_force.sedation.given(sedative, self.policy)
            if instant.observed:
                self._observe(at, instant.observed)
            for problem in instant.problems:
                self._say(at, problem)
            if instant.doses:
                self._give(at, instant.doses)
            if instant.refused:
                self._give_unreadable(at, instant.refused)
            self._annotate(at, instant)
            state.dead = state.dead or at in self.deaths
            for death in instant.deaths:
                if at not in self.deaths:
                    self._say(at, contradicted(death))
        state.exposure.settle(at)
        course = state.course
        if course.monitored:
            self._open(at, tier_crossed(at, course, state.exposure, self.doses, self.policy))
            if state.uncounted_until is not None and at >= state.uncounted_until:
                self.log.close(at, uncounted(at, course, state.exposure).id)
                state.uncounted_until = None
            sedated_until = state.in_force.sedation.runs_until(at, self.policy)
            state.treatment.fall_due(at, sedated_until, self.situation, self._enter)
            dies = instant is not None and self._dies(at, instant)
            overdue = state.treatment.reassessment_holds(self.log)
            if settle(course, at, dies, overdue, sedated_until, self.policy, self.log):
                course.ended = at
                self._close_everything(at)
        self.since_checkpoint += 1
        if self.since_checkpoint >= self.every:
            self._keep()

    def _keep(self) -> None:
        """A checkpoint at the cursor."""
        if self.cursor is not None and self.since_checkpoint:
            self.checkpoints.append((self.cursor, self.state.copy(), self.log.mark()))
            self.since_checkpoint = 0

    # -- courses -------------------------------------------------------------------------------------

    def _begin(self, at: datetime, start: CourseStart | None) -> None:
        """A course begins: at an infusion, or without one at the first ICE value or documented grade."""
        state, course = self.state, self.state.course
        self._close_everything(at)
        number = course.number + 1 if start is not None else 1
        state.course = Course(self.record.patient, number, start)
        state.course.since = at
        state.course.last_full_at = course.last_full_at
        state.treatment = Treatment()
        for _, given in self.doses.clocked_between(at - self.doses.longest_period, at):
            if given.bridges and given.end > at:
                state.treatment.bridge(given.end)
        if start is not None:
            state.exposure = state.exposure.restart(at, start.day)
            state.take_baseline(at, self.log.assessments, self.policy)
        else:
            message = "No infusion of CAR-T cells was found; day numbers and sums since infusion are not known."
            self._say(at, Problem("infusion-missing", "", "", message, at, None, ("infusion",)))
        partial = [p for p in self.record.problems if p.code == "partial-data"]
        if partial:
            self.log.open(at, not_read(at, partial, state.course))
        if state.dead:
            state.course.ended = at
            self._close_everything(at)

    def _close_everything(self, at: datetime) -> None:
        for finding_id in sorted(self.log.held):
            self.log.close(at, finding_id)

    def _dies(self, at: datetime, instant: Instant) -> bool:
        """A recorded death that nothing contradicts, or a documented grade 5."""
        return at in self.deaths or (self.chart.has_documented and any(map(is_death, instant.observed)))

    # -- observations --------------------------------------------------------------------------------

    def _observe(self, at: datetime, own: Sequence[Observed]) -> None:
        state, policy = self.state, self.policy
        if state.course.number == 0 and not self.chart.courses and any(starts_monitoring(e) for e in own):
            self._begin(at, None)
        for problem in state.in_force.absorb(at, own, self.chart.items_from, policy):
            self._say(at, problem)
        unused: list[Problem] = []
        assessment = assess(at, state.in_force, own, self._around(at, own), unused)
        if assessment is None:
            for problem in unused:
                self._say(at, problem)
            return
        for problem in assessment.problems:
            self._say(at, problem)
        self.log.rows.append(assessment)
        if tool_at(assessment) == at:
            rows, since = state.in_force.tool_rows, at - 2 * policy.combination_window
            state.in_force.tool_rows = (*(row for row in rows if row >= since), at)
        course = state.course
        if not course.monitored:
            self.log.assessments.append(assessment)
            if assessment.full:
                course.last_full_at = at
            if assessment.ice_complete and not assessment.under_sedation and state.in_force.ice is not None:
                state.in_force.complete_ice = {**state.in_force.complete_ice, at: state.in_force.ice}
            self._enter(assessment)
            return
        if state.in_force.absent_items is not None and assessment.ice_low is not None:
            course.count_items(at, state.in_force.absent_items, policy, self.log)
        self._grade(assessment, own)

    def _around(self, at: datetime, own: Sequence[Observed]) -> Surroundings:
        state, policy = self.state, self.policy
        tools = self._tools(state.in_force, own[0].day)
        follows = False
        if self.chart.has_documented and any(isinstance(e, DocumentedGrade) for e in own):
            value_at, self.tool_ahead = tools_after(at, state.in_force, self.chart, self._tools, policy)
            follows = value_at is not None
        return Surroundings(
            headline=state.course.headline,
            tool_follows=follows,
            tools=tools,
            administrations_read=self.record.administrations_read,
            policy=policy,
        )

    def _tools(self, in_force: InForce, day: date) -> Tools:
        """The tool for the patient's age on that day."""
        record, policy = self.record, self.policy
        return tools_at(
            record.birth,
            day,
            record.developmental_delay,
            in_force.ice_ever_complete,
            policy.capd_below_years,
            policy.capd_delay_below_years,
        )

    def _grade(self, assessment: Assessment, own: Sequence[Observed]) -> None:
        """Let an assessment move course and treatment."""
        course, treatment, policy, log = self.state.course, self.state.treatment, self.policy, self.log
        if self.chart.has_documented and any(map(is_death, own)):
            return  # death due to ICANS: monitoring ends with this instant, and no grade change is told
        admitted = admits(course, assessment, policy)
        before, was_open = course.headline, course.open
        if admitted:
            log.assessments.append(assessment)
            onset_on_steroids = None
            if not course.open and assessment.assessable and assessment.counts_as.low > course.headline:
                onset_on_steroids = self._on_steroids(assessment.at)
            direction = course.observe(assessment, onset_on_steroids, policy, log)
            if before == 0 and course.headline > 0:
                treatment.rise_from_zero(assessment, self.situation)
            if direction in ("onset", "recurrence") and self.state.exposure.at_onset is None:
                self._begin_counting_since_onset(assessment.at)
            self._enter(assessment)
        served = was_open and treatment.observe(assessment, admitted, before, self.situation)
        if not admitted and (served or assessment.reason):
            self._enter(assessment)
        if was_open and not course.open:
            treatment.close_all(assessment.at, log)
        compare_documented(assessment, self.tool_ahead, self.state.in_force, course, policy, log)

    @property
    def situation(self) -> Situation:
        """What the lines of treatment are read next to."""
        if self._seen.course is not self.state.course:
            self._seen = Situation(self.state.course, self.chart, self.doses, self.policy, self.log)
        return self._seen

    def _begin_counting_since_onset(self, at: datetime) -> None:
        """What was given before the first onset is prophylactic, but for the doses of a line that began before it."""
        exposure, line = self.state.exposure, self.state.treatment.current(self.state.course.episode)
        exposure.at_onset = exposure.total_at(at)
        if line is None:
            return
        exposure.at_onset -= begun_between(line.start, at, at, exposure.since, self.doses)
        for shown in self.log.opened_since(line.start):
            revised = with_treatment_from(line.start, shown, exposure, self.doses)
            if revised is not shown:
                self.log.open(at, revised)

    def _on_steroids(self, at: datetime) -> bool | None:
        if not self.record.administrations_read:
            return None
        last = self.state.last_dose_until
        return last is not None and at - last <= self.policy.onset_on_steroids

    # -- doses ---------------------------------------------------------------------------------------

    def _give(self, at: datetime, doses: Sequence[Dose]) -> None:
        state, policy, log = self.state, self.policy, self.log
        course = state.course
        unusable: list[Dose] = []
        for dose in doses:
            repeated = self.doses.duplicate_of(dose)
            amount = state.exposure.give(dose, repeated, policy)
            if repeated is not None:
                self._say(at, duplicate_problem(dose, repeated))
                continue
            if dose.route == "intrathecal":
                continue
            if amount.dropped:
                self._say(at, reading_dropped(dose))
            if amount.problem == "value-out-of-range":
                message = f"{dose.shown} of {dose.drug} is not a plausible single dose; it is not counted."
                self._say(
                    at,
                    Problem(
                        amount.problem, dose.reference, dose.element, message, at, None, ("dose", "treatment-start")
                    ),
                )
            if not amount.usable:
                unusable.append(dose)
            until = dose.end or dose.at
            state.last_dose_until = max(until, state.last_dose_until or until)
            self._note(at, "dose", (dose.reference,), dose.day, dose)
        if course.monitored:
            for dose in unusable:
                log.open(at, dose_unknown(dose, at, course, state.exposure))
            state.treatment.give(at, self.situation)
            if any(d.route != "intrathecal" for d in doses) and state.exposure.since is not None:
                self._open(at, steroid_days(at, course, state.exposure, self.doses, policy))

    def _give_unreadable(self, at: datetime, refused: Sequence[Refused]) -> None:
        """Administrations that may have been of a steroid: the sums have no upper bound from here on (L3)."""
        state = self.state
        doses = [one for one in refused if "dose" in one.may_be]
        state.exposure.may_have_been(doses)
        if doses and state.course.monitored:
            state.uncounted_until = at + self.policy.shown_for
            self._open(at, uncounted(at, state.course, state.exposure))

    def _open(self, at: datetime, finding: Finding | None) -> None:
        if finding is not None:
            self.log.open(at, finding)

    # -- saying --------------------------------------------------------------------------------------

    def _say(self, at: datetime, problem: Problem) -> None:
        """Collect a problem; one that could change a result is a finding while the patient is monitored."""
        same = self.log.note(problem)
        course = self.state.course
        if not problem.affects or not course.monitored or problem.code == "partial-data":
            return
        if problem in self.of_uncounted or self.named_as_unknown(at, problem):
            return  # a finding on its dose names it (L3, L26)
        found = doubtful(at, problem, same, course)
        reported = self.log.latest(found.id)
        if reported is None or reported.facts != found.facts:
            self.log.open(at, found)

    def named_as_unknown(self, at: datetime | None, problem: Problem) -> bool:
        """Whether a finding of an unknown dose at ``at`` names the resource of this problem."""
        instant = self.chart.at.get(at) if at is not None else None
        if at is None or instant is None or not instant.doses:
            return False
        unknown = (d for d, amount in self.doses.weighed_at(at) if d.route != "intrathecal" and not amount.usable)
        return any(dose.reference == problem.reference for dose in unknown)

    def _annotate(self, at: datetime, instant: Instant) -> None:
        intrathecal = [
            dose for dose in instant.doses if dose.route == "intrathecal" and not self.doses.duplicate_of(dose)
        ]
        for entry in (*instant.crs_grades, *intrathecal, *instant.escalations, *instant.deaths):
            self._note(at, "event", (entry.reference,), entry.day, entry)

    def _enter(self, assessment: Assessment) -> None:
        self._note(assessment.at, "assessment", assessment.references, assessment.day, assessment)

    def _note(self, at: datetime, kind: str, references: tuple[str, ...], day: date, basis: Assessment | Entry) -> None:
        """Write the timeline of a replay; a single evaluation has none."""
        if self.timeline:
            self.log.timeline.append(timeline_entry(at, kind, references, day, basis, self.state, self.chart))
