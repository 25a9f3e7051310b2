# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the headers of messages that are opened: refusals in their order and with their reasons."""

import itertools
from types import SimpleNamespace

import pytest
from hosts.network import HYBRID

from firmware.openings import OPENING, OWN_LANE, SENDER, ciphers, modes
from firmware.peer import HEADER_KEYS, Peer, capsule, header, wire
from ndks_protocol import commands, errors
from ndks_protocol.commands import AES, AGAIN, ALLOW_JUMP, MAX_JUMP, MAX_SENDERS, OF_CONTROL, VERNAM, WIRE_HEADER_SIZE

FAR = MAX_JUMP + 1
PAPER = 0
TAKES_HEADERS = [*OPENING, commands.ACCEPT]
opening = pytest.mark.parametrize("command", OPENING, ids=lambda command: command.name)
takes_headers = pytest.mark.parametrize("command", TAKES_HEADERS, ids=lambda command: command.name)


def knows_enough_senders(peer: Peer) -> None:
    for lane in range(100, 100 + MAX_SENDERS):
        peer.accept(wire(lane, 1))


def wire_of(clear_header: bytes) -> bytes:
    """Return the masked header of a deviating member."""
    return HEADER_KEYS.mask(SimpleNamespace(clear=clear_header))  # type: ignore[arg-type]


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
