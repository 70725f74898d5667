"""Which rulings made a difference: marked where the oracle takes the branch that only they give."""

from __future__ import annotations

from typing import TypeVar

Answer = TypeVar("Answer")
#: Read here, and not yet by the engine.
PENDING = frozenset({"L5", "L27", "L28"})
#: Rule ids since this was last cleared.
decided: set[str] = set()


def by(rule: str, answer: Answer) -> Answer:
    """The same answer; if it is true, the rule made a difference."""
    if answer:
        decided.add(rule)
    return answer
