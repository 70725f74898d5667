"""From the text of a policy file to checked settings: what a site may override, and how far.

The bundled file states every threshold with unit, citation and safe range; an override file states values.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from icans.policy.policy import Policy, PolicyEntry, PolicyError

Checked = TypeVar("Checked", bound=BaseModel)
#: Seconds of each unit of time in a policy file (UCUM codes; "a" counts years of age and is no duration).
SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
#: What an override may say about a setting next to its value; anything else must be as in the bundled file.
CHANGEABLE = frozenset({"value", "citation", "reason", "notes"})


class Source(BaseModel):
    """A published source: how it is named in a sentence, and in full."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    short: str
    full: str


class Setting(BaseModel):
    """One entry of a policy file. value is a number, text, truth value, list or table, in ``unit``."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    meaning: str
    value: Any
    unit: str
    citation: str
    overridable: bool
    reason: str = ""
    minimum: int | Decimal | None = None
    maximum: int | Decimal | None = None
    choices: list[str] = []
    notes: list[str] = []


def parse_toml(text: str) -> dict[str, Any]:
    """A TOML text with exact decimals; PolicyError if it is not TOML."""
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, ArithmeticError, RecursionError) as error:
        raise PolicyError("", f"not a TOML file: {error}") from error


def load_policy(default_text: str, table: Mapping[str, Any], override_text: str | None = None) -> Policy:
    """The policy of the bundled TOML text, with a site's TOML text laid over it.

    table: the grading table as code states it, by setting (``icans.grading.astct.table_in_force``). Raises
    PolicyError for a text that is not TOML, an unknown setting, one that cannot be overridden, a value of the wrong
    kind or outside its safe range.
    """
    return PolicyFile(default_text, table, override_text).compiled()


def policy_entries(
    default_text: str, table: Mapping[str, Any], override_text: str | None = None
) -> tuple[PolicyEntry, ...]:
    """Every setting in force with its citation, in the order of the bundled file; called like load_policy."""
    return PolicyFile(default_text, table, override_text).entries()


class PolicyFile:
    """The settings in force: the bundled ones, overridden by those of a site's file if there is one.

    table: the values that code states, by setting; overridden: keys whose value differs from the bundled one.
    """

    def __init__(self, default_text: str, table: Mapping[str, Any], override_text: str | None = None) -> None:
        document = parse_toml(default_text)
        self.name = str(document.pop("name"))
        self.version = document.pop("version")
        self.sources = {key: checked(Source, key, table) for key, table in document.pop("sources").items()}
        self.section_of = {key: section for section, table in document.items() for key in table}
        self.in_code = table
        self.settings = {
            key: checked(Setting, key, {"value": self.in_code[key], **entry} if key in self.in_code else entry)
            for table in document.values()
            for key, entry in table.items()
        }
        self.overridden: set[str] = set()
        for key, setting in self.settings.items():
            check_value(key, setting, setting.value)
        check_together(self.settings)
        if override_text is not None:
            self.override(parse_toml(override_text))

    def override(self, document: Mapping[str, Any]) -> None:
        """Lay a site's values over the bundled ones; PolicyError names the first that cannot be taken."""
        seen: set[str] = set()
        for key, stated in self.stated(document):
            if key in seen:
                raise PolicyError(key, "stated twice")
            seen.add(key)
            setting = self.settings[key]
            if key in self.in_code and isinstance(stated, Mapping) and stated.keys() <= Setting.model_fields.keys():
                stated = {"value": setting.value, **stated}  # the bundled file states no value here
            changed = override_entry(key, setting, stated)
            if canonical(changed.value) != canonical(setting.value):
                if not setting.overridable:
                    raise PolicyError(key, "cannot be overridden")
                self.overridden.add(key)
            self.settings[key] = changed
        check_together(self.settings)

    def stated(self, document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Key and entry of every setting in an override document, at top level, under ``settings`` or in the
        sections of the bundled file."""
        for key, entry in document.items():
            if key in self.settings:
                yield key, entry
            elif key in ("settings", *self.section_of.values()) and isinstance(entry, Mapping):
                yield from self.stated(entry)
            elif key == "sources" and isinstance(entry, Mapping):
                self.sources |= {name: checked(Source, name, table) for name, table in entry.items()}
            elif key in ("name", "version"):
                if entry != getattr(self, key):
                    raise PolicyError(key, f"must be {getattr(self, key)!r} or left out; overrides keep it")
            else:
                raise PolicyError(key, "unknown setting")

    @property
    def label(self) -> str:
        """Name and version, with a fingerprint of the merged values if any differs from the bundled ones."""
        label = f"{self.name}/{self.version}"
        if not self.overridden:
            return label
        values = {key: canonical(setting.value) for key, setting in self.settings.items()}
        merged = {"name": self.name, "version": self.version, "settings": values}
        text = json.dumps(merged, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return f"{label}+{hashlib.sha256(text.encode()).hexdigest()[:8]}"

    def compiled(self) -> Policy:
        """The policy as the rules read it."""
        values = {
            field.name: COMPILE[str(field.type)](self.settings[field.name])
            for field in fields(Policy)
            if field.name != "label"
        }
        return Policy(label=self.label, **values)

    def entries(self) -> tuple[PolicyEntry, ...]:
        """Every setting for showing, in the order of the bundled file, with its sources in full."""
        return tuple(
            PolicyEntry(
                key=key,
                section=self.section_of[key],
                meaning=setting.meaning,
                value=shown(setting.value),
                unit=setting.unit,
                citation=self.cited(setting.citation, full=True),
                citation_short=self.cited(setting.citation),
                reason=self.cited(setting.reason),
                overridable=setting.overridable,
                overridden=key in self.overridden,
                minimum=setting.minimum,
                maximum=setting.maximum,
                choices=tuple(setting.choices),
                notes=tuple(self.cited(note) for note in setting.notes),
            )
            for key, setting in self.settings.items()
        )

    def cited(self, text: str, full: bool = False) -> str:
        """A text with the keys of its sources replaced by their names."""

        def name(match: re.Match[str]) -> str:
            source = self.sources.get(match.group())
            if source is None:
                return match.group()
            return source.full if full else source.short

        return re.sub(r"\b[a-z]+\d{4}\b", name, text)


def checked(model: type[Checked], key: str, table: Any) -> Checked:
    """``table`` as a model; PolicyError names the field that is wrong."""
    try:
        return model.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join([key, *map(str, first["loc"])])
        raise PolicyError(place, first["msg"]) from error


def override_entry(key: str, setting: Setting, stated: Any) -> Setting:
    """The setting with what a site states for it: a bare value, or a table with ``value``."""
    if not isinstance(stated, Mapping) or isinstance(setting.value, Mapping) and "value" not in stated:
        stated = {"value": stated}
    if "value" not in stated:
        raise PolicyError(key, "states no value")
    merged = checked(Setting, key, {**setting.model_dump(), **stated})
    for field in stated:
        if field not in CHANGEABLE and getattr(merged, field) != getattr(setting, field):
            raise PolicyError(key, f"{field} cannot be changed, it is {canonical(getattr(setting, field))!r}")
    check_value(key, setting, merged.value)
    return merged


def check_value(key: str, setting: Setting, value: Any) -> None:
    """PolicyError unless ``value`` is of the setting's kind and within its safe range."""
    kind = kind_of(setting.value)
    if kind_of(value) != kind:
        raise PolicyError(key, f"must be {kind}, not {canonical(value)!r}")
    for part in value if isinstance(value, list) else [value]:
        if setting.choices and part not in setting.choices:
            raise PolicyError(key, f"must be one of {', '.join(setting.choices)}, not {part!r}")
        low, high = setting.minimum, setting.maximum
        if (low is not None and part < low) or (high is not None and part > high):
            raise PolicyError(key, f"must be between {low} and {high} {setting.unit}, not {part}")


TRUTH, NUMBER, TEXT, TABLE = "true or false", "a number", "a text", "a table"
NUMBERS, TEXTS = "a list of numbers", "a list of texts"
#: Numbers that count something: years, days, grades.
WHOLE = {field.name for field in fields(Policy) if field.type == "int"}


def kind_of(value: Any) -> str:
    """What sort of value this is, as a person would say it."""
    if isinstance(value, bool):
        return TRUTH
    if isinstance(value, int | Decimal):
        return NUMBER if Decimal(value).is_finite() else "not finite"
    if isinstance(value, str):
        return TEXT
    if isinstance(value, list):
        kinds = {kind_of(part) for part in value}
        return {NUMBER: NUMBERS, TEXT: TEXTS}.get(kinds.pop(), "a list") if len(kinds) == 1 else "a list"
    return TABLE if isinstance(value, Mapping) else type(value).__name__


def check_together(settings: Mapping[str, Setting]) -> None:
    """PolicyError where settings contradict each other."""
    tiers = settings["tiers"].value
    if sorted(set(tiers)) != tiers:
        raise PolicyError("tiers", "must rise from tier to tier")
    if len(settings["tier_indicators"].value) != len(tiers):
        raise PolicyError("tier_indicators", f"must name one indicator for each of the {len(tiers)} tiers")
    if seconds(settings["evaluation_late"]) < seconds(settings["evaluation_due"]):
        raise PolicyError("evaluation_late", "must not lie before evaluation_due")
    if seconds(settings["ice_item_window"]) > seconds(settings["combination_window"]):
        raise PolicyError("ice_item_window", "must not be longer than combination_window")
    if settings["bridging_dose"].value > settings["qualifying_dose"].value:
        raise PolicyError("bridging_dose", "must not be more than qualifying_dose")
    for key in WHOLE & settings.keys():
        if settings[key].value != int(settings[key].value):
            raise PolicyError(key, f"must be a whole number, not {settings[key].value}")


def seconds(setting: Setting) -> Fraction:
    """A duration in seconds, exactly."""
    return Fraction(setting.value) * SECONDS[setting.unit]


def shown(value: Any) -> Any:
    """A value for showing: lists as tuples, numbers without trailing zeros."""
    if isinstance(value, list):
        return tuple(shown(part) for part in value)
    if isinstance(value, Mapping):
        return {name: shown(part) for name, part in value.items()}
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else value.normalize()
    return value


def canonical(value: Any) -> Any:
    """A value in the one form in which equal values are equal texts: 10 and 10.0 are both "10"."""
    if isinstance(value, list):
        return [canonical(part) for part in value]
    if isinstance(value, Mapping):
        return {name: canonical(part) for name, part in value.items()}
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return f"{Decimal(value).normalize():f}"
    return str(value)


#: From an entry to the value of the Policy field of that type.
COMPILE: dict[str, Any] = {
    "timedelta": lambda setting: timedelta(microseconds=round(seconds(setting) * 1_000_000)),
    "int": lambda setting: int(setting.value),
    "Decimal": lambda setting: Decimal(setting.value),
    "str": lambda setting: setting.value,
    "bool": lambda setting: setting.value,
    "dict[str, Decimal]": lambda setting: {name: Decimal(part) for name, part in setting.value.items()},
    "frozenset[str]": lambda setting: frozenset(setting.value),
    "tuple[Decimal, ...]": lambda setting: tuple(map(Decimal, setting.value)),
    "tuple[str, ...]": lambda setting: tuple(setting.value),
}
