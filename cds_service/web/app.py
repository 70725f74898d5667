"""The HTTP door: a Flask application over the hooks.

Every answer is JSON and every error an OperationOutcome; no path redirects; nothing of a patient's is logged.
"""

from __future__ import annotations

import gc
import logging
import os
import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, UnsupportedMediaType

from cds_service.errors import place_of
from cds_service.fhir_client.addresses import AddressRules
from cds_service.fhir_client.deadlines import Deadline
from cds_service.fhir_client.places import Places
from cds_service.hooks.access import HookFetch
from cds_service.hooks.answer import answer_hook
from cds_service.hooks.discovery import discovery
from cds_service.hooks.errors import MEDIA_TYPE, HookError, operation_outcome
from cds_service.hooks.turn import OutOfTime, Turn
from cds_service.published.schemas import SCHEMA_NAMES, schema
from cds_service.site.settings import Settings, effective_trust, load_settings
from cds_service.site.site import Site, site_of
from cds_service.site.version import VERSION
from cds_service.web.cross_origin import add_cross_origin
from cds_service.web.pages.about import about
from cds_service.web.trust.development import not_served
from fhir_mappings import AFFECTS, load_models

LOG = logging.getLogger("icans_cds")
ACCEPTED_TYPES = frozenset({"application/json", "application/fhir+json"})
REFUSED_WITHOUT_TRUST = (
    "Hook calls are refused: this version cannot verify callers, and the server was not started in development trust."
)
NOT_IN_TIME = "The call could not be answered in its time; no card was produced. Try again."
#: When a request arrived, on the monotonic clock: a member of the WSGI environment, where the server tells it.
ARRIVED = "icans_cds.arrived"
SAID = {
    404: "There is nothing at this address.",
    405: "This address does not take this method.",
    413: "The request is larger than this server accepts.",
    415: "A request body of type application/json, not compressed, is expected.",
}


class JsonResponse(Response):
    """A response that is JSON unless it says otherwise, even where it has no body (preflights)."""

    default_mimetype = "application/json"


WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def create_app(settings: Settings | None = None) -> Flask:
    """The application for these settings. Raises Refusal if settings, policy or mappings cannot be used.

    settings: None: those of the environment (``ICANS_CDS_*``; ICANS_CDS_CONFIG names a file of them), for a WSGI
    server of the site's own. The trust in force is that of the settings, whatever server runs the application; in
    development trust each request's peer and Host are asked as well.
    """
    settings = settings or load_settings(None, os.environ, {})
    site = site_of(settings)
    load_models(AFFECTS)
    trust = effective_trust(settings)
    app = Flask("icans_cds", static_folder=None)
    app.response_class = JsonResponse
    app.config["MAX_CONTENT_LENGTH"] = settings.body_bytes
    app.url_map.strict_slashes = False
    _add_services(app, site, settings, trust)
    _add_pages(app, site)
    if trust == "development":
        from cds_service.web.pages.demo import add_demo

        add_demo(app, site)
        _add_guard(app, settings)
    _add_errors(app)
    add_cross_origin(app, settings, trust)
    app.wsgi_app = plain_paths(app.wsgi_app)  # type: ignore[method-assign, assignment]
    return app


def plain_paths(application: WsgiApplication) -> WsgiApplication:
    """Takes ``//`` and trailing slashes out of paths: a redirect would break preflights and drop bodies."""

    def with_plain_path(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ["PATH_INFO"] = re.sub(r"/{2,}", "/", environ.get("PATH_INFO", "")).rstrip("/") or "/"
        return application(environ, start_response)

    return with_plain_path


def _add_services(app: Flask, site: Site, settings: Settings, trust: str) -> None:
    document = orjson.dumps(discovery(site.terminology, *site.by_server.values()))
    rules = AddressRules(configured=settings.fhir_servers, development=trust == "development")
    turn, places = Turn(), Places()

    @app.get("/cds-services")
    def list_services() -> Response:
        return _json(document)

    @app.post("/cds-services/<service_id>")
    def call_service(service_id: str) -> Response:
        if trust != "development":
            return _outcome(503, REFUSED_WITHOUT_TRUST, code="security")
        encoding = request.headers.get("Content-Encoding", "identity").lower()
        if request.mimetype not in ACCEPTED_TYPES or encoding != "identity":
            raise UnsupportedMediaType
        deadline = Deadline(settings.answer_seconds, since=request.environ.get(ARRIVED))
        body = request.get_data(cache=False)
        try:
            with turn.held(deadline) as hold:
                fetch = HookFetch(rules=rules, seconds=settings.fetch_seconds, hold=hold, places=places)
                response = _json(answer_hook(service_id, body, site, fetch=fetch))
        except OutOfTime:
            gc.enable()  # given up anywhere, also where it would have been resumed
            LOG.warning("%s was not answered in time", request.url_rule)
            response = _outcome(503, NOT_IN_TIME, code="timeout")
            response.headers["Retry-After"] = "1"
        response.headers["Cache-Control"] = "no-store"
        return response


def _add_guard(app: Flask, settings: Settings) -> None:
    @app.before_request
    def guard() -> Response | None:
        """What is public anyway (discovery, health, schemas) is answered to everybody."""
        if request.method != "OPTIONS" and request.endpoint in ("call_service", "demo", "demo_course"):
            reason = not_served(request.environ, settings)
            return _outcome(403, reason) if reason is not None else None
        return None


def _add_pages(app: Flask, site: Site) -> None:
    description = orjson.dumps(about(site))

    @app.get("/healthz")
    def healthz() -> Response:
        return _json(orjson.dumps({"status": "ok", "version": VERSION}))

    @app.get("/readyz")
    def readyz() -> Response:
        # Policy and terminology were compiled before the first request; nothing else is depended on.
        return _json(orjson.dumps({"status": "ok", "policy": site.policy.label, "mappings": site.terminology.label}))

    @app.get("/about")
    def about_service() -> Response:
        return _json(description)

    @app.get("/schemas")
    def list_schemas() -> Response:
        return _json(orjson.dumps({"schemas": [f"/schemas/{name}" for name in SCHEMA_NAMES]}))

    @app.get("/schemas/<name>")
    def one_schema(name: str) -> Response:
        name = name.removesuffix(".json")
        if name not in SCHEMA_NAMES:
            return _outcome(404, f"There is no such schema; there are {', '.join(SCHEMA_NAMES)}.")
        return _json(orjson.dumps(schema(name)), "application/schema+json")


def _add_errors(app: Flask) -> None:
    @app.errorhandler(HookError)
    def hook_refused(error: HookError) -> Response:
        # Clients show no more than that a call failed: its reason is for those who read this log.
        LOG.warning("%s answered with %d: %s", request.url_rule, error.status, error.body.decode())
        return Response(error.body, error.status, mimetype=MEDIA_TYPE)

    @app.errorhandler(HTTPException)
    def http_refused(error: HTTPException) -> Response:
        status = error.code or 500
        response = _outcome(status, SAID.get(status) or f"{HTTPStatus(status).phrase}.")
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return response

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        LOG.error("%s %s failed: %s", request.method, request.url_rule, place_of(error))
        return _outcome(500, "The evaluation failed; no card was produced. The fault was logged.")


def _json(body: bytes, media_type: str = "application/json") -> Response:
    return Response(body, mimetype=media_type)


def _outcome(status: int, diagnostics: str, code: str = "") -> Response:
    return Response(operation_outcome(status, diagnostics, code=code), status, mimetype=MEDIA_TYPE)
