# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of sealing messages: repeated requests, and no keystream for two texts."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hosts.capsules import chunks_of, pieces_of
from hosts.network import HYBRID

from firmware.peer import RANDOM, SESSION_ENDS, Peer, clear, new_token
from ndks.crypto import CRYPTO
from ndks_protocol import commands, errors
from ndks_protocol.capsule import CHUNK, FIRST_PIECE, TAG_SIZE
from ndks_protocol.commands import AES, DATA, OF_CONTROL, VERNAM

TOKEN = b"token no"
REMEMBERED = 8
FULL = bytes(FIRST_PIECE)


def seal_chunk(peer: Peer, number: int, last: int, data: bytes, token: bytes = TOKEN) -> int:
    """Return the error code of the answer, or 0."""
    return peer.code(commands.SEAL_CHUNK, token, number, last, data)


class TestBeginning:
    def test_a_header_says_who_sends_what(self) -> None:
        for suite, cipher in itertools.product((0, HYBRID), (VERNAM, AES)):
            header = clear(Peer(lane=7, suite=suite).begin(cipher=cipher))
            assert (header.suite, header.cipher, header.kind) == (suite, cipher, DATA)
            assert (header.lane, header.number) == (7, 1)

    def test_each_message_has_a_number_and_a_salt_of_its_own(self, peer: Peer) -> None:
        headers = [clear(peer.begin()) for _ in range(200)]
        assert [header.number for header in headers] == list(range(1, 201))
        assert len({header.salt for header in headers}) == 200

    @pytest.mark.parametrize("command", [commands.SEAL_BEGIN, commands.SEAL_KEYS], ids=lambda command: command.name)
    def test_a_repeat_has_the_same_answer_and_burns_no_number(self, peer: Peer, command: commands.Command) -> None:
        first = peer.ask(command, TOKEN, AES, DATA, RANDOM)
        assert [peer.ask(command, TOKEN, AES, DATA, RANDOM) for _ in range(3)] == [first] * 3
        assert peer.number() == 2
        assert peer.ask(command, TOKEN, AES, DATA, RANDOM) == first, "also when another was begun since"

    @pytest.mark.parametrize("command", [commands.SEAL_BEGIN, commands.SEAL_KEYS], ids=lambda command: command.name)
    def test_a_repeat_that_differs_is_a_conflict(self, peer: Peer, command: commands.Command) -> None:
        other_command = commands.SEAL_KEYS if command is commands.SEAL_BEGIN else commands.SEAL_BEGIN
        peer.ask(command, TOKEN, AES, DATA, RANDOM)
        for other in ((VERNAM, DATA, RANDOM), (AES, OF_CONTROL, RANDOM), (AES, DATA, bytes(8)), (7, DATA, RANDOM)):
            assert peer.code(command, TOKEN, *other) == errors.CONFLICT
        assert peer.code(other_command, TOKEN, AES, DATA, RANDOM) == errors.CONFLICT, "another mode"
        assert peer.number() == 2

    def test_the_last_8_tokens_are_remembered(self, peer: Peer) -> None:
        tokens = [new_token() for _ in range(REMEMBERED)]
        begun = [peer.begin(token) for token in tokens]
        assert [peer.begin(token) for token in tokens] == begun
        peer.begin()
        assert [peer.begin(token) for token in tokens[1:]] == begun[1:]
        assert clear(peer.begin(tokens[0])).number == REMEMBERED + 2, "forgotten: a new message"

    @pytest.mark.parametrize("end", SESSION_ENDS)
    def test_a_token_is_remembered_over_sessions(self, peer: Peer, end: str) -> None:
        """The host may repeat its request after a lost connection: no number is lost. The message cannot continue."""
        header = peer.begin(TOKEN)
        SESSION_ENDS[end](peer)
        assert peer.begin(TOKEN) == header
        assert seal_chunk(peer, 0, 1, b"") == errors.CONFLICT
        assert peer.number() == 2

    @pytest.mark.parametrize("command", [commands.SEAL_BEGIN, commands.SEAL_KEYS], ids=lambda command: command.name)
    def test_what_is_not_known_is_refused_and_burns_no_number(self, peer: Peer, command: commands.Command) -> None:
        for cipher, kind, code in (
            (AES, OF_CONTROL, errors.KIND),
            (VERNAM, OF_CONTROL, errors.KIND),
            (AES, 4, errors.RANGE),
            (AES, 255, errors.RANGE),
            (2, DATA, errors.RANGE),
            (255, DATA, errors.RANGE),
            (2, OF_CONTROL, errors.RANGE),
        ):
            assert peer.code(command, TOKEN, cipher, kind, RANDOM) == code
        assert clear(peer.begin(TOKEN)).number == 1, "nor is the token used up"

    def test_the_salt_needs_both_sources(self, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
        """If the entropy of the unit or of the host is constant, the salt is still fresh."""
        of_unit = {clear(peer.begin()).salt for _ in range(2)}
        assert len(of_unit) == 2
        monkeypatch.setattr(peer.unit, "entropy", bytes)
        salts = set()
        for random in (RANDOM, bytes(8)):
            wire, _ = peer.ask(commands.SEAL_BEGIN, new_token(), AES, DATA, random)
            salts.add(clear(wire).salt)
        digest = CRYPTO.sha256()
        digest.update(RANDOM + bytes(8))
        assert digest.digest()[:8] in salts
        assert len(salts) == 2


class TestPieces:
    def test_a_repeat_has_the_same_answer(self, peer: Peer) -> None:
        data = bytes(range(256)) * 40
        for cipher in (VERNAM, AES):
            token = new_token()
            peer.begin(token, cipher)
            answers: list[tuple[tuple[Any, ...], bytes]] = []
            for piece in pieces_of(data):
                answers.append((piece, peer.ask(commands.SEAL_CHUNK, token, *piece)[0]))
                for earlier, answer in answers[-REMEMBERED:]:
                    assert peer.ask(commands.SEAL_CHUNK, token, *earlier) == (answer,)
            assert len(answers) > REMEMBERED
            for earlier, _ in answers[:-REMEMBERED]:
                assert seal_chunk(peer, *earlier, token=token) == errors.CONFLICT, "too long ago"

    def test_a_repeat_that_differs_is_a_conflict(self, peer: Peer) -> None:
        peer.begin(TOKEN)
        assert seal_chunk(peer, 0, 0, FULL) == 0
        assert seal_chunk(peer, 0, 0, FULL[:-1] + b"x") == errors.CONFLICT
        assert seal_chunk(peer, 0, 1, FULL) == errors.CONFLICT
        assert seal_chunk(peer, 1, 1, b"end") == 0
        assert seal_chunk(peer, 1, 1, b"End") == errors.CONFLICT
        assert seal_chunk(peer, 1, 1, b"en") == errors.CONFLICT
        assert seal_chunk(peer, 1, 0, bytes(CHUNK)) == errors.CONFLICT
        assert seal_chunk(peer, 0, 0, FULL) == 0, "the same is still answered"

    def test_gaps_older_and_later_ones_are_conflicts(self, peer: Peer) -> None:
        peer.begin(TOKEN)
        assert seal_chunk(peer, 1, 0, bytes(CHUNK)) == errors.CONFLICT
        assert seal_chunk(peer, 0xFFFFFFFF, 0, bytes(CHUNK)) == errors.CONFLICT
        assert seal_chunk(peer, 0, 0, FULL) == 0
        assert seal_chunk(peer, 2, 0, bytes(CHUNK)) == errors.CONFLICT
        assert seal_chunk(peer, 1, 1, b"") == 0
        for number in (0, 1, 2, 0xFFFFFFFF):
            assert seal_chunk(peer, number, 1, b"after the last") == errors.CONFLICT

    @pytest.mark.parametrize("cipher", [VERNAM, AES])
    def test_a_last_piece_that_made_two_chunks_is_the_last(self, peer: Peer, cipher: int) -> None:
        """Chunk 1 is already sealed; a piece 1 would make another chunk 1."""
        peer.begin(TOKEN, cipher)
        assert seal_chunk(peer, 0, 1, FULL) == 0
        for last, data in ((0, bytes(CHUNK)), (1, bytes(CHUNK)), (1, b"")):
            assert seal_chunk(peer, 1, last, data) == errors.CONFLICT

    @pytest.mark.parametrize("number", [0, 1])
    def test_sizes_out_of_rule_are_out_of_range_and_change_nothing(self, peer: Peer, number: int) -> None:
        peer.begin(TOKEN)
        full = (FIRST_PIECE, CHUNK)[number]
        if number:
            assert seal_chunk(peer, 0, 0, FULL) == 0
        for last, size in ((0, full - 1), (0, 0), (0, full + 1), (1, full + 1), (2, full), (255, 0)):
            assert seal_chunk(peer, number, last, bytes(size)) == errors.RANGE
        assert seal_chunk(peer, number, 1, bytes(full)) == 0

    @pytest.mark.parametrize("end", SESSION_ENDS)
    def test_no_message_goes_on_in_another_session(self, peer: Peer, end: str) -> None:
        peer.begin(TOKEN)
        assert seal_chunk(peer, 0, 0, FULL) == 0
        SESSION_ENDS[end](peer)
        assert seal_chunk(peer, 0, 0, FULL) == errors.CONFLICT, "not even what was answered before"
        assert seal_chunk(peer, 1, 1, b"") == errors.CONFLICT

    def test_a_message_ends_where_the_next_begins(self, peer: Peer) -> None:
        peer.begin(TOKEN)
        assert seal_chunk(peer, 0, 0, FULL) == 0
        other = new_token()
        peer.begin(other)
        assert seal_chunk(peer, 1, 1, b"") == errors.CONFLICT
        peer.begin(TOKEN)
        assert seal_chunk(peer, 1, 1, b"") == errors.CONFLICT, "a repeat does not bring it back"
        assert seal_chunk(peer, 0, 1, b"", other) == 0

    def test_a_failed_beginning_ends_nothing(self, peer: Peer) -> None:
        peer.begin(TOKEN)
        assert peer.code(commands.SEAL_BEGIN, new_token(), AES, OF_CONTROL, RANDOM) == errors.KIND
        assert seal_chunk(peer, 0, 1, b"") == 0

    def test_tokens_that_began_nothing_are_conflicts(self, peer: Peer) -> None:
        assert seal_chunk(peer, 0, 1, b"") == errors.CONFLICT
        peer.begin(TOKEN)
        assert seal_chunk(peer, 0, 1, b"", bytes(8)) == errors.CONFLICT

    def test_in_mode_a_the_unit_seals_nothing(self, peer: Peer) -> None:
        for cipher in (VERNAM, AES):
            token = new_token()
            peer.ask(commands.SEAL_KEYS, token, cipher, DATA, RANDOM)
            assert seal_chunk(peer, 0, 1, b"", token) == errors.CONFLICT

    @pytest.mark.parametrize("cipher", [VERNAM, AES])
    def test_the_last_piece_makes_one_chunk_or_two(self, peer: Peer, cipher: int) -> None:
        """Sync word, data and key check value are split every 1,024 bytes, at any position."""
        for size, chunks in ((0, 1), (1, 1), (1008, 1), (1009, 2), (1016, 2), (1017, 2), (2032, 2), (2033, 3)):
            sealed = peer.seal(bytes(size), cipher)
            assert [len(chunk) - TAG_SIZE for _, _, chunk in chunks_of(sealed)][:-1] == [CHUNK] * (chunks - 1)
            assert len(sealed) == commands.WIRE_HEADER_SIZE + 16 + size + TAG_SIZE * chunks


class TestFailures:
    """The unit fails during a piece, for example for lack of memory."""

    @pytest.mark.parametrize("cipher", [VERNAM, AES])
    def test_only_one_text_leaves_the_unit_under_a_number(self, cipher: int) -> None:
        for use in range(1, 1000):
            peer = Peer()
            peer.begin(TOKEN, cipher)
            code = _failing_once(peer, use, lambda peer=peer: seal_chunk(peer, 0, 0, FULL))
            if not code:
                break
            assert code == errors.INTERNAL
            pieces = ((0, b"x" * FIRST_PIECE), (1, FULL), (1, b""), (0, FULL))
            codes = [seal_chunk(peer, 0, *piece) for piece in pieces]
            assert sorted(codes) == [0] + [errors.CONFLICT] * 3
        assert use > 3, "it did fail, in several places"

    @pytest.mark.parametrize("cipher", [VERNAM, AES])
    @pytest.mark.parametrize("size", [0, 5, 1012, 1016, 1030])
    def test_what_is_asked_for_again_opens(self, cipher: int, size: int) -> None:
        data = bytes(size)
        receiver = Peer(lane=2)
        opened: list[bytes] = []
        peer = Peer()
        for use in range(1, 1000):
            token = new_token()
            capsule = peer.begin(token, cipher)
            *before, last = pieces_of(data)
            for piece in before:
                capsule += peer.ask(commands.SEAL_CHUNK, token, *piece)[0]
            code = _failing_once(peer, use, lambda: seal_chunk(peer, *last, token=token))  # noqa: B023
            if not code:
                break
            capsule += peer.ask(commands.SEAL_CHUNK, token, *last)[0]
            opened.append(receiver.open(capsule))
        assert opened == [data] * len(opened)
        assert len(opened) > 5

    def test_a_beginning_that_failed_uses_no_keystream(self) -> None:
        """The number may be lost, but the token can be used again."""
        numbers: set[int] = set()
        for use in range(1, 1000):
            peer = Peer()
            code = _failing_once(peer, use, lambda peer=peer: peer.code(*_begin(TOKEN)))
            assert code in (0, errors.INTERNAL)
            numbers.add(clear(peer.begin(TOKEN)).number)
            if not code:
                break
        assert use > 5
        assert numbers <= {1, 2}


def _begin(token: bytes) -> tuple[Any, ...]:
    return commands.SEAL_BEGIN, token, AES, DATA, RANDOM


def _failing_once(peer: Peer, use: int, request: Callable[[], int]) -> int:
    """Make a request with a fault at this use of a primitive, if there is one."""
    peer.unit.fail_at(use)
    code = request()
    peer.unit.fail_at(0)
    return code
