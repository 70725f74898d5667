"""Which pages of other origins may read our answers (CORS), and the headers that every answer carries."""

from __future__ import annotations

import re

from flask import Flask, Response, request

from cds_service.site.settings import Settings

LOCAL_ORIGIN = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?")


def add_cross_origin(app: Flask, settings: Settings, trust: str) -> None:
    """The origins that the settings name; in development trust every page of this machine as well."""

    def is_allowed(origin: str) -> bool:
        local = trust == "development" and LOCAL_ORIGIN.fullmatch(origin) is not None
        return local or origin in settings.cors_origins

    @app.after_request
    def cross_origin(response: Response) -> Response:
        response.vary.add("Origin")
        origin = request.headers.get("Origin", "")
        if origin and is_allowed(origin):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, POST, OPTIONS"
            response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Accept"
            response.headers["Access-Control-Max-Age"] = "600"
        response.headers.setdefault("Cache-Control", "no-store" if request.method == "POST" else "no-cache")
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
