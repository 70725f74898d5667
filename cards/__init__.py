"""From findings to CDS Hooks cards: wording, evidence, indicators, drafts. No FHIR parsing, no HTTP.

``render`` builds the cards of one evaluation, ``alert_json`` prints one alert, ``to_json`` one value.
``cards.models`` checks a whole response against CDS Hooks 2.0.1.
"""

from cards.json_values import to_json
from cards.rendering import alert_json, render
from cards.view import CardContext

__all__ = ["CardContext", "alert_json", "render", "to_json"]
