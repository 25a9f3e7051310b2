# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Driver of a unit: one method per command, and operations made of several commands."""

import contextlib
from collections.abc import Callable
from typing import Any

from ndks_protocol import commands

from .. import times
from ..exceptions import NoUnit, PortPermission, ProtocolError, UnitBusy, UsageError
from ..laptop.bindings import BindingStore
from ..line.link import Link
from ..line.transport import Transport, open_transport
from ..times import DEFAULT_TIMEOUT
from .answers import LOCKED
from .exported_keys import KeyVerbs
from .folders import FolderVerbs
from .held import socket_beside
from .joining import JoiningVerbs
from .network_verbs import NetworkVerbs
from .opened import step
from .service_verbs import ServiceVerbs
from .symbol_verbs import SymbolVerbs


class Unit(JoiningVerbs, KeyVerbs, SymbolVerbs, NetworkVerbs, FolderVerbs, ServiceVerbs):
    """An open unit, made by `ndks.open` and closed by `close` or a with statement.

    Threads may share it: each method holds the unit's lock, a stream for one block at a time. A source or sink must not
    wait for another thread that uses the same unit.
    """

    @step
    def eject(self) -> None:
        """Prepare the unit to be unplugged, so that it keeps its unused reserved numbers."""
        if self.is_bound_here:
            self.unlock()
        self._owner.close_session(unplug=True)

    @step
    def check_member(self) -> None:
        """Raise BLANK, TAMPERED, STATE_FORMAT or LOCKED unless the unit can be unlocked."""
        self._owner.check_member()

    @step
    def trust(self, lane: int, binding_id: str) -> None:
        """Tell the unit the binding id of the unit of another lane; zeros delete it.

        DeviceError RANGE; UsageError for the unit's own lane.
        """
        if lane == self.unlock().lane:
            raise UsageError(f"lane {lane} is this unit's own; nothing was changed", "run it with the other units")
        self._link.call(commands.TRUST, lane, bytes.fromhex(binding_id))

    @step
    def zeroize(self) -> None:
        """Erase the unit; needs no session. DeviceError STORAGE, STATE_FORMAT."""
        self._owner.greet()  # ends any session
        self._link.call(commands.ZEROIZE, commands.CONFIRMATION, bytes.fromhex(self.hello.serial_number))
        self._owner.greet()
        if self.hello.state == LOCKED:
            raise ProtocolError(
                "the unit reported that it is erased, but it is not", "unplug it, plug it in again and repeat"
            )
        self._owner.forget()


def open_unit(
    port: str,
    timeout: float = DEFAULT_TIMEOUT,
    *,
    create: bool = False,
    bindings: BindingStore | None = None,
    through: Callable[[Transport], Transport] = lambda transport: transport,
) -> Unit:
    """Open the unit at `port` (see `ndks.line.transport`) and greet it; if the port is taken, at a service's socket.

    `create` makes a blank emulated unit if emulator:DIR has none. `bindings` defaults to the store of this user.
    `through` returns what the unit is spoken to through, in place of the transport of the port.
    """
    bindings = bindings or BindingStore()  # first: FileError for a user without a home directory
    try:
        transport = open_port(port, timeout, create=create, patience=0)
    except (UnitBusy, PortPermission) as refusal:
        port, transport = _held(port, timeout, refusal)
    try:
        return Unit(port, Link(through(transport), timeout), bindings)
    except BaseException:
        transport.close()
        raise


def _held(port: str, timeout: float, refusal: UnitBusy | PortPermission) -> tuple[str, Transport]:
    """Open the socket of a service for the unit at a port that this program cannot open; else wait for the port."""
    if socket := socket_beside(port):
        with contextlib.suppress(NoUnit):  # a service that was killed has left its sockets
            return socket, open_port(socket, timeout)
    if isinstance(refusal, PortPermission):
        raise refusal
    return port, open_port(port, timeout)


def open_port(port: str, timeout: float, *, create: bool = False, patience: float = times.PORT_IN_USE) -> Transport:
    """Open a port exclusively; an emulated unit uses the fast generator."""
    return open_transport(port, timeout, create=create, make_generator=_fast_generator, patience=patience)


def _fast_generator(p1: str, p2: str, digits: int) -> Any:
    from ..keys.generator import VectorGenerator  # here, because NumPy is slow to import

    return VectorGenerator(p1, p2, digits)
