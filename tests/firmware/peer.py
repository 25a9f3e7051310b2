# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Units that send capsules to each other, with their hosts, and a simulated sender."""

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
from ndks_protocol.capsule import Header, HeaderKeys, Sealer, header_keys
from ndks_protocol.commands import AES, INDEX_BITS, WIRE_HEADER_SIZE
from ndks_unit.dispatcher import Dispatcher

NETWORK = public_network()
HEADER_KEYS = HeaderKeys(CRYPTO, header_keys(CRYPTO, SECRET))
RANDOM = bytes(range(8))  # of a host

_tokens = itertools.count(1)


class FailingUnit(MemoryUnit):
    """A unit whose primitives can fail during a request."""

    uses_left = 0
    _is_serving = False

    def fail_at(self, use: int) -> None:
        """Make SHA-256, AES or the watchdog fail once, at this use of them in requests; 0 means never."""
        self.uses_left = use

    def serving(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """Return an operation in which a primitive may fail."""

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
    """A member of the network of these tests, with a new unit or a given one."""

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
        """Restart the unit; the contents of its RAM are lost."""
        self.host.restart()
        dispatch, serving = self.firmware._dispatch, self.unit.serving(self.firmware._dispatch)

        def serve(code: int, *request: Any) -> int:
            """Serve a request; a primitive may fail in its handler, but not in the session."""
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
        """Begin a message, and return its number."""
        return clear(self.begin()).number

    def seal(self, data: bytes, cipher: int = AES, mode: str = "b") -> bytes:
        """Return a capsule, sealed in either mode."""
        token = new_token()
        if mode == "b":
            return self.begin(token, cipher) + self.chunks(token, data)
        wire, tag_key, sync, _, aes_key = self.ask(commands.SEAL_KEYS, token, cipher, 0, RANDOM)
        sealer = Sealer(CRYPTO, KeysOfUnit(self.ask, token, tag_key, sync, aes_key))
        return wire + b"".join([sealer.seal(*piece) for piece in pieces_of(data)])

    def chunks(self, token: bytes, data: bytes) -> bytes:
        return b"".join([self.ask(commands.SEAL_CHUNK, token, *piece)[0] for piece in pieces_of(data)])

    def open(self, capsule: bytes, flags: int = 0, mode: str = "b") -> bytes:
        """Return the data of a capsule, opened in either mode. The message is not accepted."""
        open_chunk = opener_of(self.ask, capsule[:WIRE_HEADER_SIZE], flags, mode)
        return b"".join([open_chunk(*chunk) for chunk in chunks_of(capsule)])

    def accept(self, capsule: bytes, allow_jump: int = 0) -> None:
        assert self.ask(commands.ACCEPT, capsule[:WIRE_HEADER_SIZE], allow_jump) == ()

    def open_code(self, capsule: bytes, flags: int = 0) -> int:
        """Return the error code of opening, or 0."""
        try:
            self.open(capsule, flags)
        except errors.UnitError as error:
            return error.code
        return 0


def new_token() -> bytes:
    return next(_tokens).to_bytes(8)


def clear(capsule: bytes) -> Header:
    """Return the unmasked header."""
    return HEADER_KEYS.unmask(capsule[:WIRE_HEADER_SIZE])


def header(lane: int, number: int, cipher: int = AES, suite: int = HYBRID, kind: int = commands.DATA) -> Header:
    """Return a header as the unit of that lane makes it."""
    index = lane << INDEX_BITS | number
    salt = number.to_bytes(8)
    return Header(bytes((1, suite, cipher, kind, 0)) + index.to_bytes(8) + salt)


def wire(lane: int, number: int, **fields: int) -> bytes:
    return HEADER_KEYS.mask(header(lane, number, **fields))


def capsule(lane: int, number: int, data: bytes = b"hello", binding_id: bytes = NO_BINDING_ID, **fields: int) -> bytes:
    """Return the capsule of that lane and number, without a unit of that lane."""
    clear_header = header(lane, number, **fields)
    return sealed(NETWORK, clear_header, data, keys_of(NETWORK, clear_header, binding_id))


SESSION_ENDS: dict[str, Callable[[Peer], object]] = {
    "hello": lambda peer: peer.ask(commands.HELLO),
    "close": lambda peer: peer.ask(commands.CLOSE, 0),
    "close and unplug": lambda peer: peer.ask(commands.CLOSE, 1),
    "disconnect": Peer.disconnect,
}
