# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Events with messages: those of the unit, and those of peers that only the test plays."""

import functools
import io

import capsule_reference
from capsule_reference import Message
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from support.reference import clear_header

from ndks.driver.unit import Unit
from ndks_protocol import commands

from .agreement import NETWORK, id_of
from .desk import Fault
from .faults import faults
from .keys import Keys
from .model import JUMP, Capsule, Window

PARAMETERS = capsule_reference.Network(NETWORK.secret, NETWORK.p1, NETWORK.p2, NETWORK.digits)
PEERS = range(201, 212)  # lanes of units that only the test plays; one more than a unit keeps account of
PEER_LAPTOPS = [bytes([number]) * 16 for number in (1, 2)]
modes, ciphers = st.sampled_from("ab"), st.sampled_from(commands.CIPHERS)
peers = st.sampled_from([*PEERS[:2]] * 6 + [*PEERS])
some_data = st.binary(max_size=30)


@functools.lru_cache(maxsize=256)
def message(lane: int, number: int, cipher: int, data: bytes, sender: bytes) -> Message:
    return Message(PARAMETERS, capsule_reference.clear_header(1, cipher, lane, number, b"saltsalt"), data, sender)


class Messages(Keys):
    """Messages, its own and those of its peers."""

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
