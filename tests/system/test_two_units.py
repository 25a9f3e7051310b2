# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Unit A's key is unit B's key, whatever happens in between."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.reference import exported_key

import ndks
from ndks.network import Network

NAMES = ("alice", "bob")
names = st.sampled_from(NAMES)
decimals = st.builds(
    lambda whole, fraction: f"{whole}.{fraction}1", st.integers(0, 99), st.text("0123456789", max_size=39)
)


class TwoUnits(RuleBasedStateMachine):
    """Two units, two hosts, and a model: the next index of each unit."""

    @initialize(p1=decimals, p2=decimals, digits=st.integers(1, 12), suite=st.sampled_from(["hybrid", "paper"]))
    def provision(self, p1: str, p2: str, digits: int, suite: str) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="ndks-test-"))
        self.network = Network.new("pair", p1=p1, p2=p2, digits=digits, suite=suite)
        self.units = {name: self.open(name) for name in NAMES}
        self.next = dict.fromkeys(NAMES, 1)
        self.keys: dict[int, bytes] = {}
        for lane, unit in enumerate(self.units.values(), 1):
            unit.provision(self.network, lane)

    def open(self, name: str) -> ndks.Unit:
        return ndks.open(f"emulator:{self.directory / name}", create=True)

    def teardown(self) -> None:
        if hasattr(self, "directory"):
            for unit in self.units.values():
                unit.close()
            shutil.rmtree(self.directory)

    def remember(self, key: ndks.Key) -> None:
        """Whoever asked first, every later answer begins with the same bits or continues them."""
        whole = key.bits // 8  # the bits of a last byte that were not asked for are 0
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
