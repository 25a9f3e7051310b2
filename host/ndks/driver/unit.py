# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The driver of a unit: one method a command, and the verbs made of them."""

import contextlib
import functools
import io
import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from ndks_protocol import commands, errors
from ndks_protocol.binding import BINDING_SIZE

from ..exceptions import DeviceError, NdksError, ProtocolError, UsageError
from ..files import Sink, Source, reading, storing, writing
from ..laptop.bindings import Binding, BindingStore
from ..line.link import Link
from ..line.transport import Transport, open_transport
from ..network.network_file import Network
from ..times import DEFAULT_TIMEOUT
from . import capsules
from .answers import LOCKED, Hello, Inspected, Key, Status, name_of, status_from
from .capsules import Progress, Unsealed
from .owner import Owner, acknowledge_key

MAX_BITS = 8 * commands.MAX_KEY_BYTES

_P = ParamSpec("_P")
_R = TypeVar("_R")
_Answer = tuple[Any, ...]
_NOT_NEW = (errors.DUPLICATE, errors.TOO_OLD, errors.TOO_FAR, errors.SENDERS)


def _unseal_flags(*, again: bool, allow_jump: bool) -> int:
    return (commands.AGAIN if again else 0) | (commands.ALLOW_JUMP if allow_jump else 0)


def _ignore(_: int) -> None:
    pass


def _step(method: Callable[Concatenate["Unit", _P], _R]) -> Callable[Concatenate["Unit", _P], _R]:
    """Let a method of an open unit wait for those that other threads have called. UsageError when it is closed."""

    @functools.wraps(method)
    def in_turn(unit: "Unit", /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        with unit._lock:  # pyright: ignore[reportPrivateUsage]
            unit._check_open()  # pyright: ignore[reportPrivateUsage]
            return method(unit, *args, **kwargs)

    return in_turn


class Unit:
    """An open unit; made by `ndks.open`, closed by `close` or a with statement.

    Safe for threads: each method is one step, and they wait for each other; a stream is one step a block. A source or
    sink must not wait for another thread that uses the same unit.
    """

    def __init__(self, port: str, link: Link, bindings: BindingStore) -> None:
        self.port = port
        self._link = link
        self._lock = threading.RLock()
        self._is_closed = False
        self._owner = Owner(link, bindings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the unit; every further call raises UsageError. Closing twice does nothing."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            try:
                with contextlib.suppress(NdksError, OSError):  # at worst, numbers are lost as in a power cut
                    if self._link.is_secured:
                        self._owner.close_session(unplug=self._link.unplugs)
            finally:
                self._link.close()

    @property
    def hello(self) -> Hello:
        """The unit's last greeting."""
        return self._owner.hello

    @property
    def is_bound_here(self) -> bool:
        """Whether the unit is bound to this laptop, and opens for it if the laptop is as it was."""
        return self._owner.is_bound_here

    @property
    def went_back(self) -> bool:
        """Whether the unit knew less than this laptop of the keys that were used, and was made to go on after them."""
        return self._owner.went_back

    @_step
    def eject(self) -> None:
        """Get the unit ready to be unplugged: reserved numbers that were not used are not lost then."""
        if self.is_bound_here and not self._link.is_secured:
            self.unlock()
        self._owner.close_session(unplug=True)

    @_step
    def unlock(self, *, allow_jump: bool = False) -> None:
        """Open a session; commands that need one do that themselves.

        AuthenticationError LOCKED when this is not the laptop that the unit is bound to, KEK, DELAYED; DeviceError
        TOO_FAR when the laptop knows of numbers far above the unit's, and `allow_jump` does not permit that.
        """
        self._owner.unlock(allow_jump=allow_jump)

    @_step
    def check_blank(self) -> None:
        """Raise what PROVISION would be answered with, without sending the secret."""
        self._owner.check_blank()

    @_step
    def check_member(self) -> None:
        """Raise BLANK, TAMPERED, STATE_FORMAT or LOCKED unless the unit says that it can be unlocked."""
        self._owner.check_member()

    @_step
    def status(self) -> Status:
        """Return the unit's state; what concerns its network only if a session is open. Works on a blank unit too."""
        return status_from(self._link.call(commands.STATUS))

    @_step
    def member_status(self) -> Status:
        """Return the state of a member, with what concerns its network: opens a session if none is open.

        DeviceError BLANK, TAMPERED, STATE_FORMAT, and what `unlock` raises.
        """
        return self.status() if self._link.is_secured else self._owner.unlock()

    @_step
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

    @_step
    def bind(self, code: bytes = b"", *, with_network: bool | None = None) -> Binding:
        """Bind the unit to this laptop: in place of the transport code, or of its present binding to this laptop.

        Unless `with_network` says so, it is with the network if the binding before was.
        AuthenticationError KEK or LOCKED when this is not its code.
        """
        return self._owner.bind(code, with_network=with_network)

    @_step
    def trust(self, lane: int, binding_id: str) -> None:
        """Tell the unit which laptop the unit of another lane is bound to; zeros forget it. DeviceError RANGE."""
        self._link.call(commands.TRUST, lane, bytes.fromhex(binding_id))

    @_step
    def zeroize(self) -> None:
        """Erase everything in the unit, for ever; needs no session. DeviceError STORAGE, STATE_FORMAT."""
        self._owner.greet()  # which ends a session
        self._link.call(commands.ZEROIZE, commands.CONFIRMATION, bytes.fromhex(self.hello.serial_number))
        self._owner.greet()
        if self.hello.state == LOCKED:
            raise ProtocolError("the unit says that it is erased, and is not", "unplug it, plug it in again and repeat")
        self._owner.forget()

    @_step
    def next_index(self) -> tuple[int, int]:
        """Return the epoch and the next index of the common lane."""
        epoch, index = self._link.call(commands.NEXT_INDEX)
        return epoch, index

    @_step
    def acknowledge(self, epoch: int, index: int, *, allow_jump: bool = False) -> int:
        """Say that key `index` is safely out, and return the next index; `allow_jump`: also more than 2^20 ahead."""
        following = acknowledge_key(self._link, epoch, index, allow_jump=allow_jump)
        self._owner.note_acknowledged(epoch, index, allow_jump=allow_jump)
        return following

    @_step
    def key(self, index: int, bits: int, *, epoch: int | None = None) -> Key:
        """Return `bits` bits of key `index`, of the present epoch unless another is named; moves nothing."""
        epoch = self.member_status().epoch if epoch is None else epoch
        return Key(index, epoch, bits, b"".join(self.stream_key(index, bits, epoch=epoch)))

    @_step
    def next_key(self, bits: int) -> Key:
        """Return the next key of the common lane and acknowledge it.

        A caller that must not lose a key to a crash calls `next_index`, `key`, stores the key, and then `acknowledge`.
        """
        epoch, index = self.next_index()
        key = self.key(index, bits, epoch=epoch)
        self.acknowledge(epoch, index)
        return key

    def stream_key(self, index: int, bits: int, *, epoch: int | None = None, offset: int = 0) -> Iterator[bytes]:
        """Yield `bits` bits of key `index` in blocks of at most 1024 bytes, from byte `offset` on."""
        if not 1 <= bits <= MAX_BITS:
            raise UsageError("a key has 1 to 2^40 bits")
        epoch = self.member_status().epoch if epoch is None else epoch
        size = (bits + 7) // 8
        starts = range(offset, size, commands.MAX_CHUNK)
        requests = ((epoch, index, start, min(commands.MAX_CHUNK, size - start)) for start in starts)
        answers = self._in_turn(self._link.call_each(commands.KEY_CHUNK, requests))
        for start, (block,) in zip(starts, answers, strict=True):
            if len(block) != min(commands.MAX_CHUNK, size - start):
                raise ProtocolError("the unit sent a chunk of another size than asked for")
            yield block if start + len(block) < size else block[:-1] + _without_unused(block[-1:], bits)

    @_step
    def encrypt(
        self,
        source: "Path | str | Source",
        target: "Path | str | Sink",
        *,
        cipher: str = "",
        mode: str = "b",
        overwrite: bool = False,
        progress: Progress = _ignore,
    ) -> int:
        """Seal a file of any length in a capsule and return its bytes of data; `cipher` is the network's unless named.

        `mode` "b": the unit encrypts; "a": it gives this message's keys, and the host does. A path as target is
        written whole or not at all, FileError if it exists and is not to be overwritten; `progress` is told how many
        more bytes have been read.
        """
        cipher = cipher or self.member_status().cipher
        if mode not in capsules.MODES or cipher not in commands.CIPHERS:
            raise UsageError("there is no such mode or cipher")
        with reading(source) as readable, writing(target, overwrite=overwrite) as sink:
            return capsules.seal(self._link, readable, sink, cipher, mode, progress, self._owner.note_sealed)

    @_step
    def decrypt(
        self,
        source: "Path | str | Source",
        target: "Path | str | Sink",
        *,
        mode: str = "b",
        again: bool = False,
        allow_jump: bool = False,
        overwrite: bool = False,
        progress: Progress = _ignore,
    ) -> Unsealed:
        """Open a capsule, store its data, and only then accept it: an interrupted call can be repeated.

        Nothing is at `target` before all of the capsule was verified; a path gets mode 0600. `again` opens a capsule
        that was accepted before, and accepts nothing; `allow_jump` one that is more than 2^20 numbers ahead.
        DeviceError: VERSION, SUITE, KIND, REFLECTED, DUPLICATE, TOO_OLD, TOO_FAR, SENDERS; AuthenticationError:
        HEADER, AUTH, DIVERGED, BINDING.
        """
        with reading(source) as readable, storing(target, overwrite=overwrite) as sink:
            opened = self._unseal_into(
                readable, sink, mode, _unseal_flags(again=again, allow_jump=allow_jump), progress
            )
        if not again:
            self._accept_stored(opened, allow_jump=allow_jump)
        return opened

    @_step
    def seal(self, data: bytes, *, cipher: str = "", mode: str = "b") -> bytes:
        """Return the capsule of some bytes, as `encrypt` does."""
        sink = io.BytesIO()
        self.encrypt(io.BytesIO(data), sink, cipher=cipher, mode=mode)
        return sink.getvalue()

    @_step
    def unseal(self, capsule: bytes, *, mode: str = "b", again: bool = False, allow_jump: bool = False) -> bytes:
        """Return what a capsule carries and accept it, as `decrypt` does.

        A caller that must not lose a message to a crash opens it with `again`, stores it, and then calls `accept`.
        """
        sink = io.BytesIO()  # nobody sees it before all is verified
        self._unseal_into(io.BytesIO(capsule), sink, mode, _unseal_flags(again=again, allow_jump=allow_jump), _ignore)
        if not again:
            self.accept(capsule, allow_jump=allow_jump)
        return sink.getvalue()

    @_step
    def accept(self, header: bytes, *, allow_jump: bool = False) -> None:
        """Say that the message of the capsule that begins with `header` is stored: it is not opened twice."""
        self._link.call(commands.ACCEPT, header[: commands.WIRE_HEADER_SIZE], allow_jump)

    @_step
    def inspect(self, header: bytes) -> Inspected:
        """Return what the unit sees in the header of a capsule; ends an opening that is going on. DeviceError."""
        header = capsules.read_header(io.BytesIO(header))
        answer = self._link.call(commands.OPEN_BEGIN, header, commands.AGAIN | commands.ALLOW_JUMP)
        try:
            self._link.call(commands.OPEN_BEGIN, header, 0)
            state = "new"
        except DeviceError as error:
            if error.number not in _NOT_NEW:
                raise
            state = error.code
        return Inspected(answer[1], answer[2], name_of(commands.CIPHERS, answer[3]), state)

    def _unseal_into(self, source: Source, sink: Sink, mode: str, flags: int, progress: Progress) -> Unsealed:
        if mode not in capsules.MODES:
            raise UsageError("there is no such mode")
        return capsules.unseal(self._link, source, sink, mode, flags, progress)

    def _accept_stored(self, opened: Unsealed, *, allow_jump: bool) -> None:
        try:
            self.accept(opened.header, allow_jump=allow_jump)
        except NdksError as error:
            error.advice = "nothing: the message is stored; only the unit may not know it, and open it once more"
            raise

    def _in_turn(self, answers: Iterator[_Answer]) -> Iterator[_Answer]:
        """Yield answers; get each as a step of its own."""
        while True:
            with self._lock:
                self._check_open()
                try:
                    answer = next(answers)
                except StopIteration:
                    return
            yield answer

    def _check_open(self) -> None:
        if self._is_closed:
            raise UsageError("this unit is closed", "open it again: ndks.open")


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
    from ..keys.generator import Generator  # and NumPy, which takes a while

    return Generator(p1, p2, digits)


def _without_unused(last: bytes, bits: int) -> bytes:
    return bytes([last[0] & 0xFF << -bits % 8 & 0xFF])
