# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A desk with a unit in memory and two laptops that run the real host, with faults at chosen moments."""

import json
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import session_reference
from hosts.memory import before_each

from ndks.driver.unit import Unit
from ndks.exceptions import UnitRemoved
from ndks.laptop.bindings import BindingStore
from ndks.laptop.fingerprint import Characteristics
from ndks.line.link import Link
from ndks_emulator import MemoryFlash, MemoryUnit, PowerCut, SetClock
from ndks_protocol import commands, framing

_Value = TypeVar("_Value")
_LONG = 3600.0  # seconds: an answer that is missing is found at once


class Fault(NamedTuple):
    """A fault during one command.

    cut: the power is cut after `when` steps of flash. case: the case is opened, and perhaps closed again, at use `when`
    of cryptography. part: the unit gets only a part of frame `when`, then the cable is pulled. lost: the host gets only
    a part of the answer to frame `when`.
    """

    kind: str
    when: int
    stays_open: bool = False


class Wire:
    """The transport of one host; the unit answers before `write` returns."""

    unplugs = False

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk
        self._decoder = framing.Decoder()
        self._frames = 0
        self._is_out = False

    def write(self, data: bytes) -> None:
        if self._is_out:
            raise UnitRemoved("the cable is out")
        for event in self._decoder.feed(data):
            assert isinstance(event, framing.Frame)
            self._frames += 1
        fault = self._desk.fault
        strikes = bool(fault and fault.kind in ("part", "lost") and self._frames >= fault.when > 0)
        try:
            self._desk.unit.write(data[: len(data) // 2] if strikes and fault and fault.kind == "part" else data)
        except PowerCut:
            self._desk.struck = self._is_out = True
            raise UnitRemoved("its power has gone") from None
        if strikes:
            self._desk.struck = self._is_out = True
            outbound = self._desk.unit.line.outbound
            del outbound[len(outbound) // 2 :]

    def read(self) -> bytes:
        if self._is_out:
            raise UnitRemoved("the cable is out")
        data = self._desk.unit.read()
        assert data, "the unit does not answer"
        return data

    def close(self) -> None:
        self._is_out = True

    def restart_count(self) -> None:
        """Restart the count of frames, because faults count those of one command."""
        self._frames = 0


class Desk:
    """The unit, the laptops, and all bindings made so far."""

    def __init__(self, directory: Path, chance: random.Random, *, fine: bool) -> None:
        flash = MemoryFlash(b"unit\1\2\3\4", fine=fine)
        self.unit = MemoryUnit(flash, entropy=chance.randbytes, clock=SetClock())
        before_each(self.unit.board, ("aes_ctr", "nvm_read"), self._use)
        self._case_opens_in = 0
        self.looks = {"A": "board one", "B": "board one"}
        self.stores = {name: self._store(name, directory / name) for name in self.looks}
        self.here = "A"
        self.bindings: list[bytes] = []
        self.fault: Fault | None = None
        self.struck = False
        self.host: Unit | None = None
        self._wire: Wire | None = None

    @property
    def store(self) -> BindingStore:
        return self.stores[self.here]

    @property
    def serial_number(self) -> str:
        return self.unit.board.uid.hex().upper()

    @property
    def minimum_counters(self) -> tuple[str, int, int]:
        """Return what this laptop has stored: the unit's salt, and the minimum message counter and exported key."""
        path = self.store.directory / "counters" / f"{self.serial_number}.json"
        if not path.exists():
            return "", 0, 0
        values = json.loads(path.read_bytes())
        message_counter, exported = values["epochs"]["0"]
        return values["salt"], message_counter, exported

    def images(self) -> list[bytes]:
        """Return the images of the snapshots, then of nvm."""
        nvm, *snapshots = self.unit.flash.images
        return [*snapshots, nvm]

    def put_back(self, images: list[bytes]) -> None:
        *snapshots, nvm = images
        self.unit.flash.images = [nvm, *snapshots]

    def binding_of(self, laptop: str, salt: bytes) -> bytes:
        """Return the current binding B of the unit and a laptop, by PROTOCOL.md; b"" if the laptop has no secret."""
        secret = self.stores[laptop].directory / "host_secret"
        if not secret.exists():
            return b""
        look = f"board={self.looks[laptop]}\n".encode()
        return session_reference.binding_of(bytes.fromhex(secret.read_text()), salt, look)

    def greeted(self) -> Unit:
        """Return the host's end of the line; a new one sends HELLO."""
        if self.host is None:
            self._wire = self._wire or Wire(self)
            self.host = Unit("desk", Link(self._wire, _LONG), self.store)
            self._note_bindings(self.host)
        return self.host

    def _note_bindings(self, host: Unit) -> None:
        """Record each binding that the host is about to send, in a session that nobody on the cable can read."""
        provision = host._owner.provision

        def noted(command: commands.Command, *values: Any) -> None:
            self.bindings.append(values[0])
            provision(command, *values)

        host._owner.provision = noted

    def run(self, operation: Callable[[Unit], _Value], fault: Fault | None) -> _Value:
        """Run a command of the host with a fault; `struck` tells whether the fault occurred."""
        self._wire = self._wire or Wire(self)
        self._wire.restart_count()
        self.fault, self.struck = fault, False
        power = self.unit.power
        if fault and fault.kind == "cut":
            power.steps_left = fault.when
        elif fault and fault.kind == "case":
            self._case_opens_in = fault.when
        try:
            return operation(self.greeted())
        finally:
            self.struck = self.struck or not power.on
            if power.on:
                power.restore()
            self.struck = self.struck or bool(fault and fault.kind == "case" and not self._case_opens_in)
            self._case_opens_in = 0
            self.fault = None

    def unplug(self) -> None:
        """Disconnect the host; the unit keeps its power."""
        self.host = self._wire = None
        self.unit.line.inbound.clear()
        self.unit.unplug_host()
        self.unit.read()

    def power_up(self, steps: int | None = None) -> int:
        """Start the unit, and start it again if the power is cut after these steps; return the number of starts."""
        self.host = self._wire = None
        self.unit.read()
        self.unit.power.restore()
        self.unit.power.steps_left = steps
        with suppress(PowerCut):
            self.unit.start()
            if self.unit.power.on:
                self.unit.power.restore()
                return 1
        self.unit.power.restore()
        self.unit.start()
        return 2

    def _use(self) -> None:
        """Count the uses of cryptography and reads of nvm, and open the case when it is due."""
        if self._case_opens_in:
            self._case_opens_in -= 1
            if not self._case_opens_in:
                self.unit.case.open()
                if self.fault and not self.fault.stays_open:
                    self.unit.case.close()

    def _store(self, name: str, directory: Path) -> BindingStore:
        def look(*, with_network: bool = False) -> Characteristics:
            return (("board", self.looks[name]),)

        return BindingStore(directory, look)
