"""Reading from a FHIR server: one resource, or a search with all its pages, within a deadline and within caps.

Whatever goes wrong becomes a reason in plain words, without addresses and without anything of the patient's:
reasons stand on cards and in the answers to failed calls. The token goes to its own server and nowhere else.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import msgspec
import requests
import urllib3

from cds_service.fhir_client.addresses import AddressRules, NotAllowed, same_origin
from cds_service.fhir_client.connections import session
from cds_service.fhir_client.deadlines import Deadline

ACCEPT = "application/fhir+json"
REDIRECTS = 3
#: Statuses of what is not there.
GONE = frozenset({404, 410})
_PIECE = 65536
_NOTHING = msgspec.Raw(b"")
_FAILED = frozenset({"error", "fatal"})
_MEANINGS = {
    401: " (the token is missing, has expired or is not accepted)",
    403: " (the token does not allow it)",
    404: " (it does not offer this)",
    410: " (it does not offer this any more)",
    429: " (it takes no more calls for now)",
}


class Unreadable(Exception):
    """What was asked for could not be read. reason: in plain words, after "the FHIR server"; status: HTTP."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.reason, self.status = reason, status


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is read at most: pages of one search, and bytes (unpacked) of one answer and of one search."""

    pages: int = 50
    page_bytes: int = 32_000_000
    search_bytes: int = 64_000_000


@dataclass(slots=True)
class Search:
    """What a search has brought so far. cut: why it is not all of it, None while nothing is missing.

    entries: resources and other entries of all pages, as JSON. matches: resources but outcomes.
    warned: the server itself says that something is left out. seconds: spent on it.
    """

    query: str
    entries: list[bytes] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    pages: int = 0
    size: int = 0
    seconds: float = 0.0
    cut: str | None = None
    done: bool = False
    status: int | None = None

    @property
    def matches(self) -> int:
        return sum(kind != "OperationOutcome" for kind in self.types)

    def bundle(self) -> bytes:
        """All pages as one searchset Bundle."""
        return b'{"resourceType":"Bundle","type":"searchset","entry":[' + b",".join(self.entries) + b"]}"


class _Link(msgspec.Struct, frozen=True, gc=False):
    relation: str | None = None
    url: str | None = None


class _Typed(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    resource_type: str | None = None


class _Entry(msgspec.Struct, frozen=True, gc=False):
    resource: _Typed | None = None


class _Issue(msgspec.Struct, frozen=True, gc=False):
    severity: str | None = None
    code: str | None = None


class _Page(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    resource_type: str | None = None
    link: list[_Link] | None = None
    entry: list[msgspec.Raw] | None = None
    issue: list[_Issue] | None = None


_PAGE = msgspec.json.Decoder(_Page)
_ENTRY = msgspec.json.Decoder(_Entry)


class FhirClient:
    """One FHIR server for one task.

    base: its base URL. token: a bearer token for it, None for an open server. rules: the guard of hook calls,
    None for a URL of the user's own.
    """

    def __init__(
        self,
        base: str,
        *,
        deadline: Deadline,
        token: str | None = None,
        rules: AddressRules | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.base = base.rstrip("/") + "/"
        self.deadline = deadline
        self.limits = limits or Limits()
        self._token, self._rules = token, rules
        self._checked = rules is None
        self._session = session(self.base, rules, deadline)

    def read(self, path: str) -> bytes:
        """The resource at a path below the base, as JSON. Raises Unreadable."""
        data, _ = self._get(self.base + path)
        page = _page(data)
        if page.resource_type == "OperationOutcome":
            raise Unreadable(f"answered with an OperationOutcome ({_issues(page)})")
        return data

    def search(self, found: Search) -> None:
        """Follows a search through its pages into ``found``, which holds what was got if this is cut off."""
        started = time.monotonic()
        try:
            self._follow(found.query if "://" in found.query.partition("?")[0] else self.base + found.query, found)
        except Unreadable as error:
            found.status = error.status
            place = f" (page {found.pages + 1})" if found.pages else ""
            found.cut = f"{error.reason}{place}"
        found.seconds = time.monotonic() - started
        found.done = True

    def go_on(self, found: Search, page: bytes) -> bool:
        """Takes a page that is there already into ``found`` and follows its next link; False if it has none."""
        first = _page(page)
        if all(link.relation != "next" for link in first.link or ()):
            return False
        _take(first, found)
        try:
            following = _next(first, self.base, self.base)
        except Unreadable as error:
            found.cut = error.reason
            return True
        if following is not None:
            found.query = following
            self.search(found)
        return True

    def send(self, method: str, path: str, body: bytes) -> bytes:
        """Writes a resource, or a transaction; the answer. Raises Unreadable, with what the server says."""
        request = requests.Request(method, (self.base + path).rstrip("/"), data=body)
        request.headers = {"Content-Type": ACCEPT, "Prefer": "return=minimal"}
        data, _ = self._answer(request, explained=True)
        return data

    def _follow(self, url: str, found: Search) -> None:
        visited: set[str] = set()
        following: str | None = url
        while following is not None:
            if following in visited:
                raise Unreadable("leads from page to page in a circle")
            if found.pages >= self.limits.pages:
                raise Unreadable(f"has more than {self.limits.pages} pages, more are not read")
            visited.add(following)
            data, url = self._get(following)
            found.size += len(data)
            if found.size > self.limits.search_bytes:
                raise Unreadable("sends more data than are read")
            page = _page(data)
            if page.resource_type == "OperationOutcome":
                raise Unreadable(f"answered with an OperationOutcome ({_issues(page)})")
            if page.resource_type != "Bundle":
                raise Unreadable(f"answered a search with a {page.resource_type}, not with a Bundle")
            _take(page, found)
            following = _next(page, url, self.base)

    def _get(self, url: str) -> tuple[bytes, str]:
        """The body, and the URL it came from in the end: redirects are followed on the same server only."""
        for _ in range(REDIRECTS + 1):
            data, target = self._answer(requests.Request("GET", url))
            if target is None:
                return data, url
            url = _joined(url, target)
            if not same_origin(url, self.base):
                raise Unreadable("redirects to another server, which is not followed")
        raise Unreadable("redirects again and again")

    def _answer(self, request: requests.Request, explained: bool = False) -> tuple[bytes, str | None]:
        """Body and, of a redirect, its target. Raises Unreadable for everything but an answer with 2xx."""
        if self.deadline.is_over:
            raise Unreadable("did not answer in time")
        try:
            if not self._checked and self._rules is not None:
                self._rules.check(self.base)
                self._checked = True
            response = self._session.send(
                self._prepared(request), stream=True, allow_redirects=False, timeout=self.deadline.left, **self._how()
            )
            with response:
                if response.is_redirect:
                    return b"", response.headers["Location"]
                data = self._body(response)
        except NotAllowed as error:
            raise Unreadable(f"is not called: {error}") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise Unreadable(_what_failed(error, self.deadline)) from error
        if not response.ok:
            said = f"; it says: {_explanation(data)}" if explained else _MEANINGS.get(response.status_code, "")
            raise Unreadable(f"answered with status {response.status_code}{said}", response.status_code)
        return data, None

    def _how(self) -> dict[str, object]:
        return {"verify": self._session.verify, "proxies": self._session.proxies, "cert": None}

    def _prepared(self, request: requests.Request) -> requests.PreparedRequest:
        request.headers = {"Accept": ACCEPT, **request.headers}
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        prepared = self._session.prepare_request(request)
        url = str(request.url)
        if url.isascii() and url.isprintable() and " " not in url:
            # A next link is opaque: it goes back as it came.
            prepared.url = url
        return prepared

    def _body(self, response: requests.Response) -> bytes:
        """The whole body; a server that drips is left at the deadline, a large body at the cap."""
        most = self.limits.page_bytes
        stated = response.headers.get("Content-Length", "")
        if stated.isdecimal() and int(stated) > most:
            raise Unreadable("sends more data than are read", response.status_code)
        body = bytearray()
        while piece := response.raw.read1(_PIECE, decode_content=True):
            body += piece
            if len(body) > most:
                raise Unreadable("sends more data than are read", response.status_code)
            if self.deadline.is_over:
                raise Unreadable("did not answer in time")
        return bytes(body)


def _page(data: bytes) -> _Page:
    """What an answer is; Unreadable for what is no FHIR JSON."""
    start = data.removeprefix(b"\xef\xbb\xbf")[:512].lstrip().lower()
    if not start:
        raise Unreadable("answered with nothing")
    if start.startswith(b"<"):
        kind = "an HTML page" if b"<html" in start or b"<!doctype html" in start else "XML"
        raise Unreadable(f"answered with {kind}, not with FHIR JSON")
    try:
        page = _PAGE.decode(data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, RecursionError) as error:
        raise Unreadable("answered with what is not FHIR JSON") from error
    if not page.resource_type:
        raise Unreadable("answered with JSON that is not FHIR")
    return page


def _take(page: _Page, found: Search) -> None:
    found.pages += 1
    for raw in page.entry or ():
        try:
            entry = _ENTRY.decode(raw)
        except msgspec.ValidationError:
            entry = _Entry()
        found.entries.append(bytes(raw))
        found.types.append((entry.resource and entry.resource.resource_type) or "")


def _next(page: _Page, url: str, base: str) -> str | None:
    links = [link.url for link in page.link or () if link.relation == "next"]
    if not links:
        return None
    if not links[0]:
        raise Unreadable("gives a further page without an address")
    following = _joined(url, links[0])
    if not same_origin(following, base):
        raise Unreadable("gives a further page on another server, which is not followed")
    return following


def _joined(url: str, other: str) -> str:
    """An absolute link as it stands, a relative one made absolute; what is no URL is on no server."""
    try:
        return other if urlsplit(other).scheme else urljoin(url, other)
    except ValueError:
        return ""


def _issues(page: _Page) -> str:
    """Severity and code of the issues: their texts may speak of the patient."""
    stated = sorted({f"{issue.severity or 'unknown'}: {issue.code or 'unknown'}" for issue in page.issue or ()})
    return ", ".join(text for text in stated if text.isascii() and text.isprintable())[:200] or "no issue"


def _explanation(data: bytes) -> str:
    """The first diagnostics of an OperationOutcome, for the user who wrote what it speaks of."""

    class Issue(msgspec.Struct):
        diagnostics: str | None = None

    class Outcome(msgspec.Struct):
        issue: list[Issue] = []

    try:
        said = [issue.diagnostics for issue in msgspec.json.decode(data, type=Outcome).issue if issue.diagnostics]
    except msgspec.DecodeError:
        return "nothing that can be read"
    return said[0] if said else "nothing"


def _what_failed(error: Exception, deadline: Deadline) -> str:
    if deadline.is_over or isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "did not answer in time"
    text = repr(error)
    if isinstance(error, requests.exceptions.SSLError):
        return "could not be verified (TLS)"
    if "internal one" in text:
        return "is not called: its address is an internal one, and the configuration does not name it"
    if "Name or service not known" in text or "gaierror" in text or "NameResolution" in text:
        return "could not be found under its name"
    if "refused" in text:
        return "refuses connections"
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema | ValueError):
        return "could not be called at that address"
    return "broke the connection off"
