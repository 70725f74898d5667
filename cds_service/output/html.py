"""Cards and courses as HTML pages that need nothing but themselves: no script, no font, no image from elsewhere.

Cards are rendered from their Markdown with HTML switched off; every other text is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cds_service.output.course_text import CARD, course_events, course_summaries, day_heading
from cds_service.output.text import Page, printable

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

    from cds_service.replay import Played
    from icans import Problem

#: What a browser may do with such a page: show it with its own style, and nothing else.
CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
STANDING = "Grades recorded findings; cannot judge their cause. Absence of a card does not mean absence of ICANS."
_MOST_PROBLEMS = 50
_STYLE = """
:root { color-scheme: light; --line: #d5dbe1; --quiet: #52606d; --ink: #1f2933; }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: #f4f6f8; }
main { max-width: 62rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; margin: .5rem 0; } h2 { font-size: 1.2rem; margin: 2rem 0 .25rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; } p { margin: .4rem 0; }
.quiet, footer { color: var(--quiet); font-size: .9rem; }
.card { background: #fff; border: 1px solid var(--line); border-left: .4rem solid #2c6fbb; border-radius: .3rem;
  margin: .75rem 0; padding: .75rem 1rem; overflow-wrap: anywhere; }
.card.warning { border-left-color: #b7791f; } .card.critical { border-left-color: #c0262d; }
.card > .said { font-weight: 600; margin: 0; } .badge { font-size: .75rem; font-weight: 700; letter-spacing: .04em;
  padding: .1rem .45rem; border-radius: .8rem; color: #fff; background: #2c6fbb; margin-right: .4rem; }
.badge.warning { background: #8a5a10; } .badge.critical { background: #c0262d; }
summary { cursor: pointer; } details.card > summary .said { font-weight: 600; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; }
th, td { border: 1px solid var(--line); padding: .2rem .5rem; text-align: left; vertical-align: top;
  overflow-wrap: normal; } th { background: #eef1f4; }
td:nth-child(-n+2) { min-width: 6.5rem; } td:nth-child(n+3) { overflow-wrap: anywhere; }
ul { margin: .4rem 0; padding-left: 1.2rem; } pre { background: #1f2933; color: #f4f6f8; padding: .6rem .8rem;
  border-radius: .3rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.row { display: grid; grid-template-columns: 3.5rem 6rem minmax(0, 1fr); gap: 0 .6rem; padding: .1rem 0; }
.row > * { margin: 0; } .row.told > .card { grid-column: 2 / -1; margin: .3rem 0; padding: .4rem .7rem; }
.faint { color: var(--quiet); } time { font-variant-numeric: tabular-nums; }
@media (max-width: 40rem) { .row { grid-template-columns: 3.2rem minmax(0, 1fr); }
  .row > :nth-child(3), .row.told > .card { grid-column: 1 / -1; }
  main { padding: .6rem; } .card { padding: .6rem .7rem; }
  th, td, td:nth-child(-n+2) { min-width: 0; padding: .15rem .25rem; font-size: .75rem; overflow-wrap: anywhere; } }
"""


def document(title: str, parts: Iterable[str]) -> str:
    """A whole page."""
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{said(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n"
        f"<footer><p>{STANDING}</p></footer>\n</main>\n</body>\n</html>\n"
    )


def said(text: str) -> str:
    """A text for a place in a page: nothing in it can be markup or reorder what is around it."""
    return escape(printable(text))


def card_html(card: Mapping[str, Any]) -> str:
    """A card with its detail shown."""
    return f'<article class="card {_indicator(card)}">\n<p class="said">{_head(card)}</p>\n{_rest(card)}\n</article>'


def folded_card_html(card: Mapping[str, Any]) -> str:
    """A card of which the detail opens on a click."""
    head = f'<summary><span class="said">{_head(card)}</span></summary>'
    return f'<details class="card {_indicator(card)}">\n{head}\n{_rest(card)}\n</details>'


def replay_page(courses: Sequence[Played], page: Page) -> str:
    """One page for a whole replay: per patient, day by day, what was charted, given and shown."""
    parts = []
    for played in courses:
        parts += course_html(played, page)
    title = "Replay" if len(courses) != 1 else f"Replay of {courses[0].replay.patient}"
    return document(title, parts)


def index_page(pages: Sequence[tuple[str, Played]], page: Page) -> str:
    """The list of the pages of several patients: each with the address of its page, relative to this one."""
    rows = [
        f'<li><a href="{said(quote(name))}">{said(played.replay.patient)}</a>: '
        f"{said(' '.join(course_summaries(played.replay, page)))}</li>"
        for name, played in pages
    ]
    return document(f"Replay of {len(pages)} patients", ["<h1>Patients</h1>", "<ul>", *rows, "</ul>"])


def course_html(played: Played, page: Page) -> list[str]:
    """A course day by day; the cards open to their whole text."""
    replay = played.replay
    parts = [f"<h1>{said(replay.patient)}</h1>"]
    parts.append(f'<p class="quiet">{said(page.infusions(replay))} Policy {said(replay.policy.label)}.</p>')
    parts += [f"<p>{said(text)}</p>" for text in course_summaries(replay, page)]
    shown = None
    for event in course_events(played, page):
        if event.day != shown:
            shown = event.day
            parts.append(f"<h3>{said(day_heading(shown, replay.infusion_days))}</h3>")
        clock = f"<time>{event.clock(page)}</time>"
        if event.rank == CARD and event.card is not None:
            parts.append(f'<div class="row told">{clock}{folded_card_html(event.card)}</div>')
        else:
            faint = " faint" if event.colour == "faint" else ""
            parts.append(
                f'<div class="row{faint}">{clock}<span>{said(event.label)}</span><span>{said(event.text)}</span></div>'
            )
    return parts + problems_html(replay.problems)


def problems_html(problems: Sequence[Problem]) -> list[str]:
    """Data problems as a folded table."""
    if not problems:
        return []
    rows = "".join(
        f"<tr><td>{said(p.code)}</td><td>{said(p.reference)}</td><td>{said(p.message)}</td></tr>"
        for p in problems[:_MOST_PROBLEMS]
    )
    more = f"<p>and {len(problems) - _MOST_PROBLEMS} more</p>" if len(problems) > _MOST_PROBLEMS else ""
    return [
        f'<details><summary>Data problems ({len(problems)})</summary><div class="wide"><table>'
        f"<tr><th>Problem</th><th>Resource</th><th>What was found</th></tr>{rows}</table></div>{more}</details>"
    ]


def _head(card: Mapping[str, Any]) -> str:
    indicator = _indicator(card)
    return f'<span class="badge {indicator}">{indicator.upper()}</span>{said(str(card["summary"]))}'


def _indicator(card: Mapping[str, Any]) -> str:
    found = str(card["indicator"])
    return found if found in ("critical", "warning") else "info"


def _rest(card: Mapping[str, Any]) -> str:
    parts = [_markdown().render(printable_lines(str(card.get("detail") or "")))]
    drafts = [str(draft["label"]) for draft in card.get("suggestions") or ()]
    if drafts:
        parts.append(f'<p class="quiet">Offers: {said("; ".join(drafts))}</p>')
    return "".join(parts)


def printable_lines(text: str) -> str:
    """The text with its line breaks, without anything else that is no character to read."""
    return "\n".join(printable(line) for line in text.split("\n"))


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    renderer = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "html_inline", "html_block"])
    renderer.add_render_rule("table_open", lambda *_: '<div class="wide"><table>\n')
    renderer.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return renderer
