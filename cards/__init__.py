"""From findings to CDS Hooks cards: wording, evidence, indicators, drafts. No FHIR parsing, no HTTP.

``render`` builds the cards of one evaluation, ``alert_json`` prints one alert, ``to_json`` one value;
``number_text``, ``count`` and ``words`` write numbers and names, ``DOMAINS`` and ``NAMES`` name what is assessed,
as on cards. ``cards.models`` checks a whole response against CDS Hooks 2.0.1.
"""

from cards.json_values import number_text, to_json
from cards.rendering import alert_json, render
from cards.view import CardContext
from cards.wording.assessment import DOMAINS, NAMES
from cards.wording.parts import count, words

__all__ = [
    "DOMAINS",
    "NAMES",
    "CardContext",
    "alert_json",
    "count",
    "number_text",
    "render",
    "to_json",
    "words",
]
