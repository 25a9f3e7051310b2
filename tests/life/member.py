# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Events of a unit and its laptops: provisioning, joining, sessions."""

import secrets
from contextlib import suppress
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from x25519_reference import BASE_POINT, LOW_ORDER

from ndks.driver.unit import Unit
from ndks.line.session import open_anonymous_session
from ndks_protocol import commands

from .agreement import NETWORK, id_of
from .compared import Compared
from .desk import Fault
from .faults import faults
from .flash_view import records_under
from .model import Flash, Model, Refused
from .packages import join_by, package_for


class Member(Compared):
    """Provisioning, joining, and sessions."""

    @precondition(lambda self: self.model.flash.lane)
    @rule()
    def provision_a_member(self) -> None:
        self.provision(None)

    @precondition(lambda self: not self.model.flash.lane)
    @rule(fault=faults)
    def provision_and_bind(self, fault: Fault | None) -> None:
        self.provision(fault)
        if self.model.flash.lane:
            self.bind(self.model.flash.binding, None)

    def provision(self, fault: Fault | None) -> None:
        lane = self.next_lane
        self.next_lane += 1

        def operation(host: Unit) -> bytes:
            host.check_blank()
            return host.provision(NETWORK, lane)

        self.step(operation, lambda model: model.provision(lane, next(reversed(self.desk.bindings), b"")), fault)
        if self.model.flash.lane == lane:
            self.acknowledged.clear()

    @rule(fault=faults)
    def make_joining_key(self, fault: Fault | None) -> None:
        self.step(
            lambda host: host.joining_key(), lambda model: model.make_joining_key(self.looked().joining_key[32:]), fault
        )

    @precondition(lambda self: not self.model.flash.lane)
    @rule(fault=faults, again=faults, which=st.sampled_from([-1, -1, -1, -2, 0]), altered=st.integers(0, 7))
    def join_by_package(self, fault: Fault | None, again: Fault | None, which: int, altered: int) -> None:
        self.make_joining_key(fault)
        if not self.joining_keys:
            return
        lane, public = self.next_lane, self.joining_keys[max(which, -len(self.joining_keys))][32:]
        self.next_lane += 1
        package = bytearray(package_for(NETWORK, lane, public, secrets.token_bytes(32)))
        package[-1] ^= altered == 0
        sealed_for = public if altered else b""

        def join(host: Unit) -> None:
            join_by(bytes(package))(host)

        self.step(join, lambda model: model.join(lane, next(reversed(self.desk.bindings), b""), sealed_for), again)
        if self.model.flash.lane:
            self.acknowledged.clear()
            self.bind(self.model.flash.binding, None)

    @rule(fault=faults, ends=st.sampled_from(["close", "unplug", "greet"]))
    def open_anonymously(self, fault: Fault | None, ends: str) -> None:
        """Open a session as the host of a blank unit does, and end it."""

        def operation(host: Unit) -> None:
            host._owner.greet()
            open_anonymous_session(host._link, host._owner._hello_payload)
            host._link.call(commands.STATUS)
            if ends == "close":
                host._owner.close_session(unplug=False)
            elif ends == "greet":
                host._owner.greet()

        self.step(operation, lambda model: model.open_anonymously(), fault)
        self.unplug()

    @precondition(lambda self: self.model.flash.lane)
    @rule(right=st.sampled_from([True, True, True, False]), fault=faults)
    def bind_with_code(self, right: bool, fault: Fault | None) -> None:
        code = self.model.flash.binding if right else secrets.token_bytes(32)
        self.bind(code or bytes(32), fault)

    @precondition(lambda self: self.model.flash.lane)
    @rule(fault=faults)
    def rebind(self, fault: Fault | None) -> None:
        self.bind(b"", fault)

    def bind(self, code: bytes, fault: Fault | None) -> None:
        def change(model: Model) -> str:
            model.bind(code, self.desk.binding_of(self.desk.here, self.view.salt))
            model.finish_binding()
            return id_of(model.flash.binding)

        if self.step(lambda host: host.bind(code).binding_id, change, fault) == id_of(self.model.flash.binding):
            for other in self.desk.bindings:
                left = records_under(self.desk.images(), other)
                assert not left or other == self.model.flash.binding, "records of another binding are left"

    @precondition(lambda self: self.model.flash.lane)
    @rule(fault=faults)
    def unlock(self, fault: Fault | None) -> None:
        def unlock(host: Unit) -> None:
            host.unlock()

        self.step(unlock, lambda model: model.unlock(), fault)

    @rule(fault=faults)
    def close(self, fault: Fault | None) -> None:
        def change(model: Model) -> None:
            with suppress(Refused):
                model.close(unplug=False)

        self.step(lambda host: host.close(), change, fault)
        self.desk.unplug()
        self.model.disconnect()

    @precondition(lambda self: self.model.flash.lane)
    @rule(fault=faults)
    def eject(self, fault: Fault | None) -> None:
        self.step(lambda host: host.eject(), lambda model: model.close(unplug=True), fault)

    @precondition(lambda self: self.model.flash != Flash())
    @rule(fault=faults, sure=st.integers(0, 7))
    def zeroize(self, fault: Fault | None, sure: int) -> None:
        if sure == 0 or not self.model.flash.lane:
            self.step(lambda host: host.zeroize(), lambda model: model.zeroize(), fault)

    @rule()
    def status(self) -> None:
        def change(model: Model) -> tuple[Any, ...]:
            if model.is_in_session:
                assert model.own
                return "provisioned", model.flash.lane, NETWORK.name, model.wrong_attempts, model.own.next - 1
            state = "locked" if model.flash.lane else "tampered" if model.is_tampered else "blank"
            return state, 0, "", model.wrong_attempts, 0

        def operation(host: Unit) -> tuple[Any, ...]:
            status = host.status(unlock=False)
            assert status.erases == self.view.erases
            assert status.boots == self.view.boots
            return status.state, status.lane, status.network, status.wrong_attempts, status.message_counter

        self.step(operation, change)

    @precondition(lambda self: self.model.flash.lane)
    @rule()
    def wrong_proof(self) -> None:
        def operation(host: Unit) -> None:
            host._owner.greet()
            host._link.call(commands.OPEN_SESSION, BASE_POINT, bytes(16))
            host._link.call(commands.PROVE, secrets.token_bytes(16))

        self.step(operation, lambda model: model.wrong_proof())

    @rule(public=st.sampled_from(LOW_ORDER))
    def send_low_order(self, public: bytes) -> None:
        def operation(host: Unit) -> None:
            host._owner.greet()
            host._link.call(commands.OPEN_SESSION, public, bytes(16))

        self.step(operation, lambda model: model.send_low_order())
