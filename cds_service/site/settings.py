"""Settings of a site and of its server: defaults, an optional TOML file, environment ``ICANS_CDS_*``, options.

Each source overrides the one before it; a key or a value that is not understood is refused, never ignored.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cds_service.errors import Refusal

#: Who may call. development: anyone, so only from this machine; none: nobody; jwt: callers that can be
#: verified, and until this version can verify any, nobody.
TRUST = ("development", "none", "jwt")
KNOWN = ("issued", "effective")
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8080


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a site can set.

    zone: IANA time zone of the site ("" : none configured; UTC is used and date-times without zone count by day).
    known: "issued" (an observation is known when issued) or "effective" (migrated data: when effective).
    policy_file, mappings_folder: overrides of the bundled policy and terminology.
    mappings_by_server: base URL of a FHIR server and the mappings folder that is used, instead of mappings_folder,
    for hook calls that name this server.
    host, port: address and port to listen on; port 0 takes a free one.
    public_url: base URL under which callers reach this service, without trailing slash; "" if unknown.
    trust: one of TRUST; "" : development on a loopback address, otherwise none.
    development: development trust also beyond loopback (a container's own network), reported at each start.
    cors_origins: origins of browser clients allowed outside development trust.
    body_limit_megabytes: largest request body accepted, and most that a command takes of standard input or a pipe.
    fhir_servers: base URLs of FHIR servers that hook calls may name although their addresses are internal or
    their scheme is http; public https servers need not be named.
    fetch_seconds: how long a hook call may fetch what its prefetch lacks. answer_seconds: how long it may take in all.
    """

    zone: str = ""
    known: str = "issued"
    policy_file: Path | None = None
    mappings_folder: Path | None = None
    mappings_by_server: tuple[tuple[str, Path], ...] = ()
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    public_url: str = ""
    trust: str = ""
    development: bool = False
    cors_origins: tuple[str, ...] = ()
    body_limit_megabytes: int = 32
    fhir_servers: tuple[str, ...] = ()
    fetch_seconds: float = 2.0
    answer_seconds: float = 3.0

    @property
    def body_bytes(self) -> int:
        return self.body_limit_megabytes * 1_000_000


def load_settings(config: Path | None, environment: Mapping[str, str], options: Mapping[str, Any]) -> Settings:
    """The settings in force.

    config: a TOML file with the names of Settings as keys; None: the one that ``ICANS_CDS_CONFIG`` names, if any.
    environment: ``ICANS_CDS_`` and the upper-case name (lists separated by blanks). options: values given on the
    command line; None: not given.
    Raises Refusal naming the source and the key that cannot be used.
    """
    named = environment.get("ICANS_CDS_CONFIG", "").strip()
    if config is None and named:
        config = Path(named)
    values = _from_file(config) if config else {}
    for name in _READERS:
        text = environment.get(f"ICANS_CDS_{name.upper()}", "").strip()
        if text:
            given = text.split() if name in ("cors_origins", "fhir_servers") else text
            values[name] = _read(name, given, f"environment ICANS_CDS_{name.upper()}")
    values |= {name: _read(name, value, "option") for name, value in options.items() if value is not None}
    return replace(Settings(), **values)


def effective_trust(settings: Settings) -> str:
    """The trust in force for the address bound: development trust never reaches beyond this machine by itself."""
    if settings.trust not in ("", "development"):
        return settings.trust
    return "development" if is_loopback(settings.host) or settings.development else "none"


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _from_file(config: Path) -> dict[str, Any]:
    import tomllib

    try:
        table = tomllib.loads(config.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refusal(f"configuration {config} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refusal(f"configuration {config} is not valid TOML: {error}") from error
    unknown = sorted(set(table) - set(_READERS))
    if unknown:
        raise Refusal(f"configuration {config}: unknown key {unknown[0]!r}; known are {', '.join(sorted(_READERS))}")
    return {name: _read(name, value, f"configuration {config}") for name, value in table.items()}


def _read(name: str, value: Any, source: str) -> Any:
    try:
        return _READERS[name](value)
    except (ValueError, TypeError) as error:
        raise Refusal(f"{source}: {name} = {value!r} cannot be used: {error}") from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is expected")
    return value


def _choice(*allowed: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"one of {', '.join(allowed)} is expected")
        return str(value)

    return read


def _number(low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | str) or not low <= int(value) <= high:
            raise ValueError(f"a whole number from {low} to {high} is expected")
        return int(value)

    return read


def _seconds(low: float, high: float) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float | str) or not low <= float(value) <= high:
            raise ValueError(f"a number of seconds from {low:g} to {high:g} is expected")
        return float(value)

    return read


def _switch(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("1", "true", "yes"):
        return True
    if value in ("0", "false", "no"):
        return False
    raise ValueError("1 or 0 is expected")


def _zone(value: Any) -> str:
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(_text(value))
    except (zoneinfo.ZoneInfoNotFoundError, OSError) as error:
        raise ValueError("an IANA time zone such as Europe/Berlin is expected") from error
    return _text(value)


def _base_url(value: Any) -> str:
    text = _text(value).rstrip("/")
    if not text.startswith(("https://", "http://")):
        raise ValueError("an absolute http or https URL is expected")
    return text


def _folders_by_server(value: Any) -> tuple[tuple[str, Path], ...]:
    if not isinstance(value, dict):
        raise TypeError("a table of base URLs and folders is expected")
    return tuple((_base_url(base), Path(_text(folder))) for base, folder in sorted(value.items()))


def _origins(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError("a list of URLs is expected")
    return tuple(_base_url(origin) for origin in value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "zone": _zone,
    "known": _choice(*KNOWN),
    "policy_file": Path,
    "mappings_folder": Path,
    "mappings_by_server": _folders_by_server,
    "host": _text,
    "port": _number(0, 65535),
    "public_url": _base_url,
    "trust": _choice(*TRUST),
    "development": _switch,
    "cors_origins": _origins,
    "body_limit_megabytes": _number(1, 1024),
    "fhir_servers": _origins,
    "fetch_seconds": _seconds(0.1, 600),
    "answer_seconds": _seconds(0.1, 600),
}


def accepts(name: str) -> str:
    """What a setting takes, in the words with which another value is refused."""
    if _READERS[name] is Path:
        return "a path"
    try:
        _READERS[name](object())
    except (ValueError, TypeError) as error:
        return str(error).removesuffix(" is expected")
    raise LookupError(name)
