# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Driver of a unit: one method per command, and operations made of several commands."""

import secrets
from typing import Any

from ndks_protocol import commands
from ndks_protocol.binding import BINDING_SIZE

from ..exceptions import ProtocolError, UsageError
from ..laptop.bindings import Binding, BindingStore
from ..line.link import Link
from ..line.transport import Transport, open_transport
from ..network.network_file import Network
from ..times import DEFAULT_TIMEOUT
from .answers import LOCKED
from .exported_keys import KeyVerbs
from .messages import MessageVerbs
from .opened import step


class Unit(KeyVerbs, MessageVerbs):
    """An open unit, made by `ndks.open` and closed by `close` or a with statement.

    Threads may share it: each method holds the unit's lock, a stream for one block at a time. A source or sink must not
    wait for another thread that uses the same unit.
    """

    @step
    def eject(self) -> None:
        """Prepare the unit to be unplugged, so that it keeps its unused reserved numbers."""
        if self.is_bound_here and not self._link.is_secured:
            self.unlock()
        self._owner.close_session(unplug=True)

    @step
    def unlock(self, *, allow_jump: bool = False) -> None:
        """Open a session; commands that need one do so by themselves.

        AuthenticationError LOCKED when the unit is not bound to this laptop, KEK, DELAYED; DeviceError TOO_FAR when the
        laptop's minimum counter is far above the unit's, unless `allow_jump`.
        """
        self._owner.unlock(allow_jump=allow_jump)

    @step
    def check_blank(self) -> None:
        """Raise the error with which the unit would refuse PROVISION, without sending it the secret."""
        self._owner.check_blank()

    @step
    def check_member(self) -> None:
        """Raise BLANK, TAMPERED, STATE_FORMAT or LOCKED unless the unit can be unlocked."""
        self._owner.check_member()

    @step
    def provision(self, network: Network, lane: int) -> bytes:
        """Make a blank unit a member of a network, bound to a transport code of 32 bytes; return the code.

        Anyone who has the code can `bind` the unit, once. DeviceError PROVISIONED for a member, TAMPERED.
        """
        self.check_blank()  # a bound unit takes no request of this size
        code = secrets.token_bytes(BINDING_SIZE)
        suite, cipher = commands.SUITES.index(network.suite), commands.CIPHERS.index(network.cipher)
        parameters = (network.digits, network.secret, network.name, network.p1, network.p2, *network.operators)
        self._link.call(commands.PROVISION, code, network.epoch, lane, suite, cipher, *parameters)
        self._owner.greet()
        return code

    @step
    def bind(self, code: bytes = b"", *, with_network: bool | None = None) -> Binding:
        """Bind the unit to this laptop, in place of the transport code or of its current binding to this laptop.

        `with_network` binds it to the laptop's network as well; by default as in the binding before.
        AuthenticationError KEK or LOCKED for a wrong code.
        """
        return self._owner.bind(code, with_network=with_network)

    @step
    def trust(self, lane: int, binding_id: str) -> None:
        """Tell the unit the binding id of the unit of another lane; zeros delete it.

        DeviceError RANGE; UsageError for the unit's own lane.
        """
        if lane == self.member_status().lane:
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
    port: str, timeout: float = DEFAULT_TIMEOUT, *, create: bool = False, bindings: BindingStore | None = None
) -> Unit:
    """Open the unit at `port` (see `ndks.line.transport`) exclusively and greet it.

    `create` makes a blank emulated unit if emulator:DIR has none. `bindings` defaults to the store of this user.
    """
    bindings = bindings or BindingStore()  # first: FileError for a user without a home directory
    transport = open_port(port, timeout, create=create)
    try:
        return Unit(port, Link(transport, timeout), bindings)
    except BaseException:
        transport.close()
        raise


def open_port(port: str, timeout: float, *, create: bool = False) -> Transport:
    """Open a port exclusively; an emulated unit uses the fast generator."""
    return open_transport(port, timeout, create=create, make_generator=_fast_generator)


def _fast_generator(p1: str, p2: str, digits: int) -> Any:
    from ..keys.generator import VectorGenerator  # here, because NumPy is slow to import

    return VectorGenerator(p1, p2, digits)
