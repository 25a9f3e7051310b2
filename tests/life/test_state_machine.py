# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit with its hosts, and a small model of them, go through the same events. After each the states must agree.

NDKS_TEST_FULL=1 makes the lives much longer.
"""

import random
import secrets
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from support.power_cuts import FULL

from ndks.driver.unit import Unit

from .agreement import outcome
from .desk import Desk, Fault
from .faults import faults
from .keys import ONE_RECORD
from .messages import Messages
from .model import Model


class Life(Messages):
    """One desk, at first with a blank unit."""

    @initialize(
        seed=st.integers(0, 1 << 32),
        fine=st.booleans(),
        stage=st.sampled_from([*["bound"] * 5, "member", "", "joining", "joined"]),
        fault=faults,
        again=faults,
    )
    def begin(self, seed: int, fine: bool, stage: str, fault: Fault | None, again: Fault | None) -> None:
        chance = random.Random(seed)
        self.patches = mock.patch.multiple(
            secrets,
            token_bytes=chance.randbytes,
            token_hex=lambda size: chance.randbytes(size).hex(),
            randbits=chance.getrandbits,
        )
        self.patches.start()
        self.desk = Desk(self.directory, chance, fine=fine)
        self.model = Model()
        self.view = self.looked()
        if stage in ("bound", "member"):
            self.provision(None)
        if stage == "bound":
            self.bind(self.model.flash.binding, None)
        if stage == "joining":
            self.make_joining_key(fault)
            self.make_joining_key(again)
        if stage == "joined":
            self.make_joining_key(None)
            self.join_by_package(fault, again, -1, 1)

    @precondition(lambda self: not self.model.flash.lane)
    @rule()
    def use_a_unit_that_is_not_a_member(self) -> None:
        self.key(1, None)
        self.seal(b"", "aes", "b", None)
        self.rebind(None)

    @rule(steps=st.none() | st.integers(0, 40) | st.integers(0, 9000))
    def restart(self, steps: int | None) -> None:
        self.power_up(steps)
        self.check()

    def power_up(self, steps: int | None = None) -> None:
        starts = self.desk.power_up(steps)
        self.model.clock = self.desk.unit.clock.milliseconds
        self.model.start()
        if self.desk.unit.case.is_open:
            self.model.open_case(has_remains=self.view.has_remains)
        boots = self.looked().boots
        assert not self.view.is_bound or self.model.is_opened or self.view.boots <= boots <= self.view.boots + starts
        assert (
            not self.view.is_bound
            or boots > self.view.boots
            or self.view.free < ONE_RECORD * starts
            or self.model.is_opened
        )
        self.view = self.view._replace(boots=boots)

    @rule(name=st.sampled_from("AAAAAB"))
    def take_to_laptop(self, name: str) -> None:
        self.unplug()
        self.desk.here = self.model.here = name
        self.check()

    @rule(look=st.sampled_from([*["board one"] * 6, "board two"]))
    def change_board(self, look: str) -> None:
        self.desk.looks[self.desk.here] = self.model.laptop.look = look

    @rule(stays_open=st.booleans(), sure=st.integers(0, 7))
    def open_case(self, stays_open: bool, sure: int) -> None:
        if sure:
            return
        self.desk.unit.case.open()
        if not stays_open:
            self.desk.unit.case.close()
        self.desk.unit.poll()
        if self.model.is_in_session:
            assert outcome(lambda: self.desk.run(Unit.next_index, None)) == "refused: TAMPERED"
        self.desk.unplug()  # what a host has once been told, it goes on to believe
        self.model.open_case(has_remains=self.view.has_remains)
        self.check()

    @precondition(lambda self: self.model.is_opened or self.desk.unit.case.is_open)
    @rule()
    def close_case(self) -> None:
        self.desk.unit.case.close()
        self.power_up()
        self.check()

    @rule()
    def copy_flash(self) -> None:
        self.images.append((self.desk.images(), self.model.copy().flash, self.view))

    @precondition(lambda self: self.images)
    @rule(which=st.integers(0, 9))
    def put_flash_back(self, which: int) -> None:
        images, flash, view = self.images[which % len(self.images)]
        self.desk.put_back(images)
        self.model.flash = Model(flash).copy().flash
        self.restored_lanes.add(flash.lane)
        self.acknowledged = {index for index in self.acknowledged if index < flash.next_index}
        self.view = view
        self.power_up()
        self.check()

    @precondition(lambda self: self.model.flash.lane)
    @rule(messages=st.sampled_from([1, 3, 64, 65]), ends=st.booleans())
    def be_put_back_after_messages(self, messages: int, ends: bool) -> None:
        """Restore an old image after messages: the laptop knows the numbers, even if it has not ended the session."""
        self.copy_flash()
        for _ in range(messages):
            self.seal(b"", "aes", "b", None)
        if ends:
            self.close(None)
        self.put_flash_back(len(self.images) - 1)
        self.seal(b"", "aes", "b", None)


Life.TestCase.settings = settings(
    max_examples=3000 if FULL else 80,
    stateful_step_count=60 if FULL else 50,
    derandomize=not FULL,
    suppress_health_check=list(HealthCheck),
)
TestLife = pytest.mark.timeout(900)(Life.TestCase)  # 80 lives are work for minutes on a busy machine


def test_case_that_is_still_open_when_the_power_returns() -> None:
    """ZEROIZE is cut; the unit starts with its case open, and says so."""
    life = Life()
    life.begin(seed=1, fine=True, stage="bound", fault=None, again=None)
    life.open_case(stays_open=True, sure=0)
    life.zeroize(Fault("cut", 66), sure=1)
    assert not life.model.flash.is_tampered
    life.status()
    life.make_joining_key(None)
    life.teardown()
