# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The record log against a model, with writes, restarts, changes of the binding and power cuts in any order."""

import struct
from collections.abc import Callable

import pytest
from hosts.memory import new_flash
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from firmware.logs import counter, loaded
from ndks.crypto import CRYPTO
from ndks_protocol import errors
from ndks_protocol.binding import BindingKeys
from ndks_unit.flash.record_log import RecordLog
from ndks_unit.flash.records import (
    BINDING,
    BOOTS,
    EXPORT_COUNTER,
    FIRST,
    MEMBERSHIP,
    MESSAGE_COUNTER,
    SEALED,
    WINDOWS,
    RecordKeys,
    counted,
)
from ndks_unit.on_demand.bind import rebind

BODIES = {
    MEMBERSHIP: st.builds(
        lambda size, byte: bytes([byte]) * size, st.sampled_from([0, 1, 70, 240]), st.integers(0, 255)
    ),
    WINDOWS: st.binary(min_size=40, max_size=40),
    MESSAGE_COUNTER: st.binary(min_size=12, max_size=12),
}
STEPS = st.integers(0, 30) | st.integers(0, 2500) | st.integers(0, 10_000)  # steps of flash until the power cut
COUNTS = st.sampled_from([1, 2, 63, 64, 65, 200])
LAPTOPS = [BindingKeys(CRYPTO, bytes([number]) * 32) for number in range(3)]

JUMP_RECORD = 112  # size in bytes of the record that a jump writes


def binding(laptop: int, settled: int = 1) -> bytes:
    """Return a body of the record BINDING; the log does not interpret it."""
    return bytes([laptop, settled]) * 33


class RecordLogStates(RuleBasedStateMachine):
    """`bodies` is the model: the content of the unlocked log."""

    def __init__(self) -> None:
        super().__init__()
        self.flash = new_flash()
        self.bodies: dict[int, bytes] = {BINDING: binding(0), BOOTS: FIRST}
        self.log = loaded(self.flash)
        self.open(self.log, 0)
        for kind, body in self.bodies.items():
            self.log.append(kind, body)

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
        """Jump until the next record, or a later one, needs a compaction."""
        while self.log.used + left < self.log.size - JUMP_RECORD:
            self.attempt(EXPORT_COUNTER, counter(self.value + 1))

    @rule(laptop=st.sampled_from(range(len(LAPTOPS))))
    def rebind(self, laptop: int) -> None:
        self.rebind_log(laptop)
        self.bodies[BINDING] = binding(laptop)

    @rule()
    def restart(self) -> None:
        self.log = self.started()

    @rule(starts=st.integers(1, 70))
    def start_locked(self, starts: int) -> None:
        """A unit without a session counts its starts while the log has room."""
        for _ in range(starts):
            log = loaded(self.flash)
            log.set_auth(LAPTOPS[self.laptop].auth)
            assert all(log.body(kind) is None for kind in SEALED)
            try:
                log.count(BOOTS)
            except errors.UnitError:
                break
            self.bodies[BOOTS] = counted(self.bodies[BOOTS], 1)
        self.restart()

    @rule(cuts=st.lists(STEPS, min_size=1, max_size=3))
    def cut_while_starting(self, cuts: list[int]) -> None:
        """The first session after a cut copies the records that exist only in a snapshot."""
        for steps in cuts:
            self.flash.power.survives(steps, self.started)
        self.restart()

    @rule(data=st.data(), kind=st.sampled_from(sorted(BODIES)), steps=STEPS)
    def cut_while_appending(self, data: st.DataObject, kind: int, steps: int) -> None:
        body = data.draw(BODIES[kind])
        self.cut(steps, kind, body, lambda: self.log.append(kind, body))

    @rule(by=st.integers(1, 1000), steps=STEPS)
    def cut_while_jumping(self, by: int, steps: int) -> None:
        body = counter(self.value + by)
        self.cut(steps, EXPORT_COUNTER, body, lambda: self.log.append(EXPORT_COUNTER, body))

    @rule(laptop=st.sampled_from(range(len(LAPTOPS))), steps=STEPS)
    def cut_while_rebinding(self, laptop: int, steps: int) -> None:
        self.cut(steps, BINDING, binding(laptop), lambda: self.rebind_log(laptop))

    @rule(times=COUNTS, steps=STEPS)
    def cut_while_counting(self, times: int, steps: int) -> None:
        acknowledged = self.value

        def count() -> None:
            nonlocal acknowledged
            for _ in range(times):
                self.log.count(EXPORT_COUNTER)
                acknowledged += 1

        ended = self.flash.power.survives(steps, count)
        self.restart()
        begun = 0 if ended else 1
        self.adopt(EXPORT_COUNTER, [counter(acknowledged + i) for i in range(begun + 1)])

    @precondition(lambda self: self.log.used > self.log.size - 200)
    @rule(kind=st.just(MEMBERSHIP), body=st.binary(min_size=240, max_size=240))
    def refuse(self, kind: int, body: bytes) -> None:
        """A log on a read-only drive refuses to compact, and does not change."""
        self.flash.drive_is_writable = False
        before = bytes(self.flash.nvm.content)
        with pytest.raises(errors.UnitError, match="STORAGE"):
            self.log.append(kind, body)
        assert self.flash.nvm.content == before
        self.flash.drive_is_writable = True

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        assert {kind: self.log.body(kind) for kind in self.bodies} == self.bodies

    @property
    def value(self) -> int:
        return struct.unpack(">IQ", self.bodies[EXPORT_COUNTER])[1]

    @property
    def laptop(self) -> int:
        return self.bodies[BINDING][0]

    def open(self, log: RecordLog, laptop: int) -> None:
        log.set_auth(LAPTOPS[laptop].auth)
        log.unlock(LAPTOPS[laptop].kek)

    def started(self) -> RecordLog:
        """Return the log after a start and UNLOCK."""
        log = loaded(self.flash)
        body = log.body(BINDING)
        assert body
        self.open(log, body[0])
        if not body[1]:
            log.settle(binding(body[0]))
        log.complete()
        return log

    def rebind_log(self, laptop: int) -> None:
        keys = RecordKeys(CRYPTO)
        keys.set_auth(LAPTOPS[laptop].auth)
        keys.set_kek(LAPTOPS[laptop].kek)
        rebind(self.log, keys, binding(laptop, settled=0), binding(laptop))

    def attempt(self, kind: int, body: bytes) -> None:
        self.log.append(kind, body)
        self.bodies[kind] = body

    def cut(self, steps: int, kind: int, new: bytes, operation: Callable[[], None]) -> None:
        ended = self.flash.power.survives(steps, operation)
        self.restart()
        self.adopt(kind, [new] if ended else [new, self.bodies.get(kind)])

    def adopt(self, kind: int, allowed: "list[bytes] | list[bytes | None]") -> None:
        """Take the body of the log into the model; it must be the old or the new one."""
        body = self.log.body(kind)
        assert body in allowed
        if body is not None:
            self.bodies[kind] = bytes(body)


RecordLogStates.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestRecordLogStates = RecordLogStates.TestCase
