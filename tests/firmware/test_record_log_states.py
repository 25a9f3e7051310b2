# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The record log against a small model, in any order of writing, restarting and power cuts."""

import struct
from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from firmware.memory_board import MemoryBoard
from ndks_protocol import errors
from ndks_unit.record_log import RecordLog
from ndks_unit.records import EXPORT_COUNTER, MEMBERSHIP, STATE_FORMAT

BODIES = {
    STATE_FORMAT: st.binary(min_size=1, max_size=4),
    MEMBERSHIP: st.builds(
        lambda size, byte: bytes([byte]) * size, st.sampled_from([0, 1, 70, 900]), st.integers(0, 255)
    ),
}
STEPS = st.integers(0, 30) | st.integers(0, 2500)  # of flash operations until the power goes
COUNTS = st.sampled_from([1, 2, 63, 64, 65, 200])

JUMP_RECORD = 112  # bytes that a jump of the counter costs


def counter(value: int) -> bytes:
    return struct.pack(">IQ", 0, value)


class RecordLogStates(RuleBasedStateMachine):
    """`bodies` is the model: what the log must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.board = MemoryBoard()
        self.log = RecordLog(self.board)
        self.bodies: dict[int, bytes] = {}

    @initialize(value=st.integers(0, 1 << 32))
    def begin(self, value: int) -> None:
        self.attempt(EXPORT_COUNTER, counter(value))

    @rule(data=st.data(), kind=st.sampled_from(sorted(BODIES)))
    def append(self, data: st.DataObject, kind: int) -> None:
        self.attempt(kind, data.draw(BODIES[kind]))

    @rule(by=st.integers(1, 1000))
    def jump(self, by: int) -> None:
        self.attempt(EXPORT_COUNTER, counter(self.value + by))

    @rule(times=COUNTS)
    def count(self, times: int) -> None:
        for _ in range(times):
            self.log.count(EXPORT_COUNTER)
        self.bodies[EXPORT_COUNTER] = counter(self.value + times)

    @rule(left=st.integers(0, 300))
    def fill(self, left: int) -> None:
        """Jump until the next record or one after it needs a compaction."""
        while self.log.used + left < self.log.size - JUMP_RECORD:
            self.attempt(EXPORT_COUNTER, counter(self.value + 1))

    @rule()
    def restart(self) -> None:
        self.log = RecordLog(self.board)

    @rule(cuts=st.lists(STEPS, min_size=1, max_size=3))
    def cut_while_starting(self, cuts: list[int]) -> None:
        """A start may write: what a cut in a compaction has left in a snapshot alone."""
        for steps in cuts:
            self.board.survives(steps, lambda: RecordLog(self.board))
        self.restart()

    @rule(data=st.data(), kind=st.sampled_from(sorted(BODIES)), steps=STEPS)
    def cut_while_appending(self, data: st.DataObject, kind: int, steps: int) -> None:
        body = data.draw(BODIES[kind])
        self.cut(steps, kind, [body], lambda: self.log.append(kind, body))

    @rule(by=st.integers(1, 1000), steps=STEPS)
    def cut_while_jumping(self, by: int, steps: int) -> None:
        body = counter(self.value + by)
        self.cut(steps, EXPORT_COUNTER, [body], lambda: self.log.append(EXPORT_COUNTER, body))

    @rule(times=COUNTS, steps=STEPS)
    def cut_while_counting(self, times: int, steps: int) -> None:
        acknowledged = self.value

        def count() -> None:
            nonlocal acknowledged
            for _ in range(times):
                self.log.count(EXPORT_COUNTER)
                acknowledged += 1

        ended = self.board.survives(steps, count)
        self.restart()
        begun = 0 if ended else 1
        self.adopt(EXPORT_COUNTER, [counter(acknowledged + i) for i in range(begun + 1)])

    @precondition(lambda self: self.log.used > self.log.size - 500)
    @rule(kind=st.just(MEMBERSHIP), body=st.binary(min_size=900, max_size=900))
    def refuse(self, kind: int, body: bytes) -> None:
        """No compaction on a drive that cannot be written, and nothing changes."""
        self.board.drive_is_writable = False
        before = bytes(self.board.nvm.content)
        with pytest.raises(errors.UnitError, match="STORAGE"):
            self.log.append(kind, body)
        assert self.board.nvm.content == before
        self.board.drive_is_writable = True

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        assert {kind: self.log.body(kind) for kind in self.bodies} == self.bodies

    @property
    def value(self) -> int:
        return struct.unpack(">IQ", self.bodies[EXPORT_COUNTER])[1]

    def attempt(self, kind: int, body: bytes) -> None:
        self.log.append(kind, body)
        self.bodies[kind] = body

    def cut(self, steps: int, kind: int, new: list[bytes], operation: Callable[[], None]) -> None:
        ended = self.board.survives(steps, operation)
        self.restart()
        self.adopt(kind, new if ended else [*new, self.bodies.get(kind)])

    def adopt(self, kind: int, allowed: "list[bytes] | list[bytes | None]") -> None:
        """The old body or the new one; which of them, the log decides."""
        body = self.log.body(kind)
        assert body in allowed
        if body is not None:
            self.bodies[kind] = body


RecordLogStates.TestCase.settings = settings(max_examples=120, stateful_step_count=40)
TestRecordLogStates = RecordLogStates.TestCase
