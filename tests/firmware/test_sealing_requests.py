# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Random requests to seal, with faults: no keystream for two texts."""

from typing import Any

from hosts.capsules import chunks_of
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from firmware.peer import RANDOM, SESSION_ENDS, Peer, clear
from ndks_protocol import commands, errors
from ndks_protocol.capsule import CHUNK, FIRST_PIECE
from ndks_protocol.commands import AES, DATA, VERNAM


class Requests(RuleBasedStateMachine):
    """Random requests with faults. `chunks` has all ciphertexts that an eavesdropper could have collected."""

    tokens = st.integers(0, 11).map(lambda number: b"token %02d" % number)
    ciphers = st.sampled_from([VERNAM, AES])
    randoms = st.sampled_from([RANDOM, RANDOM, bytes(8)])
    texts = st.sampled_from([b"a", b"b", b""])
    pieces_asked = st.tuples(st.integers(0, 2), st.booleans())

    def __init__(self) -> None:
        super().__init__()
        self.peer = Peer()
        self.headers: dict[bytes, bytes] = {}  # the header of each token, as the host knows it
        self.numbers: dict[int, bytes] = {}
        self.chunks: dict[tuple[bytes, int], bytes] = {}
        self.streams: dict[tuple[bytes, int], bytes] = {}
        self.modes: dict[bytes, str] = {}

    def ask(self, command: commands.Command, *values: Any) -> tuple[Any, ...]:
        try:
            return self.peer.ask(command, *values)
        except errors.UnitError as error:
            if error.code not in (errors.CONFLICT, errors.RANGE, errors.INTERNAL):
                raise
            return ()

    @rule(token=tokens, cipher=ciphers, random=randoms, in_mode_a=st.booleans())
    def begin(self, token: bytes, cipher: int, random: bytes, in_mode_a: bool) -> None:
        command = commands.SEAL_KEYS if in_mode_a else commands.SEAL_BEGIN
        request = command, token, cipher, DATA, random
        answer = self.ask(*request) or self.ask(*request)  # the second has the header if the first failed
        if answer:
            wire = answer[0]
            assert self.modes.setdefault(wire, command.name) == command.name
            assert self.numbers.setdefault(clear(wire).number, wire) == wire, "one number, one header"
            self.headers[token] = wire

    @rule(token=tokens, number=st.integers(0, 2), last=st.booleans(), text=texts, short=st.booleans())
    def seal(self, token: bytes, number: int, last: bool, text: bytes, short: bool) -> None:
        full = CHUNK if number else FIRST_PIECE
        data = text if short else text.ljust(full, b".")
        for chunks in self.ask(commands.SEAL_CHUNK, token, number, int(last), data):
            self.collect(token, number, chunks)

    @rule(token=tokens, text=texts, cipher=ciphers, pattern=st.lists(pieces_asked, max_size=8), fresh=st.booleans())
    def converse(self, token: bytes, text: bytes, cipher: int, pattern: list[tuple[int, bool]], fresh: bool) -> None:
        """Send full pieces in this order, so that messages get beyond their first chunk."""
        if fresh:
            self.begin(token, cipher, RANDOM, in_mode_a=False)
        for number, last in pattern:
            self.seal(token, number, last=last, text=text, short=False)

    @rule(token=tokens, offset=st.sampled_from([0, 64, 128]))
    def stream(self, token: bytes, offset: int) -> None:
        for keystream in self.ask(commands.MESSAGE_STREAM, token, offset, 64):
            wire = self.headers[token]
            assert self.modes[wire] == commands.SEAL_KEYS.name
            assert self.streams.setdefault((wire, offset), keystream) == keystream

    @rule(token=tokens, size=st.integers(0, 150))
    def check(self, token: bytes, size: int) -> None:
        for _ in self.ask(commands.MESSAGE_CHECK, token, size):
            assert self.modes[self.headers[token]] == commands.SEAL_KEYS.name

    @rule(end=st.sampled_from(sorted(SESSION_ENDS)))
    def end_session(self, end: str) -> None:
        self.peer.unit.fail_at(0)
        SESSION_ENDS[end](self.peer)

    @rule()
    def restart(self) -> None:
        self.peer.restart()

    @rule(use=st.integers(1, 40))
    def let_something_fail(self, use: int) -> None:
        """Make the given primitive use fail, in whichever request it occurs."""
        self.peer.unit.fail_at(use)

    @invariant()
    def messages_sealed_by_the_unit_have_no_stream(self) -> None:
        assert not {wire for wire, _ in self.streams} & {wire for wire, _ in self.chunks}

    def collect(self, token: bytes, number: int, chunks: bytes) -> None:
        wire = self.headers[token]
        assert self.modes[wire] == commands.SEAL_BEGIN.name
        for further, _, chunk in chunks_of(wire + chunks) if chunks else ():
            earlier = self.chunks.setdefault((wire, number + further), chunk)
            assert earlier == chunk, "two texts under one keystream"


Requests.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestRequests = Requests.TestCase
