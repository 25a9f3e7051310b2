# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of accepting messages: each is opened once, in any order and with any power cut."""

import itertools

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from firmware.peer import Peer, capsule, wire
from ndks_protocol import commands, errors
from ndks_protocol.commands import AGAIN, ALLOW_JUMP, MAX_JUMP, MAX_SENDERS, WINDOW_SIZE

LONGEST = {"name": "n" * 32, "p1": "0." + "5" * 78, "p2": "25." + "7" * 77}
LANE = 2


def code(peer: Peer, number: int, flags: int = 0, lane: int = LANE) -> int:
    """Return the error code of OPEN_BEGIN, or 0."""
    return peer.code(commands.OPEN_BEGIN, wire(lane, number), flags)


def accept(peer: Peer, number: int, allow_jump: int = 0, lane: int = LANE) -> int:
    return peer.code(commands.ACCEPT, wire(lane, number), allow_jump)


def test_what_was_opened_and_not_accepted_opens_again(peer: Peer) -> None:
    """A full disk loses no message."""
    sealed = capsule(LANE, 1)
    for _ in range(2):
        for mode in "abab":
            assert peer.open(sealed, mode=mode) == b"hello"
        peer.restart()
    peer.accept(sealed)
    assert peer.open_code(sealed) == errors.DUPLICATE


@pytest.mark.parametrize("mode", ["a", "b"])
def test_it_is_accepted_in_either_mode(peer: Peer, mode: str) -> None:
    sealed = Peer(LANE).seal(b"hello")
    peer.open(sealed, mode=mode)
    peer.accept(sealed)
    for command in (commands.OPEN_BEGIN, commands.OPEN_KEYS):
        assert peer.code(command, sealed[:37], 0) == errors.DUPLICATE


def test_accepting_again_changes_nothing_and_costs_nothing(peer: Peer) -> None:
    for number in (5, 3, 300, 100):
        assert accept(peer, number) == 0
    before = bytes(peer.unit.flash.nvm.content)
    for number in (5, 100, 300, 100):
        assert accept(peer, number) == (0 if number > 300 - WINDOW_SIZE else errors.TOO_OLD)
    assert peer.unit.flash.nvm.content == before


def test_no_session_is_needed_to_accept(peer: Peer) -> None:
    """The host may have lost the line, or the unit its power, after the message was stored."""
    sealed = capsule(LANE, 1)
    peer.open(sealed)
    peer.disconnect()
    peer.restart()
    peer.accept(sealed)
    assert peer.open_code(sealed) == errors.DUPLICATE


def test_the_window_moves_exactly(peer: Peer) -> None:
    for number in (1, 2, 10, 256, 257, 258, 600):
        assert accept(peer, number) == 0
        oldest = max(1, number - WINDOW_SIZE + 1)
        for restart in (False, True):
            if restart:
                peer.restart()
            assert code(peer, number) == errors.DUPLICATE
            assert code(peer, number + 1) == 0
            assert code(peer, oldest) == (errors.DUPLICATE if oldest in (1, 2, 10, 256, 257, 258) else 0)
            if oldest > 1:
                assert code(peer, oldest - 1) == errors.TOO_OLD


def test_accepting_what_is_too_old_is_refused(peer: Peer) -> None:
    accept(peer, 1000)
    before = bytes(peer.unit.flash.nvm.content)
    assert accept(peer, 1000 - WINDOW_SIZE) == accept(peer, 1, allow_jump=1) == errors.TOO_OLD
    assert peer.unit.flash.nvm.content == before


def test_more_than_2_to_the_20_ahead_needs_leave(peer: Peer) -> None:
    top = 0
    for _ in range(3):
        for number in (top + MAX_JUMP + 1, (1 << 48) - 1):
            assert accept(peer, number) == code(peer, number) == code(peer, number, AGAIN) == errors.TOO_FAR
            assert code(peer, number, ALLOW_JUMP) == code(peer, number, ALLOW_JUMP | AGAIN) == 0
        top += MAX_JUMP
        assert accept(peer, top) == 0
        assert code(peer, top - 1) == 0
    assert accept(peer, top + MAX_JUMP + 7, allow_jump=1) == 0
    assert accept(peer, (1 << 48) - 1, allow_jump=1) == 0
    peer.restart()
    assert code(peer, (1 << 48) - 1) == errors.DUPLICATE
    assert code(peer, (1 << 48) - WINDOW_SIZE) == 0
    assert code(peer, top) == errors.TOO_OLD


def test_senders_have_windows_of_their_own(peer: Peer) -> None:
    lanes = (2, 3, 255, 256, 257, 512, 0xF7, 0xF700, 65535)
    for position, lane in enumerate(lanes):
        assert accept(peer, 1000 + position, lane=lane) == 0
        for other, number in zip(lanes[: position + 1], itertools.count(1000)):
            assert code(peer, number, lane=other) == errors.DUPLICATE
            assert code(peer, number - 1, lane=other) == 0
        for other in lanes[position + 1 :]:
            assert code(peer, 1000, lane=other) == 0
        peer.restart()


def test_without_storage_nothing_is_accepted(peer: Peer) -> None:
    accept(peer, 5)
    peer.unit.flash.nvm.worn_out = True
    for _ in range(2):
        assert accept(peer, 6) == errors.STORAGE
        assert (code(peer, 5), code(peer, 6), code(peer, 7)) == (errors.DUPLICATE, 0, 0)
    peer.unit.flash.nvm.worn_out = False
    assert accept(peer, 6) == 0
    peer.restart()
    assert (code(peer, 5), code(peer, 6), code(peer, 7)) == (errors.DUPLICATE, errors.DUPLICATE, 0)


@pytest.mark.parametrize("order", ["in order", "backwards", "senders in turn"])
def test_at_most_one_erase_in_40_accepted_capsules(order: str) -> None:
    """Flash endures about 100,000 erases. The records have their maximum size."""
    peer = Peer(**LONGEST)
    lanes = range(100, 100 + MAX_SENDERS)
    for lane in lanes:
        peer.ask(commands.TRUST, lane, bytes(range(16)))
    peer.ask(commands.ACKNOWLEDGE, 0, 7, 0)
    peer.begin()
    numbers = range(1, 101) if order == "in order" else range(100, 0, -1)
    messages = list(itertools.product(lanes, numbers))
    if order == "senders in turn":
        messages.sort(key=lambda message: (-message[1] % 7, message))
    for lane, number in messages:
        assert accept(peer, number, lane=lane) == 0
    assert 0 < peer.unit.flash.nvm.erases <= len(messages) // 40
    peer.restart()
    for lane, number in messages:
        assert code(peer, number, lane=lane) == errors.DUPLICATE


class Deliveries(RuleBasedStateMachine):
    """Capsules of three senders arrive in any order, twice, late or never. `accepted` is the model."""

    lanes = st.sampled_from([2, 3, 0xF7F7])
    steps = st.sampled_from([1, 1, 1, 2, 3, 60, 255, 256, 257, 1000])
    ages = st.sampled_from([0, 1, 2, 3, 60, 254, 255, 256, 257, 1000]) | st.integers(0, 300)

    def __init__(self) -> None:
        super().__init__()
        self.peer = Peer()
        self.sent = dict.fromkeys((2, 3, 0xF7F7), 0)
        self.accepted: dict[int, set[int]] = {lane: set() for lane in self.sent}
        self.opened: set[tuple[int, int]] = set()

    @initialize(fill=st.booleans())
    def begin(self, fill: bool) -> None:
        """Fill the log in half of the runs, so that compactions come soon."""
        while fill and self.peer.firmware.state.log.used < self.peer.firmware.state.log.size - 300:
            self.do_other_things(1)

    @rule(lane=lanes, step=steps, arrives=st.booleans())
    def send(self, lane: int, step: int, arrives: bool) -> None:
        self.sent[lane] += step
        if arrives:
            self.deliver(lane, 0, accept=True)

    @rule(lane=lanes, age=ages, accept=st.booleans())
    def deliver(self, lane: int, age: int, accept: bool) -> None:
        """Deliver one of the sent capsules, of any age, possibly again."""
        number = self.sent[lane] - age
        if number < 1:
            return
        expected = self.expected(lane, number)
        sealed = capsule(lane, number, b"%d %d" % (lane, number))
        assert self.peer.open_code(sealed) == expected
        if expected == 0:
            assert self.peer.open(sealed) == b"%d %d" % (lane, number)
        if accept and expected != errors.TOO_OLD:
            self.peer.accept(sealed)
            assert expected == errors.DUPLICATE or (lane, number) not in self.opened, "opened once"
            self.opened.add((lane, number))
            self.accepted[lane].add(number)
        elif accept:
            assert self.peer.code(commands.ACCEPT, sealed[:37], 1) == errors.TOO_OLD

    @rule(lane=lanes)
    def deliver_what_was_never_sent(self, lane: int) -> None:
        far = max([0, *self.accepted[lane]]) + MAX_JUMP + 1
        assert code(self.peer, far, lane=lane) == accept(self.peer, far, lane=lane) == errors.TOO_FAR

    @rule()
    def restart(self) -> None:
        self.peer.restart()

    @rule(count=st.integers(1, 40))
    def do_other_things(self, count: int) -> None:
        """Fill the log, so that it is compacted."""
        for _ in range(count):
            _, index = self.peer.ask(commands.NEXT_INDEX)
            self.peer.ask(commands.ACKNOWLEDGE, 0, index + 1, 0)

    @rule(lane=lanes, steps=st.integers(0, 200) | st.integers(0, 6000))
    def cut_while_accepting(self, lane: int, steps: int) -> None:
        self.sent[lane] += 1
        number = self.sent[lane]
        answered = self.peer.unit.power.survives(steps, lambda: accept(self.peer, number, lane=lane))
        self.peer.restart()
        found = code(self.peer, number, lane=lane)
        assert found in ((errors.DUPLICATE,) if answered else (0, errors.DUPLICATE))
        if found:
            self.accepted[lane].add(number)
            self.opened.add((lane, number))

    @invariant()
    def the_latest_are_told_apart(self) -> None:
        for lane, sent in self.sent.items():
            for number in (sent, sent - 1, sent - 255, sent - 256):
                if number > 0:
                    assert code(self.peer, number, lane=lane) == self.expected(lane, number)

    def expected(self, lane: int, number: int) -> int:
        if number <= max([0, *self.accepted[lane]]) - WINDOW_SIZE:
            return errors.TOO_OLD
        return errors.DUPLICATE if number in self.accepted[lane] else 0


Deliveries.TestCase.settings = settings(max_examples=35, stateful_step_count=40)
TestDeliveries = Deliveries.TestCase
