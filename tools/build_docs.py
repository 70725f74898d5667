"""Writes what docs/ shows of the program's own output: ``python -m tools.build_docs`` (``make docs``).

docs/cards.md: one card of each type. docs/settings.md: settings and policy. README.md: the outputs between
``<!-- output: ... -->`` and ``<!-- end -->``. With ``--pictures`` also docs/images/*.png, which needs a Chromium, and
pngquant to keep them small.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path

from cds_service.output.html import card_html, document
from tools.docs_cards import EXAMPLES, Example
from tools.docs_settings import settings_page

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
COURSE = "cds_service/examples/s2.json"
REPLAY = ("replay", COURSE)
EXPLAIN = ("explain", COURSE, "--as-of", "2026-03-02T12:00:00Z", "--rule", "refractory")
LINES_OF_DETAIL = 6
END = "<!-- end -->"
CARDS = ROOT / "docs" / "cards.md"
IMAGES = ROOT / "docs" / "images"
SETTINGS = ROOT / "docs" / "settings.md"
WIDTH = 700
#: Six cards are also drawn as a desktop and a phone show them.
WIDTHS = (1280, 390)
WIDELY = ("grade-change", "icans-active", "assessment-overdue", "refractory", "cumulative-dose", "dose-unknown")
#: The height of a page, as measured by the browser that lays it out.
_MEASURE = "<script>parent.document.title = document.querySelector('main').scrollHeight</script>"
#: Chromium lays no page out below 500 pixels: the page is in a frame of its own width.
_FRAME = '<title></title><body style="margin: 0"><iframe style="width: {}px; height: 9000px; border: 0" srcdoc="{}">'
PREFACE = """# Cards

One card of each type, as the service answers for a small chart (written by `make docs`). A card has at most one line
that must be read, its summary; the first line of the detail says the same with its rule, then come what is missing, not
counted or assumed, the evidence, and where the rule is from. How text is escaped and cut: `cards/markdown.py`.
"""


def cards_page() -> str:
    """docs/cards.md: summary and detail of each card, as a client gets them and as they look."""
    parts = [PREFACE]
    for example in EXAMPLES:
        card = example.card()
        parts.append(f"## {example.type}\n\n{example.shows}\n\n![{example.type}](images/{example.type}.png)\n")
        parts.append(f"`{card['indicator']}` **{card['summary']}**\n")
        parts.append("\n".join(f"> {line}".rstrip() for line in card["detail"].splitlines()) + "\n")
        drafts = [draft["label"] for draft in card.get("suggestions") or ()]
        if drafts:
            parts.append(f"Offers: {'; '.join(drafts)}.\n")
    parts.append("## On a desktop and on a phone\n")
    for kind in WIDELY:
        pictures = " ".join(f"[{kind}, {width} pixels](images/{width}/{kind}.png)" for width in WIDTHS)
        parts.append(f"- {pictures}")
    return "\n".join([*parts, ""])


def readme(text: str) -> str:
    """The README with the outputs it shows as they are now."""
    for name, output in (("hook", _hook()), ("replay", _printed(REPLAY)), ("explain", _printed(EXPLAIN))):
        before, mark, rest = text.partition(f"<!-- output: {name} -->\n")
        _, end, after = rest.partition(END)
        if not (mark and end):
            raise SystemExit(f"README.md has no place for the output {name}")
        text = f"{before}{mark}{output}{end}{after}"
    return text


def _hook() -> str:
    """The first card that the request of the README gets, in part, and the summaries of the others."""
    from cds_service import handle_hook

    body = (ROOT / "examples" / "patient-view-s2.json").read_bytes()
    first, *others = json.loads(handle_hook("icans-patient-view", body))["cards"]
    shown = {name: first[name] for name in ("summary", "indicator", "source")}
    detail = "\n".join(f"> {line}".rstrip() for line in first["detail"].splitlines()[:LINES_OF_DETAIL])
    rest = "\n".join(f"- `{card['indicator']}` {card['summary']}" for card in others)
    return (
        f"answers with {len(others) + 1} cards. Of the first, summary, indicator and source:\n\n"
        f"```json\n{json.dumps(shown, indent=2)}\n```\n\nthe beginning of its detail:\n\n{detail}\n\n"
        f"and the summaries of the others:\n\n{rest}\n"
    )


def _printed(arguments: Sequence[str]) -> str:
    """What a command prints, as a block of text."""
    done = subprocess.run(
        [sys.executable, "-m", "cds_service", *arguments], check=True, capture_output=True, cwd=ROOT, timeout=60
    )
    return f"```text\n{done.stdout.decode()}```\n"


def draw(example: Example, browser: str, target: Path, width: int = WIDTH) -> None:
    """A picture of one card, so many pixels wide and as high as the card, in few colours."""
    page = target.with_suffix(".html")
    html = document(example.type, [card_html(example.card())]).replace("<footer>", "<footer hidden>")
    page.write_text(_FRAME.format(width, escape(html.replace("</body>", f"{_MEASURE}</body>"))), encoding="utf-8")
    measured = _run(browser, f"--window-size={width},100", "--dump-dom", page.as_uri())
    found = re.search(r"<title>(\d+)</title>", measured)
    if found is None:
        raise SystemExit(f"{browser} did not lay out {page}")
    _run(browser, f"--window-size={width},{found[1]}", f"--screenshot={target}", page.as_uri())
    subprocess.run(["pngquant", "--force", "--nofs", "--output", target, "10", target], check=True)


def _run(browser: str, *options: str) -> str:
    quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-lcd-text", "--hide-scrollbars"]
    return subprocess.run([browser, *quiet, *options], check=True, capture_output=True, text=True, timeout=120).stdout


def main(arguments: Sequence[str]) -> None:
    CARDS.write_text(cards_page(), encoding="utf-8")
    SETTINGS.write_text(settings_page(), encoding="utf-8")
    README.write_text(readme(README.read_text(encoding="utf-8")), encoding="utf-8")
    if "--pictures" in arguments:
        browser = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
        if browser is None or shutil.which("pngquant") is None:
            raise SystemExit("pictures need a Chromium and pngquant; they were not drawn")
        IMAGES.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            for example in EXAMPLES:
                _draw_into(IMAGES / f"{example.type}.png", example, browser, Path(folder), WIDTH)
                for width in WIDTHS if example.type in WIDELY else ():
                    _draw_into(IMAGES / str(width) / f"{example.type}.png", example, browser, Path(folder), width)


def _draw_into(picture: Path, example: Example, browser: str, folder: Path, width: int) -> None:
    draw(example, browser, folder / picture.name, width)
    picture.parent.mkdir(exist_ok=True)
    shutil.copy(folder / picture.name, picture)


if __name__ == "__main__":
    main(sys.argv[1:])
