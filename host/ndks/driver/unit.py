# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The driver of a unit: one method a command, and the verbs made of them."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ndks_protocol import commands
from ndks_protocol.binding import BINDING_SIZE

from ..exceptions import NdksError, ProtocolError
from ..laptop.bindings import Binding, BindingStore
from ..laptop.words import from_words, to_words
from ..line.link import Link
from ..line.transport import Transport, open_transport
from ..network.network_file import Network, admit_unit, note_binding
from ..times import DEFAULT_TIMEOUT
from .answers import LOCKED
from .exported_keys import KeyVerbs
from .joining import Joined, not_noted
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
        if self.is_bound_here:
            self.unlock()
        self._owner.close_session(unplug=True)

    @step
    def check_blank(self) -> None:
        """Raise what PROVISION would be answered with, without sending the secret."""
        self._owner.check_blank()

    @step
    def check_member(self) -> None:
        """Raise BLANK, TAMPERED, STATE_FORMAT or LOCKED unless the unit says that it can be unlocked."""
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

        The lane is taken in the file before the unit hears of it: none is given twice, whatever is interrupted when.
        Without `bind` the unit is bound to the transport code that is returned: `bind` takes it, at another laptop.
        `tell_code` is told that code before the unit is bound: if this fails, nobody else has it.
        DeviceError PROVISIONED, TAMPERED, STORAGE; UsageError when all lanes are used up; FileError, NetworkFileError.
        """
        self.check_blank()
        if bind:
            self._owner.prepare_binding()  # later would be too late: nobody has the unit's code then
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
        """Make a blank unit a member, bound to a one-time transport code of 32 bytes, which is returned.

        Whether another unit has the lane is the caller's to know, or messages of both can be read: see `join`.
        DeviceError PROVISIONED for one that is a member already, TAMPERED.
        """
        self.check_blank()  # one that is bound takes no request of that size
        code = secrets.token_bytes(BINDING_SIZE)
        suite, cipher = commands.SUITES.index(network.suite), commands.CIPHERS.index(network.cipher)
        parameters = (network.digits, network.secret, network.name, network.p1, network.p2, *network.operators)
        self._link.call(commands.PROVISION, code, network.epoch, lane, suite, cipher, *parameters)
        self._owner.greet()
        return code

    @step
    def bind(self, code: bytes | str = b"", *, with_network: bool | None = None) -> Binding:
        """Bind the unit to this laptop: in place of the transport code, or of its present binding to this laptop.

        `code` has 32 bytes, or 24 words. Unless `with_network` says so, it is with the network if the binding before
        was. UsageError for words that are no code; AuthenticationError KEK or LOCKED when this is not the unit's.
        """
        return self._owner.bind(from_words(code) if isinstance(code, str) else code, with_network=with_network)

    @step
    def trust(self, lane: int, binding_id: str) -> None:
        """Tell the unit which laptop the unit of another lane is bound to; zeros forget it. DeviceError RANGE."""
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
