"""Terminology files (FHIR ConceptMap, ValueSet, CodeSystem as JSON): read, checked, laid over each other.

A site's folder is laid over the bundled files: an element of a ConceptMap replaces the bundled element of
the same source code and the same kind of target (equivalence ``unmatched`` or ``disjoint`` removes it), a
ValueSet of a bundled URL adds its codes (``exclude`` removes).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from fhir_mappings.terminology import spreadsheet
from fhir_mappings.terminology import systems as canonical
from fhir_mappings.terminology.check_digits import loinc_is_valid, snomed_is_valid

#: CodeSystems a ConceptMap may map to; the last is not the project's own and is checked elsewhere.
TARGETS = (
    canonical.ASSESSMENT,
    canonical.FINDING,
    canonical.NOT_ASSESSED,
    canonical.SCORE,
    canonical.INGREDIENT,
    canonical.ROUTE,
    canonical.EVENT,
    canonical.UCUM,
)
_REMOVING = frozenset({"unmatched", "disjoint", "not-related-to"})
_EQUIVALENCES = _REMOVING | {
    "relatedto",
    "related-to",
    "equivalent",
    "equal",
    "wider",
    "subsumes",
    "narrower",
    "specializes",
    "inexact",
    "source-is-narrower-than-target",
    "source-is-broader-than-target",
}


class TerminologyError(ValueError):
    """A terminology file that cannot be used: which file, which element, why."""

    def __init__(self, file: str, element: str, reason: str) -> None:
        super().__init__(f"{file}: {element}: {reason}" if element else f"{file}: {reason}")
        self.file = file
        self.element = element
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Mapped:
    """One target of a ConceptMap element: the code, the assessment it depends on, its properties."""

    code: str
    depends_on: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)


Source = tuple[str, str]


@dataclass(slots=True)
class Tables:
    """Everything the files say: code systems by URL, maps by target, value sets by id."""

    code_systems: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    maps: dict[str, dict[Source, tuple[Mapped, ...]]] = field(
        default_factory=lambda: {target: {} for target in TARGETS}
    )
    value_sets: dict[str, set[Source]] = field(default_factory=dict)


def read_tables(bundled: Path, overlay: Path | None, unverified: bool) -> Tables:
    """The bundled files with a site's folder laid over them; raises TerminologyError."""
    tables = Tables()
    files = sorted(path for path in bundled.glob("*.json") if not path.name.startswith("Questionnaire-"))
    resources = [(path.name, _decoded(path)) for path in files]
    # Code systems first: maps are checked against them.
    for _, resource in resources:
        if resource["resourceType"] == "CodeSystem":
            _add_code_system(resource, tables)
    for name, resource in resources:
        if resource["resourceType"] == "ValueSet":
            tables.value_sets.setdefault(resource["id"], set())
        if unverified or resource["id"] != "unverified":
            _add(name, resource, tables, {})
    if overlay is not None:
        _lay_over(overlay, tables)
    return tables


def overlay_files(overlay: Path) -> list[Path]:
    """The JSON and CSV files of a site's mappings folder, or the one file; raises TerminologyError if there is none."""
    if overlay.is_file():
        return [overlay]
    if not overlay.is_dir():
        raise TerminologyError(str(overlay), "", "is not a folder")
    found = sorted(path for path in overlay.rglob("*") if path.suffix.lower() in (".json", ".csv") and path.is_file())
    if not found:
        raise TerminologyError(str(overlay), "", "holds no .json and no .csv file")
    return found


def _lay_over(overlay: Path, tables: Tables) -> None:
    mapped_in: dict[tuple[str, Source, str | None], str] = {}
    for path in overlay_files(overlay):
        name = path.name if path == overlay else str(path.relative_to(overlay))
        if path.suffix.lower() == ".csv":
            _add_rows(path, name, tables, mapped_in)
        else:
            _add(name, _decoded(path, name), tables, mapped_in)


def _add_rows(path: Path, name: str, tables: Tables, mapped_in: dict[Any, str]) -> None:
    try:
        for number, group in spreadsheet.groups_of(path, TARGETS):
            _add_map(_Checked(f"{name} row {number}", {"group": [group]}, ""), tables, mapped_in)
    except spreadsheet.BadRow as bad:
        raise TerminologyError(f"{name} row {bad.row}" if bad.row else name, bad.column, bad.reason) from None
    except OSError as error:
        raise TerminologyError(name, "", f"cannot be read: {error.strerror}") from None


def _decoded(path: Path, name: str | None = None) -> dict[str, Any]:
    name = name or path.name
    try:
        found = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TerminologyError(name, "", f"cannot be read as JSON: {error}") from None
    if not isinstance(found, dict):
        raise TerminologyError(name, "", "is not a FHIR resource: no JSON object")
    if found.get("resourceType") not in ("ConceptMap", "ValueSet", "CodeSystem"):
        raise TerminologyError(name, "resourceType", "is not ConceptMap, ValueSet or CodeSystem")
    return found


def _add_code_system(resource: dict[str, Any], tables: Tables) -> None:
    codes = tables.code_systems.setdefault(resource["url"], {})
    for concept in resource.get("concept", ()):  # none where any text is a code
        properties = concept.get("property", ())
        codes[concept["code"]] = {
            "domains": " ".join(p["valueCode"] for p in properties if p["code"] == "domain"),
        }


def _add(name: str, resource: dict[str, Any], tables: Tables, mapped_in: dict[Any, str]) -> None:
    kind = resource["resourceType"]
    if kind == "ConceptMap":
        _add_map(_Checked(name, resource, ""), tables, mapped_in)
    elif kind == "ValueSet":
        _add_value_set(_Checked(name, resource, ""), tables)


@dataclass(frozen=True, slots=True)
class _Checked:
    """A JSON object with its place, whose members are read with their type checked."""

    file: str
    value: Mapping[str, Any]
    place: str

    def path(self, member: str) -> str:
        return f"{self.place}.{member}" if self.place else member

    def refuse(self, member: str, reason: str) -> TerminologyError:
        return TerminologyError(self.file, self.path(member), reason)

    def text(self, member: str) -> str | None:
        found = self.value.get(member)
        if found is not None and (not isinstance(found, str) or not found.strip()):
            raise self.refuse(member, "is not a text")
        return found

    def needed(self, member: str) -> str:
        found = self.text(member)
        if found is None:
            raise self.refuse(member, "is missing")
        return found

    def objects(self, member: str) -> Iterator[_Checked]:
        found = self.value.get(member, [])
        if not isinstance(found, list):
            raise self.refuse(member, "is not a list")
        for index, item in enumerate(found):
            place = f"{self.path(member)}[{index}]"
            if not isinstance(item, dict):
                raise TerminologyError(self.file, place, "is not an object")
            yield _Checked(self.file, item, place)

    def object(self, member: str) -> _Checked:
        found = self.value.get(member, {})
        if not isinstance(found, dict):
            raise self.refuse(member, "is not an object")
        return _Checked(self.file, found, self.path(member))


def _add_map(resource: _Checked, tables: Tables, mapped_in: dict[Any, str]) -> None:
    for group in resource.objects("group"):
        source = canonical.canonical_system(group.needed("source").split("|")[0]) or ""
        target = canonical.canonical_system(group.needed("target").split("|")[0]) or ""
        if target not in TARGETS:
            raise group.refuse("target", f"{target} is not a code system that this project reads")
        for element in group.objects("element"):
            code = _code(element, source)
            found = [(checked, _mapped(checked, target, tables)) for checked in element.objects("target")]
            for checked, mapped in found:
                depends_on = mapped.depends_on if mapped else None
                _refuse_second(checked, (target, (source, code), depends_on), mapped, mapped_in)
            if found:
                # An element without a target is one of a template that is not filled in.
                tables.maps[target][source, code] = tuple(mapped for _, mapped in found if mapped)


def _refuse_second(
    checked: _Checked,
    key: tuple[str, Source, str | None],
    mapped: Mapped | None,
    mapped_in: dict[Any, str],
) -> None:
    """Within one folder a code has one meaning; which file counted would depend on its name."""
    meaning = mapped.code if mapped else ""
    if mapped_in.setdefault(key, meaning) != meaning:
        raise checked.refuse("code", f"{key[1][1]} is mapped twice, to {mapped_in[key]} and to {meaning}")


def _code(element: _Checked, system: str) -> str:
    code = element.needed("code")
    if code != code.strip():
        raise element.refuse("code", f"{code!r} has blanks around it")
    if system == canonical.LOINC and not loinc_is_valid(code):
        raise element.refuse("code", f"{code} is no LOINC code: its check digit is wrong")
    if system == canonical.SNOMED and not snomed_is_valid(code):
        raise element.refuse("code", f"{code} is no SNOMED CT code: its check digit is wrong")
    return code


def _mapped(target: _Checked, system: str, tables: Tables) -> Mapped | None:
    equivalence = target.text("equivalence") or target.text("relationship")
    if equivalence is None or equivalence not in _EQUIVALENCES:
        raise target.refuse("equivalence", "is missing or not a code of concept-map-equivalence")
    if equivalence in _REMOVING:
        return None
    code = target.needed("code")
    known = tables.code_systems.get(system)
    if known is not None and code not in known:
        raise target.refuse("code", f"{code} is not a code of {system}")
    depends_on = None
    for dependency in target.objects("dependsOn"):
        if dependency.text("property") == canonical.ASSESSMENT:
            depends_on = dependency.needed("value")
            if depends_on not in tables.code_systems[canonical.ASSESSMENT]:
                raise dependency.refuse("value", f"{depends_on} is not a code of {canonical.ASSESSMENT}")
    properties = {p.needed("property"): p.needed("value") for p in target.objects("product")}
    if properties.get(canonical.COUNTS, "yes") not in ("yes", "by-route", "no"):
        raise target.refuse("product", "counts is not yes, by-route or no")
    return Mapped(code, depends_on, properties)


def _add_value_set(resource: _Checked, tables: Tables) -> None:
    name = resource.needed("url").split("|")[0].rpartition("/")[2]
    members = tables.value_sets.get(name)
    if members is None or resource.value["url"].split("|")[0] != f"{canonical.BASE}/ValueSet/{name}":
        raise resource.refuse("url", "is not a value set of this project")
    compose = resource.object("compose")
    for include in compose.objects("include"):
        members.update(_members(include))
    for exclude in compose.objects("exclude"):
        members.difference_update(_members(exclude))


def _members(part: _Checked) -> Iterator[Source]:
    system = canonical.canonical_system(part.needed("system")) or ""
    if "filter" in part.value or "valueSet" in part.value:
        raise part.refuse("filter", "is not supported: list the concepts")
    for concept in part.objects("concept"):
        yield system, _code(concept, system)
