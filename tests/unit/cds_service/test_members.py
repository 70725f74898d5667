"""A hook request taken apart: the same members as a plain JSON decoder finds, and no name guessed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.hooks.members import request_members
from cds_service.json_members import Malformed

NAMES = st.sampled_from(["prefetch", "hook", "context", "observations", 'a "quoted" name', "\\", "é", ""]) | st.text()
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=5)
LAYOUTS = st.sampled_from([{"indent": 2}, {"separators": (",", ":")}, {"ensure_ascii": False}])


def written(value: Any, layout: dict[str, Any]) -> bytes:
    return json.dumps(value, **layout).encode(errors="replace")


@given(OBJECTS, st.none() | OBJECTS, LAYOUTS, st.booleans())
def test_members_are_those_of_a_plain_decoder(
    others: dict[str, Any], prefetch: dict[str, Any] | None, layout: dict[str, Any], first: bool
) -> None:
    others.pop("prefetch", None)
    request = {"prefetch": prefetch} | others if first else others | {"prefetch": prefetch}
    body = written(request, layout)
    outer, inner = request_members(body)
    plain = json.loads(body)
    assert {name: json.loads(value) for name, value in inner.items()} == (plain["prefetch"] or {})
    plain["prefetch"] = None
    assert {name: json.loads(value) for name, value in outer.items()} | {"prefetch": None} == plain


@given(OBJECTS.filter(bool), OBJECTS.filter(bool), LAYOUTS, st.data())
def test_a_name_that_stands_twice_is_refused_in_the_body_and_in_prefetch(
    others: dict[str, Any], prefetch: dict[str, Any], layout: dict[str, Any], data: st.DataObject
) -> None:
    others.pop("prefetch", None)
    request = others | {"prefetch": prefetch}
    for element, members in (("", request), ("prefetch", prefetch)):
        name = data.draw(st.sampled_from(sorted(members)))
        again = written(name, layout) + b":" + written(members[name], layout) + b","
        whole = written(request, layout)
        inner = written(prefetch, layout)
        if element:
            whole = written(others | {"prefetch": 0}, layout)
            head, _, tail = whole.rpartition(b"0")
            body = head + inner.replace(b"{", b"{" + again, 1) + tail
        else:
            body = whole.replace(b"{", b"{" + again, 1)
        with pytest.raises(Malformed) as refusal:
            request_members(body)
        assert refusal.value.element == element


@pytest.mark.parametrize(
    "body",
    [
        b'{"extension": {"prefetch": {"a": 1}}, "prefetch": {"a": 1}}',
        b'{"context": {"note": "\\"prefetch\\": {"}, "prefetch": {"a": 1}}',
        b'{"pre\\u0066etch": {"a": 1}}',
        b' {"prefetch"\t:\n{"a":1} } ',
    ],
)
def test_a_prefetch_is_found_wherever_it_stands(body: bytes) -> None:
    assert request_members(body)[1] == {"a": b"1"}
