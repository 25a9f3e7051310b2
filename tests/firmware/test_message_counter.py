# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Message numbers: none is issued twice, few are lost, and few writes are needed."""

import struct

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from firmware.peer import RANDOM, Peer, clear, new_token, wire
from ndks_protocol import commands, errors
from ndks_protocol.commands import AES, INDEX_BITS, MAX_SENDERS
from ndks_unit.flash.records import MESSAGE_COUNTER

BLOCK = 64
LONGEST = {"name": "n" * 32, "p1": "0." + "5" * 78, "p2": "25." + "7" * 77}


def give_back(peer: Peer) -> None:
    assert peer.ask(commands.CLOSE, 1) == ()


def go_on_from(peer: Peer, number: int, epoch: int = 0) -> None:
    """Set the counter as after that many messages."""
    peer.firmware.state.log.append(MESSAGE_COUNTER, struct.pack(">IQ", epoch, number))
    peer.restart()


@pytest.mark.parametrize("sealed", [0, 1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_a_restart_burns_at_most_64(peer: Peer, sealed: int) -> None:
    for _ in range(sealed):
        peer.begin()
    peer.restart()
    burnt = peer.number() - 1 - sealed
    assert burnt == -sealed % BLOCK < BLOCK


@pytest.mark.parametrize("sealed", [0, 1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_unplugging_properly_burns_none(peer: Peer, sealed: int) -> None:
    for _ in range(sealed):
        peer.begin()
    give_back(peer)
    peer.restart()
    assert peer.number() == sealed + 1


def test_numbers_are_kept_over_sessions(peer: Peer) -> None:
    """A new host or a lost connection costs neither numbers nor a write."""
    peer.begin()
    before = bytes(peer.unit.flash.nvm.content)
    for number in range(2, 50, 4):
        peer.ask(commands.HELLO)
        assert peer.number() == number
        peer.ask(commands.CLOSE, 0)
        assert peer.number() == number + 1
        peer.disconnect()
        assert peer.number() == number + 2
        assert peer.code(commands.SEAL_BEGIN, new_token(), AES, 9, RANDOM) == errors.RANGE
        assert peer.number() == number + 3
    assert peer.unit.flash.nvm.content == before


def test_a_host_may_change_its_mind_about_unplugging(peer: Peer) -> None:
    for number in range(1, 6):
        assert peer.number() == number
        give_back(peer)
    peer.restart()
    assert peer.number() == 6


def test_there_is_nothing_to_give_back_twice(peer: Peer) -> None:
    peer.restart()  # this starts the counter of starts
    peer.begin()
    give_back(peer)
    used = peer.firmware.state.log.used
    for restart in (False, True):
        if restart:
            peer.restart()
        give_back(peer)
        peer.ask(commands.NEXT_INDEX)
        give_back(peer)
    assert peer.firmware.state.log.used == used


def test_only_the_laptop_gives_numbers_back(peer: Peer) -> None:
    """A host without the session may send CLOSE, but the unit keeps the numbers for the laptop."""
    peer.begin()
    before = bytes(peer.unit.flash.nvm.content)
    peer.disconnect()
    give_back(peer)
    assert peer.unit.flash.nvm.content == before
    assert peer.number() == 2


def test_a_blank_unit_has_nothing_to_give_back(peer: Peer) -> None:
    peer.unit.flash.nvm.content[:] = b"\xff" * len(peer.unit.flash.nvm.content)
    peer.restart()
    assert peer.firmware.state.opened is None
    give_back(peer)


def test_modes_and_ciphers_share_the_numbers(peer: Peer) -> None:
    numbers: list[int] = []
    for command in (commands.SEAL_BEGIN, commands.SEAL_KEYS) * 2:
        for cipher in (0, 1):
            (header, *_) = peer.ask(command, new_token(), cipher, 0, RANDOM)
            numbers.append(clear(header).number)
    assert numbers == list(range(1, 9))


def test_the_last_number_is_the_last(peer: Peer) -> None:
    end = 1 << INDEX_BITS
    go_on_from(peer, end - 3)
    assert [peer.number() for _ in range(3)] == [end - 3, end - 2, end - 1]
    for _ in range(3):
        assert peer.code(commands.SEAL_BEGIN, new_token(), AES, 0, RANDOM) == errors.RANGE
        assert peer.code(commands.SEAL_KEYS, new_token(), AES, 0, RANDOM) == errors.RANGE
        give_back(peer)
        peer.restart()


def test_no_number_after_the_last_is_reserved(peer: Peer) -> None:
    """A crash burns what was reserved: STATUS would tell of a number that there is not."""
    go_on_from(peer, (1 << INDEX_BITS) - 2)
    peer.begin()
    peer.restart()
    assert peer.code(commands.SEAL_BEGIN, new_token(), AES, 0, RANDOM) == errors.RANGE
    assert peer.host.status()["message_counter"] == (1 << INDEX_BITS) - 1


def test_numbers_go_on_over_epochs(peer: Peer) -> None:
    """The epoch in the record is that of firmware before state format 4, which had one only."""
    go_on_from(peer, 1000, epoch=7)
    assert peer.number() == 1000


def test_without_storage_no_message_begins(peer: Peer) -> None:
    """A number is reserved in flash before use; when flash is writable again, numbering continues without a gap."""
    first = peer.number()
    for _ in range(BLOCK - 1):
        peer.begin()
    peer.unit.flash.nvm.worn_out = True
    for _ in range(3):
        assert peer.code(commands.SEAL_BEGIN, new_token(), AES, 0, RANDOM) == errors.STORAGE
    peer.unit.flash.nvm.worn_out = False
    assert peer.number() == first + BLOCK


def test_numbers_can_be_given_back_later(peer: Peer) -> None:
    peer.begin()
    peer.unit.flash.nvm.worn_out = True
    assert peer.code(commands.CLOSE, 1) == errors.STORAGE
    peer.unit.flash.nvm.worn_out = False
    assert peer.number() == 2
    give_back(peer)
    peer.restart()
    assert peer.number() == 3


def test_what_was_given_back_in_vain_is_not_given_twice(peer: Peer) -> None:
    """The padding of the record is missing: the write is refused, but at the next start this record is the newest."""
    peer.begin()
    peer.unit.flash.nvm.stuck.add(peer.firmware.state.log.used + 40)
    assert peer.code(commands.CLOSE, 1) == errors.STORAGE
    given = [peer.number() for _ in range(5)]
    peer.restart()
    assert peer.number() > max(given)


def test_at_most_one_erase_in_2500_messages() -> None:
    """Flash endures about 100,000 erases. The records have their maximum size, and all senders are known."""
    peer = Peer(**LONGEST)
    for lane in range(100, 100 + MAX_SENDERS):
        peer.accept(wire(lane, 1))
        peer.ask(commands.TRUST, lane, bytes(range(16)))
    peer.ask(commands.ACKNOWLEDGE, 0, 7, 0)
    messages = 10_000
    before = peer.unit.flash.nvm.erases
    for _ in range(messages):
        peer.begin(cipher=0)
    assert 0 < peer.unit.flash.nvm.erases - before <= messages // 2500
    give_back(peer)
    peer.restart()
    assert peer.number() == messages + 1


class Numbers(RuleBasedStateMachine):
    """A random life of a unit. `next_expected` is the model: the next number, apart from gaps."""

    def __init__(self) -> None:
        super().__init__()
        self.peer = Peer()
        self.next_expected = 1
        self.may_be_burnt = 0

    counts = st.sampled_from([1, 1, 1, 1, 2, 5, BLOCK - 1, BLOCK, BLOCK + 1])  # the last three take the time

    @rule(count=counts)
    def seal(self, count: int) -> None:
        first = self.peer.number()
        assert 0 <= first - self.next_expected <= self.may_be_burnt
        for number in range(first + 1, first + count):
            assert self.peer.number() == number
        self.next_expected, self.may_be_burnt = first + count, 0

    @rule()
    def restart(self) -> None:
        self.peer.restart()
        self.may_be_burnt = max(self.may_be_burnt, BLOCK - 1)

    @rule()
    def unplug(self) -> None:
        """Numbers lost in a crash stay lost."""
        give_back(self.peer)
        self.peer.restart()

    @rule()
    def give_back(self) -> None:
        give_back(self.peer)

    @rule(steps=st.integers(0, 120))
    def cut(self, steps: int) -> None:
        self.peer.unit.power.survives(steps, lambda: give_back(self.peer))
        self.restart()

    @rule(steps=st.integers(0, 120), count=counts)
    def cut_while_sealing(self, steps: int, count: int) -> None:
        given: list[int] = []
        self.peer.unit.power.survives(steps, lambda: given.extend(self.peer.number() for _ in range(count)))
        if given:
            assert 0 <= given[0] - self.next_expected <= self.may_be_burnt
            assert given == list(range(given[0], given[0] + len(given)))
            self.next_expected, self.may_be_burnt = given[-1] + 1, 0
        # A cut during the reservation loses that block too.
        self.may_be_burnt += BLOCK
        self.restart()


Numbers.TestCase.settings = settings(max_examples=40, stateful_step_count=25)
TestNumbers = Numbers.TestCase
