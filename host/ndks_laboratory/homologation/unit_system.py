# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A system of two real units on any ports, attacked through the protocol only.

Each port is opened once at a time, and stays open between operations.
"""

import contextlib
from collections.abc import Generator, Mapping

from ndks.crypto import CRYPTO
from ndks.driver.unit import Unit, open_port
from ndks.exceptions import NdksError
from ndks.line.link import Link
from ndks.network.network_file import Network
from ndks.times import DEFAULT_TIMEOUT
from ndks_protocol import commands
from ndks_protocol.capsule import CHUNK, SYNC_SIZE, TAG_SIZE
from ndks_protocol.kdf import derive

from .dumped_flash import contents_of
from .locked_unit import LockedUnit
from .stations import Station, open_station, refusals
from .strangers import STRANGERS, ask_as
from .system import ALICE, BOB, EJECT, PULL, CapsuleLayout, Dump, StolenUnit, System, TappedCable
from .unit_cable import UnitCable

_HEADER = commands.WIRE_HEADER_SIZE


class UnitSystem(System):
    """Members of `network` that are bound to their stations.

    `timeout` is the longest wait for an answer, in seconds.
    """

    layout = CapsuleLayout(_HEADER, _HEADER, CHUNK + TAG_SIZE, TAG_SIZE, _HEADER + SYNC_SIZE)
    strangers = STRANGERS

    def __init__(
        self,
        network: Network,
        alice: Station,
        bob: Station,
        *,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        self.network = network
        self.stations = {ALICE: alice, BOB: bob}
        self._timeout = timeout
        self._units: dict[str, tuple[Unit, Link]] = {}

    def seal(self, text: bytes, *, by: str = ALICE, cipher: str = "vernam", mode: str = "b") -> bytes:
        with refusals():
            return self.unit(by).seal(text, cipher=cipher, mode=mode)

    def unseal(self, capsule: bytes, *, at: str = BOB, mode: str = "b") -> bytes:
        with refusals():
            return self.unit(at).unseal(capsule, mode=mode)

    def number(self, capsule: bytes, *, at: str = BOB) -> int:
        with refusals():
            return self.unit(at).inspect(capsule).number

    def replug(self, how: str) -> None:
        for owner in self.stations:
            unit, link = self.unit(owner), self._units.pop(owner)[1]
            if how == PULL:
                link.close()
                continue
            with unit:
                if how == EJECT:
                    unit.eject()

    def ask_as(self, stranger: str) -> bytes:
        self._clear_delay(BOB)
        try:
            with refusals():
                return ask_as(stranger, self.stations[BOB].port, self.stations[BOB].bindings, self._timeout)
        finally:
            self._forget_wrong_proofs(BOB)

    @contextlib.contextmanager
    def stolen(self) -> Generator[StolenUnit]:
        header = self.seal(b"on its way")[:_HEADER]
        self._clear_delay(BOB)
        link = Link(open_port(self.stations[BOB].port, self._timeout), self._timeout)
        try:
            yield LockedUnit(link, header)
        finally:
            link.close()
            self._forget_wrong_proofs(BOB)

    @contextlib.contextmanager
    def cable(self) -> Generator[TappedCable]:
        self._leave(ALICE)
        with contextlib.closing(UnitCable(self.stations[ALICE], self._timeout)) as cable:
            yield cable

    def dumps(self) -> tuple[Dump, ...]:
        contents = {owner: tuple(contents_of(station.flash)) for owner, station in self.stations.items()}
        return tuple(Dump(owner, content) for owner, content in contents.items() if content)

    def marks(self) -> Mapping[str, bytes]:
        return {owner: bytes.fromhex(self.unit(owner).hello.binding_id) for owner in self.stations}

    def secrets(self) -> Mapping[str, bytes]:
        secret = self.network.secret
        found = {
            "the network's secret": secret,
            "the key of header tags": derive(CRYPTO, secret, "ndks header mac", b""),
            "the key of header masks": derive(CRYPTO, secret, "ndks header mask", b""),
            "p1": self.network.p1.encode(),
            "p2": self.network.p2.encode(),
        }
        for owner, station in self.stations.items():
            found[f"the secret of {owner}'s laptop"] = bytes.fromhex(station.bindings.export()["host_secret"].decode())
            found[f"the key that opens {owner}'s unit"] = station.bindings.keys(self.unit(owner).hello).kek
        return found

    def close(self) -> None:
        for owner in tuple(self._units):
            self._leave(owner)

    def unit(self, owner: str) -> Unit:
        """Return the unlocked unit of an owner; waits for the end of a delay after wrong proofs."""
        if owner not in self._units:
            self._units[owner] = open_station(self.stations[owner], self._timeout)
        return self._units[owner][0]

    def _clear_delay(self, owner: str) -> None:
        """Unlock and close a unit, so that earlier wrong proofs delay nobody."""
        self.unit(owner)
        self._leave(owner)

    def _forget_wrong_proofs(self, owner: str) -> None:
        """Give the unit a correct proof, so that the next laptop does not wait."""
        with contextlib.suppress(NdksError):  # the next use of the unit reports the error
            self.unit(owner)

    def _leave(self, owner: str) -> None:
        if owner in self._units:
            self._units.pop(owner)[0].close()
