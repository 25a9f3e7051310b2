# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the unit's end of a session: authentication, the end of a session, and the erasure of its keys."""

from collections.abc import Callable
from typing import Any

import pytest
from hosts.memory import Host
from hosts.network import BINDING, membership
from hosts.sessions import SHARE, ProjectSession, ReferenceSession, Said
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from support.pieces import pieces
from support.power_cuts import FULL
from support.reference import load_vectors

from firmware.peer import FailingUnit, failing_unit, wire
from ndks_emulator import MemoryUnit
from ndks_protocol import commands, errors, framing
from ndks_protocol.commands import INDEX_BITS, MAX_JUMP
from ndks_protocol.framing import MAX_PAYLOAD, MAX_PAYLOAD_BEFORE_SESSION
from ndks_protocol.kdf import Mac
from ndks_protocol.session import OVERHEAD, Direction
from ndks_unit import dispatcher
from ndks_unit.board import TICKS_PERIOD
from ndks_unit.state import State

OTHER_BINDING = bytes(range(96, 128))
WRONG_KEK = bytes(32)
WRONG_PROOF = b"what a guess is!"
MAX_BODY = MAX_PAYLOAD - OVERHEAD
NEED_A_SESSION = [command for command in commands.TABLE.values() if command.needs & commands.SESSION]
LONGEST_DELAY = 60_000
OPENING = commands.OPEN_SESSION.request.pack(*SHARE)
LOW_ORDER_KEYS = [bytes.fromhex(public) for public in load_vectors("sessions")["low_order"]]

hosts = pytest.mark.parametrize("kind", [ProjectSession, ReferenceSession], ids=["project", "reference"])


@pytest.fixture
def laptop(bound: MemoryUnit) -> Host:
    laptop = Host(bound.clone(), opens=False)
    laptop.restart()
    return laptop


def values_of(command: commands.Command) -> tuple[Any, ...]:
    """Return values that match the layout."""
    samples: dict[str, Any] = {"rest": b"", "u8": 0, "u16": 1, "u32": 0, "u64": 1}
    return tuple(samples[kind] if kind in samples else bytes(int(kind[1:])) for kind in command.request.kinds)


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


def is_locked(laptop: Host) -> bool:
    state = laptop.firmware.state
    return state.session.channel is state.opened is state.sealing.current is None


def assert_ended(laptop: Host, frame: framing.Frame) -> None:
    """Check that the error answer is in the clear, and that a new session can be opened."""
    assert (frame.kind, bytes(frame.payload)) == (framing.ERROR, errors.SESSION_ENDED.to_bytes(2))
    assert is_locked(laptop)
    laptop.channel = None
    assert laptop.code(commands.NEXT_INDEX) == errors.LOCKED


ENDS: dict[str, Callable[[Host], object]] = {
    "hello": Host.hello,
    "close": lambda laptop: laptop.ask(commands.CLOSE, 0),
    "close and unplug": lambda laptop: laptop.ask(commands.CLOSE, 1),
    "disconnect": Host.disconnect,
    "altered frame": lambda laptop: laptop.send(commands.STATUS, bytes(24)),
    "command in the clear": lambda laptop: laptop.send(commands.STATUS, b""),
    "opening": lambda laptop: laptop.send(commands.OPEN_SESSION, laptop.secured(commands.OPEN_SESSION, OPENING)),
    "refused opening": lambda laptop: laptop.send(
        commands.OPEN_SESSION, laptop.secured(commands.OPEN_SESSION, bytes(48))
    ),
    "zeroize": lambda laptop: laptop.send(
        commands.ZEROIZE, laptop.secured(commands.ZEROIZE, commands.CONFIRMATION + laptop.unit.board.uid)
    ),
}
ENDS_OF_ANONYMOUS_SESSIONS = ENDS | {"provisioned": Host.provision}


class TestHandshake:
    @hosts
    def test_each_proves_to_the_other_that_it_knows_the_binding(self, bound: MemoryUnit, kind: Any) -> None:
        laptop = Host(bound.clone(), kind, opens=False)
        for _ in range(3):
            unit_proof = laptop.begin()
            assert laptop.session
            assert unit_proof == laptop.session.unit_proof
            laptop.prove()
            assert laptop.status()["state"] == commands.STATE_LOCKED, "proved, and not unlocked yet"
            laptop.unlock()
            assert laptop.status()["state"] == commands.STATE_PROVISIONED
            assert laptop.ask(commands.NEXT_INDEX) == (0, 1)
            for index in range(1, 4):
                assert len(laptop.ask(commands.KEY_CHUNK, 0, index, 0, commands.MAX_CHUNK)[0]) == commands.MAX_CHUNK
                assert laptop.code(commands.KEY_CHUNK, 1, index, 0, 32) == errors.EPOCH

    def test_both_kinds_of_hosts_get_the_same_keys(self, bound: MemoryUnit) -> None:
        keys = set()
        for kind in (ProjectSession, ReferenceSession):
            laptop = Host(bound.clone(), kind, opens=False)
            laptop.open()
            keys |= set(laptop.ask(commands.KEY_CHUNK, 0, 7, 0, 256))
        assert len(keys) == 1

    def test_the_same_request_never_looks_the_same(self, laptop: Host) -> None:
        """The answers differ too, and no number or key appears on the line."""
        seen: set[bytes] = set()
        laptop.open()
        (key,) = laptop.ask(commands.KEY_CHUNK, 0, 1, 0, 64)
        request = commands.KEY_CHUNK.request.pack(0, 1, 0, 64)
        for _ in range(2):
            laptop.open()
            for _ in range(2):
                payload = laptop.secured(commands.KEY_CHUNK, request)
                frame = laptop.send(commands.KEY_CHUNK, payload)
                assert laptop.channel
                assert laptop.channel.opened(frame.kind, frame.request_id, bytes(frame.payload)) == key
                seen |= {payload, bytes(frame.payload)}
        assert len(seen) == 8
        for payload in seen:
            for piece in (*pieces(key), request):
                assert piece not in payload

    def test_the_units_random_bytes_and_keys_differ_even_when_its_entropy_fails(
        self, laptop: Host, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(laptop.unit, "entropy", bytes)
        seen: list[bytes] = []
        for _ in range(3):
            for _ in range(4):
                seen += laptop.ask(commands.OPEN_SESSION, *SHARE)[:2]
                laptop.disconnect()
            laptop.restart()
        assert len(set(seen)) == len(seen) == 24

    def test_the_proofs_cover_what_the_unit_said_of_itself(self, laptop: Host) -> None:
        """If the host has received a modified HELLO answer, the proofs differ."""
        hello = bytearray(laptop.hello())
        unit_public, unit_random, unit_proof = laptop.ask(commands.OPEN_SESSION, *SHARE)

        def expected(**changed: bytes) -> bytes:
            said = Said(bytes(hello), unit_public, unit_random)._replace(**changed)
            return ReferenceSession(BINDING, said).unit_proof

        assert expected() == unit_proof
        for position in range(0, len(hello), 5):
            hello[position] ^= 1
            assert expected() != unit_proof
            hello[position] ^= 1
        assert expected(unit_random=bytes([unit_random[0] ^ 1]) + unit_random[1:]) != unit_proof
        same_point = unit_public[:31] + bytes([unit_public[31] ^ 0x80])
        assert expected(unit_public=same_point) != unit_proof

    def test_a_session_is_begun_again_at_any_point(self, laptop: Host) -> None:
        laptop.begin()
        laptop.begin()
        laptop.prove()
        laptop.begin()
        assert is_locked(laptop)
        laptop.open()
        laptop.open()
        assert laptop.ask(commands.NEXT_INDEX) == (0, 1)


class TestForwardSecrecy:
    def test_no_two_sessions_share_a_key(self, laptop: Host) -> None:
        """Neither the unit's ephemeral keys nor the session keys repeat, also over restarts."""
        publics, keys = set[bytes](), set[bytes]()
        for number in range(6):
            laptop.begin()
            publics.add(laptop.said.unit_public)
            keys.add(bytes(laptop.firmware.state.session._key))
            if number == 2:
                laptop.restart()
        assert len(publics) == len(keys) == 6

    def test_the_session_key_lives_until_the_proof(self, laptop: Host) -> None:
        for given in (b"", WRONG_PROOF):
            laptop.begin()
            key = laptop.firmware.state.session._key
            assert any(key)
            laptop.code(commands.PROVE, given or (laptop.session.host_proof if laptop.session else b""))
            assert key == bytes(32)
            assert laptop.firmware.state.session._key == b""

    @pytest.mark.parametrize("end", ["hello", "close", "disconnect", "case opened", "zeroize", "opening"])
    def test_the_session_key_of_an_attempt_that_is_given_up(self, laptop: Host, end: str) -> None:
        laptop.begin()
        key = laptop.firmware.state.session._key
        if end == "case opened":
            laptop.unit.case.open()
            laptop.firmware.poll()
        elif end == "zeroize":
            laptop.ask(commands.ZEROIZE, commands.CONFIRMATION, laptop.unit.board.uid)
        elif end == "opening":
            laptop.ask(commands.OPEN_SESSION, *SHARE)
        else:
            ENDS[end](laptop)
        assert key == bytes(32)

    @pytest.mark.parametrize("public", LOW_ORDER_KEYS, ids=lambda public: public[:4].hex() + public[-1:].hex())
    def test_a_public_key_of_low_order_is_refused(self, laptop: Host, public: bytes) -> None:
        laptop.open()
        frame = laptop.send(commands.OPEN_SESSION, laptop.secured(commands.OPEN_SESSION, public + bytes(16)))
        assert bytes(frame.payload) == errors.PUBLIC_KEY.to_bytes(2), "in the clear"
        assert is_locked(laptop)
        laptop.channel = None
        assert laptop.code(commands.PROVE, WRONG_PROOF) == errors.CONFLICT
        assert laptop.code(commands.OPEN_SESSION, public, bytes(16)) == errors.PUBLIC_KEY, "it is no wrong attempt"
        laptop.open()
        assert laptop.status()["wrong_attempts"] == 0


class TestBlankUnit:
    """A blank unit has sessions in which nobody authenticates."""

    @hosts
    def test_a_session_with_it(self, kind: Any) -> None:
        laptop = Host(keeps=kind, opens=False)
        for _ in range(3):
            laptop.open_anonymously()
            assert laptop.status()["state"] == commands.STATE_BLANK
            for command in NEED_A_SESSION:
                assert laptop.code(command, *values_of(command)) == errors.BLANK
            assert laptop.code(commands.UNLOCK, bytes(32), 0, 0) == errors.BLANK
            assert laptop.code(commands.PROVISION_SEALED, bytes(32), b"") == errors.NO_JOINING_KEY
        laptop.ask(commands.PROVISION, *membership())
        assert laptop.channel is None
        assert is_locked(laptop)
        laptop.open()

    def test_without_one_it_is_not_provisioned(self) -> None:
        laptop = Host(opens=False)
        for command, values in ((commands.PROVISION, membership()), (commands.PROVISION_SEALED, (bytes(32), b""))):
            assert laptop.code(command, *values) == errors.LOCKED
            laptop.begin(None)
            assert laptop.code(command, *values) == errors.LOCKED
            laptop.hello()
        assert laptop.firmware.state.binding is None

    def test_nothing_of_provisioning_is_on_the_line(self) -> None:
        laptop = Host()
        heard = bytearray()
        write, read = laptop.unit.write, laptop.unit.read

        def listen(data: bytes) -> None:
            heard.extend(data)
            write(data)

        def listen_to_the_unit() -> bytes:
            data = read()
            heard.extend(data)
            return data

        laptop.unit.write, laptop.unit.read = listen, listen_to_the_unit  # type: ignore[method-assign]
        values = membership()
        laptop.ask(commands.PROVISION, *values)
        for secret in (values[0], values[6]):
            assert not any(piece in heard for piece in pieces(secret))

    def test_wrong_proofs_neither_count_nor_delay(self) -> None:
        laptop = Host(opens=False)
        before = laptop.unit.flash.images
        for _ in range(12):
            laptop.begin(None)
            assert laptop.code(commands.PROVE, WRONG_PROOF) == errors.LOCKED
            assert laptop.code(commands.PROVE, WRONG_PROOF) == errors.CONFLICT
            assert laptop.status()["wrong_attempts"] == 0
        assert laptop.unit.flash.images == before
        laptop.open_anonymously()

    def test_no_binding_opens_it(self) -> None:
        """A binding whose A has zeros only would not, either: the labels differ."""
        laptop = Host(opens=False)
        for binding in (BINDING, bytes(32)):
            unit_proof = laptop.begin(None)
            session = ProjectSession(binding, laptop.said)
            assert session.unit_proof != unit_proof
            assert laptop.code(commands.PROVE, session.host_proof) == errors.LOCKED

    def test_an_anonymous_session_does_not_open_a_bound_unit(self, laptop: Host) -> None:
        unit_proof = laptop.begin(None)
        assert laptop.session
        assert laptop.session.unit_proof != unit_proof
        assert laptop.code(commands.PROVE, laptop.session.host_proof) == errors.LOCKED
        assert laptop.status()["wrong_attempts"] == 1

    def test_a_refused_provisioning_leaves_the_session_open(self) -> None:
        laptop = Host(opens=False)
        laptop.open_anonymously()
        assert laptop.code(commands.PROVISION, *membership(lane=0)) == errors.RANGE
        laptop.provision()

    @pytest.mark.parametrize("end", [*ENDS_OF_ANONYMOUS_SESSIONS])
    def test_its_keys_are_overwritten_when_a_session_ends(self, end: str) -> None:
        laptop = Host(opens=False)
        laptop.open_anonymously()
        channel = laptop.firmware.state.session.channel
        assert channel
        held = [key for direction in (channel._sending, channel._receiving) for key in keys_of(direction)]
        assert all(any(key) for key in held)
        ENDS_OF_ANONYMOUS_SESSIONS[end](laptop)
        assert not any(any(key) for key in held)
        assert is_locked(laptop)

    def test_an_opened_case_ends_no_anonymous_session(self) -> None:
        """There is nothing to erase; but the unit takes no membership."""
        laptop = Host(opens=False)
        laptop.open_anonymously()
        laptop.unit.case.open()
        assert laptop.code(commands.PROVISION, *membership()) == errors.TAMPERED
        assert laptop.status()["state"] == commands.STATE_TAMPERED


class TestWrongProofs:
    def attempt(self, laptop: Host, proof: bytes = WRONG_PROOF) -> None:
        """Make an attempt after the delay."""
        laptop.unit.clock.milliseconds += LONGEST_DELAY
        laptop.begin()
        with pytest.raises(errors.UnitError, match="LOCKED"):
            laptop.prove(proof)

    def test_they_are_counted_also_over_restarts_until_one_is_right(self, laptop: Host) -> None:
        for count in range(1, 8):
            self.attempt(laptop)
            assert is_locked(laptop)
            assert laptop.status()["wrong_attempts"] == count
            if count % 2:
                laptop.restart()
                assert laptop.status()["wrong_attempts"] == count
        laptop.unit.clock.milliseconds += LONGEST_DELAY
        laptop.begin()
        assert laptop.status()["wrong_attempts"] == 7
        laptop.prove()
        assert laptop.status()["wrong_attempts"] == 0
        laptop.restart()
        assert laptop.status()["wrong_attempts"] == 0

    def test_any_bit_of_a_proof_counts(self, laptop: Host) -> None:
        for bit in range(0, 128, 9):
            laptop.unit.clock.milliseconds += LONGEST_DELAY
            laptop.begin()
            assert laptop.session
            right = int.from_bytes(laptop.session.host_proof)
            assert laptop.code(commands.PROVE, (right ^ 1 << bit).to_bytes(16)) == errors.LOCKED

    def test_another_binding_proves_nothing(self, laptop: Host) -> None:
        unit_proof = laptop.begin(OTHER_BINDING)
        assert laptop.session
        assert unit_proof != laptop.session.unit_proof
        assert laptop.code(commands.PROVE, laptop.session.host_proof) == errors.LOCKED

    def test_the_units_own_proof_is_not_taken_for_the_hosts(self, laptop: Host) -> None:
        assert laptop.code(commands.PROVE, laptop.begin()) == errors.LOCKED

    def test_a_proof_is_good_for_one_session(self, laptop: Host) -> None:
        laptop.begin()
        assert laptop.session
        overheard = laptop.session.host_proof
        laptop.prove()
        for restart in (False, True):
            if restart:
                laptop.restart()
            self.attempt(laptop, overheard)

    def test_an_opening_is_good_for_one_proof(self, laptop: Host) -> None:
        laptop.begin()
        assert laptop.session
        assert laptop.code(commands.PROVE, WRONG_PROOF) == errors.LOCKED
        for proof in (WRONG_PROOF, laptop.session.host_proof):
            assert laptop.code(commands.PROVE, proof) == errors.CONFLICT
        assert laptop.status()["wrong_attempts"] == 1

    def test_without_an_opening_nothing_is_proved_and_nothing_counted(self, laptop: Host) -> None:
        def hello_only() -> None:
            laptop.hello()

        def close() -> None:
            laptop.begin()
            laptop.ask(commands.CLOSE, 0)

        def disconnect() -> None:
            laptop.begin()
            laptop.disconnect()

        def hello_after() -> None:
            laptop.begin()
            laptop.hello()

        for before in (lambda: None, hello_only, close, disconnect, hello_after, laptop.restart):
            before()
            assert laptop.code(commands.PROVE, WRONG_PROOF) == errors.CONFLICT
        assert laptop.status()["wrong_attempts"] == 0

    def test_only_a_well_formed_wrong_proof_counts(self, laptop: Host) -> None:
        before = laptop.unit.flash.images
        laptop.begin()
        for payload in (b"", bytes(15), bytes(17), bytes(128)):
            frame = laptop.send(commands.PROVE, payload)
            assert bytes(frame.payload) == errors.BAD_REQUEST.to_bytes(2)
        for command in commands.TABLE.values():
            if command not in (commands.PROVE, commands.ZEROIZE, commands.PROVISION):
                laptop.code(command, *values_of(command))
        for _ in range(20):
            laptop.hello()
            assert laptop.status()["wrong_attempts"] == 0
            laptop.code(commands.OPEN_SESSION, *SHARE)
        assert laptop.unit.flash.images == before

    def test_each_doubles_the_delay_up_to_a_minute(self, laptop: Host) -> None:
        expected = 200
        for _ in range(14):
            self.attempt(laptop)
            self.assert_delayed(laptop, expected)
            laptop.restart()
            self.assert_delayed(laptop, expected)
            expected = min(2 * expected, LONGEST_DELAY)
        assert laptop.status()["wrong_attempts"] == 14, "those that were delayed do not count"
        laptop.unit.clock.milliseconds += LONGEST_DELAY
        laptop.open()
        laptop.open()
        self.attempt(laptop)
        self.assert_delayed(laptop, 200)

    def assert_delayed(self, laptop: Host, milliseconds: int) -> None:
        for step in (0, 1, milliseconds - 2):
            laptop.unit.clock.milliseconds += step
            assert laptop.code(commands.OPEN_SESSION, *SHARE) == errors.DELAYED
            assert laptop.code(commands.PROVE, WRONG_PROOF) == errors.CONFLICT, "a delayed opening is none"
        laptop.unit.clock.milliseconds += 1
        assert laptop.code(commands.OPEN_SESSION, *SHARE) == 0

    def test_the_delay_over_the_clocks_wrap(self, laptop: Host) -> None:
        laptop.unit.clock.milliseconds = TICKS_PERIOD - LONGEST_DELAY - 100
        self.attempt(laptop)
        self.assert_delayed(laptop, 200)
        assert laptop.unit.clock.milliseconds > TICKS_PERIOD

    def test_a_full_log_keeps_nobody_out(self, laptop: Host) -> None:
        """There is no compaction before UNLOCK, but with a full log further attempts are still delayed."""
        for _ in range(140):
            self.attempt(laptop)
        assert laptop.firmware.state.log.size - laptop.firmware.state.log.used < 64
        assert laptop.unit.flash.nvm.erases == 0
        self.assert_delayed(laptop, LONGEST_DELAY)
        for restart in (False, True):
            if restart:
                laptop.restart()
            laptop.unit.clock.milliseconds += LONGEST_DELAY
            laptop.open()
            assert laptop.ask(commands.ACKNOWLEDGE, 0, 1, 0) == (2,)
        laptop.begin()
        laptop.prove()
        assert laptop.status()["wrong_attempts"] == 0


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


class TestUnlock:
    def test_before_it_there_is_nothing(self, laptop: Host) -> None:
        for proved in (False, True):
            if proved:
                laptop.begin()
                laptop.prove()
            for command in NEED_A_SESSION:
                assert laptop.code(command, *values_of(command)) == errors.LOCKED
            status = laptop.status()
            assert (status["state"], status["network"], status["lane"]) == (commands.STATE_LOCKED, "", 0)
            assert (status["network_id"], status["message_counter"]) == (bytes(8), 0)
        assert laptop.status()["wrong_attempts"] == 0, "LOCKED is no attempt"

    def test_it_needs_a_session(self, laptop: Host) -> None:
        laptop.begin()
        assert laptop.session
        for _ in range(2):
            assert laptop.code(commands.UNLOCK, laptop.session.kek, 0, 0) == errors.LOCKED
            laptop.hello()
            laptop.begin()
        assert laptop.status()["wrong_attempts"] == 0

    def test_a_wrong_key_changes_nothing_and_the_session_goes_on(self, laptop: Host) -> None:
        laptop.begin()
        laptop.prove()
        before = laptop.unit.flash.images
        for kek in (WRONG_KEK, bytes(range(32))):
            assert laptop.code(commands.UNLOCK, kek, 0, 1) == errors.KEK
            assert laptop.status()["state"] == commands.STATE_LOCKED
            assert laptop.code(commands.NEXT_INDEX) == errors.LOCKED
            assert laptop.status()["wrong_attempts"] == 0
        assert laptop.unit.flash.images == before
        laptop.unlock()
        assert laptop.ask(commands.NEXT_INDEX) == (0, 1)
        before = laptop.unit.flash.images
        assert laptop.code(commands.UNLOCK, WRONG_KEK, 0, 0) == errors.KEK
        assert laptop.code(commands.NEXT_INDEX) == errors.LOCKED, (
            "a wrong key locks the unit, so that nobody can guess it"
        )
        assert laptop.unit.flash.images == before

    def test_a_wrong_key_ruins_no_number(self, laptop: Host) -> None:
        laptop.begin()
        laptop.prove()
        laptop.code(commands.UNLOCK, WRONG_KEK, 1000, 0)
        laptop.unlock()
        assert laptop.status()["message_counter"] == 0

    def test_it_may_come_again(self, laptop: Host) -> None:
        laptop.open()
        laptop.ask(commands.ACKNOWLEDGE, 0, 1, 0)
        laptop.unlock()
        assert laptop.ask(commands.NEXT_INDEX) == (0, 2)

    @pytest.mark.parametrize("given_before", [0, 1, 64, 70])
    @pytest.mark.parametrize("minimum", [0, 1, 5, 63, 64, 65, 70, 71, 128, 1000, MAX_JUMP])
    def test_numbers_go_on_above_the_hosts_floor(self, laptop: Host, given_before: int, minimum: int) -> None:
        laptop.open()
        for token in range(given_before):
            self.seal(laptop, token)
        laptop.open(minimum=minimum)
        assert laptop.status()["message_counter"] == max(minimum, given_before)
        self.seal(laptop, 1000)
        assert laptop.status()["message_counter"] == max(minimum, given_before) + 1
        laptop.restart()
        laptop.open()
        assert laptop.status()["message_counter"] > max(minimum, given_before), "it was reserved before it was used"

    def test_a_floor_is_written_once(self, laptop: Host) -> None:
        before = laptop.unit.flash.images
        laptop.open(minimum=5000)
        written = laptop.unit.flash.images
        assert written != before
        laptop.open(minimum=5000)
        assert laptop.unit.flash.images == written

    def test_an_old_image_of_the_flash_gives_no_number_again(self, laptop: Host) -> None:
        laptop.open()
        image = laptop.unit.clone()
        for token in range(100):
            self.seal(laptop, token)
        minimum = laptop.status()["message_counter"]
        rolled_back = Host(image, opens=False)
        rolled_back.open(minimum=minimum)
        self.seal(rolled_back, 0)
        assert rolled_back.status()["message_counter"] == minimum + 1 == 101

    def test_far_ahead_needs_leave(self, laptop: Host) -> None:
        laptop.begin()
        laptop.prove()
        before = laptop.unit.flash.images
        for minimum in (MAX_JUMP + 2, (1 << INDEX_BITS) - 1):
            for _ in range(2):
                assert laptop.session
                assert laptop.code(commands.UNLOCK, laptop.session.kek, minimum, 0) == errors.TOO_FAR
                assert laptop.code(commands.NEXT_INDEX) == errors.LOCKED, "nothing was unlocked"
        assert laptop.unit.flash.images == before
        laptop.unlock(minimum=MAX_JUMP + 2, allow_jump=1)
        assert laptop.status()["message_counter"] == MAX_JUMP + 2
        laptop.open(minimum=(1 << INDEX_BITS) - 2, allow_jump=1)
        self.seal(laptop, 1)
        assert laptop.code(commands.SEAL_BEGIN, b"token  2", 0, 0, bytes(8)) == errors.RANGE

    def test_no_number_is_as_high_as_a_lane(self, laptop: Host) -> None:
        laptop.begin()
        laptop.prove()
        for minimum in (1 << INDEX_BITS, (1 << 64) - 1):
            assert laptop.session
            assert laptop.code(commands.UNLOCK, laptop.session.kek, minimum, 1) == errors.RANGE
            assert is_unlocked(laptop) is False
        laptop.unlock()

    def seal(self, laptop: Host, token: int) -> None:
        laptop.ask(commands.SEAL_BEGIN, token.to_bytes(8), 0, 0, bytes(8))


def is_unlocked(laptop: Host) -> bool:
    return laptop.firmware.state.opened is not None


def secrets_of(state: State) -> dict[str, bytearray]:
    """Return every key whose lifetime is a session."""
    assert state.session.channel
    held: dict[str, bytearray] = {"network secret": state.member.secret}
    for name in ("_sending", "_receiving"):
        direction: Direction = getattr(state.session.channel, name)
        held[f"{name} encryption key"] = direction._key
        held |= _keys_of_mac(f"{name} mac key", direction._mac)
    for name in ("_seal_tag", "_seal_key"):
        held |= _keys_of_mac(name, getattr(state.log.keys, name))
    for kind in (1, 2):
        body = state.log.body(kind)
        if body:
            held[f"record {kind}"] = body
    held |= _keys_of_mac("network secret", state.member.mac)
    held["header mask key"] = state.member.header_keys._mask_key
    held |= _keys_of_mac("header mac key", state.member.header_keys._mac)
    for name, message, tool in (
        ("sealing", state.sealing.current, "_sealer"),
        ("opening", state.incoming, "_opener"),
    ):
        if message:
            held |= {f"{name}{key}": getattr(message.keys, key) for key in ("_tag_key", "_mask_key", "aes_key")}
            held |= _keys_of_mac(f"{name} tags", getattr(message, tool)._mac)
    return held


def keys_of(direction: Direction) -> list[bytearray]:
    return [direction._key, direction._mac._inner_key, direction._mac._outer_key]


def _keys_of_mac(name: str, mac: Mac) -> dict[str, bytearray]:
    return {f"{name} inner": mac._inner_key, f"{name} outer": mac._outer_key}


class TestWhatIsLeft:
    @pytest.mark.parametrize("end", [*ENDS, "case opened"])
    def test_keys_are_overwritten_when_a_session_ends(
        self, laptop: Host, end: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        used: list[str] = []
        aes_ctr = laptop.unit.board.aes_ctr
        monkeypatch.setattr(laptop.unit.board, "aes_ctr", lambda *values: (used.append("key"), aes_ctr(*values)))
        monkeypatch.setattr(laptop.unit.board, "forget_key", lambda: used.append("no key"))
        laptop.open()
        laptop.ask(commands.TRUST, 2, bytes(range(16)))
        laptop.ask(commands.SEAL_BEGIN, bytes(8), commands.AES, 0, bytes(8))
        laptop.ask(commands.OPEN_BEGIN, wire(2, 1, cipher=commands.AES), 0)
        laptop.ask(commands.KEY_CHUNK, 0, 1, 0, 32)
        held = secrets_of(laptop.firmware.state)
        assert len(held) == 28
        assert all(any(key) for key in held.values())
        if end == "case opened":
            laptop.unit.case.open()
            laptop.firmware.poll()
        else:
            ENDS[end](laptop)
        assert {name for name, key in held.items() if any(key)} == set()
        assert used[-1] == "no key"  # a board keeps one AES object, and in it the latest key
        assert is_locked(laptop)

    def test_another_unlock_leaves_nothing_of_the_one_before(self, laptop: Host) -> None:
        laptop.open()
        held = secrets_of(laptop.firmware.state)
        laptop.unlock()
        kept = {id(key) for key in secrets_of(laptop.firmware.state).values()}
        assert {name for name, key in held.items() if any(key) and id(key) not in kept} == set()

    @pytest.mark.parametrize("end", ENDS)
    def test_the_next_session_begins_again(self, laptop: Host, end: str) -> None:
        laptop.open()
        laptop.ask(commands.SEAL_BEGIN, b"token  1", 0, 0, bytes(8))
        ENDS[end](laptop)
        laptop.channel = None
        if end == "zeroize":
            assert laptop.code(commands.NEXT_INDEX) == errors.BLANK
            return
        assert laptop.code(commands.NEXT_INDEX) == errors.LOCKED
        laptop.open()
        assert laptop.code(commands.SEAL_CHUNK, b"token  1", 0, 1, b"") == errors.CONFLICT

    def test_closing_is_answered_in_the_session(self, laptop: Host) -> None:
        laptop.open()
        assert laptop.ask(commands.CLOSE, 0) == ()
        laptop.channel = None
        assert laptop.code(commands.NEXT_INDEX) == errors.LOCKED

    def test_a_case_that_is_opened_while_a_key_is_made_gives_nothing_away(
        self, laptop: Host, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        laptop.open()

        def open_case(*_: object) -> tuple[bytes]:
            laptop.unit.case.open()
            return (b"a key" * 10,)

        monkeypatch.setitem(dispatcher.HANDLERS, commands.KEY_CHUNK.code, open_case)
        payload = laptop.secured(commands.KEY_CHUNK, commands.KEY_CHUNK.request.pack(0, 1, 0, 32))
        frame = laptop.send(commands.KEY_CHUNK, payload)
        assert (frame.kind, bytes(frame.payload)) == (framing.ERROR, errors.TAMPERED.to_bytes(2))
        assert is_locked(laptop)
        assert laptop.firmware.state.binding is None


class TestFailures:
    """A fault at any use of a primitive, for example for lack of memory: every request is still answered."""

    def laptop(self, bound: MemoryUnit) -> tuple[Host, FailingUnit]:
        unit = failing_unit(bound.flash.images)
        return Host(unit, opens=False), unit

    def test_an_unlock_that_fails_can_be_repeated_and_leaves_nothing_half_done(self, bound: MemoryUnit) -> None:
        failures = 0
        for use in range(1, 1000):
            laptop, unit = self.laptop(bound)
            laptop.begin()
            laptop.prove()
            laptop.firmware._dispatch = unit.serving(laptop.firmware._dispatch)  # type: ignore[method-assign]
            unit.fail_at(use)
            assert laptop.session
            code = laptop.code(commands.UNLOCK, laptop.session.kek, 5, 0)
            unit.fail_at(0)
            if not code:
                break
            assert code == errors.INTERNAL
            failures += 1
            status = laptop.status()
            assert laptop.code(commands.SEAL_BEGIN, bytes(8), 0, 0, bytes(8)) == (
                errors.LOCKED if status["state"] == commands.STATE_LOCKED else 0
            )
            laptop.unlock(minimum=5)
            assert laptop.status()["message_counter"] >= 5
        assert failures > 10

    def test_a_session_that_fails_ends(self, bound: MemoryUnit) -> None:
        laptop, unit = self.laptop(bound)
        laptop.firmware._answer = unit.serving(laptop.firmware._answer)  # type: ignore[method-assign]
        failures = 0
        for use in range(1, 1000):
            unit.fail_at(0)
            laptop.open()
            payload = laptop.secured(commands.NEXT_INDEX, b"")
            unit.fail_at(use)
            frame = laptop.send(commands.NEXT_INDEX, payload)
            if unit.uses_left:
                break
            failures += 1
            assert frame.kind == framing.ERROR
            assert bytes(frame.payload) in (errors.SESSION_ENDED.to_bytes(2), errors.INTERNAL.to_bytes(2))
            laptop.channel = None
            assert laptop.code(commands.NEXT_INDEX) == errors.LOCKED
        assert failures > 3


class Talks(RuleBasedStateMachine):
    """A random conversation. `stage` is the model: the expected state of the authentication."""

    def __init__(self) -> None:
        super().__init__()
        self.laptop = Host(keeps=ReferenceSession, opens=False)
        self.laptop.provision()
        self.laptop.session = self.laptop.channel = None  # that of the blank unit has ended
        self.stage = "none"  # then opened, proved, unlocked
        self.wrong = 0
        self.next_index = 1
        self.last_frame: tuple[int, int, bytes] | None = None

    @rule()
    def hello(self) -> None:
        self.laptop.hello()
        self.stage = "none"

    @rule()
    def wait(self) -> None:
        self.laptop.unit.clock.milliseconds += LONGEST_DELAY

    @rule()
    def begin(self) -> None:
        if self.wrong:
            self.wait()
        self.laptop.begin()
        self.stage = "opened"

    @rule(right=st.booleans())
    def prove(self, right: bool) -> None:
        laptop = self.laptop
        proof = laptop.session.host_proof if right and laptop.session else WRONG_PROOF
        code = laptop.code(commands.PROVE, proof)
        if self.stage != "opened":
            assert code == errors.CONFLICT
        elif right:
            assert code == 0
            laptop.channel = laptop.session
            self.stage, self.wrong = "proved", 0
        else:
            assert code == errors.LOCKED
            self.stage = "none"
            self.wrong += 1

    @rule(right=st.booleans())
    def unlock(self, right: bool) -> None:
        laptop = self.laptop
        kek = laptop.session.kek if right and laptop.session else WRONG_KEK
        code = laptop.code(commands.UNLOCK, kek, 0, 0)
        if self.stage not in ("proved", "unlocked"):
            assert code == errors.LOCKED
        else:
            assert code == (0 if right else errors.KEK)
            self.stage = "unlocked" if right else "proved"

    @rule(right=st.booleans())
    def do_all(self, right: bool) -> None:
        self.begin()
        self.prove(right=True)
        self.unlock(right=right)

    @rule()
    def acknowledge(self) -> None:
        code = self.laptop.code(commands.ACKNOWLEDGE, 0, self.next_index, 0)
        assert code == (0 if self.stage == "unlocked" else errors.LOCKED)
        self.next_index += code == 0

    @rule()
    def seal(self) -> None:
        code = self.laptop.code(commands.SEAL_BEGIN, self.next_index.to_bytes(8), 1, 0, bytes(8))
        assert code == (0 if self.stage == "unlocked" else errors.LOCKED)

    @rule(unplug=st.integers(0, 1))
    def close(self, unplug: int) -> None:
        assert self.laptop.ask(commands.CLOSE, unplug) == ()
        self.laptop.session = self.laptop.channel = None
        self.stage = "none"

    @rule()
    def disconnect(self) -> None:
        self.laptop.disconnect()
        self.stage = "none"

    @rule()
    def restart(self) -> None:
        self.laptop.restart()
        self.stage = "none"

    @rule(body=st.binary(max_size=60), kind=st.sampled_from([0, *list(commands.TABLE)[1:], 0x7E, 0xFF]))
    def say_something(self, kind: int, body: bytes) -> None:
        """Send a short frame in the clear that is neither a proof nor an erasure."""
        if kind == commands.PROVE.code and len(body) == 16:
            return
        if kind == commands.OPEN_SESSION.code and len(body) == 48:
            return
        if kind in (commands.ZEROIZE.code, commands.CLOSE.code) and len(body) in (1, 16):
            return
        frame = self.laptop.send_frame(kind, 77, body)
        if self.laptop.channel:
            assert_ended(self.laptop, frame)
            self.laptop.session = None
            self.stage = "none"

    @rule(alter=st.integers(0, 2000) | st.none())
    def replay(self, alter: int | None) -> None:
        """Repeat a frame of this session, or alter one."""
        laptop = self.laptop
        if not laptop.channel:
            return
        request_id, payload = laptop.request_id, laptop.secured(commands.STATUS, b"")
        if alter is None:
            frame = laptop.send(commands.STATUS, payload)
            assert laptop.channel.opened(frame.kind, frame.request_id, bytes(frame.payload)) is not None
        else:
            payload = (int.from_bytes(payload) ^ 1 << alter % (8 * len(payload))).to_bytes(len(payload))
        assert_ended(laptop, laptop.send_frame(commands.STATUS.code, request_id, payload))
        laptop.session = None
        self.stage = "none"

    @invariant()
    def the_unit_agrees(self) -> None:
        status = self.laptop.status()
        expected = commands.STATE_PROVISIONED if self.stage == "unlocked" else commands.STATE_LOCKED
        assert (status["state"], status["wrong_attempts"]) == (expected, self.wrong)
        assert (status["network"] == "test") is (self.stage == "unlocked")
        if self.stage == "unlocked":
            assert self.laptop.ask(commands.NEXT_INDEX) == (0, self.next_index)


Talks.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestTalks = Talks.TestCase
