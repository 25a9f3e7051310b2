# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the sizes of frames, before a session and in one, and of values that are flags."""

from collections.abc import Callable
from typing import Any

import pytest
from hosts.memory import Host
from hosts.network import membership

from firmware.peer import wire
from firmware.sessions import WRONG_PROOF, hosts
from ndks_emulator import MemoryUnit
from ndks_protocol import commands, errors, framing
from ndks_protocol.framing import MAX_PAYLOAD, MAX_PAYLOAD_BEFORE_SESSION
from ndks_protocol.session import OVERHEAD
from ndks_unit import dispatcher
from ndks_unit.state import State

MAX_BODY = MAX_PAYLOAD - OVERHEAD


@pytest.mark.parametrize("wrong", [2, 3, 128, 255])
def test_a_flag_is_0_or_1(laptop: Host, wrong: int) -> None:
    """With any other value nothing changes."""
    laptop.open()
    assert laptop.session
    before = laptop.unit.flash.images
    header = wire(2, 1)
    for command, values in [
        (commands.UNLOCK, (laptop.session.kek, 7, wrong)),
        (commands.ACKNOWLEDGE, (0, 1, wrong)),
        (commands.ACCEPT, (header, wrong)),
        (commands.CLOSE, (wrong,)),
        (commands.OPEN_BEGIN, (header, 8 | wrong)),
        (commands.OPEN_KEYS, (header, 8 | wrong)),
    ]:
        assert laptop.code(command, *values) == errors.RANGE
    handle, *_ = laptop.ask(commands.OPEN_BEGIN, header, 0)
    assert laptop.code(commands.OPEN_CHUNK, handle, 0, wrong, bytes(40)) == errors.AUTH
    laptop.ask(commands.SEAL_BEGIN, b"token  1", 0, 0, bytes(8))
    reserved = laptop.unit.flash.images
    assert laptop.code(commands.SEAL_CHUNK, b"token  1", 0, wrong, b"data") == errors.RANGE
    assert laptop.unit.flash.images == reserved != before
    assert laptop.ask(commands.NEXT_INDEX) == (0, 1)


class TestSizes:
    @pytest.mark.parametrize("size", [MAX_PAYLOAD_BEFORE_SESSION, MAX_PAYLOAD_BEFORE_SESSION + 1])
    @pytest.mark.parametrize("after", ["start", "opening", "wrong proof", "close", "disconnect", "hello", "altered"])
    def test_nobody_sends_long_frames_before_a_session(self, laptop: Host, size: int, after: str) -> None:
        def close() -> None:
            laptop.open()
            laptop.ask(commands.CLOSE, 0)

        def leave() -> None:
            laptop.open()
            laptop.disconnect()

        def greet() -> None:
            laptop.open()
            laptop.hello()

        def alter() -> None:
            laptop.open()
            laptop.send(commands.STATUS, bytes(24))

        befores: dict[str, Callable[[], object]] = {
            "start": lambda: None,
            "opening": laptop.begin,
            "wrong proof": lambda: (laptop.begin(), laptop.code(commands.PROVE, WRONG_PROOF)),
            "close": close,
            "disconnect": leave,
            "hello": greet,
            "altered": alter,
        }
        befores[after]()
        dropped = laptop.firmware.state.dropped_frames
        frames = laptop.answers(framing.encode(0x7E, 1, bytes(size)))
        if size > MAX_PAYLOAD_BEFORE_SESSION:
            assert (frames, laptop.firmware.state.dropped_frames) == ([], dropped + 1)
        else:
            assert frames[0].payload == errors.UNKNOWN_COMMAND.to_bytes(2)

    def test_a_blank_unit_takes_long_frames_in_a_session_only(self) -> None:
        """PROVISION may have more than 128 bytes."""
        laptop = Host()
        assert laptop.answers(framing.encode(0x7E, 1, bytes(MAX_PAYLOAD_BEFORE_SESSION + 1))) == []
        longest = membership(name="n" * 32, p1="0." + "5" * 78, p2="25." + "7" * 77)
        request = commands.PROVISION.request.pack(*longest)
        assert len(request) > MAX_PAYLOAD_BEFORE_SESSION
        laptop.ask(commands.PROVISION, *longest)
        assert laptop.answers(framing.encode(commands.PROVISION.code, 1, request)) == []
        assert laptop.firmware.state.dropped_frames == 2

    @hosts
    def test_the_longest_bodies_both_ways(self, bound: MemoryUnit, kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        laptop = Host(bound.clone(), kind, opens=False)
        laptop.open()
        taken: list[bytes] = []

        def echo(state: State, token: bytes, number: int, last: int, data: Any) -> tuple[bytes]:
            taken.append(bytes(data))
            return (bytes(data) + bytes(MAX_BODY - len(data)),)

        monkeypatch.setitem(dispatcher.HANDLERS, commands.SEAL_CHUNK.code, echo)
        for size in (*range(MAX_BODY - 13 - 34, MAX_BODY - 13), MAX_BODY - 13):
            data = bytes(range(251)) * 5
            (answered,) = laptop.ask(commands.SEAL_CHUNK, bytes(8), 0, 1, data[:size])
            assert answered == data[:size] + bytes(MAX_BODY - size)
            assert taken.pop() == data[:size]

    def test_an_answer_that_is_too_long_is_internal_and_ends_nothing(
        self, laptop: Host, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        laptop.open()
        for more in (1, 16, 17, 100, 2000):
            monkeypatch.setitem(
                dispatcher.HANDLERS, commands.KEY_CHUNK.code, lambda state, *_, more=more: (bytes(MAX_BODY + more),)
            )
            assert laptop.code(commands.KEY_CHUNK, 0, 1, 0, 1) == errors.INTERNAL
        assert laptop.ask(commands.NEXT_INDEX) == (0, 1)
