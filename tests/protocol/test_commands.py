# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the tables of commands and errors, and of the layouts of payloads."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ndks_protocol import commands, errors, fields, service, texts
from ndks_protocol.layout import Layout

COMMANDS = [*commands.TABLE.values(), *service.TABLE.values()]
LAYOUTS = [layout for command in COMMANDS for layout in (command.request, command.answer)]
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


@given(st.data(), st.sampled_from(LAYOUTS), st.integers(0, 30), st.integers(0, 30))
def test_packed_in_place_it_is_the_same(data: st.DataObject, layout: Layout, before: int, behind: int) -> None:
    values = data.draw(values_of(layout))
    payload = layout.pack(*values)
    buffer = bytearray(b"\xa5" * (before + len(payload) + behind))
    assert fields.pack_into(memoryview(buffer)[before:], layout.fields, values) == len(payload)
    assert buffer == b"\xa5" * before + payload + b"\xa5" * behind


@given(st.data(), st.sampled_from(LAYOUTS))
def test_packed_in_place_without_room_nothing_behind_it_is_touched(data: st.DataObject, layout: Layout) -> None:
    values = data.draw(values_of(layout))
    size = len(layout.pack(*values))
    room = data.draw(st.integers(0, max(size - 1, 0)), label="room")
    buffer = bytearray(b"\xa5" * (size + 10))
    if room < size:
        with pytest.raises(ValueError, match="too long"):
            fields.pack_into(memoryview(buffer)[:room], layout.fields, values)
    assert buffer[room:] == b"\xa5" * (size + 10 - room)


@given(st.data(), st.sampled_from(LAYOUTS))
def test_a_payload_unpacks_from_where_it_lies(data: st.DataObject, layout: Layout) -> None:
    values = data.draw(values_of(layout))
    assert layout.unpack(memoryview(b"--" + layout.pack(*values))[2:]) == values


@given(st.sampled_from(LAYOUTS), st.binary(max_size=200))
def test_any_payload_unpacks_or_raises_value_error(layout: Layout, payload: bytes) -> None:
    try:
        values = layout.unpack(payload)
    except ValueError:
        return
    assert layout.pack(*values) == payload


def test_fields_added_by_a_newer_minor_version_are_passed_over() -> None:
    layout = Layout(">Bt", "a b")
    assert layout.unpack(b"\1\2hi and more", allow_more=True) == (1, "hi")
    with pytest.raises(ValueError, match="after the last"):
        layout.unpack(b"\1\2hi and more")


@pytest.mark.parametrize(
    ("fields", "values"),
    [
        (">B", (256,)),
        (">B", (-1,)),
        (">H", ("1",)),
        (">Q", (1 << 64,)),
        (">4s", (b"123",)),
        (">4s", (b"12345",)),
        (">4s", ("1234",)),
        (">t", ("x" * 256,)),
        (">t", (b"x",)),
        (">*", (5,)),
        (">B", ()),
        (">B", (1, 2)),
        (">t", ()),
        (">t", ("a", "b")),
        (">*", ()),
    ],
)
def test_values_that_do_not_fit(fields: str, values: tuple[object, ...]) -> None:
    names = " ".join(f"field{number}" for number in range(len(fields.strip(">123456789"))))
    with pytest.raises(ValueError, match=r"values|long|layout"):
        Layout(fields, names).pack(*values)


def test_names_and_fields_agree() -> None:
    with pytest.raises(ValueError, match="differ"):
        Layout(">BH", "one")


def test_the_table_agrees_with_the_limits() -> None:
    headers = [
        field for layout in LAYOUTS for field in zip(layout.names, layout.kinds, strict=True) if "header" in field
    ]
    assert {kind for _, kind in headers} == {f"b{commands.WIRE_HEADER_SIZE}"}


def test_command_codes_leave_room_for_answers() -> None:
    assert all(0 < code < 0x7F for code in commands.TABLE)
    assert len({command.name for command in commands.TABLE.values()}) == len(commands.TABLE)
    assert all(commands.TABLE[command.code] is command for command in commands.TABLE.values())
    assert texts.PURPOSES.keys() == commands.TABLE.keys()


def test_commands_of_a_service_are_no_commands_of_a_unit() -> None:
    assert all(0x70 <= code < 0x7F and service.TABLE[code].code == code for code in service.TABLE)
    assert not service.TABLE.keys() & commands.TABLE.keys()
    assert not service.ERRORS.keys() & errors.TABLE.keys()
    assert service.TABLE[0x70].name == "WATCH"
    assert texts.OF_SERVICE.keys() == service.TABLE.keys()


def test_error_codes_have_distinct_names() -> None:
    assert len(set(errors.TABLE.values())) == len(errors.TABLE)
    for code, name in errors.TABLE.items():
        assert re.fullmatch("[A-Z_]+", name)
        # The name VERSION of a module constant would be ambiguous.
        assert getattr(errors, {"VERSION": "CAPSULE_VERSION"}.get(name, name)) == code


def test_an_unknown_code_keeps_its_number() -> None:
    assert errors.name_of(0xBEEF) == "UNKNOWN_BEEF"
    assert str(errors.UnitError(errors.RANGE)) == "RANGE"
