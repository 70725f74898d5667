"""The one entrance to the clinic: a record and a policy in, findings out, at one instant or at all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from icans.engine.alerts import ShownAlerts, indicator_now
from icans.engine.bedside import bedside
from icans.engine.explain import rules_now
from icans.engine.history import History
from icans.engine.knowledge import Knowledge
from icans.engine.snapshot import (
    course_summary,
    exposure_now,
    grade_now,
    refractory_now,
    running_facts,
    unusable,
    with_treatment,
    with_unusable,
)
from icans.facts import DataQuality, IcansActive, Refractory, StatedProblem
from icans.findings import (
    INDICATORS,
    MODULES,
    Alert,
    CourseSummary,
    Evaluation,
    Finding,
    Moment,
    Replay,
    finding_id,
)
from icans.policy.policy import Policy
from icans.record import Problem, Record

#: A replay without an end goes on this long after the last thing known, so that deadlines still fall due.
AFTER_LAST_KNOWN = timedelta(hours=48)


def evaluate(record: Record, policy: Policy, as_of: datetime, *, explain: bool = True) -> Evaluation:
    """Everything known of a patient at ``as_of`` (UTC): grade, exposure, treatment lines, findings that hold.

    explain: with every rule, fired or not.
    """
    run = _Run(record, policy, as_of)
    run.to(as_of)
    return run.evaluation(as_of, line_by_line=True, explain=explain)


def replay(record: Record, policy: Policy, as_of: datetime | None = None) -> Replay:
    """Step through a record in the order in which it became known, up to ``as_of``.

    Without ``as_of`` the replay ends 48 hours after the last thing known.
    """
    run = _Run(record, policy, as_of, watch=True)
    known = run.known.instants
    end = as_of if as_of is not None else known[-1] + AFTER_LAST_KNOWN if known else None
    if end is not None:
        run.to(end)
    return run.replayed(end)


class _Run:
    """One pass over a record in known order."""

    def __init__(self, record: Record, policy: Policy, call: datetime | None, *, watch: bool = False) -> None:
        self.record, self.policy, self.watch = record, policy, watch
        self.history = History(record, policy, timeline=watch)
        self.shown = ShownAlerts(policy, watch=watch)
        self.moments: list[Moment] = []
        self.known = Knowledge(record, call)
        self.collected: tuple[Problem, ...] = ()  # the problems last asked for, and the same in order
        self.ordered: tuple[Problem, ...] = ()

    def to(self, end: datetime) -> None:
        """Let everything become known, and fall due, up to and including ``end``."""
        known = self.known
        for instant in known.instants:
            if instant > end:
                break
            self._fall_due_before(instant)
            added, standing = known.added.get(instant, []), known.removed.get(instant, [])
            if standing or len(added) > 1:
                added = [e for e in added if e.superseded is None or e.superseded > instant]
                standing = [e for e in standing if e.known < instant]
            self.history.change(
                added,
                standing,
                known.problems.get(instant, ()),
                known.corrected.get(instant, ()),
                known.refused.get(instant, ()),
                known.replaced.get(instant, ()),
            )
            self._step(instant, known.cause(instant))
        self._fall_due_before(end, inclusive=True)

    def _fall_due_before(self, limit: datetime, *, inclusive: bool = False) -> None:
        while True:
            due, expiry = self.history.next_deadline(), self.shown.next_expiry()
            if due is None or (expiry is not None and expiry < due):
                due = expiry
            if due is None or due > limit or (due == limit and not inclusive):
                return
            self._step(due, None)

    def _step(self, at: datetime, cause: str | None) -> None:
        self.history.advance(at)
        modules = self.shown.step(at, self.history.log, cause, lambda alert: running_facts(alert, self.history, at))
        if self.watch and modules:
            line_by_line = any(
                m == "steroids" and self._leading_type(m) in ("cumulative-dose", "steroid-days") for m in modules
            )
            shown = self.evaluation(at, line_by_line=line_by_line, modules=modules)
            self.moments.append(Moment(at=at, modules=modules, evaluation=shown))

    def _leading_type(self, module: str) -> str:
        return self.shown.in_order([module])[0].finding.type

    # -- results -------------------------------------------------------------------------------------

    def evaluation(
        self, at: datetime, *, line_by_line: bool, modules: Sequence[str] = MODULES, explain: bool = False
    ) -> Evaluation:
        """The state of everything as of ``at``, with the findings of these modules."""
        history = self.history
        course = history.state.course
        monitoring = "none" if course.number == 0 else "ended" if course.ended is not None else "active"
        findings: list[Alert] = []
        for alert in self.shown.in_order(modules):
            leads = not findings or findings[-1].finding.module != alert.finding.module
            findings.append(self._as_of(alert, at, leads))
        if monitoring == "none":
            findings += self._unread(at)
        starts = sorted(history.chart.courses)
        return Evaluation(
            patient=self.record.patient,
            as_of=at,
            infusion=course.infusion.at if course.infusion else None,
            infusions=tuple(starts),
            policy=self.policy,
            monitoring=monitoring,
            grade=grade_now(at, history),
            refractory=refractory_now(history),
            exposure=exposure_now(at, history, line_by_line=line_by_line),
            findings=tuple(findings),
            problems=self._problems(at),
            course=max(course.number, 1),
            infusion_day=course.infusion.day if course.infusion else None,
            infusion_days=self._infusion_days(),
            rules=rules_now(at, history, findings) if explain else (),
            bedside=bedside(at, history),
            leading=self._leading(modules, findings),
        )

    def _leading(self, modules: Sequence[str], findings: Sequence[Alert]) -> tuple[str, ...]:
        """The modules of all cards of this instant, in their order, whichever modules were asked for."""
        urgent = {alert.finding.id: indicator_now(alert) for alert in self.shown.in_order()}
        first: dict[str, str] = {}
        for alert in findings if modules is MODULES else self.shown.in_order():
            first.setdefault(alert.finding.module, urgent.get(alert.finding.id, alert.finding.indicator))
        return tuple(sorted(first, key=lambda m: (INDICATORS.index(first[m]), MODULES.index(m))))

    def _as_of(self, alert: Alert, at: datetime, leads: bool) -> Alert:
        """An alert as a call at ``at`` shows it; later steps do not reach it. leads: its card shows it in full."""
        finding = replace(alert.finding, indicator=indicator_now(alert))
        return Alert(
            finding=with_unusable(with_treatment(finding, at, self.history) if leads else finding, at, self.history),
            facts=replace(alert.facts, **running_facts(alert, self.history, at)),
            shown_at=alert.shown_at,
            until=alert.until,
            holds=alert.holds,
            revised_facts=alert.last(**{name: getattr(alert.facts, name) for name in alert.running}),
            reopened_at=list(alert.reopened_at),
            withdrawn=alert.withdrawn,
            withdrawn_by=alert.withdrawn_by,
            unchanged_since=alert.unchanged_since,
        )

    def _infusion_days(self) -> tuple[date, ...]:
        return tuple(start.day for _, start in sorted(self.history.chart.courses.items()))

    def _unread(self, at: datetime) -> list[Alert]:
        """Nothing starts an evaluation, and what could have started it was not read: a source not in full (an infusion
        is read from each of them), or a resource that could not be used (L34)."""
        partial = [p for p in self.record.problems if p.code == "partial-data" and self.record.incomplete]
        partial += unusable(self.record, ("assessment", "infusion"), at - self.policy.monitoring, at)
        if not partial:
            return []
        facts = DataQuality(problems=tuple(map(StatedProblem.of, partial)))
        found = Finding(
            id=finding_id(self.record.patient, facts.type, "partial-data"),
            at=at,
            indicator="info",
            facts=facts,
            basis=tuple(partial),
            lasting=True,
        )
        return [Alert(finding=found, facts=facts, shown_at=at)]

    def _problems(self, at: datetime) -> tuple[Problem, ...]:
        """Every problem known by ``at``, of the reading and of the rules."""
        read = [
            p
            for p in self.record.problems
            if (p.known is None or p.known <= at) and (p.superseded is None or p.superseded > at)
        ]
        both = (*read, *self.history.log.problems)
        if both != self.collected:
            self.collected = both
            self.ordered = tuple(sorted(dict.fromkeys(both), key=lambda p: (p.reference, p.element, p.code, p.message)))
        return self.ordered

    def replayed(self, end: datetime | None) -> Replay:
        """The whole pass: timeline, alerts, what a viewer would have seen new, summaries."""
        history = self.history
        alerts = sorted(
            self.shown.alerts.values(),
            key=lambda a: (a.shown_at, *_instant_order(a.finding)),
        )
        for alert in alerts:
            stale = {"stale": alert.facts.stale} if isinstance(alert.facts, IcansActive) else {}  # it changes by itself
            alert.revised_facts = alert.last(**{**alert.running, **stale})
        timeline = sorted(
            history.log.timeline, key=lambda e: (e.at, ("assessment", "dose", "event").index(e.kind), e.references)
        )
        courses = self._summaries(end, alerts) if end is not None else ()
        course = history.state.course
        return Replay(
            patient=self.record.patient,
            infusion=course.infusion.at if course.infusion else None,
            infusions=tuple(sorted(history.chart.courses)),
            infusion_days=self._infusion_days(),
            policy=self.policy,
            timeline=tuple(timeline),
            alerts=tuple(alerts),
            moments=tuple(self.moments),
            courses=courses,
            problems=self._problems(end) if end is not None else self.record.problems,
        )

    def _summaries(self, end: datetime, alerts: list[Alert]) -> tuple[CourseSummary, ...]:
        """One summary a course: the history as it stood just before the next one began."""
        summaries = []
        final = self.history.state
        starts = sorted(self.history.chart.courses)
        for start in starts[1:]:
            before = [c for c in self.history.checkpoints if c[0] < start]
            if not before:
                continue
            at, state, _ = before[-1]
            self.history.state = state
            if state.course.number:
                summaries.append(course_summary(at, self.history, _refractory(alerts, state.course.number)))
        self.history.state = final
        summaries.append(course_summary(end, self.history, _refractory(alerts, max(1, final.course.number))))
        return tuple(summaries)


def _refractory(alerts: list[Alert], course: int) -> bool:
    return any(
        isinstance(a.finding.facts, Refractory) and not a.withdrawn and (a.finding.facts.course or 1) == course
        for a in alerts
    )


def _instant_order(finding: Finding) -> tuple[int, int, str, str]:
    return MODULES.index(finding.module), INDICATORS.index(finding.indicator), finding.type, finding.id
