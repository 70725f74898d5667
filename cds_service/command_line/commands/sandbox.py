"""``icans-cds sandbox``: a patient on a FHIR server, fetched and evaluated; and who could be looked at there."""

from __future__ import annotations

import os
from argparse import Namespace
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from cds_service.command_line.inputs import say_if_old
from cds_service.command_line.options import compiled_site, json_bytes, page_of, say, write
from cds_service.errors import DONE, NOT_AUTHORISED, NOT_FHIR, NOTHING_EVALUABLE, TRY_LATER, UNAVAILABLE, USAGE, Refusal
from cds_service.evaluation import evaluate_record, is_evaluable
from cds_service.fhir_client.capabilities import capabilities
from cds_service.fhir_client.client import FhirClient, Limits, Search
from cds_service.fhir_client.deadlines import Deadline
from cds_service.fhir_client.pages import Unreadable
from cds_service.fhir_client.prefetch import Fetched
from cds_service.hooks.access import fetch_all
from cds_service.hooks.discovery import prefetch_templates, split_template

if TYPE_CHECKING:
    from cds_service.site.site import Site
    from fhir_mappings import Terminology
    from icans import Record

TOKEN_VARIABLE = "ICANS_CDS_FHIR_TOKEN"
#: A person waits for this one: it may take longer, and read more, than a hook call.
LIMITS = Limits(pages=500, page_bytes=100_000_000, search_bytes=500_000_000)
_STARTS = frozenset({"documented-icans-grade", "car-t-infusion"})


def sandbox(options: Namespace) -> int:
    """What is on the server about one patient, what was understood of it, and the cards."""
    client = client_of(options)
    if options.patient is None:
        raise Refusal(f"name a patient with --patient ID; to see candidates: {_patients_command(client)}")
    site = compiled_site(options).of_server(client.base)
    patient = quote(options.patient.removeprefix("Patient/"), safe="")
    require_fhir(client)
    _require_patient(client, patient, options)
    templates = prefetch_templates(site.terminology)
    fetched = fetch_all(client, patient, {}, set(templates), site)
    now = datetime.now(UTC)
    record = _record(fetched, patient, site, now if options.as_of is None else None)
    say_if_old(record, options, now)
    answer = evaluate_record(record, site, options.as_of or now)
    if options.format == "json":
        from cds_service.published.result_json import evaluation_json

        result = {**evaluation_json(answer.evaluation, answer.cards), "fetched": _fetched_json(fetched)}
        write(json_bytes(result), options.output)
    else:
        from cds_service.output.text import evaluation_text

        lines = [*_fetched_lines(fetched), "", _understood(record), ""]
        write(("\n".join(lines) + "\n" + evaluation_text(answer, page_of(site, options))).encode(), options.output)
    return DONE


def sandbox_patients(options: Namespace) -> int:
    """Patients on the server with an infusion, an ICE or a documented grade."""
    client = client_of(options)
    terminology = compiled_site(options).of_server(client.base).terminology
    require_fhir(client)
    queries = [
        *split_template("Procedure?code=CODES&_count=200", terminology.relevant_codes("Procedure")),
        *split_template("Observation?code=CODES&_count=200", _starting_codes(terminology)),
    ]
    searches = [Search(query) for query in queries]
    for search in searches:
        client.search(search)
    refused = [search for search in searches if search.cut is not None]
    if refused and not any(search.matches for search in searches):
        raise Refusal(
            f"the FHIR server, asked for all patients at once, {refused[0].cut}. Many servers refuse a search that "
            "names no patient: take an id from the EHR, and name it with --patient ID.",
            status_after(refused[0]),
        )
    for search in refused:
        say(f"not all candidates are listed: the FHIR server, asked for {search.query.partition('?')[0]}, {search.cut}")
    found = _candidates(searches, terminology)
    if not found:
        raise Refusal(
            "no patient with an infusion, an ICE or a documented grade was found. Some servers answer a search that "
            f"names no patient with nothing; to try with patients of our own: icans-cds sandbox load --fhir-server "
            f"{client.base.rstrip('/')}",
            NOTHING_EVALUABLE,
        )
    if options.format == "json":
        rows = [{"patient": patient, **dict(counts)} for patient, counts in found.items()]
        write(json_bytes(rows), options.output)
    else:
        lines = [f"{patient}: {_counted(counts)}" for patient, counts in found.items()]
        write(("\n".join(lines) + "\n").encode(), options.output)
    return DONE


def status_after(error: Unreadable | Search) -> int:
    """The exit status that goes with what a FHIR server answered, or did not."""
    if error.status in (401, 403):
        return NOT_AUTHORISED
    if error.later:
        return TRY_LATER
    return UNAVAILABLE if error.status is None or error.status >= 500 else USAGE


def client_of(options: Namespace) -> FhirClient:
    """The client for the server of the command line, which is the user's own: no guard."""
    if not options.fhir_server:
        raise Refusal("name the server with --fhir-server URL, the base of its FHIR API such as http://host/fhir")
    return FhirClient(options.fhir_server, deadline=Deadline(options.timeout), token=token_of(options), limits=LIMITS)


def token_of(options: Namespace) -> str | None:
    """The token of the command line, or of the environment, where other users of the machine cannot read it."""
    token: str = options.token or os.environ.get(TOKEN_VARIABLE, "")
    token = token.strip().removeprefix("Bearer ")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise Refusal("the token cannot be used: it holds characters that no bearer token has")
    return token or None


def require_fhir(client: FhirClient) -> None:
    """Refusal unless a FHIR server answers at the base URL, with the next step."""
    base = client.base.rstrip("/")
    try:
        statement = orjson.loads(client.read("metadata"))
    except Unreadable as error:
        if error.status in (401, 403):
            return  # some servers want a token for this too; whether it is FHIR shows at the next request
        if error.status is None and not error.reason.startswith("answered with"):
            raise Refusal(
                f"{base} {error.reason}. Check the address: it is the base of the FHIR API, such as "
                "http://127.0.0.1:8080/fhir or https://host/R4",
                UNAVAILABLE,
            ) from error
        if error.later or (error.status or 0) >= 500:
            raise Refusal(f"{base} {error.reason}", status_after(error)) from error
        raise Refusal(_not_fhir(base, error.reason), NOT_FHIR) from error
    except orjson.JSONDecodeError as error:
        raise Refusal(_not_fhir(base, "answered with what is not JSON"), NOT_FHIR) from error
    if not isinstance(statement, dict) or statement.get("resourceType") != "CapabilityStatement":
        raise Refusal(_not_fhir(base, "answered without a CapabilityStatement"), NOT_FHIR)
    version = str(statement.get("fhirVersion"))
    if not version.startswith(("4", "5")):
        say(f"the server speaks FHIR {version}; R4 and R5 are read here, and much may not be understood")
    capabilities(client)


def _not_fhir(base: str, reason: str) -> str:
    return (
        f"{base} is no FHIR server: asked for {base}/metadata, it {reason}. The base of a FHIR API often ends in "
        "/fhir, /R4 or /api/FHIR/R4"
    )


def _require_patient(client: FhirClient, patient: str, options: Namespace) -> None:
    """Refusal unless the patient can be read, with the next step."""
    base = client.base.rstrip("/")
    try:
        client.read(f"Patient/{patient}")
    except Unreadable as error:
        raise Refusal(f"{base} {_next_step(error, client, patient, token_of(options))}", status_after(error)) from error


def _next_step(error: Unreadable, client: FhirClient, patient: str, token: str | None) -> str:
    if error.status == 401 and token is None:
        return f"wants a token: give one with --token T, or in the environment variable {TOKEN_VARIABLE}"
    if error.status == 401:
        return "does not accept the token (status 401): it may have expired; get a new one"
    if error.status == 403:
        return (
            "does not let this token read Patient (status 403): ask for scopes such as patient/Patient.rs "
            "patient/Observation.rs patient/MedicationAdministration.rs patient/Procedure.rs"
        )
    if error.status in (404, 410):
        return f"has no Patient/{patient}; ids are case-sensitive. To see candidates: {_patients_command(client)}"
    return f"could not be asked for Patient/{patient}: it {error.reason}"


def _patients_command(client: FhirClient) -> str:
    return f"icans-cds sandbox patients --fhir-server {client.base.rstrip('/')}"


def _record(fetched: Fetched, patient: str, site: Site, now: datetime | None) -> Record:
    from fhir_mappings import read_prefetch

    reading = read_prefetch(fetched.prefetch, patient, site.read_settings(now), fetched.reasons)
    missing = [key for key in reading.missing if key.startswith("observations")]
    told = "\n".join(_fetched_lines(fetched))
    if missing:
        reason = fetched.reasons.get(missing[0], "no observations could be read")
        searches = fetched.searches.get(missing[0]) or [Search("")]
        raise Refusal(f"{told}\nnothing can be evaluated without observations. {reason}.", status_after(searches[-1]))
    record = reading.records[f"Patient/{patient}"]
    if not is_evaluable(record):
        raise Refusal(
            f"{told}\nnothing to evaluate: no CAR-T infusion, no assessment and no steroid was found by the codes "
            "known here. Local codes need a mapping: --mappings DIR",
            NOTHING_EVALUABLE,
        )
    return record


def _fetched_lines(fetched: Fetched) -> Iterator[str]:
    yield f"  {'fetched':<26}{'resources':>10}{'pages':>7}{'kB':>9}{'seconds':>9}"
    for key, searches in fetched.searches.items():
        for search in searches:
            pages = str(search.pages) if search.pages else "-"
            size = f"{search.size / 1000:.0f}"
            yield f"  {key:<26}{search.matches:>10}{pages:>7}{size:>9}{search.seconds:>9.2f}"
        if key in fetched.reasons:
            yield f"    {fetched.reasons[key]}."


def _fetched_json(fetched: Fetched) -> list[dict[str, Any]]:
    return [
        {
            "key": key,
            "query": search.query,
            "resources": search.matches,
            "pages": search.pages,
            "bytes": search.size,
            "seconds": round(search.seconds, 3),
            "missing": fetched.reasons.get(key),
        }
        for key, searches in fetched.searches.items()
        for search in searches
    ]


def _understood(record: Record) -> str:
    numbers = {
        "infusion": len(record.infusions),
        "assessment value": len(record.observed),
        "steroid dose": len(record.doses),
        "sedative or paralytic": len(record.sedatives),
        "problem": len(record.problems),
    }
    return f"Understood: {_counted(Counter(numbers))}."


def _counted(counts: Counter[str]) -> str:
    """``1 infusion, 4 steroid doses``."""
    return ", ".join(f"{n} {name}{'' if n == 1 else 's'}" for name, n in counts.items() if n) or "nothing"


def _starting_codes(terminology: Terminology) -> list[str]:
    """Tokens of the observations that start an evaluation: ICE, documented grade, infusion."""
    tokens = []
    for token in terminology.relevant_codes("Observation"):
        system, _, code = token.partition("|")
        meaning = terminology.assessment([(system, code)]) or ""
        if meaning.startswith("ice-") or meaning in _STARTS:
            tokens.append(token)
    return tokens


def _candidates(searches: list[Search], terminology: Terminology) -> dict[str, Counter[str]]:
    """What each patient has, counted anew here: servers ignore what they do not understand of a search."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for search in searches:
        for entry in search.entries:
            resource = _object(_object(orjson.loads(entry)).get("resource"))
            kind = _kind_of(resource, terminology)
            subject = _object(resource.get("subject")).get("reference")
            if kind is not None and isinstance(subject, str) and "Patient/" in subject:
                found[subject[subject.index("Patient/") :]][kind] += 1
    return dict(sorted(found.items()))


def _object(value: Any) -> dict[str, Any]:
    """What should be a JSON object; an empty one in place of anything else that a server sends."""
    return value if isinstance(value, dict) else {}


def _kind_of(resource: dict[str, Any], terminology: Terminology) -> str | None:
    coded = _object(resource.get("code")).get("coding")
    listed = [_object(coding) for coding in coded] if isinstance(coded, list) else []
    stated = [(coding.get("system"), coding.get("code")) for coding in listed]
    codings = [(system, code) for system, code in stated if isinstance(system, str) and isinstance(code, str)]
    if resource.get("resourceType") == "Procedure" and terminology.infusion_procedure(codings):
        return "infusion"
    meaning = terminology.assessment(codings) or ""
    if meaning == "car-t-infusion":
        return "infusion"
    if meaning == "documented-icans-grade":
        return "documented grade"
    return "ICE value" if meaning.startswith("ice-") else None
