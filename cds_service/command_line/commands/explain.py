"""Why is there a card, and why is there none: every rule at one instant, for a terminal or as JSON."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cds_service.errors import Refusal
from cds_service.output.text import Page, printable, wrapped

if TYPE_CHECKING:
    from cds_service.evaluation import Answer
    from icans import RuleNow


def explain(options: Namespace) -> int:
    """``icans-cds explain``: every rule, fired or not, with what it compared and what would change it."""
    from cds_service.command_line.inputs import answer_asked_for
    from cds_service.command_line.options import json_bytes, page_of, write

    site, answer, status = answer_asked_for(options)
    rules = asked_for(answer.evaluation.rules, options.rule)
    if options.format == "json":
        write(json_bytes(explanation_json(answer, rules)), options.output)
    else:
        write(explanation_text(answer, rules, page_of(site, options)).encode(), options.output)
    return status


def asked_for(rules: Sequence[RuleNow], wanted: str | None) -> list[RuleNow]:
    """All rules, or those of one id or type. Raises Refusal naming the rules there are."""
    chosen = [rule for rule in rules if wanted is None or wanted in (rule.id, rule.id.partition(":")[0])]
    if not chosen:
        raise Refusal(f"there is no rule {wanted!r}; there are {', '.join(sorted(rule.id for rule in rules))}")
    return chosen


def nearest(rules: Iterable[RuleNow]) -> RuleNow | None:
    """The rule with the fewest unmet conditions of those that did not fire."""
    return next((rule for rule in rules if not rule.fired), None)


def explanation_json(answer: Answer, rules: Sequence[RuleNow]) -> dict[str, Any]:
    """The rules as in ``evaluate``, with the one that came nearest by its id."""
    from cards import to_json
    from cds_service.published.result_json import rules_json

    evaluation, near = answer.evaluation, nearest(rules)
    return {
        "patient": evaluation.patient,
        "asOf": to_json(evaluation.as_of),
        "policy": evaluation.policy.label,
        "monitoring": evaluation.monitoring,
        "cards": [card["summary"] for card in answer.cards],
        "nearest": near.id if near is not None else None,
        "rules": rules_json(rules),
    }


def explanation_text(answer: Answer, rules: Sequence[RuleNow], page: Page) -> str:
    """The same for a reader: what fired, then what did not, nearest first."""
    evaluation = answer.evaluation
    lines = [page.paint(printable(f"{evaluation.patient} as of {page.clock(evaluation.as_of)}"), "heading")]
    lines += wrapped("", f"{page.infusions(evaluation)} Policy {evaluation.policy.label}.")
    if not answer.cards:
        lines += wrapped("", f"No card: {_why_none(rules)}")
    fired = [rule for rule in rules if rule.fired]
    rest = [rule for rule in rules if not rule.fired]
    if fired:
        lines += ["", page.paint("Fired", "heading")]
        for rule in fired:
            lines += [f"  {rule.id}", *_compared(rule, page), *wrapped("    by       ", f"{rule.source}.")]
    if rest:
        lines += ["", page.paint("Not fired, nearest first", "heading")]
        for rule in rest:
            lines.append(f"  {rule.id}")
            for number, unmet in enumerate(rule.unmet):
                lines += wrapped("    unmet    " if number == 0 else "             ", f"{unmet}.")
            lines += wrapped("    needs    ", f"{rule.would_change}.")
            lines += [*_compared(rule, page), *wrapped("    by       ", f"{rule.source}.")]
    return "\n".join(lines) + "\n"


def _why_none(rules: Sequence[RuleNow]) -> str:
    near = nearest(rules)
    if near is None:
        return "no rule was asked for."
    others = len(near.unmet) - 1
    more = f" (and {others} more)" if others else ""
    return f"{near.id} came nearest. Not met: {near.unmet[0]}{more}. It would take {near.would_change}."


def _compared(rule: RuleNow, page: Page) -> list[str]:
    said = "; ".join(f"{_words(name)} {_value(value, page)}" for name, value in rule.compared.items())
    return wrapped("    compared ", said) if said else []


def _words(name: str) -> str:
    """``gradeLow`` as ``grade low``; a unit at its end stays a unit."""
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return spaced.replace("dexamethasone equivalent mg", "dexamethasone-equivalent mg")


def _value(value: Any, page: Page) -> str:
    from cards import number_text

    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return page.clock(value.astimezone(UTC))
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return ", ".join(_value(item, page) for item in value) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_value(item, page)}" for name, item in value.items())
    return number_text(value)
