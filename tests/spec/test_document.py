"""docs/scenarios.md shows the scenarios that are tested."""

from __future__ import annotations

from tests.spec.document import PAGE, page


def test_the_page_shows_the_tables_as_they_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it again: python -m tests.spec.document"
