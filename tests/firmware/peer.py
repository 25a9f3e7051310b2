# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Units that send capsules to each other, with their hosts; and a sender that lives in the tests alone."""

import itertools
from collections.abc import Callable
from typing import Any

from hosts.capsules import NO_BINDING_ID, KeysOfUnit, chunks_of, keys_of, opener_of, pieces_of, sealed
from hosts.memory import Host, before_each, new_flash
from hosts.network import HYBRID, SECRET
from support.public_network import public_network

from ndks.crypto import CRYPTO
from ndks_emulator import MemoryUnit, SetClock
from ndks_protocol import commands, errors
from ndks_protocol.capsule import Header, HeaderKeys, Sealer
from ndks_protocol.commands import AES, INDEX_BITS, WIRE_HEADER_SIZE
from ndks_unit.dispatcher import Dispatcher

NETWORK = public_network()
HEADER_KEYS = HeaderKeys(CRYPTO, SECRET)
RANDOM = bytes(range(8))  # of a host

_tokens = itertools.count(1)


class FailingUnit(MemoryUnit):
    """A unit whose primitives can fail while it serves."""

    uses_left = 0
    _is_serving = False

    def fail_at(self, use: int) -> None:
        """Let SHA-256, AES or the watchdog fail once: at their so many-th use by what serves; 0 for never."""
        self.uses_left = use

    def serving(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """Do something, and perhaps fail meanwhile."""

        def serve(*request: Any) -> Any:
            self._is_serving = True
            try:
                return work(*request)
            finally:
                self._is_serving = False

        return serve

    def _use(self) -> None:
        if self._is_serving and self.uses_left:
            self.uses_left -= 1
            if not self.uses_left:
                raise MemoryError


def failing_unit(images: "list[bytes] | None" = None) -> FailingUnit:
    unit = FailingUnit(new_flash(images=images), clock=SetClock())
    before_each(unit.board, ("sha256", "aes_ctr", "feed_watchdog"), unit._use)
    return unit


class Peer:
    """A member of the network of these tests, on a unit of its own or on one that is given."""

    def __init__(self, lane: int = 1, suite: int = HYBRID, unit: FailingUnit | None = None, **parameters: str) -> None:
        self.unit = unit or failing_unit()
        self.host = Host(self.unit)
        self.restart()
        if not self.firmware.state.binding:
            self.host.provision(suite, lane, **parameters)

    @property
    def firmware(self) -> Dispatcher:
        return self.unit.firmware

    def restart(self) -> None:
        """What is in RAM is lost."""
        self.host.restart()
        dispatch, serving = self.firmware._dispatch, self.unit.serving(self.firmware._dispatch)

        def serve(code: int, *request: Any) -> int:
            """Only what a session is there for may fail, not the session itself."""
            return (serving if code >= commands.NEXT_INDEX.code else dispatch)(code, *request)

        self.firmware._dispatch = serve

    def ask(self, command: commands.Command, *values: Any) -> tuple[Any, ...]:
        return self.host.ask(command, *values)

    def code(self, command: commands.Command, *values: Any) -> int:
        return self.host.code(command, *values)

    def disconnect(self) -> None:
        self.host.disconnect()

    def begin(self, token: bytes = b"", cipher: int = AES) -> bytes:
        return self.ask(commands.SEAL_BEGIN, token or new_token(), cipher, 0, RANDOM)[0]

    def number(self) -> int:
        """The number of a message that is begun now."""
        return clear(self.begin()).number

    def seal(self, data: bytes, cipher: int = AES, mode: str = "b") -> bytes:
        """A capsule, made in either mode."""
        token = new_token()
        if mode == "b":
            return self.begin(token, cipher) + self.chunks(token, data)
        wire, tag_key, sync, aes_key = self.ask(commands.SEAL_KEYS, token, cipher, 0, RANDOM)
        sealer = Sealer(CRYPTO, KeysOfUnit(self.ask, token, tag_key, sync, aes_key))
        return wire + b"".join([sealer.seal(*piece) for piece in pieces_of(data)])

    def chunks(self, token: bytes, data: bytes) -> bytes:
        return b"".join([self.ask(commands.SEAL_CHUNK, token, *piece)[0] for piece in pieces_of(data)])

    def open(self, capsule: bytes, flags: int = 0, mode: str = "b") -> bytes:
        """The data of a capsule, in either mode. Nothing is accepted."""
        open_chunk = opener_of(self.ask, capsule[:WIRE_HEADER_SIZE], flags, mode)
        return b"".join([open_chunk(*chunk) for chunk in chunks_of(capsule)])

    def accept(self, capsule: bytes, allow_jump: int = 0) -> None:
        assert self.ask(commands.ACCEPT, capsule[:WIRE_HEADER_SIZE], allow_jump) == ()

    def open_code(self, capsule: bytes, flags: int = 0) -> int:
        """The error code of opening, 0 when the capsule opens."""
        try:
            self.open(capsule, flags)
        except errors.UnitError as error:
            return error.code
        return 0


def new_token() -> bytes:
    return next(_tokens).to_bytes(8)


def clear(capsule: bytes) -> Header:
    """The header as the members of the network see it."""
    return HEADER_KEYS.unmask(capsule[:WIRE_HEADER_SIZE])


def header(lane: int, number: int, cipher: int = AES, suite: int = HYBRID, kind: int = commands.DATA) -> Header:
    """A header as the unit of that lane would make it."""
    index = lane << INDEX_BITS | number
    salt = number.to_bytes(8)
    return Header(bytes((1, suite, cipher, kind, 0)) + index.to_bytes(8) + salt)


def wire(lane: int, number: int, **fields: int) -> bytes:
    return HEADER_KEYS.mask(header(lane, number, **fields))


def capsule(lane: int, number: int, data: bytes = b"hello", binding_id: bytes = NO_BINDING_ID, **fields: int) -> bytes:
    """What the unit of that lane would seal under that number; the tests need no unit for each sender."""
    clear_header = header(lane, number, **fields)
    return sealed(NETWORK, clear_header, data, keys_of(NETWORK, clear_header, binding_id))
