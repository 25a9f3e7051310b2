# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of secured frames: whatever was altered, lost, replayed or in the clear ends the session."""

import pytest
from hosts.memory import Host
from hosts.network import BINDING, membership
from hosts.sessions import ReferenceSession, Said
from support.power_cuts import FULL

from firmware.sessions import OPENING, assert_ended, is_locked, values_of
from ndks_protocol import commands, errors, framing
from ndks_protocol.session import OVERHEAD
from ndks_unit import dispatcher


class TestSecuredFrames:
    def request(self, laptop: Host) -> tuple[int, int, bytes]:
        """Return kind, id and payload of the next frame, which has a body."""
        payload = laptop.secured(commands.ACKNOWLEDGE, commands.ACKNOWLEDGE.request.pack(0, 1, 0))
        return commands.ACKNOWLEDGE.code, laptop.request_id, payload

    def test_any_altered_bit_ends_the_session(self, laptop: Host) -> None:
        laptop.open()
        kind, _, payload = self.request(laptop)
        before = laptop.unit.flash.images
        for bit in range(0, 8 + 32 + 8 * len(payload), 1 if FULL else 7):
            laptop.open()
            kind, request_id, payload = self.request(laptop)
            whole = int.from_bytes(bytes([kind]) + request_id.to_bytes(4) + payload) ^ 1 << bit
            altered = whole.to_bytes(5 + len(payload))
            frame = laptop.send_frame(altered[0], int.from_bytes(altered[1:5]), altered[5:])
            assert_ended(laptop, frame)
        assert laptop.unit.flash.images == before, "and nothing was done"

    @pytest.mark.parametrize("size", [0, 1, 7, 8, 16, 23, 24, 25, 128])
    def test_frames_that_were_never_secured(self, laptop: Host, size: int) -> None:
        laptop.open()
        frame = laptop.send(commands.NEXT_INDEX, bytes(size))
        assert_ended(laptop, frame)

    @pytest.mark.parametrize("change", [-24, -17, -16, -1, 1, 16])
    def test_shorter_and_longer_ones(self, laptop: Host, change: int) -> None:
        laptop.open()
        kind, request_id, payload = self.request(laptop)
        changed = payload + bytes(change) if change > 0 else payload[:change]
        assert_ended(laptop, laptop.send_frame(kind, request_id, changed))

    def test_a_replayed_frame(self, laptop: Host) -> None:
        laptop.open()
        frame = self.request(laptop)
        assert laptop.send_frame(*frame).kind == frame[0] | framing.ANSWER
        assert_ended(laptop, laptop.send_frame(*frame))

    def test_a_frame_of_an_earlier_session(self, laptop: Host) -> None:
        laptop.open()
        frame = self.request(laptop)
        laptop.send_frame(*frame)
        laptop.open()
        assert_ended(laptop, laptop.send_frame(*frame))

    def test_reordered_frames(self, laptop: Host) -> None:
        laptop.open()
        first, second = self.request(laptop), self.request(laptop)
        assert_ended(laptop, laptop.send_frame(*second))
        assert int.from_bytes(laptop.send_frame(*first).payload) == errors.LOCKED, "it is in the clear now"

    def test_a_lost_frame(self, laptop: Host) -> None:
        laptop.open()
        self.request(laptop)
        assert_ended(laptop, laptop.send_frame(*self.request(laptop)))

    def test_a_frame_that_the_line_has_damaged_is_dropped_and_ends_the_session_with_the_next(
        self, laptop: Host
    ) -> None:
        laptop.open()
        wire = bytearray(framing.encode(*self.request(laptop)))
        wire[10] ^= 1 if wire[10] != 1 else 2
        assert laptop.answers(bytes(wire)) == []
        assert laptop.firmware.state.session.channel, "nobody but the line says so"
        assert_ended(laptop, laptop.send_frame(*self.request(laptop)))

    def test_a_reflected_answer(self, laptop: Host) -> None:
        laptop.open()
        answer = laptop.send_frame(*self.request(laptop))
        assert_ended(laptop, laptop.send_frame(answer.kind, answer.request_id, bytes(answer.payload)))
        laptop.open()
        answer = laptop.send_frame(*self.request(laptop))
        assert_ended(laptop, laptop.send_frame(commands.ACKNOWLEDGE.code, answer.request_id, bytes(answer.payload)))

    @pytest.mark.parametrize("command", commands.TABLE.values(), ids=lambda command: command.name)
    def test_a_command_in_the_clear_ends_it(self, laptop: Host, command: commands.Command) -> None:
        """HELLO also ends the session, but is answered."""
        laptop.open()
        before = laptop.unit.flash.images
        values = membership() if command is commands.PROVISION else values_of(command)
        frame = laptop.send(command, command.request.pack(*values))
        if command is commands.HELLO:
            assert frame.kind == commands.HELLO.code | framing.ANSWER
            assert is_locked(laptop)
        else:
            assert_ended(laptop, frame)
        assert laptop.unit.flash.images == before

    def test_an_unknown_command_in_the_clear_ends_it(self, laptop: Host) -> None:
        laptop.open()
        assert_ended(laptop, laptop.send_frame(0x7E, 9, b""))

    def test_a_hello_that_does_not_fit_its_layout_ends_it(self, laptop: Host) -> None:
        """One altered bit turns its kind into that of KEY_CHUNK."""
        laptop.open()
        payload = laptop.secured(commands.KEY_CHUNK, commands.KEY_CHUNK.request.pack(0, 1, 0, 32))
        laptop.send_frame(commands.HELLO.code, laptop.request_id, payload)
        assert is_locked(laptop)

    def test_errors_are_secured_and_end_nothing(self, laptop: Host) -> None:
        laptop.open()
        for command, body, code in (
            (commands.ACKNOWLEDGE, b"", errors.BAD_REQUEST),
            (commands.ACKNOWLEDGE, commands.ACKNOWLEDGE.request.pack(0, 0, 0), errors.RANGE),
            (commands.ACKNOWLEDGE, commands.ACKNOWLEDGE.request.pack(7, 1, 0), errors.EPOCH),
            (commands.PROVE, bytes(16), errors.CONFLICT),
            (commands.PROVISION, commands.PROVISION.request.pack(*membership()), errors.PROVISIONED),
        ):
            frame = laptop.send(command, laptop.secured(command, body))
            assert (frame.kind, len(frame.payload)) == (framing.ERROR, OVERHEAD + 2)
            assert laptop.channel
            assert laptop.channel.opened(frame.kind, frame.request_id, bytes(frame.payload)) == code.to_bytes(2)
        assert laptop.ask(commands.NEXT_INDEX) == (0, 1)

    def test_an_unknown_exception_is_secured_too(self, laptop: Host, monkeypatch: pytest.MonkeyPatch) -> None:
        laptop.open()
        monkeypatch.setitem(dispatcher.HANDLERS, commands.NEXT_INDEX.code, lambda state: [].pop())
        assert laptop.code(commands.NEXT_INDEX) == errors.INTERNAL
        assert laptop.status()["state"] == commands.STATE_PROVISIONED

    def test_an_opening_in_a_session_ends_it_and_is_answered(self, laptop: Host) -> None:
        """The answer is in the clear, because it begins another session."""
        laptop.open()
        frame = laptop.send(commands.OPEN_SESSION, laptop.secured(commands.OPEN_SESSION, OPENING))
        assert frame.kind == commands.OPEN_SESSION.code | framing.ANSWER
        unit_public, unit_random, unit_proof = commands.OPEN_SESSION.answer.unpack(frame.payload)
        hello = bytes(laptop.firmware.state.session.hello)
        laptop.session = ReferenceSession(BINDING, Said(hello, unit_public, unit_random))
        assert laptop.session.unit_proof == unit_proof
        laptop.channel = None
        laptop.prove()
        laptop.unlock()
        assert laptop.ask(commands.NEXT_INDEX) == (0, 1)

    def test_an_error_that_ends_the_session_is_understood(self, laptop: Host, monkeypatch: pytest.MonkeyPatch) -> None:
        """An erasure fails midway: there is no session left to secure the answer."""

        def fail(slot: int, data: bytes) -> None:
            raise OSError

        laptop.open()
        monkeypatch.setattr(laptop.unit.board, "snapshot_write", fail)
        request = commands.CONFIRMATION + laptop.unit.board.uid
        frame = laptop.send(commands.ZEROIZE, laptop.secured(commands.ZEROIZE, request))
        assert (frame.kind, bytes(frame.payload)) == (framing.ERROR, errors.STORAGE.to_bytes(2))
        assert is_locked(laptop)
