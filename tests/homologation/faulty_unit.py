# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Run `ndks emulate` with one fault in the firmware, which a homologation has to find.

python tests/homologation/faulty_unit.py FAULT DIR       prints the path of a pseudo-terminal, as `ndks emulate` does
"""

import contextlib
import functools
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import ndks
from ndks import BindingStore, Network
from ndks.cli import main
from ndks_laboratory.homologation.stations import Station
from ndks_laboratory.homologation.system import ALICE, BOB
from ndks_laboratory.homologation.unit_system import UnitSystem
from ndks_protocol import commands, session
from ndks_protocol.capsule import MessageKeys, Opener
from ndks_unit.ephemeral import EphemeralPair
from ndks_unit.flash import counters, records
from ndks_unit.membership import Membership
from ndks_unit.messages import sealing
from ndks_unit.paper_bits import KeyReader
from ndks_unit.sessions import Session
from ndks_unit.state import State

_GOLDEN = 2654435761  # of multiplicative hashing: spreads the bits that are made 0
_PERIOD = 4096
_EPHEMERAL = bytes(range(32))
_LESS_ONES = 0.02  # share of the key bits that are made 0: 49 % are 1 then


def repeated_number() -> None:
    """Use each number for two messages with different salts."""
    take = counters.MessageCounter.take

    def take_twice(self: Any) -> int:
        if getattr(self, "given_once", None):
            number, self.given_once = self.given_once, None
            return number
        self.given_once = take(self)
        return self.given_once

    counters.MessageCounter.take = take_twice


def repeated_keystream() -> None:
    """Use each number for two messages without a salt."""
    repeated_number()
    new = sealing.Header.new

    def without_salt(suite: int, cipher: int, lane: int, number: int, salt: bytes, *more: int) -> Any:
        return new(suite, cipher, lane, number, bytes(len(salt)), *more)

    sealing.Header.new = without_salt


def periodic_keystream() -> None:
    """Repeat the keystream of a message after 4096 bytes."""
    keystream = MessageKeys._keystream_piece

    def repeated(self: Any, offset: int, size: int) -> bytearray:
        stream = keystream(self, offset, size)
        self.known = getattr(self, "known", b"")
        if offset == len(self.known) < _PERIOD:
            self.known += stream
        for place in range(max(offset, _PERIOD), offset + size):
            stream[place - offset] = self.known[place % _PERIOD]
        return stream

    MessageKeys._keystream_piece = repeated


def unchecked_tags() -> None:
    """Do not check the tags of chunks; check everything else."""
    Opener._verified = lambda self, number, last, chunk: chunk[:-16]


def stale_link_sync() -> None:
    """Accept old frames of a session again, with an old number and link sync word."""
    take_next = session.Direction.open

    def take_any(self: Any, kind: int, request_id: int, view: memoryview) -> memoryview | None:
        received = bytes(view)
        body = take_next(self, kind, request_id, view)
        if body is not None:
            return body
        for number in range(self._number):
            view[:] = received
            end = len(view) - session.TAG_SIZE
            digest = self._mac.digest(struct.pack(">QBI", number, kind, request_id), view[:end])
            if digest[: session.TAG_SIZE] == bytes(view[end:]):
                present, self._number = self._number, number
                self._crypt(view, end)
                self._number = present
                return view[session.SYNC_SIZE : end]
        return None

    session.Direction.open = take_any


def same_random() -> None:
    """Draw the same random values each time, so that a recorded session can be replayed as a whole."""
    Session.draw = lambda self: bytes(session.PUBLIC_KEY_SIZE)


def no_forward_secrecy() -> None:
    """Use A, which lies in flash, as the ephemeral private key: sessions rest on A alone, as in protocol 2.0."""
    begin = EphemeralPair.begin

    def begin_with_auth(self: Any) -> None:
        drawn, binding = self._draw, self._draw.__self__._log.body(records.BINDING)
        if binding:
            self._draw = lambda: bytes(binding[: session.PUBLIC_KEY_SIZE])
        begin(self)
        self._draw = drawn

    EphemeralPair.begin = begin_with_auth


def repeated_ephemeral() -> None:
    """Use one ephemeral key in all sessions, which is in no flash."""
    begin = EphemeralPair.begin

    def begin_with_the_same(self: Any) -> None:
        drawn, self._draw = self._draw, lambda: _EPHEMERAL
        begin(self)
        self._draw = drawn

    EphemeralPair.begin = begin_with_the_same


def stays_open() -> None:
    """Forget the keys at the end of a session, but stay open for the next host."""
    state = State.lifecycle.fget

    def says_locked(self: Any) -> int:
        return commands.STATE_LOCKED if self.binding and not self.session.channel else state(self)

    State.end_session = lambda self: self.session.end()
    State.lifecycle = property(says_locked)


def unsealed_flash() -> None:
    """Store in the clear what should be sealed in flash."""
    records.xor_keystream = lambda crypto, key, offset, data: None


def biased_bits() -> None:
    """Make 0 slightly more frequent than 1 in the bits of keys, and in the keystreams of messages."""
    read_into, keystream = KeyReader.read_into, MessageKeys._keystream_piece

    def read_biased(self: Any, view: memoryview, index: int, offset: int) -> None:
        read_into(self, view, index, offset)
        _bias(view, offset)

    def biased(self: Any, offset: int, size: int) -> bytearray:
        stream = keystream(self, offset, size)
        _bias(stream, offset)
        return stream

    KeyReader.read_into = read_biased
    MessageKeys._keystream_piece = biased


def _bias(data: bytearray | memoryview, offset: int) -> None:
    for position in range(len(data)):
        chance = (offset + position + 1) * _GOLDEN & 0xFFFFFFFF
        if chance < 8 * _LESS_ONES * 2**32:
            data[position] &= ~(1 << (chance >> 5) % 8) & 0xFF


def wrong_at_d() -> None:
    """Take the digit at 4 where d is 3; for all other d, the generator is right."""
    make_generator = Membership.make_generator

    def make_wrongly(self: Any, board: Any) -> Any:
        p1, p2, digits = self._parameters
        self._parameters = p1, p2, 4 if digits == 3 else digits
        return make_generator(self, board)

    Membership.make_generator = make_wrongly


FAULTS: dict[str, Callable[[], None]] = {
    "none": lambda: None,
    "repeated-number": repeated_number,
    "repeated-keystream": repeated_keystream,
    "periodic-keystream": periodic_keystream,
    "unchecked-tags": unchecked_tags,
    "stale-link-sync": stale_link_sync,
    "same-random": same_random,
    "no-forward-secrecy": no_forward_secrecy,
    "repeated-ephemeral": repeated_ephemeral,
    "stays-open": stays_open,
    "unsealed-flash": unsealed_flash,
    "biased-bits": biased_bits,
    "wrong-at-d": wrong_at_d,
}


def emulated(fault: str, directory: Path) -> contextlib.AbstractContextManager[Any]:
    """Run a faulty unit in its own process, like support.emulate_process."""
    from support.emulate_process import running  # that process itself does not find it

    return running(functools.partial(subprocess.Popen, [sys.executable, __file__, fault, str(directory)]))


@contextlib.contextmanager
def two_units(directory: Path, fault: str = "none", *, faulty: Sequence[str] = (ALICE, BOB)) -> Iterator[UnitSystem]:
    """Run two units behind pseudo-terminals, members of a new network, each bound to its own laptop.

    The units in `faulty` have the fault.
    """
    network, stations = Network.new("laboratory"), {}
    with contextlib.ExitStack() as stack:
        for lane, owner in enumerate((ALICE, BOB), 1):
            unit_fault = fault if owner in faulty else "none"
            port = stack.enter_context(emulated(unit_fault, directory / owner)).port
            store = BindingStore(directory / f"laptop of {owner}")
            with ndks.open(port, bindings=store) as unit:
                unit.bind(unit.provision(network, lane))
            stations[owner] = Station(port, store, (directory / owner,))
        yield stack.enter_context(contextlib.closing(UnitSystem(network, stations[ALICE], stations[BOB])))


def swapped(system: UnitSystem) -> UnitSystem:
    """Close the sessions of the units, and return the units with their roles swapped."""
    system.close()
    return UnitSystem(system.network, system.stations[BOB], system.stations[ALICE])


if __name__ == "__main__":
    fault_name, unit_directory = sys.argv[1:]
    FAULTS[fault_name]()
    sys.exit(main(["emulate", unit_directory, "--pty"]))
