# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Events with keys."""

import functools

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from support.reference import exported_key

from ndks.driver.unit import Unit

from .agreement import NETWORK
from .desk import Fault
from .faults import cuts, faults
from .member import Member
from .model import JUMP, Model, Refused

exported = functools.lru_cache(maxsize=None)(exported_key)


def key_of(index: int, size: int) -> bytes:
    return exported(NETWORK, index, 0, size)


ONE_RECORD = 112  # bytes of the largest record that a jump appends


class Keys(Member):
    """Keys, their indexes, and a full log."""

    @precondition(lambda self: self.model.flash.lane)
    @rule(bits=st.sampled_from([1, 64, 128, 200]), fault=faults)
    def next_key(self, bits: int, fault: Fault | None) -> None:
        def operation(host: Unit) -> int:
            key = host.next_key(bits)
            assert key.data[: bits // 8] == key_of(key.index, -(-bits // 8))[: bits // 8]
            return key.index

        index = self.step(operation, lambda model: model.next_key(), fault)
        if isinstance(index, int):
            assert index not in self.acknowledged
            self.acknowledged.add(index)

    @precondition(lambda self: self.model.flash.lane)
    @rule()
    def next_index(self) -> None:
        index = self.step(lambda host: host.next_index()[1], lambda model: model.next_index())
        assert index not in self.acknowledged

    @precondition(lambda self: self.model.flash.lane)
    @rule(index=st.integers(0, 40) | st.integers(1, (1 << 48) - 1), fault=faults)
    def key(self, index: int, fault: Fault | None) -> None:
        def change(model: Model) -> bytes:
            model.enter()
            if index == 0:
                raise Refused("RANGE")
            return key_of(index, 8)

        self.step(lambda host: host.key(index, 64).data, change, fault)

    @precondition(lambda self: self.model.flash.lane)
    @rule(ahead=st.sampled_from([-3, -1, 0, 0, 1, 5, JUMP, JUMP + 1]), allow_jump=st.booleans(), fault=faults)
    def acknowledge(self, ahead: int, allow_jump: bool, fault: Fault | None) -> None:
        index = max(0, self.model.flash.next_index + ahead)
        answer = self.step(
            lambda host: host.acknowledge(0, index, allow_jump=allow_jump),
            lambda model: model.acknowledge(index, allow_jump=allow_jump),
            fault,
        )
        if isinstance(answer, int):
            self.acknowledged.add(index)

    @precondition(lambda self: self.model.flash.lane)
    @rule(left=st.integers(0, 250))
    def fill_log(self, left: int) -> None:
        """Fill the log, except for a few bytes."""
        for _ in range(50):
            used = self.view.free
            if used < ONE_RECORD + left:
                break
            self.acknowledge(1, False, None)
            if self.view.free >= used:
                break

    @precondition(lambda self: self.model.flash.lane)
    @rule(fault=cuts, again=cuts)
    def compact(self, fault: Fault, again: Fault) -> None:
        self.fill_log(0)
        self.acknowledge(1, False, fault)
        self.acknowledge(1, False, again)

    @precondition(lambda self: self.model.flash.lane)
    @rule(fault=cuts, again=cuts)
    def rebind_without_power(self, fault: Fault, again: Fault) -> None:
        self.rebind(fault)
        self.unlock(again)
        self.rebind(None)
