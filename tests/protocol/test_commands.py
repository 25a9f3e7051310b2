# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The tables of commands and errors, and the layouts of payloads."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ndks_protocol import commands, errors, texts
from ndks_protocol.layout import Layout

LAYOUTS = [layout for command in commands.TABLE.values() for layout in (command.request, command.answer)]
_MAXIMA = {"u8": 2**8, "u16": 2**16, "u32": 2**32, "u64": 2**64}


def values_of(layout: Layout) -> st.SearchStrategy[tuple[object, ...]]:
    return st.tuples(*(_values(kind) for kind in layout.kinds))


def _values(kind: str) -> st.SearchStrategy[object]:
    if kind in _MAXIMA:
        return st.integers(0, _MAXIMA[kind] - 1)
    if kind == "text":
        return st.text(max_size=60).filter(lambda text: len(text.encode()) <= 255)
    if kind == "rest":
        return st.binary(max_size=100)
    return st.binary(min_size=int(kind[1:]), max_size=int(kind[1:]))


@given(st.data(), st.sampled_from(LAYOUTS))
def test_every_layout_survives_the_wire(data: st.DataObject, layout: Layout) -> None:
    values = data.draw(values_of(layout))
    assert layout.unpack(layout.pack(*values)) == values


@given(st.sampled_from(LAYOUTS), st.binary(max_size=200))
def test_any_payload_unpacks_or_raises_value_error(layout: Layout, payload: bytes) -> None:
    try:
        values = layout.unpack(payload)
    except ValueError:
        return
    assert layout.pack(*values) == payload


def test_fields_added_by_a_newer_minor_version_are_passed_over() -> None:
    layout = Layout("a:u8 b:text")
    assert layout.unpack(b"\1\2hi and more", allow_more=True) == (1, "hi")
    with pytest.raises(ValueError, match="after the last"):
        layout.unpack(b"\1\2hi and more")


@pytest.mark.parametrize(
    ("layout", "values"),
    [
        ("a:u8", (256,)),
        ("a:u8", (-1,)),
        ("a:u16", ("1",)),
        ("a:b4", (b"123",)),
        ("a:b4", ("1234",)),
        ("a:text", ("x" * 256,)),
        ("a:text", (b"x",)),
        ("a:rest", (5,)),
        ("a:u8", ()),
        ("a:u8", (1, 2)),
    ],
)
def test_values_that_do_not_fit(layout: str, values: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match=r"range|number|bytes|long|kind"):
        Layout(layout).pack(*values)


def test_command_codes_leave_room_for_answers() -> None:
    assert all(0 < code < 0x7F for code in commands.TABLE)
    assert len({command.name for command in commands.TABLE.values()}) == len(commands.TABLE)
    assert all(commands.TABLE[command.code] is command for command in commands.TABLE.values())


def test_error_codes_have_distinct_names_and_meanings() -> None:
    assert len(set(errors.TABLE.values())) == len(errors.TABLE)
    assert texts.MEANINGS.keys() == errors.TABLE.keys()
    assert texts.PURPOSES.keys() == commands.TABLE.keys()
    for code, name in errors.TABLE.items():
        assert re.fullmatch("[A-Z_]+", name)
        # A module's VERSION would be taken for its own.
        assert getattr(errors, {"VERSION": "CAPSULE_VERSION"}.get(name, name)) == code
        assert texts.MEANINGS[code]


def test_an_unknown_code_keeps_its_number() -> None:
    assert errors.name_of(0xBEEF) == "UNKNOWN_BEEF"
    assert str(errors.UnitError(errors.RANGE)) == "RANGE"
