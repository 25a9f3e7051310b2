# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of opening messages: refusals in their order and with their reasons, and the answers in both modes."""

import itertools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hosts.capsules import chunks_of
from hosts.network import BINDING, HYBRID

from firmware.peer import (
    HEADER_KEYS,
    RANDOM,
    Peer,
    capsule,
    clear,
    header,
    new_token,
    wire,
)
from ndks.crypto import CRYPTO
from ndks_protocol import commands, errors, framing
from ndks_protocol.binding import BindingKeys
from ndks_protocol.capsule import CHUNK, TAG_SIZE
from ndks_protocol.commands import AES, AGAIN, ALLOW_JUMP, MAX_JUMP, MAX_SENDERS, OF_CONTROL, VERNAM, WIRE_HEADER_SIZE
from ndks_protocol.kdf import Mac
from ndks_protocol.session import OVERHEAD

ID = b"id of the laptop"
OTHER_ID = b"id of some other"
OWN_LANE = 1
SENDER = 2
FAR = MAX_JUMP + 1
PAPER = 0
MAX_BODY = framing.MAX_PAYLOAD - OVERHEAD  # maximum body of a request in a session

OPENING = [commands.OPEN_BEGIN, commands.OPEN_KEYS]
TAKES_HEADERS = [*OPENING, commands.ACCEPT]

opening = pytest.mark.parametrize("command", OPENING, ids=lambda command: command.name)
takes_headers = pytest.mark.parametrize("command", TAKES_HEADERS, ids=lambda command: command.name)
modes = pytest.mark.parametrize("mode", ["a", "b"])
ciphers = pytest.mark.parametrize("cipher", [VERNAM, AES], ids=commands.CIPHERS)


@pytest.fixture
def peer() -> Peer:
    return Peer(OWN_LANE)


def knows_enough_senders(peer: Peer) -> None:
    for lane in range(100, 100 + MAX_SENDERS):
        peer.accept(wire(lane, 1))


def know(peer: Peer, ids: dict[int, bytes]) -> None:
    """Store the bindings of senders on the unit."""
    for lane, binding_id in ids.items():
        assert peer.ask(commands.TRUST, lane, binding_id) == ()
    peer.restart()


def wire_of(clear_header: bytes) -> bytes:
    """Return the masked header of a deviating member."""
    return HEADER_KEYS.mask(SimpleNamespace(clear=clear_header))  # type: ignore[arg-type]


def last_bytes_only(body: bytes, tag_key: bytes, number: int = 0) -> bytes:
    """Return a last chunk with this body and a correct tag."""
    return body + Mac(CRYPTO, tag_key).digest(number.to_bytes(4) + b"\1", body)[:TAG_SIZE]


class TestBothModesMakeTheSameCapsules:
    SIZES = (0, 1, 7, 8, 9, *(n + i for n in (1008, 1016, 1024, 2032, 2040, 2048, 3072) for i in (-1, 0, 1)))

    @ciphers
    @pytest.mark.parametrize("suite", range(len(commands.SUITES)), ids=commands.SUITES)
    def test_either_opens_what_either_has_sealed(self, suite: int, cipher: int) -> None:
        sender, receiver = Peer(SENDER, suite), Peer(OWN_LANE, suite)
        for size in self.SIZES:
            data = (b"the quick brown fox" * 200)[:size]
            for sealing in "ab":
                sealed = sender.seal(data, cipher, sealing)
                assert {receiver.open(sealed, mode=mode) for mode in "ab"} == {data}, (size, sealing)

    @ciphers
    def test_units_and_the_tests_agree(self, cipher: int) -> None:
        """`capsule`, which other tests use, equals the capsule of a unit."""
        for size in (0, 5, 2000):
            assert Peer(OWN_LANE).open(capsule(SENDER, 1, bytes(size), cipher=cipher)) == bytes(size)

    @modes
    def test_what_an_opening_says_of_a_capsule(self, peer: Peer, mode: str) -> None:
        command = OPENING["ba".index(mode)]
        for lane, number, cipher in ((2, 1, VERNAM), (65535, 77, AES), (3, MAX_JUMP, AES)):
            _, *answered = peer.ask(command, wire(lane, number, cipher=cipher), 0)
            assert answered[:2] == [lane, number]
            if mode == "b":
                assert answered[2:] == [cipher, commands.DATA, 0]
            else:
                assert len(answered[-1]) == (32 if cipher == AES else 0)


class TestHeaders:
    """All checks of a header come before any chunk is processed or any key is released."""

    @takes_headers
    def test_another_version(self, peer: Peer, command: commands.Command) -> None:
        for version in (0, 2, 255):
            assert peer.code(command, bytes((version,)) + wire(SENDER, 1)[1:], 0) == errors.CAPSULE_VERSION

    @takes_headers
    def test_any_altered_bit(self, peer: Peer, command: commands.Command) -> None:
        whole = wire(SENDER, 1)
        for bit in range(8, 8 * WIRE_HEADER_SIZE):
            altered = int.from_bytes(whole) ^ 1 << 8 * WIRE_HEADER_SIZE - 1 - bit
            assert peer.code(command, altered.to_bytes(WIRE_HEADER_SIZE), 0) == errors.HEADER

    @takes_headers
    def test_another_network(self, peer: Peer, command: commands.Command) -> None:
        assert peer.code(command, bytes((1,)) * WIRE_HEADER_SIZE, 0) == errors.HEADER

    @takes_headers
    @pytest.mark.parametrize(
        ("position", "altered"),
        [
            (2, b"\2"),
            (5, b"\0\0"),
            (7, bytes(6)),
            (2, b"\xff"),
            (1, b"\0\0\1"),
            (1, b"\1\1\1"),
            (1, b"\1\0\5"),
            (3, b"\1\1"),
        ],
        ids=[
            *("cipher", "lane 0", "number 0", "cipher 255"),
            *("control of suite paper", "control in aes", "control of an epoch", "control of another epoch"),
        ],
    )
    def test_members_that_make_no_valid_header(
        self, peer: Peer, command: commands.Command, position: int, altered: bytes
    ) -> None:
        made = bytearray(header(SENDER, 5, suite=PAPER).clear)  # a different suite, which would be reported later
        made[position : position + len(altered)] = altered
        assert peer.code(command, wire_of(bytes(made)), 0) == errors.HEADER

    @takes_headers
    def test_a_header_too_short(self, peer: Peer, command: commands.Command) -> None:
        with pytest.raises(ValueError, match="do not fit their fields"):
            command.request.pack(wire(SENDER, 1)[:-1], 0)
        assert peer.host.refusal(command, wire(SENDER, 1)[:-1]) == errors.BAD_REQUEST

    @takes_headers
    def test_another_suite_comes_before_kind_and_lane(self, peer: Peer, command: commands.Command) -> None:
        for suite in (PAPER, 2, 255):
            for lane, kind in itertools.product((SENDER, OWN_LANE), (0, 2, 3)):
                assert peer.code(command, wire(lane, 1, suite=suite, kind=kind), 0) == errors.SUITE

    @pytest.mark.parametrize("suite", [PAPER, HYBRID])
    def test_units_of_two_suites_and_one_secret(self, suite: int) -> None:
        assert Peer(OWN_LANE, 1 - suite).open_code(Peer(SENDER, suite).seal(b"hello")) == errors.SUITE

    @takes_headers
    def test_reflected_ones_come_before_control(self, peer: Peer, command: commands.Command) -> None:
        for lane, code in ((SENDER, errors.KIND), (OWN_LANE, errors.REFLECTED)):
            assert peer.code(command, wire(lane, 1, cipher=VERNAM, kind=OF_CONTROL), 0) == code

    @takes_headers
    def test_reflected_ones_come_before_full_windows(self, peer: Peer, command: commands.Command) -> None:
        knows_enough_senders(peer)
        for number in (1, FAR, FAR + 1):
            assert peer.code(command, wire(OWN_LANE, number), 0) == errors.REFLECTED

    @opening
    def test_an_own_capsule_is_reflected_with_any_flags(self, peer: Peer, command: commands.Command) -> None:
        for mode, cipher in itertools.product("ab", (VERNAM, AES)):
            own = peer.seal(b"hello", cipher, mode)[:WIRE_HEADER_SIZE]
            for flags in range(4):
                assert peer.code(command, own, flags) == errors.REFLECTED

    @takes_headers
    def test_one_sender_too_many_comes_before_its_window(self, peer: Peer, command: commands.Command) -> None:
        knows_enough_senders(peer)
        for number in (1, FAR, FAR + 1):
            assert peer.code(command, wire(SENDER, number), 0) == errors.SENDERS
        assert peer.code(command, wire(100, 2), 0) == 0, "the others are received all the same"

    @opening
    def test_without_accepting_there_is_room_for_any_sender(self, peer: Peer, command: commands.Command) -> None:
        for lane in range(2, 3 * MAX_SENDERS):
            assert peer.code(command, wire(lane, 1), 0) == 0

    @opening
    def test_the_window(self, peer: Peer, command: commands.Command) -> None:
        peer.accept(wire(SENDER, 1000))
        for number, code in (
            (1, errors.TOO_OLD),
            (744, errors.TOO_OLD),
            (745, 0),
            (999, 0),
            (1000, errors.DUPLICATE),
            (1001, 0),
            (1000 + MAX_JUMP, 0),
            (1001 + MAX_JUMP, errors.TOO_FAR),
        ):
            assert peer.code(command, wire(SENDER, number), 0) == code, number
        assert peer.code(command, wire(3, MAX_JUMP), 0) == 0
        assert peer.code(command, wire(3, MAX_JUMP + 1), 0) == errors.TOO_FAR, "of a sender never heard of"

    @opening
    def test_flags(self, peer: Peer, command: commands.Command) -> None:
        peer.accept(wire(SENDER, 1000))
        for number, refused_unless in ((1000, AGAIN), (1001 + MAX_JUMP, ALLOW_JUMP)):
            opened = [peer.code(command, wire(SENDER, number), flags) == 0 for flags in range(4)]
            assert opened == [bool(flags & refused_unless) for flags in range(4)]

    @opening
    def test_unknown_flags_are_out_of_range(self, peer: Peer, command: commands.Command) -> None:
        for flags in range(8, 256):
            assert peer.code(command, wire(SENDER, 1), flags) == errors.RANGE

    def test_to_open_again_moves_nothing(self, peer: Peer) -> None:
        sealed = capsule(SENDER, 5)
        peer.accept(sealed)
        before = bytes(peer.unit.flash.nvm.content)
        for mode in "ab":
            assert peer.open(sealed, AGAIN, mode) == b"hello"
        assert peer.open(capsule(SENDER, 6 + MAX_JUMP), ALLOW_JUMP) == b"hello"
        assert peer.unit.flash.nvm.content == before
        assert peer.open_code(sealed) == errors.DUPLICATE


class TestChunks:
    def begin(self, peer: Peer, sealed: bytes) -> Callable[..., bytes]:
        """Return a function that requests the data of the chunks of a capsule."""
        handle, *_ = peer.ask(commands.OPEN_BEGIN, sealed[:WIRE_HEADER_SIZE], 0)
        return lambda *chunk: peer.ask(commands.OPEN_CHUNK, handle, *chunk)[0]

    @ciphers
    def test_out_of_order_is_a_conflict_and_then_it_goes_on(self, peer: Peer, cipher: int) -> None:
        data = bytes(range(256)) * 10
        sealed = capsule(SENDER, 1, data, cipher=cipher)
        chunks = chunks_of(sealed)
        open_chunk = self.begin(peer, sealed)
        opened = b""
        for position, chunk in enumerate(chunks):
            for other in range(len(chunks)):
                if other != position:
                    with pytest.raises(errors.UnitError, match="CONFLICT"):
                        open_chunk(*chunks[other])
            opened += open_chunk(*chunk)
        assert opened == data
        for after in (0, 1, len(chunks) - 1, len(chunks), 0xFFFFFFFF):
            with pytest.raises(errors.UnitError, match="CONFLICT"):
                open_chunk(after, 1, chunks[-1][2])

    @ciphers
    def test_the_last_8_bytes_are_held_back(self, peer: Peer, cipher: int) -> None:
        """They are the key check value if the chunk is the last."""
        data = bytes(range(256)) * 8
        sealed = capsule(SENDER, 1, data, cipher=cipher)
        open_chunk = self.begin(peer, sealed)
        opened = [open_chunk(*chunk) for chunk in chunks_of(sealed)]
        assert [len(part) for part in opened] == [CHUNK - 16, CHUNK, 16]
        assert b"".join(opened) == data

    @ciphers
    def test_nothing_of_a_chunk_with_a_wrong_tag_comes_out(self, peer: Peer, cipher: int) -> None:
        data = b"nobody reads this before it is proved"
        sealed = capsule(SENDER, 1, data, cipher=cipher)
        open_chunk = self.begin(peer, sealed)
        ((_, _, chunk),) = chunks_of(sealed)
        for bit in range(8 * len(chunk)):
            altered = (int.from_bytes(chunk) ^ 1 << bit).to_bytes(len(chunk))
            with pytest.raises(errors.UnitError, match="AUTH"):
                open_chunk(0, 1, altered)
        assert open_chunk(0, 1, chunk) == data, "nor is the message over"

    @ciphers
    def test_cut_off_capsules(self, peer: Peer, cipher: int) -> None:
        sealed = capsule(SENDER, 1, bytes(1500), cipher=cipher)
        first, last = chunks_of(sealed)
        for size in (*range(0, len(last[2]) - 20, 23), *range(len(last[2]) - 20, len(last[2]))):
            open_chunk = self.begin(peer, sealed)
            open_chunk(*first)
            with pytest.raises(errors.UnitError, match="AUTH"):
                open_chunk(1, 1, last[2][:size])
        for chunk in ((0, 1, first[2]), (0, 1, b""), (0, 0, last[2]), (0, 0, b""), (0, 2, first[2])):
            with pytest.raises(errors.UnitError, match="AUTH"):
                self.begin(peer, sealed)(*chunk)

    def test_longer_ones(self, peer: Peer) -> None:
        sealed = capsule(SENDER, 1, bytes(3000))
        ((_, _, first), *_) = chunks_of(sealed)
        for more in (1, 16, MAX_BODY - len(first) - 13):
            with pytest.raises(errors.UnitError, match="AUTH"):
                self.begin(peer, sealed)(0, 0, first + bytes(more))

    def test_chunks_of_other_places_and_messages(self, peer: Peer) -> None:
        sealed, other = (capsule(SENDER, number, bytes(5000)) for number in (1, 2))
        chunks, others = chunks_of(sealed), chunks_of(other)
        open_chunk = self.begin(peer, sealed)
        open_chunk(*chunks[0])
        for foreign in (chunks[0][2], chunks[2][2], others[1][2]):
            with pytest.raises(errors.UnitError, match="AUTH"):
                open_chunk(1, 0, foreign)

    @pytest.mark.parametrize("size", range(18))
    def test_members_that_seal_less_than_16_bytes(self, peer: Peer, size: int) -> None:
        """There is no room for sync word and key check value; correct tags alone do not make a capsule."""
        _, _, _, tag_key, *_ = peer.ask(commands.OPEN_KEYS, wire(SENDER, 1), 0)
        chunk = last_bytes_only(bytes(size), tag_key)
        code = peer.open_code(wire(SENDER, 1) + chunk)
        assert code == (errors.AUTH if size < 16 else errors.DIVERGED)

    def test_members_that_seal_an_empty_last_chunk(self, peer: Peer) -> None:
        sealed = capsule(SENDER, 1, bytes(1500))
        open_chunk = self.begin(peer, sealed)
        open_chunk(*chunks_of(sealed)[0])
        _, _, _, tag_key, *_ = Peer(OWN_LANE).ask(commands.OPEN_KEYS, sealed[:WIRE_HEADER_SIZE], 0)
        with pytest.raises(errors.UnitError, match="AUTH"):
            open_chunk(1, 1, last_bytes_only(b"", tag_key, 1))

    @ciphers
    @modes
    def test_a_generator_that_differs(self, cipher: int, mode: str) -> None:
        """There is no damage in transit: all tags are correct, but the data differ."""
        sender = Peer(SENDER, p1="0.53")
        for size in (0, 2000):
            with pytest.raises(errors.UnitError, match="DIVERGED"):
                Peer(OWN_LANE).open(sender.seal(bytes(size), cipher), mode=mode)

    def test_alterations_come_before_generators_that_differ(self, peer: Peer) -> None:
        sealed = bytearray(Peer(SENDER, p1="0.53").seal(b"hello"))
        sealed[-1] ^= 1
        assert peer.open_code(bytes(sealed)) == errors.AUTH

    @ciphers
    @modes
    def test_the_senders_laptop(self, peer: Peer, cipher: int, mode: str) -> None:
        know(peer, {9: OTHER_ID, SENDER: ID, 10: OTHER_ID})
        for binding_id, matches in ((ID, True), (OTHER_ID, False), (bytes(16), False)):
            sealed = capsule(SENDER, 1, b"hello", binding_id, cipher=cipher)
            if matches:
                assert peer.open(sealed, mode=mode) == b"hello"
            else:
                with pytest.raises(errors.UnitError, match="BINDING"):
                    peer.open(sealed, mode=mode)

    @modes
    def test_a_unit_says_which_laptop_it_is_bound_to(self, peer: Peer, mode: str) -> None:
        sealed = Peer(SENDER).seal(b"hello", mode=mode)
        know(peer, {SENDER: ID})
        assert peer.open_code(sealed) == errors.BINDING
        know(peer, {SENDER: BindingKeys(CRYPTO, BINDING).id})
        assert peer.open_code(sealed) == 0

    @modes
    @pytest.mark.parametrize("ids", [{}, {9: OTHER_ID}, {SENDER: bytes(16)}], ids=["none", "of others", "forgotten"])
    def test_a_laptop_that_is_not_known_is_not_checked(self, peer: Peer, mode: str, ids: dict[int, bytes]) -> None:
        if SENDER in ids:
            know(peer, {SENDER: OTHER_ID})
        know(peer, ids)
        for binding_id in (bytes(16), ID):
            assert peer.open(capsule(SENDER, 1, b"hello", binding_id), mode=mode) == b"hello"

    def test_generators_that_differ_come_before_laptops(self, peer: Peer) -> None:
        know(peer, {SENDER: ID})
        assert peer.open_code(Peer(SENDER, p1="0.53").seal(b"hello")) == errors.DIVERGED

    @pytest.mark.parametrize("wrong", ["DIVERGED", "BINDING"])
    def test_after_a_last_chunk_that_was_refused_there_is_no_other(self, peer: Peer, wrong: str) -> None:
        know(peer, {SENDER: ID})
        sealed = Peer(SENDER, p1="0.53" if wrong == "DIVERGED" else "0.52").seal(b"hello")
        open_chunk = self.begin(peer, sealed)
        with pytest.raises(errors.UnitError, match=wrong):
            open_chunk(*chunks_of(sealed)[0])
        with pytest.raises(errors.UnitError, match="CONFLICT"):
            open_chunk(*chunks_of(sealed)[0])

    @pytest.mark.parametrize("end", ["hello", "close", "disconnect", "another message", "another mode"])
    def test_what_ends_an_opening(self, peer: Peer, end: str) -> None:
        ends: dict[str, Callable[[], object]] = {
            "hello": lambda: peer.ask(commands.HELLO),
            "close": lambda: peer.ask(commands.CLOSE, 0),
            "disconnect": peer.disconnect,
            "another message": lambda: peer.ask(commands.OPEN_BEGIN, wire(SENDER, 2), 0),
            "another mode": lambda: peer.ask(commands.OPEN_KEYS, wire(SENDER, 1), 0),
        }
        sealed = capsule(SENDER, 1, bytes(1500))
        open_chunk = self.begin(peer, sealed)
        chunks = chunks_of(sealed)
        open_chunk(*chunks[0])
        ends[end]()
        for chunk in chunks:
            with pytest.raises(errors.UnitError, match="CONFLICT"):
                open_chunk(*chunk)
        assert peer.open(sealed) == bytes(1500), "from its beginning it opens"

    def test_a_refused_beginning_ends_nothing(self, peer: Peer) -> None:
        sealed = capsule(SENDER, 1)
        open_chunk = self.begin(peer, sealed)
        assert peer.code(commands.OPEN_BEGIN, wire(OWN_LANE, 1), 0) == errors.REFLECTED
        assert open_chunk(*chunks_of(sealed)[0]) == b"hello"

    def test_handles_are_new_each_time(self, peer: Peer) -> None:
        handles = {peer.ask(command, wire(SENDER, 1), 0)[0] for command in OPENING for _ in range(50)}
        assert len(handles) == 100
        assert peer.code(commands.OPEN_CHUNK, bytes(8), 0, 1, bytes(40)) == errors.CONFLICT

    @ciphers
    def test_a_failure_in_the_middle_costs_an_opening_at_most(self, peer: Peer, cipher: int) -> None:
        """A fault such as lack of memory. Any data returned later are correct, and the message can be opened again."""
        data = bytes(range(256)) * 5
        sealed = capsule(SENDER, 1, data, cipher=cipher)
        chunks = chunks_of(sealed)
        failures = 0
        for use in range(1, 1000):
            open_chunk = self.begin(peer, sealed)
            peer.unit.fail_at(use)
            opened = b""
            try:
                for chunk in chunks:
                    opened += _persistently(open_chunk, chunk)
            except errors.UnitError as error:
                assert error.code == errors.CONFLICT  # noqa: PT017
                assert data.startswith(opened)
            else:
                assert opened == data
            if peer.unit.uses_left:
                break
            failures += 1
        assert failures > 5
        peer.unit.fail_at(0)
        assert peer.open(sealed) == data


class TestModeA:
    """The host gets the keys of the current message and nothing else."""

    def keys(self, peer: Peer, outgoing: bool, cipher: int = VERNAM) -> bytes:
        """Return the token or handle of a message in mode a."""
        if not outgoing:
            return peer.ask(commands.OPEN_KEYS, wire(SENDER, 1, cipher=cipher), 0)[0]
        token = new_token()
        peer.ask(commands.SEAL_KEYS, token, cipher, 0, RANDOM)
        return token

    def codes(self, peer: Peer, message: bytes) -> set[int]:
        return {
            peer.code(commands.MESSAGE_STREAM, message, 0, 16),
            peer.code(commands.MESSAGE_CHECK, message, 0),
        }

    outgoing_or_incoming = pytest.mark.parametrize("outgoing", [True, False], ids=["outgoing", "incoming"])

    @outgoing_or_incoming
    def test_the_keystream_comes_in_order_or_again(self, peer: Peer, outgoing: bool) -> None:
        message = self.keys(peer, outgoing)

        def stream(offset: int, size: int) -> bytes:
            return peer.ask(commands.MESSAGE_STREAM, message, offset, size)[0]

        whole = stream(0, 100) + stream(100, 1024) + stream(1124, 1)
        assert len(whole) == 1125
        for offset, size in ((0, 100), (0, 1024), (101, 1024), (1124, 1), (77, 13)):
            assert stream(offset, size) == whole[offset : offset + size]
        for offset, size in ((1126, 1), (1124, 2), (102, 1024), (1 << 36, 1)):
            with pytest.raises(errors.UnitError, match="CONFLICT"):
                stream(offset, size)
        assert len(stream(1125, 8)) == 8

    @outgoing_or_incoming
    def test_what_is_out_of_range(self, peer: Peer, outgoing: bool) -> None:
        message = self.keys(peer, outgoing)
        end = commands.MAX_KEY_BYTES
        for offset, size in ((0, 0), (0, 1025), (0, 65535), (end, 1), (end - 1, 2), ((1 << 64) - 1, 1024)):
            assert peer.code(commands.MESSAGE_STREAM, message, offset, size) == errors.RANGE

    @outgoing_or_incoming
    def test_there_is_no_keystream_for_aes(self, peer: Peer, outgoing: bool) -> None:
        """Only the AES key derives from the paper bits; no honest host needs more of them."""
        message = self.keys(peer, outgoing, AES)
        for offset, size in ((0, 1), (0, 32), (32, 32), (0, 0)):
            assert peer.code(commands.MESSAGE_STREAM, message, offset, size) == errors.CONFLICT
        assert peer.code(commands.MESSAGE_CHECK, message, 5) == 0

    @outgoing_or_incoming
    def test_a_check_value_needs_the_keystream_it_is_about(self, peer: Peer, outgoing: bool) -> None:
        message = self.keys(peer, outgoing)

        def check(size: int) -> int:
            return peer.code(commands.MESSAGE_CHECK, message, size)

        assert check(0) == errors.CONFLICT
        peer.ask(commands.MESSAGE_STREAM, message, 0, 100)
        for size in (0, 50, 83, 93, 100, (1 << 64) - 1):
            assert check(size) == errors.CONFLICT, size
        assert check(90) == 0
        value = peer.ask(commands.MESSAGE_CHECK, message, 90)
        for size in (84, 89, 91, 92):
            assert check(size) == errors.CONFLICT, "a message has one end"
        peer.ask(commands.MESSAGE_STREAM, message, 100, 6)
        assert peer.ask(commands.MESSAGE_CHECK, message, 90) == value

    def test_a_check_value_that_failed_is_the_same_when_asked_for_again(self, peer: Peer) -> None:
        for use in range(1, 6):
            message = self.keys(peer, outgoing=False)
            peer.ask(commands.MESSAGE_STREAM, message, 0, 100)
            peer.unit.fail_at(use)
            peer.code(commands.MESSAGE_CHECK, message, 90)
            peer.unit.fail_at(0)
            (value,) = peer.ask(commands.MESSAGE_CHECK, message, 90)
            again = self.keys(peer, outgoing=False)
            peer.ask(commands.MESSAGE_STREAM, again, 0, 100)
            assert peer.ask(commands.MESSAGE_CHECK, again, 90) == (value,)

    def test_messages_of_mode_b_have_no_keys_for_a_host(self, peer: Peer) -> None:
        for cipher in (VERNAM, AES):
            token = new_token()
            peer.begin(token, cipher)
            handle, *_ = peer.ask(commands.OPEN_BEGIN, wire(SENDER, 1, cipher=cipher), 0)
            for message in (token, handle):
                assert peer.code(commands.MESSAGE_STREAM, message, 0, 16) == errors.CONFLICT

    def test_a_token_is_no_handle_and_a_handle_no_token(self, peer: Peer) -> None:
        """This holds even if a host makes them equal: the plaintext of mode b uses other keys."""
        handle, *_ = peer.ask(commands.OPEN_BEGIN, wire(SENDER, 1, cipher=VERNAM), 0)
        _, tag_key, *_ = peer.ask(commands.SEAL_KEYS, handle, VERNAM, 0, RANDOM)
        (own,) = peer.ask(commands.MESSAGE_STREAM, handle, 0, 64)
        foreign = peer.ask(commands.OPEN_KEYS, wire(SENDER, 1, cipher=VERNAM), 0)
        assert foreign[3] != tag_key
        assert peer.ask(commands.MESSAGE_STREAM, foreign[0], 0, 64) != (own,)

    @outgoing_or_incoming
    def test_others_and_unknown_ones(self, peer: Peer, outgoing: bool) -> None:
        assert self.codes(peer, bytes(8)) == {errors.CONFLICT}
        before = self.keys(peer, outgoing)
        now = self.keys(peer, outgoing)
        assert self.codes(peer, bytes(8)) == self.codes(peer, before) == {errors.CONFLICT}
        assert self.codes(peer, now) == {0}

    @outgoing_or_incoming
    @pytest.mark.parametrize("end", ["hello", "close", "disconnect"])
    def test_after_the_session(self, peer: Peer, outgoing: bool, end: str) -> None:
        message = self.keys(peer, outgoing)
        peer.ask(commands.MESSAGE_STREAM, message, 0, 16)
        if end == "disconnect":
            peer.disconnect()
        else:
            peer.ask(*((commands.HELLO,) if end == "hello" else (commands.CLOSE, 0)))
        assert self.codes(peer, message) == {errors.CONFLICT}

    def test_a_repeated_seal_keys_does_not_bring_the_keystream_back(self, peer: Peer) -> None:
        token = new_token()
        first = peer.ask(commands.SEAL_KEYS, token, VERNAM, 0, RANDOM)
        peer.ask(commands.HELLO)
        assert peer.ask(commands.SEAL_KEYS, token, VERNAM, 0, RANDOM) == first
        assert self.codes(peer, token) == {errors.CONFLICT}

    def test_a_handle_of_mode_a_opens_nothing_in_mode_b(self, peer: Peer) -> None:
        sealed = capsule(SENDER, 1)
        handle, *_ = peer.ask(commands.OPEN_KEYS, sealed[:WIRE_HEADER_SIZE], 0)
        chunk = sealed[WIRE_HEADER_SIZE:]
        assert peer.code(commands.OPEN_CHUNK, handle, 0, 1, chunk) == errors.CONFLICT

    def test_exported_keys_are_not_those_of_capsules(self, peer: Peer) -> None:
        own = clear(peer.begin()).index
        for index in (own, header(SENDER, 1).index, 1 << commands.INDEX_BITS, (1 << 64) - 1):
            assert peer.code(commands.KEY_CHUNK, 0, index, 0, 32) == errors.RANGE
            assert peer.code(commands.ACKNOWLEDGE, 0, index, 1) == errors.RANGE


def _persistently(open_chunk: Callable[..., bytes], chunk: tuple[Any, ...]) -> bytes:
    """Repeat the request if the unit has failed."""
    try:
        return open_chunk(*chunk)
    except errors.UnitError as error:
        if error.code != errors.INTERNAL:
            raise
        return open_chunk(*chunk)
