"""Instants as users and callers write them."""

from __future__ import annotations

from datetime import UTC, datetime


def instant(text: str) -> datetime:
    """An ISO 8601 date and time with offset (or ``Z``), as UTC. Raises ValueError saying what is expected."""
    try:
        value = datetime.fromisoformat(text.strip())
        if value.tzinfo is not None:
            return value.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("a time such as 2026-03-08T14:00:00+00:00 is expected") from error
    raise ValueError("the time needs its offset, such as 2026-03-08T14:00:00+00:00 or ...Z")
