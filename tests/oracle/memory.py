"""What the oracle remembers: its last answers about whole records, and which rulings made a difference."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from icans.policy.policy import Policy
from icans.record import Record

Answer = TypeVar("Answer")
KEPT = 4
#: Rule ids since this was last cleared.
decided: set[str] = set()


def remembered(read: Callable[[Record, Policy], Answer]) -> Callable[[Record, Policy], Answer]:
    """The same function, which keeps what it last read of a few records (compared by identity) under one policy."""
    last: list[tuple[Record, Policy, Answer]] = []

    @wraps(read)
    def remembering(record: Record, policy: Policy) -> Answer:
        for known, under, answer in last:
            if known is record and under is policy:
                return answer
        answer = read(record, policy)
        last.insert(0, (record, policy, answer))
        del last[KEPT:]
        return answer

    return remembering


def by(rule: str, answer: Answer) -> Answer:
    """The same answer; if it is true, the rule made a difference."""
    if answer:
        decided.add(rule)
    return answer
