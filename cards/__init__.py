"""From findings to CDS Hooks cards: wording, evidence, indicators, drafts. No FHIR parsing, no HTTP.

``render`` builds the cards of one evaluation, ``alert_json`` prints one alert, ``to_json`` one value. ``line``,
``entry_text`` and ``course_text`` word a replay; ``Times`` is how times are written in it. ``count``,
``day_text`` and ``number_text`` write numbers. ``cards.models`` checks a whole response against CDS Hooks 2.0.1.
"""

from cards.json_values import number_text, to_json
from cards.rendering import alert_json, line, render
from cards.view import CardContext, Times, day_text
from cards.wording.exposure import sum_text
from cards.wording.parts import count
from cards.wording.timeline import course_text, entry_text

__all__ = [
    "CardContext",
    "Times",
    "alert_json",
    "count",
    "course_text",
    "day_text",
    "entry_text",
    "line",
    "number_text",
    "render",
    "sum_text",
    "to_json",
]
