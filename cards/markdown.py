"""Text from a record, made harmless: nothing charted can become markup, HTML, a link or a second line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

LONGEST_VALUE = 160
#: CDS Hooks 2.0.1: a summary has fewer than 140 characters.
LONGEST_SUMMARY = 139
#: A first line is read at a glance: wordings keep within this.
SHORT = 100

# Control and format characters, among them those that reorder or hide text, and lone surrogates.
_INVISIBLE = re.compile(
    "[\u0000-\u001f\u007f-\u00a0\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~$])")
_WEB_ADDRESS = re.compile(r"(?i)(:)(?=//)|(?<=www)(\.)")
# A backslash or an entity does not keep a GFM client from linking an e-mail address: it joins the text first.
_MAIL = re.compile(r"(?<=\S)@(?=\S)")


def plain(text: str, longest: int = LONGEST_VALUE) -> str:
    """Text on one line for a place that knows no markup, cut at ``longest``.

    Invisible characters go; angle brackets become ‹ and ›: a careless client sees no HTML, a reader still
    sees "‹ 5 min".
    """
    line = _on_one_line(text)
    return fit(line.replace("<", "‹").replace(">", "›"), longest)


def escape(text: str, longest: int = LONGEST_VALUE) -> str:
    """Charted text for use inside a line or table cell of GitHub-flavoured Markdown.

    Markup characters get a backslash, ``&``, ``<`` and ``>`` become entities; web addresses do not link, and the sign
    of an e-mail address becomes its full-width form.
    """
    line = _SPECIAL.sub(r"\\\1", fit(_on_one_line(text), longest))
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if "//" in line or "www" in line.lower():
        line = _WEB_ADDRESS.sub(lambda found: "\\" + found.group(0), line)
    return _MAIL.sub("\N{FULLWIDTH COMMERCIAL AT}", line) if "@" in line else line


def _on_one_line(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        text = _INVISIBLE.sub(" ", text)
    return " ".join(text.split())


def fit(text: str, longest: int = LONGEST_SUMMARY) -> str:
    """The text, cut at a word with an ellipsis if it has more than ``longest`` code points."""
    if len(text) <= longest:
        return text
    head = text[: longest - 1]
    cut = head.rfind(" ")
    return (head[:cut] if cut > longest // 2 else head).rstrip(" ,;:") + "…"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; cells are used as given, escape charted text first."""
    lines = [_row(header), _row(["---"] * len(header))]
    lines.extend(_row(row) for row in rows)
    return "\n".join(lines)


def bullets(points: Iterable[str]) -> str:
    return "\n".join(f"- {point}" for point in points)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
