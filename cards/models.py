"""A CDS Hooks 2.0.1 response as pydantic models: what may leave this service, and nothing else.

They check responses in the tests and wherever a caller asks (``check_response``); rendering does not go
through them, as building models costs several times what the card itself does.
"""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AnyUrl,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    model_validator,
)

Text = Annotated[str, StringConstraints(min_length=1)]
Summary = Annotated[str, StringConstraints(min_length=1, max_length=139, pattern=r"^[^\r\n]*$")]
_ADDRESS = TypeAdapter(AnyUrl)


def _absolute(address: str) -> str:
    """An absolute http(s) address; ValueError otherwise."""
    parsed = _ADDRESS.validate_python(address)
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ValueError("not an absolute http or https address")
    return address


def _lower_case_uuid(value: str) -> str:
    if str(uuid.UUID(value)) != value:
        raise ValueError("not a UUID in its lower-case form")
    return value


Address = Annotated[str, AfterValidator(_absolute)]
Uuid = Annotated[str, AfterValidator(_lower_case_uuid)]


class _Element(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Coding(_Element):
    """A code of a system."""

    system: Text
    code: Text
    display: Text | None = None


class OverrideReason(Coding):
    """A reason to override a card: here the display is required."""

    display: Text


class CardSource(_Element):
    """Where the card's content comes from."""

    label: Text
    url: Address | None = None
    icon: Address | None = None
    topic: Coding | None = None


class Action(_Element):
    """One action of a suggestion; ``resource`` for create and update, ``resourceId`` for delete."""

    type: Literal["create", "update", "delete"]
    description: Text
    resource: dict[str, Any] | None = None
    resourceId: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]+/[A-Za-z0-9.-]{1,64}$")] | None = None

    @model_validator(mode="after")
    def _complete(self) -> Action:
        if self.type == "delete":
            if self.resourceId is None or self.resource is not None:
                raise ValueError("delete takes a resourceId and no resource")
        elif self.resource is None or "resourceType" not in self.resource or self.resourceId is not None:
            raise ValueError(f"{self.type} takes a whole resource and no resourceId")
        return self


class Suggestion(_Element):
    """A choice the user can accept; its actions are applied together."""

    label: Text
    uuid: Uuid
    isRecommended: bool | None = None
    actions: Annotated[list[Action], Field(min_length=1)] | None = None


class Link(_Element):
    """A link of a card; appContext only with type smart."""

    label: Text
    url: Address
    type: Literal["absolute", "smart"]
    appContext: Text | None = None
    autolaunchable: bool | None = None

    @model_validator(mode="after")
    def _context_only_for_apps(self) -> Link:
        if self.appContext is not None and self.type != "smart":
            raise ValueError("appContext belongs to smart links only")
        return self


class Card(_Element):
    """One card. This service gives every card a uuid, so that feedback is possible."""

    uuid: Uuid
    summary: Summary
    detail: Text | None = None
    indicator: Literal["info", "warning", "critical"]
    source: CardSource
    suggestions: Annotated[list[Suggestion], Field(min_length=1)] | None = None
    selectionBehavior: Literal["at-most-one", "any"] | None = None
    overrideReasons: Annotated[list[OverrideReason], Field(min_length=1)] | None = None
    links: Annotated[list[Link], Field(min_length=1)] | None = None
    extension: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _selection(self) -> Card:
        if (self.suggestions is None) != (self.selectionBehavior is None):
            raise ValueError("suggestions and selectionBehavior go together")
        recommended = sum(bool(suggestion.isRecommended) for suggestion in self.suggestions or ())
        if self.selectionBehavior == "at-most-one" and recommended > 1:
            raise ValueError("at most one suggestion can be recommended")
        return self


class Response(_Element):
    """The body of a 200 answer to a hook call: always with ``cards``."""

    cards: list[Card]
    systemActions: Annotated[list[Action], Field(min_length=1)] | None = None
    extension: dict[str, Any] | None = None


def check_response(response: dict[str, Any]) -> Response:
    """The response as a model.

    Raises pydantic.ValidationError if it is no CDS Hooks 2.0.1 response, ValueError if a member is null or
    empty (Use of JSON; ``cards`` may be empty, FHIR resources follow the same rule).
    """
    for path in _empty_members(response, ""):
        if path != ".cards":
            raise ValueError(f"{path} is null or empty")
    return Response.model_validate(response)


def _empty_members(value: Any, path: str) -> list[str]:
    if value is None or (isinstance(value, (str, list, dict)) and not value):
        return [path]
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in _empty_members(item, f"{path}.{key}")]
    if isinstance(value, list):
        return [found for place, item in enumerate(value) for found in _empty_members(item, f"{path}[{place}]")]
    return []
