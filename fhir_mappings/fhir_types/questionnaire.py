"""QuestionnaireResponse as a lean typed decode sees it, and what each of its answers answers.

An item says what it asks by its linkId (an icans-assessment code, with anything after a dot), by its definition
(``system#code``), or by a site's map of the form's items (system: the Questionnaire's URL, code: the linkId).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.terminology import systems as canonical


class Answer(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """value[x] as far as it is read, and the items that follow from the answer."""

    value_boolean: bool | None = None
    value_decimal: Decimal | None = None
    value_integer: Decimal | None = None
    value_string: str | None = None
    value_coding: lean.Coding | None = None
    value_quantity: lean.Quantity | None = None
    item: tuple[Item, ...] | None = None


class Item(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    link_id: str | None = None
    definition: str | None = None
    text: str | None = None
    answer: tuple[Answer, ...] | None = None
    item: tuple[Item, ...] | None = None


class QuestionnaireResponse(msgspec.Struct, frozen=True, gc=False, rename="camel", kw_only=True):
    meta: lean.Meta | None = None
    questionnaire: str | None = None
    status: str | None = None
    subject: lean.Reference | None = None
    authored: str | None = None
    item: tuple[Item, ...] | None = None
    modifier_extension: msgspec.Raw = msgspec.Raw(b"")


DECODER = msgspec.json.Decoder(QuestionnaireResponse)


def items_of(response: QuestionnaireResponse) -> Iterator[tuple[lean.CodeableConcept, lean.Valued]]:
    """What each answer answers, and its value; an item of several answers comes once for each."""
    form = (response.questionnaire or "").split("|")[0]
    for item, answer in _answers(response.item or ()):
        yield _asked(item, form), _value(answer)


def _answers(items: tuple[Item, ...]) -> Iterator[tuple[Item, Answer]]:
    for item in items:
        for answer in item.answer or ():
            yield item, answer
            yield from _answers(answer.item or ())
        yield from _answers(item.item or ())


def _asked(item: Item, form: str) -> lean.CodeableConcept:
    codings = []
    if item.definition and "#" in item.definition:
        system, _, code = item.definition.partition("#")
        codings.append(lean.Coding(system=system, code=code))
    if item.link_id:
        codings.append(lean.Coding(system=canonical.ASSESSMENT, code=item.link_id.split(".")[0]))
        if form:
            codings.append(lean.Coding(system=form, code=item.link_id))
    return lean.CodeableConcept(coding=tuple(codings), text=item.text)


def _value(answer: Answer) -> lean.Valued:
    quantity = answer.value_quantity
    if answer.value_decimal is not None:
        quantity = lean.Quantity(value=answer.value_decimal)
    concept = None if answer.value_coding is None else lean.CodeableConcept(coding=(answer.value_coding,))
    return lean.Valued(
        value_quantity=quantity,
        value_codeable_concept=concept,
        value_string=answer.value_string,
        value_boolean=answer.value_boolean,
        value_integer=answer.value_integer,
    )
