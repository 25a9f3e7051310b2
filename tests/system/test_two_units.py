# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Two units have equal keys, and each capsule opens once, through random events."""

import io
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.reference import exported_key
from unit.other_member import HEADER_SIZE, OtherMember, flipped, header_of, open_offline

import ndks
from ndks.network.network_file import Network
from ndks_protocol.commands import CIPHERS, MAX_JUMP, WINDOW_SIZE
from ndks_protocol.generator import F1, F2

NAMES = ("alice", "bob")
LANES = {"alice": 1, "bob": 2, "carol": 3}
names = st.sampled_from(NAMES)
decimals = st.builds(
    lambda whole, fraction: f"{whole}.{fraction}1", st.integers(0, 99), st.text("0123456789", max_size=39)
)


class Pair(RuleBasedStateMachine):
    """Two emulated units of a network, bound to this laptop."""

    def found(self, network: Network) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="ndks-test-"))
        self.network = network
        self.units = {name: self.open(name) for name in NAMES}
        for name, unit in self.units.items():
            unit.bind(unit.provision(network, LANES[name]))
        self.next = dict.fromkeys(NAMES, 1)  # index of the next key, or a lower bound

    def open(self, name: str) -> ndks.Unit:
        return ndks.open(f"emulator:{self.directory / name}", create=True)

    def teardown(self) -> None:
        if hasattr(self, "directory"):
            for unit in self.units.values():
                unit.close()
            shutil.rmtree(self.directory)


class TwoUnits(Pair):
    """Two units, two hosts, and a model: the next index of each unit."""

    @initialize(
        p1=decimals,
        p2=decimals,
        digits=st.integers(1, 12),
        suite=st.sampled_from(["hybrid", "paper"]),
        f1=st.sampled_from(F1),
        f2=st.sampled_from(F2),
    )
    def provision(self, p1: str, p2: str, digits: int, suite: str, f1: str, f2: str) -> None:
        self.found(Network.new("pair", p1=p1, p2=p2, digits=digits, suite=suite, f1=f1, f2=f2))
        self.keys: dict[int, bytes] = {}

    def remember(self, key: ndks.Key) -> None:
        """Check that every answer for an index has the same bits."""
        whole = key.bits // 8  # the unused bits of the last byte are 0
        known = self.keys.get(key.index, b"")
        common = min(len(known), whole)
        assert key.data[:common] == known[:common]
        self.keys[key.index] = max(known, key.data[:whole], key=len)

    @rule(name=names, bits=st.integers(1, 700))
    def take_next_key(self, name: str, bits: int) -> None:
        key = self.units[name].next_key(bits)
        assert key.index == self.next[name]
        self.next[name] += 1
        self.remember(key)

    @rule(name=names, bits=st.integers(1, 700))
    def take_next_key_but_disconnect_before_acknowledging(self, name: str, bits: int) -> None:
        epoch, index = self.units[name].next_index()
        self.remember(self.units[name].key(index, bits, epoch=epoch))
        self.restart(name)

    @rule(name=names)
    def acknowledge_again(self, name: str) -> None:
        epoch, index = self.units[name].next_index()
        if index > 1:
            assert self.units[name].acknowledge(epoch, index - 1) == index

    @rule(name=names, ahead=st.integers(0, 70))
    def jump_ahead(self, name: str, ahead: int) -> None:
        epoch, index = self.units[name].next_index()
        self.next[name] = self.units[name].acknowledge(epoch, index + ahead)
        assert self.next[name] == index + ahead + 1

    @rule(name=names, index=st.integers(1, 2**48 - 1), offset=st.integers(0, 2**37 - 100), size=st.integers(1, 64))
    def both_agree_anywhere(self, name: str, index: int, offset: int, size: int) -> None:
        got = [b"".join(unit.stream_key(index, 8 * (offset + size), offset=offset)) for unit in self.units.values()]
        assert got[0] == got[1] == exported_key(self.network, index, offset, size)

    @rule(name=names)
    def restart(self, name: str) -> None:
        self.units[name].close()
        self.units[name] = self.open(name)

    @precondition(lambda self: self.keys)
    @rule(name=names, data=st.data())
    def an_old_key_comes_again(self, name: str, data: st.DataObject) -> None:
        index = data.draw(st.sampled_from(sorted(self.keys)))
        self.remember(self.units[name].key(index, 8 * max(1, len(self.keys[index]))))

    @invariant()
    def counters_are_exact(self) -> None:
        if hasattr(self, "units"):
            assert {name: unit.next_index()[1] for name, unit in self.units.items()} == self.next


TestTwoUnits = TwoUnits.TestCase
TestTwoUnits.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


RESERVED = 64  # numbers per reservation; a crash may lose that many
modes = st.sampled_from("ab")


@dataclass(frozen=True)
class Sent:
    """A capsule in transit, and the model's knowledge of it."""

    sender: str
    number: int
    data: bytes
    capsule: bytes


class FullDisk(io.BytesIO):
    def flush(self) -> None:
        raise OSError(28, "No space left on device")


class TwoCorrespondents(Pair):
    """Two units, and a channel that loses, repeats, delays, reorders and alters messages.

    The model is the set of numbers that each unit has accepted from each sender. The test simulates Carol, who uses any
    number: after a long silence, late, or from a broken counter.
    """

    @initialize(
        suite=st.sampled_from(["hybrid", "paper"]),
        cipher=st.sampled_from(CIPHERS),
        f1=st.sampled_from(F1),
        f2=st.sampled_from(F2),
    )
    def provision(self, suite: str, cipher: str, f1: str, f2: str) -> None:
        self.found(Network.new("pair", suite=suite, cipher=cipher, f1=f1, f2=f2))
        self.carol = OtherMember(self.network, LANES["carol"])
        self.is_exact = dict.fromkeys(NAMES, True)
        self.accepted: dict[tuple[str, str], set[int]] = {(to, of): set() for to in NAMES for of in LANES}
        self.sent: list[Sent] = []

    def expected(self, name: str, sent: Sent, *, again: bool, allow_jump: bool) -> str:
        """Return the expected error of this unit, or ""."""
        if sent.sender == name:
            return "REFLECTED"
        accepted = self.accepted[name, sent.sender]
        top = max(accepted, default=0)
        if not again and sent.number <= top - WINDOW_SIZE:
            return "TOO_OLD"
        if not again and sent.number in accepted:
            return "DUPLICATE"
        return "TOO_FAR" if not allow_jump and sent.number > top + MAX_JUMP else ""

    def take(self, name: str, sent: Sent, mode: str, *, again: bool = False, allow_jump: bool = False) -> str:
        """Open a capsule on a unit, and return the error."""
        try:
            assert self.units[name].unseal(sent.capsule, mode=mode, again=again, allow_jump=allow_jump) == sent.data
        except ndks.DeviceError as error:
            return error.code
        return ""

    @rule(name=names, mode=modes, cipher=st.sampled_from(CIPHERS), data=st.binary(max_size=1100))
    def seal(self, name: str, mode: str, cipher: str, data: bytes) -> None:
        capsule = self.units[name].seal(data, cipher=cipher, mode=mode)
        assert open_offline(self.network, capsule) == data
        number = header_of(self.network, capsule).number
        assert self.next[name] <= number <= self.next[name] + (0 if self.is_exact[name] else RESERVED)
        self.next[name], self.is_exact[name] = number + 1, True
        self.sent.append(Sent(name, number, data, capsule))

    @rule(ahead=st.sampled_from([1, 2, 100, WINDOW_SIZE - 1, WINDOW_SIZE, MAX_JUMP, MAX_JUMP + 1]))
    def carol_seals(self, ahead: int) -> None:
        last = max((sent.number for sent in self.sent if sent.sender == "carol"), default=0)
        data = b"carol's %d" % (last + ahead)
        self.sent.append(Sent("carol", last + ahead, data, self.carol.seal(data, number=last + ahead)))

    @precondition(lambda self: self.sent)
    @rule(name=names, mode=modes, data=st.data(), again=st.booleans(), allow_jump=st.booleans())
    def deliver(self, name: str, mode: str, data: st.DataObject, again: bool, allow_jump: bool) -> None:
        sent = data.draw(st.sampled_from(self.sent))
        expected = self.expected(name, sent, again=again, allow_jump=allow_jump)
        assert self.take(name, sent, mode, again=again, allow_jump=allow_jump) == expected
        if not expected and not again:
            self.accepted[name, sent.sender].add(sent.number)

    @precondition(lambda self: self.sent)
    @rule(name=names, mode=modes)
    def deliver_the_latest(self, name: str, mode: str) -> None:
        sent = self.sent[-1]
        expected = self.expected(name, sent, again=False, allow_jump=False)
        assert self.take(name, sent, mode) == expected
        if not expected:
            self.accepted[name, sent.sender].add(sent.number)

    @precondition(lambda self: self.sent)
    @rule(name=names, mode=modes, data=st.data())
    def deliver_but_it_cannot_be_stored(self, name: str, mode: str, data: st.DataObject) -> None:
        sent = data.draw(st.sampled_from(self.sent))
        raised = ndks.DeviceError if self.expected(name, sent, again=False, allow_jump=False) else OSError
        with pytest.raises(raised):
            self.units[name].decrypt(io.BytesIO(sent.capsule), FullDisk(), mode=mode)

    @precondition(lambda self: self.sent)
    @rule(name=names, mode=modes, data=st.data())
    def alter_on_the_way(self, name: str, mode: str, data: st.DataObject) -> None:
        sent = data.draw(st.sampled_from(self.sent))
        position = data.draw(st.integers(0, len(sent.capsule) - 1))
        altered = replace(sent, capsule=flipped(sent.capsule, position))
        whole = self.expected(name, sent, again=False, allow_jump=False) or "AUTH"
        expected = "VERSION" if position == 0 else "HEADER" if position < HEADER_SIZE else whole
        assert self.take(name, altered, mode) == expected

    @precondition(lambda self: self.sent)
    @rule(name=names, data=st.data())
    def accept_once_more(self, name: str, data: st.DataObject) -> None:
        known = [sent for sent in self.sent if sent.number in self.accepted[name, sent.sender]]
        recent = [sent for sent in known if self.expected(name, sent, again=False, allow_jump=True) == "DUPLICATE"]
        if recent:
            self.units[name].accept(data.draw(st.sampled_from(recent)).capsule)

    @rule(name=names)
    def restart(self, name: str) -> None:
        self.units[name].close()
        self.units[name] = self.open(name)

    @rule(name=names)
    def pull_the_plug(self, name: str) -> None:
        self.units[name]._link.close()
        self.units[name] = self.open(name)
        self.is_exact[name] = False

    @precondition(lambda self: self.sent)
    @rule(name=names)
    def inspect_the_latest(self, name: str) -> None:
        sent = self.sent[-1]
        if sent.sender != name:
            seen = self.units[name].inspect(sent.capsule)
            state = self.expected(name, sent, again=False, allow_jump=False) or "new"
            assert (seen.lane, seen.number, seen.state) == (LANES[sent.sender], sent.number, state)

    @invariant()
    def no_number_is_used_twice(self) -> None:
        numbers = [(sent.sender, sent.number) for sent in getattr(self, "sent", [])]
        assert len(set(numbers)) == len(numbers)


TestTwoCorrespondents = TwoCorrespondents.TestCase
TestTwoCorrespondents.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
