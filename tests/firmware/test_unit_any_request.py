# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the dispatcher: every request has one answer, whatever its content."""

from typing import Any

import pytest
from hosts.memory import Host, new_unit
from hypothesis import given
from hypothesis import strategies as st

from ndks_emulator import MemoryUnit
from ndks_protocol import commands, errors, framing


@pytest.mark.parametrize("is_member", [False, True])
@given(code=st.integers(0, 255), payload=st.binary(max_size=150))
def test_any_request_is_answered(bound: MemoryUnit, is_member: bool, code: int, payload: bytes) -> None:
    _answer_known(bound.clone() if is_member else new_unit(), code, payload)


@pytest.mark.parametrize("is_member", [False, True])
@given(data=st.data())
def test_any_values_are_answered(bound: MemoryUnit, is_member: bool, data: st.DataObject) -> None:
    """The payloads match the layouts, so they reach the handlers."""
    unit = bound.clone() if is_member else new_unit()
    command = data.draw(st.sampled_from(sorted(commands.TABLE.values(), key=lambda command: command.code)))
    values = [data.draw(_VALUES[kind]) for kind in command.request.kinds]
    _answer_known(unit, command.code, command.request.pack(*values))


@given(noise=st.binary(max_size=1500), cut=st.integers(0, 1500))
def test_after_any_noise_the_next_request_is_answered(bound: MemoryUnit, noise: bytes, cut: int) -> None:
    host = Host(bound.clone())
    host.answers(noise[:cut])
    host.answers(noise[cut:] + b"\0")
    assert host.ask(commands.NEXT_INDEX)[0] == 0


@given(data=st.data())
def test_any_values_are_answered_in_a_session(bound: MemoryUnit, data: st.DataObject) -> None:
    host = Host(bound.clone())
    host.open()
    command = data.draw(st.sampled_from(sorted(commands.TABLE.values(), key=lambda command: command.code)))
    try:
        host.ask(command, *[data.draw(_VALUES[kind]) for kind in command.request.kinds])
    except errors.UnitError as error:
        assert error.code in set(errors.TABLE) - {errors.INTERNAL, errors.SESSION_ENDED}  # noqa: PT017
    host.ask(commands.HELLO)
    host.restart()


_EDGES = st.sampled_from([0, 1, 2, 3, 12, 13, 255])
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "u8": _EDGES,
    "u16": _EDGES | st.sampled_from([1024, 1025, 65535]),
    "u32": _EDGES | st.integers(0, (1 << 32) - 1),
    "u64": _EDGES | st.integers(0, (1 << 64) - 1) | st.sampled_from([(1 << 48) - 1, (1 << 37) - 1, 1 << 48, 1 << 37]),
    "b8": st.binary(min_size=8, max_size=8) | st.sampled_from([commands.CONFIRMATION, bytes(8)]),
    "b16": st.binary(min_size=16, max_size=16),
    "b32": st.binary(min_size=32, max_size=32),
    "b37": st.binary(min_size=37, max_size=37) | st.binary(min_size=36, max_size=36).map(lambda rest: b"\1" + rest),
    "rest": st.binary(max_size=1040),
    "text": st.sampled_from(["0.52", "25", "-3.5", "0", "", "x", "9" * 80, "9" * 81]) | st.text(max_size=40),
}


def _answer_known(unit: MemoryUnit, code: int, payload: bytes) -> None:
    host = Host(unit)
    if len(payload) > framing.MAX_PAYLOAD_BEFORE_SESSION:
        assert host.answers(framing.encode(code, 1, payload)) == []
        return
    frame = host.send_frame(code, 1, payload)
    assert frame.kind in (code | framing.ANSWER, framing.ERROR)
    if frame.kind == framing.ERROR:
        assert len(frame.payload) == 2
        assert int.from_bytes(frame.payload) in set(errors.TABLE) - {errors.INTERNAL}
    else:
        commands.TABLE[code].answer.unpack(frame.payload)
    host.ask(commands.STATUS)
    host.restart()
