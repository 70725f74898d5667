"""Reading from a FHIR server: one resource, or a search with all its pages, within a deadline and within caps.

Whatever goes wrong becomes a reason in plain words, without addresses and without anything of the patient's:
reasons are on cards and in the answers to failed calls. The token goes to its own server and nowhere else.
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
from cds_service.fhir_client.deadlines import NOT_IN_TIME, Deadline
from cds_service.fhir_client.pages import Page, Unreadable, page_of, resource_of

ACCEPT = "application/fhir+json"
REDIRECTS = 3
PARTIAL = "answered with a part only (status 206)"
#: Servers keep the results of searches; what was charted since would not be seen (HAPI keeps them for a minute).
_FRESH = {"Cache-Control": "no-cache"}
#: Statuses of what is not there.
GONE = frozenset({404, 410})
_PIECE = 65536
_MEANINGS = {
    401: " (the token is missing, has expired or is not accepted)",
    403: " (the token does not allow it)",
    404: " (it does not offer this)",
    410: " (it does not offer this any more)",
    429: " (it takes no more calls for now)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is read at most: pages of one search, and bytes (unpacked) of one answer and of one search."""

    pages: int = 50
    page_bytes: int = 32_000_000
    search_bytes: int = 64_000_000


@dataclass(slots=True)
class Search:
    """What a search has brought so far. cut: why it is not all of it; None only once all of it is there.

    entries: resources and other entries of all pages, as JSON. types: of what each holds. total: the highest that
    the server states, found: rows of the search itself, without what came along. flaws: what is wrong with pages
    that were used nevertheless. seconds: spent on it. status, later: as in Unreadable.
    """

    query: str
    entries: list[bytes] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    pages: int = 0
    size: int = 0
    seconds: float = 0.0
    cut: str | None = NOT_IN_TIME
    status: int | None = None
    later: bool = False
    total: int = 0
    found: int = 0
    flaws: list[str] = field(default_factory=list)

    @property
    def matches(self) -> int:
        return sum(kind != "OperationOutcome" for kind in self.types)

    def take(self, page: Page) -> None:
        """Adds what a page holds."""
        self.pages += 1
        self.flaws.extend(page.flaws)
        self.total = max(self.total, page.total)
        for raw, kind, is_found in page.entries:
            self.entries.append(raw)
            self.types.append(kind)
            self.found += is_found

    def end(self) -> None:
        """All pages were read: what is missing now is what the server itself did not send."""
        if self.total > self.found:
            self.flaws.append("states more rows than it sends")
        self.cut = "; it ".join(dict.fromkeys(self.flaws)) or None

    def bundle(self) -> bytes:
        """All pages as one searchset Bundle."""
        return b'{"resourceType":"Bundle","type":"searchset","entry":[' + b",".join(self.entries) + b"]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    """A body and where it came from. target: of a redirect. partial: the server sends a part only."""

    data: bytes
    url: str
    target: str | None = None
    partial: bool = False


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
        got = self._get(self.base + path)
        resource_of(got.data)
        if got.partial:
            raise Unreadable(PARTIAL)
        return got.data

    def search(self, found: Search) -> None:
        """Follows a search through its pages into ``found``, which holds what was got if this is cut off."""
        self._search(found, self.base + found.query)

    def go_on(self, found: Search, page: bytes) -> None:
        """Takes a page that is there already into ``found`` and follows its next link."""
        self._search(found, self.base, page)

    def _search(self, found: Search, url: str, page: bytes | None = None) -> None:
        started = time.monotonic()
        try:
            following: str | None = url
            if page is not None:
                first = page_of(page)
                found.take(first)
                following = _next(first, url, self.base)
            self._follow(following, found)
            found.end()
        except Unreadable as error:
            found.status, found.later = error.status, error.later
            place = f" (page {found.pages + 1})" if found.pages else ""
            found.cut = f"{error.reason}{place}"
        finally:
            found.seconds = time.monotonic() - started

    def send(self, method: str, path: str, body: bytes) -> bytes:
        """Writes a resource, or a transaction; the answer. Raises Unreadable, with what the server says."""
        request = requests.Request(method, (self.base + path).rstrip("/"), data=body)
        request.headers = {"Content-Type": ACCEPT, "Prefer": "return=minimal"}
        return self._answer(request, explained=True).data

    def _follow(self, following: str | None, found: Search) -> None:
        visited: set[str] = set()
        while following is not None:
            if following in visited:
                raise Unreadable("leads from page to page in a circle")
            if found.pages >= self.limits.pages:
                raise Unreadable(f"has more than {self.limits.pages} pages, more are not read")
            visited.add(following)
            got = self._get(following)
            found.size += len(got.data)
            if found.size > self.limits.search_bytes:
                raise Unreadable("sends more data than are read")
            page = page_of(got.data)
            found.take(page)
            if got.partial:
                found.flaws.append(PARTIAL)
            following = _next(page, got.url, self.base)

    def _get(self, url: str) -> _Body:
        """The body, and the URL it came from in the end: redirects are followed on the same server only."""
        for _ in range(REDIRECTS + 1):
            got = self._answer(requests.Request("GET", url, headers=_FRESH))
            if got.target is None:
                return got
            url = _joined(url, got.target)
            if not same_origin(url, self.base):
                raise Unreadable("redirects to another server, which is not followed")
        raise Unreadable("redirects again and again")

    def _answer(self, request: requests.Request, explained: bool = False) -> _Body:
        """Body and, of a redirect, its target. Raises Unreadable for everything but an answer with 2xx."""
        if self.deadline.is_over:
            raise Unreadable(NOT_IN_TIME)
        url = str(request.url)
        try:
            if not self._checked and self._rules is not None:
                self._rules.check(self.base)
                self._checked = True
            response = self._session.send(
                self._prepared(request), stream=True, allow_redirects=False, timeout=self.deadline.left, **self._how()
            )
            with response:
                if response.is_redirect:
                    return _Body(data=b"", url=url, target=response.headers["Location"])
                data = self._body(response)
        except NotAllowed as error:
            raise Unreadable(f"is not called: {error}") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise Unreadable(_what_failed(error, self.deadline)) from error
        if not response.ok:
            said = f"; it says: {_explanation(data)}" if explained else _MEANINGS.get(response.status_code, "")
            later = response.status_code == 429 or (response.status_code == 503 and "Retry-After" in response.headers)
            raise Unreadable(f"answered with status {response.status_code}{said}", response.status_code, later=later)
        return _Body(data=data, url=url, partial=response.status_code == 206)

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
                raise Unreadable(NOT_IN_TIME)
        return bytes(body)


def _next(page: Page, url: str, base: str) -> str | None:
    """Where the next page is, None after the last. Raises Unreadable for a link that is not followed."""
    if page.next is None:
        return None
    if not page.next:
        raise Unreadable("gives a further page without an address")
    following = _joined(url, page.next)
    if not same_origin(following, base):
        raise Unreadable("gives a further page on another server, which is not followed")
    return following


def _joined(url: str, other: str) -> str:
    """An absolute link as it is, a relative one made absolute; what is no URL is on no server."""
    try:
        return other if urlsplit(other).scheme else urljoin(url, other)
    except ValueError:
        return ""


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
        return NOT_IN_TIME
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
