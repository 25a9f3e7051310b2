# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What all events have in common: unit and model do the same, and after it their states agree."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from support.pieces import pieces

from ndks.driver.unit import Unit

from .agreement import NETWORK, between, described, has_secrets, id_of, outcome, seen
from .desk import Fault
from .flash_view import FlashView, look
from .model import Capsule, Flash, Model, Own

LONG_MS = 61_000  # no delay after wrong proofs is longer


class Compared(RuleBasedStateMachine):
    """A desk, and a model of it, that go through the same events."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="ndks-life-"))
        self.next_lane = 1
        self.used: dict[tuple[int, int], bytes] = {}  # wire headers, by lane and number
        self.restored_lanes: set[int] = set()
        self.acknowledged: set[int] = set()
        self.capsules: list[tuple[Capsule, bytes]] = []
        self.joining_keys: list[bytes] = []  # private and public keys, of which the last one may be valid
        self.images: list[tuple[list[bytes], Flash, FlashView]] = []
        self.sealed: list[bytes] = []

    def teardown(self) -> None:
        if hasattr(self, "patches"):
            self.patches.stop()
        shutil.rmtree(self.directory)

    def step(self, operation: Callable[[Unit], Any], change: Callable[[Model], Any], fault: Fault | None = None) -> Any:
        """Do the same with unit and model, and return their common result; None after a fault."""
        before, after = self.model, self.model.copy()
        after.clock, after.room = self.desk.unit.clock.milliseconds, self.view.free
        actual = outcome(lambda: self.desk.run(operation, fault))
        salt = self.view.salt if self.view.is_bound else b""
        new = self.desk.binding_of(self.desk.here, salt) if salt else b""
        if new and new not in self.desk.bindings:
            self.desk.bindings.append(new)
        expected = outcome(lambda: change(after))
        if self.desk.struck:
            self.go_on_after(fault, before, after)
            return None
        assert actual == expected
        if after.refuses_itself:
            assert self.desk.unit.firmware.state.session.wrong_attempts == before.wrong_attempts
        self.model = after
        self.check()
        return actual

    def looked(self) -> FlashView:
        return look(self.desk.images(), self.desk.bindings)

    def check(self) -> None:
        """Check that flash and the laptop's files agree with the model."""
        view, flash = self.looked(), self.model.flash
        assert seen(view) == described(flash)
        assert view.is_settled or not self.model.is_in_session
        assert view.boots == self.view.boots or not view.is_bound or not self.view.is_bound
        assert view.erases >= self.view.erases
        self.check_laptop()
        assert NETWORK.secret not in b"".join(self.desk.images())
        self.check_joining_keys(view)
        self.view = view

    def check_joining_keys(self, view: FlashView) -> None:
        """Check that flash has the valid joining key at most, and not in the files."""
        *snapshots, nvm = self.desk.images()
        if view.joining_key and view.joining_key not in self.joining_keys:
            self.joining_keys.append(view.joining_key)
        for key in self.joining_keys:
            is_void = key != view.joining_key and not view.has_remains  # a power cut may have interrupted its erasure
            images = [*snapshots, nvm] if is_void else snapshots
            assert not any(pieces(key[:32]) & pieces(image) for image in images)

    def check_laptop(self) -> None:
        laptop, unit = self.model.laptop, self.desk.store.unit(self.desk.serial_number)
        assert {known.binding_id for known in unit.bindings} == {id_of(binding) for binding in laptop.known}
        salt, *minimum_counters = self.desk.minimum_counters
        if self.model.flash.lane and bytes.fromhex(salt) == self.looked().salt:
            assert (laptop.lane, [laptop.minimum, laptop.exported]) == (self.model.flash.lane, minimum_counters)
        elif self.model.flash.lane:
            assert laptop.lane != self.model.flash.lane

    def go_on_after(self, fault: Fault | None, before: Model, after: Model) -> None:
        """After a fault, check that each part of the state is that before or that after the command."""
        assert fault
        had_power = self.desk.unit.power.on
        starts = 0
        if had_power:
            self.desk.unplug()
        else:
            starts = self.desk.power_up()
        view = self.looked()
        self.model = after.copy()
        if fault.kind == "case":
            may_be_blank = not (has_secrets(before.flash) and has_secrets(after.flash))
            self.model.flash = Flash(is_tampered=view.is_tampered or not may_be_blank)
            self.model.is_opened = True
        else:
            self.model.flash = between(view, before, after)
            self.model.own = self.own_after(had_power, before, after)
        self.model.is_in_session = False
        if had_power:
            self.model.wrong_attempts = self.desk.unit.firmware.state.session.wrong_attempts
            assert self.model.wrong_attempts in (before.wrong_attempts, after.wrong_attempts)
        else:
            self.model.start()
            self.model.is_opened = self.desk.unit.case.is_open  # still, from before the cut
        self.learn_laptop(before, after)
        self.view = view._replace(erases=min(view.erases, self.view.erases)) if not starts else view
        self.check()
        self.wait(LONG_MS)

    def own_after(self, had_power: bool, before: Model, after: Model) -> Own | None:
        own = self.desk.unit.firmware.state.message_counter
        if not had_power or not own._begun:
            return None
        found = Own(own.latest + 1, own._end)
        if after.own and before.own:
            assert before.own.next <= found.next <= after.own.next
        return found

    def learn_laptop(self, before: Model, after: Model) -> None:
        """Take over what the laptop had stored when the fault occurred."""
        unit = self.desk.store.unit(self.desk.serial_number)
        ids = {known.binding_id for known in unit.bindings}
        laptop, possible = self.model.laptop, [*before.laptop.known, *after.laptop.known]
        assert ids <= {id_of(binding) for binding in possible}
        laptop.known = [binding for binding in dict.fromkeys(possible) if id_of(binding) in ids]
        laptop.looks = before.laptop.looks | after.laptop.looks
        salt, minimum, exported = self.desk.minimum_counters
        is_same_life = before.laptop.lane == after.laptop.lane
        is_of_this_life = bytes.fromhex(salt) == self.looked().salt
        has_not_happened = is_of_this_life and self.model.flash.lane == before.laptop.lane
        if not is_same_life and (has_not_happened or not is_of_this_life):
            laptop.lane, laptop.minimum, laptop.exported = (
                before.laptop.lane,
                before.laptop.minimum,
                before.laptop.exported,
            )
            return
        assert (before.laptop.minimum if is_same_life else 0) <= minimum <= after.laptop.minimum
        assert exported in (before.laptop.exported if is_same_life else 0, after.laptop.exported)
        laptop.minimum, laptop.exported = minimum, exported
        if self.model.flash.binding != before.flash.binding and self.model.flash.binding in after.laptop.known:
            assert id_of(self.model.flash.binding) in ids, "a binding that nobody has written down"

    @rule(milliseconds=st.sampled_from([100, 1000, LONG_MS]))
    def wait(self, milliseconds: int) -> None:
        self.desk.unit.clock.milliseconds += milliseconds

    @rule()
    def unplug(self) -> None:
        self.desk.unplug()
        self.model.disconnect()
        self.check()
