# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Driver of a unit: one method per command, and operations made of several commands."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ndks_protocol import commands
from ndks_protocol.binding import BINDING_SIZE

from .. import times
from ..exceptions import NdksError, ProtocolError, UnitBusy, UsageError
from ..laptop.bindings import Binding, BindingStore
from ..laptop.words import from_words, to_words
from ..line.link import Link
from ..line.transport import Transport, open_transport
from ..network.admission import admit_unit, note_binding
from ..network.network_file import Network
from ..times import DEFAULT_TIMEOUT
from .answers import LOCKED
from .exported_keys import KeyVerbs
from .held import socket_beside
from .joining import Joined, not_noted
from .messages import MessageVerbs
from .opened import step
from .program_keys import ProgramKeyVerbs
from .service_verbs import ServiceVerbs


class Unit(KeyVerbs, MessageVerbs, ProgramKeyVerbs, ServiceVerbs):
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
    def check_blank(self) -> None:
        """Raise the error with which the unit would refuse PROVISION, without sending it the secret."""
        self._owner.check_blank()

    @step
    def check_member(self) -> None:
        """Raise BLANK, TAMPERED, STATE_FORMAT or LOCKED unless the unit can be unlocked."""
        self._owner.check_member()

    @step
    def join(
        self,
        network_file: Path | str,
        label: str = "",
        *,
        bind: bool = True,
        tell_code: Callable[[str], object] = lambda _: None,
    ) -> Joined:
        """Make a blank unit a member of the network in a file, on a lane that no unit has had, bound to this laptop.

        The file is written before the unit gets its lane, so that no lane is given twice, even after an interruption.
        With `bind=False` the unit is bound to the returned transport code: `bind` it with that code at another laptop.
        `tell_code` is called with the code before the unit is bound, for the case that binding fails.
        DeviceError PROVISIONED, TAMPERED, STORAGE; UsageError when all lanes are taken; FileError, NetworkFileError.
        """
        self.check_blank()
        if bind:
            self._owner.prepare_binding()  # a failure after provisioning would leave a unit whose code nobody has
        path = Path(network_file)
        network, lane = admit_unit(path, self.hello.serial_number, label)
        words = to_words(self.provision(network, lane))
        tell_code(words)
        joined = Joined(self.hello.serial_number, lane, network, transport_code=words)
        return self._bound(joined, path) if bind else joined

    def _bound(self, joined: Joined, path: Path) -> Joined:
        binding = self.bind(joined.transport_code)
        try:
            note_binding(path, joined.lane, binding.binding_id)
        except (NdksError, OSError) as error:
            raise not_noted(joined, binding.binding_id, error) from None
        return replace(joined, binding=binding, transport_code="")

    @step
    def provision(self, network: Network, lane: int) -> bytes:
        """Make a blank unit a member of a network, bound to a transport code of 32 bytes; return the code.

        Anyone who has the code can `bind` the unit, once. `join` chooses a lane that no other unit has: two units on
        one lane would use keys twice. DeviceError PROVISIONED for a member, TAMPERED.
        """
        self.check_blank()  # a bound unit takes no request of this size
        code = secrets.token_bytes(BINDING_SIZE)
        suite, cipher = commands.SUITES.index(network.suite), commands.CIPHERS.index(network.cipher)
        parameters = (network.digits, network.secret, network.name, network.p1, network.p2, *network.operators)
        self._link.call(commands.PROVISION, code, network.epoch, lane, suite, cipher, *parameters)
        self._owner.greet()
        return code

    @step
    def bind(self, code: bytes | str = b"", *, with_network: bool | None = None) -> Binding:
        """Bind the unit to this laptop, in place of the transport code or of its current binding to this laptop.

        `code` has 32 bytes or 24 words. `with_network` binds the unit to the laptop's network as well; by default as in
        the binding before. UsageError for wrong words; AuthenticationError KEK or LOCKED for a wrong code.
        """
        return self._owner.bind(from_words(code) if isinstance(code, str) else code, with_network=with_network)

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
    """Open the unit at `port` (see `ndks.line.transport`) and greet it; if a service holds the port, at its socket.

    `create` makes a blank emulated unit if emulator:DIR has none. `bindings` defaults to the store of this user.
    `through` returns what the unit is spoken to through, in place of the transport of the port.
    """
    bindings = bindings or BindingStore()  # first: FileError for a user without a home directory
    try:
        transport = open_port(port, timeout, create=create, patience=0)
    except UnitBusy:
        port = socket_beside(port) or port
        transport = open_port(port, timeout)
    try:
        return Unit(port, Link(through(transport), timeout), bindings)
    except BaseException:
        transport.close()
        raise


def open_port(port: str, timeout: float, *, create: bool = False, patience: float = times.PORT_IN_USE) -> Transport:
    """Open a port exclusively; an emulated unit uses the fast generator."""
    return open_transport(port, timeout, create=create, make_generator=_fast_generator, patience=patience)


def _fast_generator(p1: str, p2: str, digits: int) -> Any:
    from ..keys.generator import VectorGenerator  # here, because NumPy is slow to import

    return VectorGenerator(p1, p2, digits)
