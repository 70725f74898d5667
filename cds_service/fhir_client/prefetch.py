"""What a patient's prefetch would hold, fetched from her FHIR server: searches side by side until the deadline.

Servers ignore parameters they do not know, answer 200 and nothing for what they do not offer, and search by some
codes only. So everything found is filtered again where it is read, and an empty answer is taken for "none" only
where the server's own CapabilityStatement or a second, wider search bears it out.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from cds_service.fhir_client.capabilities import capabilities
from cds_service.fhir_client.client import GONE, FhirClient, Search
from cds_service.fhir_client.deadlines import NOT_IN_TIME, side_by_side
from cds_service.fhir_client.medications import MedicationReads
from cds_service.fhir_client.pages import Unreadable, resource_of
from cds_service.fhir_client.values import Prefetch, goes_on, medications_wanted

#: Statuses with which servers turn down a search that a plainer one may still answer.
TURNED_DOWN = frozenset({400, 405, 413, 414, 422, 501})
UNKNOWN_PATIENT = "The FHIR server knows no patient with this id"
_SORT = re.compile(r"&_sort=[^&]*")
#: FHIR ids, a little more freely: what could mean something else in a URL is no id.
_ID = re.compile(r"(?=.*[A-Za-z0-9])[A-Za-z0-9\-._~]{1,256}")


@dataclass(slots=True)
class Fetched:
    """prefetch: value of each key of which something could be read. reasons: for keys that could not be read,
    or not in full, why: a sentence without its full stop. searches: what was asked, by key."""

    prefetch: dict[str, bytes | None] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    searches: dict[str, list[Search]] = field(default_factory=dict)
    patient_unknown: bool = False

    def add_linked(self, linked: Fetched, given: Prefetch) -> None:
        """Adds what was fetched for another id of the same patient to the value of each key, fetched or given.

        A record that the server knows no more is no gap; nothing is added to a key of which nothing could be read.
        """
        self.searches.update({f"{key} (linked)": searches for key, searches in linked.searches.items()})
        for key, value in linked.prefetch.items():
            values = [own for own in (self.prefetch.get(key, given.get(key)), value) if own is not None]
            if key in self.prefetch or key in given or key == "medications":
                self.prefetch[key] = _together(values) if len(values) > 1 else next(iter(values), None)
        for key, reason in linked.reasons.items():
            if not linked.patient_unknown or (key != "patient" and reason != UNKNOWN_PATIENT):
                self.reasons.setdefault(key, f"{reason}; asked for a linked record of the patient")


def fetch(
    client: FhirClient,
    patient: str,
    templates: Mapping[str, str],
    given: Prefetch,
    wanted: Collection[str],
    has_infusion: Callable[[Prefetch], bool],
) -> Fetched:
    """Fetches the keys ``wanted`` and the further pages and Medications that ``given`` values leave out.

    templates: a prefetch template for each key, as discovery publishes it. given: the prefetch of the call.
    has_infusion: whether a CAR-T infusion can be read from a prefetch. Returns within the client's deadline.
    """
    fetched = Fetched()
    if not _ID.fullmatch(patient):
        fetched.reasons = dict.fromkeys(wanted, "The FHIR server was not asked, because the patient's id is no FHIR id")
        return fetched
    keys = [_Key(client, patient, key, templates[key]) for key in templates if key in wanted]
    further = [key for key in templates if key not in wanted and goes_on(given.get(key))]
    keys += [_Key(client, patient, key, "", page=given[key]) for key in further]
    undone = side_by_side({key.name: key.run for key in keys}, client.deadline)
    for key in keys:
        key.store(fetched, undone.get(key.name))
    _second_look(client, patient, given, fetched, has_infusion)
    _patient_or_nothing(fetched)
    return fetched


class _Key:
    """One prefetch key being fetched, in one thread; ``store`` takes what there is at the deadline."""

    def __init__(self, client: FhirClient, patient: str, name: str, template: str, page: bytes | None = None) -> None:
        self.name, self.client, self.page = name, client, page
        self.query = _SORT.sub("", template.replace("{{context.patientId}}", patient))
        self.plain = f"{self.query.partition('?')[0]}?patient={patient}"
        self.searches: list[Search] = []
        self.resource: bytes | None = None

    def run(self) -> None:
        if self.page is not None:
            self._go_on(self.page)
        elif "?" in self.query:
            self._search()
        else:
            self._read()

    def store(self, fetched: Fetched, undone: str | None) -> None:
        """undone: why this task was not done, None if it was."""
        last = self.searches[-1] if self.searches else Search(self.query)
        # What a task that was cut off says of itself is what cutting it off looked like to it.
        cut = undone or last.cut
        fetched.searches[self.name] = self.searches
        if self.resource is not None:
            fetched.prefetch[self.name] = self.resource
        elif last.pages:
            fetched.prefetch[self.name] = last.bundle()
        else:
            cut = cut or NOT_IN_TIME
        if cut is not None:
            asked = f"The FHIR server, asked for {_kind(self.query) or self.name}, {cut}"
            fetched.reasons[self.name] = f"{asked}; part is missing" if last.pages else asked
        if self.name == "patient" and last.status in GONE:
            fetched.patient_unknown = True

    def _search(self) -> None:
        first = self._run(self.query)
        narrow = "&code=" in self.query
        empty_procedures = narrow and self.query.startswith("Procedure?") and first.cut is None and not first.matches
        if (first.status in TURNED_DOWN and not first.pages) or empty_procedures:
            second = self._run(self.plain)
            if second.cut is not None and not second.pages and empty_procedures:
                # The coded search did answer: nothing. That the wider one failed takes nothing back.
                self.searches.append(first)

    def _run(self, query: str) -> Search:
        found = Search(query)
        self.searches.append(found)
        self.client.search(found)
        return found

    def _read(self) -> None:
        found = Search(self.query)
        self.searches.append(found)
        started = time.monotonic()
        try:
            read = self.client.read(self.query)
            found.types.append(resource_of(read))
            found.size = len(read)
            self.resource, found.cut = read, None
        except Unreadable as error:
            found.cut, found.status = error.reason, error.status
        found.seconds = time.monotonic() - started

    def _go_on(self, page: bytes) -> None:
        found = Search(self.name)
        self.searches.append(found)
        self.client.go_on(found, page)


def _second_look(
    client: FhirClient, patient: str, given: Prefetch, fetched: Fetched, has_infusion: Callable[[Prefetch], bool]
) -> None:
    """Whether empty means none, and the Medications that administrations refer to."""
    tasks: dict[str, Callable[[], None]] = {}
    observed = [key for key in fetched.prefetch if key.startswith("observations")]
    wider: list[Search] = []
    if observed and not any(_last(fetched, key).matches for key in observed) and _complete(fetched, observed):
        infused = has_infusion({**given, **fetched.prefetch})
        tasks["observations"] = partial(_look_wider, client, f"Observation?patient={patient}", infused, wider)
    given_doses = _is_empty_and_complete(fetched, "medicationAdministrations")
    doubt = ["the question whether it offers this was not answered in time"]
    if given_doses:
        tasks["capabilities"] = partial(_doubt_of, client, "MedicationAdministration", doubt)
    references = medications_wanted({**given, **fetched.prefetch}, client.base)
    reads = MedicationReads(client, references)
    tasks.update(reads.tasks())
    if not tasks:
        return
    undone = side_by_side(tasks, client.deadline)
    if wider or "observations" in undone:
        _store_wider(fetched, observed, wider, undone.get("observations"))
    if given_doses and doubt:
        key = "medicationAdministrations"
        del fetched.prefetch[key]
        fetched.reasons[key] = f"The FHIR server, asked for MedicationAdministration, found nothing, and {doubt[0]}"
    medications = reads.found(given.get("medications"), undone)
    if medications is not None:
        fetched.searches["medications"] = [medications]
        fetched.prefetch["medications"] = medications.bundle()
        if medications.cut is not None:
            asked = "The FHIR server, asked for each Medication"
            fetched.reasons["medications"] = f"{asked}, {medications.cut}; some are missing"


def _look_wider(client: FhirClient, query: str, infused: bool, wider: list[Search]) -> None:
    """The plain search for observations, where a patient was infused or the server does not search by code.

    wider: gets the search, if it is made.
    """
    offered = capabilities(client)
    if infused or offered is None or "code" not in offered.get("Observation", ()):
        wider.append(Search(query))
        client.search(wider[0])


def _store_wider(fetched: Fetched, observed: list[str], wider: list[Search], undone: str | None) -> None:
    fetched.searches[observed[0]].extend(wider)
    if wider and wider[0].pages:
        fetched.prefetch[observed[0]] = wider[0].bundle()
    cut = undone or (wider[0].cut if wider else None)
    if cut is not None:
        fetched.reasons[observed[0]] = (
            f"The FHIR server, asked for Observation by code, found nothing, and asked for all of them, {cut}"
        )


def _doubt_of(client: FhirClient, resource_type: str, doubt: list[str]) -> None:
    """Leaves in ``doubt`` why an empty answer is not taken for "none"; nothing if it may be."""
    offered = capabilities(client)
    if offered is None:
        doubt[:] = ["what it offers could not be read, so that this is not taken for none"]
    elif "patient" not in offered.get(resource_type, ()):
        doubt[:] = ["its CapabilityStatement does not offer this search"]
    else:
        doubt.clear()


def _patient_or_nothing(fetched: Fetched) -> None:
    """A patient whom the server does not know has no findings to be empty."""
    observed = [key for key in fetched.prefetch if key.startswith("observations") and key in fetched.searches]
    if fetched.patient_unknown and not any(_last(fetched, key).matches for key in observed):
        for key in observed:
            del fetched.prefetch[key]
            fetched.reasons[key] = UNKNOWN_PATIENT


def _together(values: Iterable[bytes]) -> bytes:
    """Resources and Bundles, each still with all that it says of itself, as one Bundle."""
    entries = b",".join(b'{"resource":' + value + b"}" for value in values)
    return b'{"resourceType":"Bundle","type":"collection","entry":[' + entries + b"]}"


def _last(fetched: Fetched, key: str) -> Search:
    searches = fetched.searches[key]
    return searches[-1] if searches else Search(key)


def _complete(fetched: Fetched, keys: Iterable[str]) -> bool:
    return not any(key in fetched.reasons for key in keys)


def _is_empty_and_complete(fetched: Fetched, key: str) -> bool:
    return key in fetched.prefetch and _complete(fetched, [key]) and not _last(fetched, key).matches


def _kind(query: str) -> str:
    return query.partition("?")[0].partition("/")[0]
