# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The driver of a unit: one method a command, and the verbs made of them."""

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
    """An open unit; made by `ndks.open`, closed by `close` or a with statement.

    Safe for threads: each method is one step, and they wait for each other; a stream is one step a block. A source or
    sink must not wait for another thread that uses the same unit.
    """

    @step
    def eject(self) -> None:
        """Get the unit ready to be unplugged: reserved numbers that were not used are not lost then."""
        if self.is_bound_here and not self._link.is_secured:
            self.unlock()
        self._owner.close_session(unplug=True)

    @step
    def unlock(self, *, allow_jump: bool = False) -> None:
        """Open a session; commands that need one do that themselves.

        AuthenticationError LOCKED when this is not the laptop that the unit is bound to, KEK, DELAYED; DeviceError
        TOO_FAR when the laptop knows of numbers far above the unit's, and `allow_jump` does not permit that.
        """
        self._owner.unlock(allow_jump=allow_jump)

    @step
    def check_blank(self) -> None:
        """Raise what PROVISION would be answered with, without sending the secret."""
        self._owner.check_blank()

    @step
    def check_member(self) -> None:
        """Raise BLANK, TAMPERED, STATE_FORMAT or LOCKED unless the unit says that it can be unlocked."""
        self._owner.check_member()

    @step
    def provision(self, network: Network, lane: int) -> bytes:
        """Make a blank unit a member, bound to a one-time transport code of 32 bytes, which is returned.

        Whoever has it can `bind` the unit. DeviceError PROVISIONED for one that is a member already, TAMPERED.
        """
        self.check_blank()  # one that is bound takes no request of that size
        code = secrets.token_bytes(BINDING_SIZE)
        suite, cipher = commands.SUITES.index(network.suite), commands.CIPHERS.index(network.cipher)
        parameters = (network.digits, network.secret, network.name, network.p1, network.p2, *network.operators)
        self._link.call(commands.PROVISION, code, network.epoch, lane, suite, cipher, *parameters)
        self._owner.greet()
        return code

    @step
    def bind(self, code: bytes = b"", *, with_network: bool | None = None) -> Binding:
        """Bind the unit to this laptop: in place of the transport code, or of its present binding to this laptop.

        Unless `with_network` says so, it is with the network if the binding before was.
        AuthenticationError KEK or LOCKED when this is not its code.
        """
        return self._owner.bind(code, with_network=with_network)

    @step
    def trust(self, lane: int, binding_id: str) -> None:
        """Tell the unit which laptop the unit of another lane is bound to; zeros forget it.

        DeviceError RANGE; UsageError for the unit's own lane, about which nothing is changed.
        """
        if lane == self.member_status().lane:
            raise UsageError(f"lane {lane} is this unit's own", "say it to the other units of the network")
        self._link.call(commands.TRUST, lane, bytes.fromhex(binding_id))

    @step
    def zeroize(self) -> None:
        """Erase everything in the unit, for ever; needs no session. DeviceError STORAGE, STATE_FORMAT."""
        self._owner.greet()  # which ends a session
        self._link.call(commands.ZEROIZE, commands.CONFIRMATION, bytes.fromhex(self.hello.serial_number))
        self._owner.greet()
        if self.hello.state == LOCKED:
            raise ProtocolError("the unit says that it is erased, and is not", "unplug it, plug it in again and repeat")
        self._owner.forget()


def open_unit(
    port: str, timeout: float = DEFAULT_TIMEOUT, *, create: bool = False, bindings: BindingStore | None = None
) -> Unit:
    """Open the unit at `port` (see `ndks.line.transport`) for this process alone and greet it.

    `create` makes a blank emulated unit where `port` is emulator:DIR and there is none. `bindings` are this laptop's,
    those of this user unless given.
    """
    bindings = bindings or BindingStore()  # FileError for a user without a home, before a unit is made
    transport = open_port(port, timeout, create=create)
    try:
        return Unit(port, Link(transport, timeout), bindings)
    except BaseException:
        transport.close()
        raise


def open_port(port: str, timeout: float, *, create: bool = False) -> Transport:
    """Open a port for this process alone; an emulated unit there gets the PC's generator."""
    return open_transport(port, timeout, create=create, make_generator=_fast_generator)


def _fast_generator(p1: str, p2: str, digits: int) -> Any:
    from ..keys.generator import VectorGenerator  # and NumPy, which takes a while

    return VectorGenerator(p1, p2, digits)
