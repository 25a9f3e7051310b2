# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit with its hosts, and a small model of them, go through the same events. After each the states must agree.

NDKS_TEST_FULL=1 makes the lives much longer.
"""

import functools
import io
import random
import secrets
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest import mock

import capsule_reference
import pytest
import session_reference
from capsule_reference import Message
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from support.pieces import pieces
from support.power_cuts import FULL
from support.public_network import public_network
from support.reference import clear_header, exported_key
from x25519_reference import BASE_POINT, LOW_ORDER

from ndks.driver.unit import Unit
from ndks.exceptions import NdksError
from ndks.line.session import open_anonymous_session
from ndks_protocol import commands

from .desk import Desk, Fault
from .flash_view import FlashView, look, records_under
from .model import JUMP, Capsule, Flash, Model, Own, Refused, Window
from .packages import join_by, package_for

NETWORK = public_network()
PARAMETERS = capsule_reference.Network(NETWORK.secret, NETWORK.p1, NETWORK.p2, NETWORK.digits)
PEERS = range(201, 212)  # lanes of units that only the test plays; one more than a unit keeps account of
PEER_LAPTOPS = [bytes([number]) * 16 for number in (1, 2)]
LONG_MS = 61_000  # no delay after wrong proofs is longer
ONE_RECORD = 112  # bytes of the largest record that a jump appends

cuts = st.builds(Fault, st.just("cut"), st.integers(0, 80) | st.integers(0, 9000))
losses = st.builds(Fault, st.sampled_from(["part", "lost"]), st.integers(1, 7))  # 5 frames open a session
openings = st.builds(Fault, st.just("case"), st.integers(1, 60), st.booleans())
faults = st.one_of(st.none(), cuts, st.none(), losses, st.none(), cuts, st.none(), st.one_of(losses, cuts, openings))
modes, ciphers = st.sampled_from("ab"), st.sampled_from(commands.CIPHERS)
peers = st.sampled_from([*PEERS[:2]] * 6 + [*PEERS])
some_data = st.binary(max_size=30)

exported = functools.lru_cache(maxsize=None)(exported_key)


def key_of(index: int, size: int) -> bytes:
    return exported(NETWORK, index, 0, size)


@functools.lru_cache(maxsize=256)
def message(lane: int, number: int, cipher: int, data: bytes, sender: bytes) -> Message:
    return Message(PARAMETERS, capsule_reference.clear_header(1, cipher, lane, number, b"saltsalt"), data, sender)


def outcome(operation: Callable[[], Any]) -> Any:
    """Return the result of a call, or the name of its error."""
    try:
        return operation()
    except Refused as refused:
        return f"refused: {refused}"
    except NdksError as error:
        return f"refused: {error.code}"


class Life(RuleBasedStateMachine):
    """One desk, at first with a blank unit."""

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

    def teardown(self) -> None:
        if hasattr(self, "patches"):
            self.patches.stop()
        shutil.rmtree(self.directory)

    # How the two are compared

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

    # Rules: a unit's life

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

    # Rules: joining

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

    # Rules: sessions

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

    @precondition(lambda self: not self.model.flash.lane)
    @rule()
    def use_a_unit_that_is_not_a_member(self) -> None:
        self.key(1, None)
        self.seal(b"", "aes", "b", None)
        self.rebind(None)

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

    @rule(milliseconds=st.sampled_from([100, 1000, LONG_MS]))
    def wait(self, milliseconds: int) -> None:
        self.desk.unit.clock.milliseconds += milliseconds

    # Rules: what happens to it

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

    @rule()
    def unplug(self) -> None:
        self.desk.unplug()
        self.model.disconnect()
        self.check()

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

    # Rules: keys

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

    # Rules: messages

    @precondition(lambda self: self.model.flash.lane)
    @rule(data=some_data | st.integers(1000, 1100).map(bytes), cipher=ciphers, mode=modes, fault=faults)
    def seal(self, data: bytes, cipher: str, mode: str, fault: Fault | None) -> None:
        def operation(host: Unit) -> tuple[int, int]:
            sink = io.BytesIO()
            try:
                host.encrypt(io.BytesIO(data), sink, cipher=cipher, mode=mode)
            finally:
                lane_and_number = self.note_header(sink.getvalue())
            self.check_capsule(sink.getvalue(), data)
            return lane_and_number

        self.step(operation, lambda model: model.seal(), fault)

    def note_header(self, capsule: bytes) -> tuple[int, int]:
        header = capsule[: commands.WIRE_HEADER_SIZE]
        if not header:
            return 0, 0
        index = int.from_bytes(clear_header(NETWORK, header)[5:13])
        lane, number = divmod(index, 1 << 48)
        other = self.used.setdefault((lane, number), header)
        if other != header:
            _, minimum, _ = self.desk.minimum_counters
            assert lane in self.restored_lanes, "a number has had two messages"
            assert number > minimum, "a number that the host knows of has come twice"
        return lane, number

    def check_capsule(self, capsule: bytes, data: bytes) -> None:
        sender = bytes.fromhex(id_of(self.model.flash.binding))
        assert Message(PARAMETERS, clear_header(NETWORK, capsule), data, sender).capsule == capsule
        self.sealed.append(capsule)

    @rule(
        lane=peers,
        ahead=st.sampled_from([-300, -256, -255, -40, -2, -1, 0, 1, 1, 1, 1, 2, 30, 300, JUMP, JUMP + 1]),
        cipher=ciphers,
        data=some_data,
        laptop=st.sampled_from([0, 0, 0, 1]),
        fault=st.sampled_from(["", "", "", "", "", "VERSION", "HEADER", "AUTH", "DIVERGED"]),
    )
    def peer_sends(self, lane: int, ahead: int, cipher: str, data: bytes, laptop: int, fault: str) -> None:
        window = self.model.flash.windows.get(lane, Window())
        number = max(1, window.top + ahead)
        sent = message(lane, number, commands.CIPHERS.index(cipher), data, PEER_LAPTOPS[laptop])
        capsule = bytearray(sent.capsule)
        if fault == "DIVERGED":
            paper = capsule_reference.paper_bytes(PARAMETERS, 1, 2000)
            clear = clear_header(NETWORK, sent.header)
            capsule = bytearray(Message(PARAMETERS, clear, data, PEER_LAPTOPS[laptop], paper).capsule)
        elif fault:
            capsule[{"VERSION": 0, "HEADER": 5, "AUTH": -20}[fault]] ^= 0x10
        self.capsules.append((Capsule(lane, number, data, PEER_LAPTOPS[laptop], fault), bytes(capsule)))

    @precondition(lambda self: self.capsules and self.model.flash.lane)
    @rule(
        which=st.integers(0, 5),
        mode=modes,
        again=st.sampled_from([False, False, True]),
        allow_jump=st.booleans(),
        fault=faults,
    )
    def open(self, which: int, mode: str, again: bool, allow_jump: bool, fault: Fault | None) -> None:
        """Open one of the latest capsules, in any order and repeatedly."""
        capsule, sent = self.capsules[-1 - which % len(self.capsules)]
        self.step(
            lambda host: host.unseal(sent, mode=mode, again=again, allow_jump=allow_jump),
            lambda model: model.open(capsule, again=again, allow_jump=allow_jump),
            fault,
        )

    @precondition(lambda self: self.capsules and self.model.flash.lane)
    @rule(which=st.integers(0, 5), allow_jump=st.booleans(), fault=faults)
    def accept(self, which: int, allow_jump: bool, fault: Fault | None) -> None:
        capsule, sent = self.capsules[-1 - which % len(self.capsules)]
        self.step(
            lambda host: host.accept(sent, allow_jump=allow_jump),
            lambda model: model.accept(capsule, allow_jump=allow_jump),
            fault,
        )

    @precondition(lambda self: self.model.flash.lane)
    @rule(ahead=st.integers(0, 3))
    def many_peers_send(self, ahead: int) -> None:
        for lane in PEERS:
            self.peer_sends(lane, ahead, "aes", b"", 0, "")
            self.open(0, "b", False, False, None)

    @precondition(lambda self: self.sealed)
    @rule(mode=modes, again=st.booleans())
    def open_own(self, mode: str, again: bool) -> None:
        lane, number = divmod(int.from_bytes(clear_header(NETWORK, self.sealed[-1])[5:13]), 1 << 48)
        if lane == self.model.flash.lane:
            capsule = Capsule(lane, number, b"", b"")
            self.step(
                lambda host: host.unseal(self.sealed[-1], mode=mode, again=again),
                lambda model: model.open(capsule, again=again, allow_jump=False),
            )

    @precondition(lambda self: self.model.flash.lane)
    @rule(lane=peers | st.just(0), laptop=st.sampled_from([*PEER_LAPTOPS, bytes(16)]), fault=faults)
    def trust(self, lane: int, laptop: bytes, fault: Fault | None) -> None:
        self.step(lambda host: host.trust(lane, laptop.hex()), lambda model: model.trust(lane, laptop), fault)


def has_secrets(flash: Flash) -> bool:
    return bool(flash.lane or flash.joining_key)


def id_of(binding: bytes) -> str:
    return session_reference.Binding(binding).id.hex()


def described(flash: Flash) -> dict[str, Any]:
    """Return the expected contents of flash."""
    return {
        "lane": flash.lane,
        "binding": flash.binding,
        "joining_key": flash.joining_key,
        "is_tampered": flash.is_tampered,
        "next_index": flash.next_index,
        "reserved": flash.reserved,
        "wrong_attempts": flash.wrong_attempts,
        "trusted": flash.trusted,
        "windows": {lane: window.packed() for lane, window in flash.windows.items()},
    }


def seen(view: FlashView) -> dict[str, Any]:
    """Return the actual contents of flash, in the same form."""
    lane = 0
    if view.is_bound:
        assert NETWORK.secret in view.membership
        lane = int.from_bytes(view.membership[4:6])
    names = ("binding", "is_tampered", "next_index", "reserved", "wrong_attempts", "trusted", "windows")
    found = {name: getattr(view, name) for name in names}
    return {"lane": lane, "joining_key": view.joining_key[32:]} | found


def between(view: FlashView, before_it: Model, after_it: Model) -> Flash:
    """Return the permitted state after an interruption: each part as before, as after, or as the laptop knew it."""
    before, after = before_it.flash, after_it.flash
    found, old, new = seen(view), described(before), described(after)
    known = {
        "next_index": before_it.laptop.exported + 1,
        "reserved": before_it.laptop.minimum + 1,
        "joining_key": b"",  # the old one is void before there is a new one
    }
    if found["lane"] not in (before.lane, after.lane):
        raise AssertionError("another unit")
    if before.lane != after.lane:
        whole = old if found["lane"] == before.lane else new
        assert found in (whole, whole | {"joining_key": b""}), "something in between"
    flash = Flash(found["lane"])
    for name, value in found.items():
        if name == "windows":
            flash.windows = {lane: _window(lane, packed, before, after) for lane, packed in value.items()}
        else:
            assert value in (old[name], new[name], known.get(name)), f"{name} is neither old nor new"
            setattr(flash, name, value)
    assert set(old["windows"]) <= set(flash.windows) or before.lane != after.lane
    return flash


def _window(lane: int, packed: tuple[int, int], before: Flash, after: Flash) -> Window:
    for flash in (before, after):
        window = flash.windows.get(lane)
        if window and window.packed() == packed:
            return window
    raise AssertionError(f"the window of lane {lane} is neither old nor new")


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
