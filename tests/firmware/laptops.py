# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Hosts that open sessions step by step, and send frames as they like; one of them knows PROTOCOL.md alone."""

import itertools
from typing import Any

import session_reference
from capsule_reference import aes_ctr, xor

from ndks.crypto import CRYPTO
from ndks_protocol import commands, errors, framing
from ndks_protocol.binding import BindingKeys
from ndks_protocol.session import HOST, OVERHEAD, SYNC_SIZE, SecureChannel, proof, transcript
from ndks_unit.dispatcher import Dispatcher

from .exchange import answers
from .member import BINDING, membership
from .memory_board import MemoryBoard

RANDOM = bytes(range(16))  # of a host
TAG_SIZE = OVERHEAD - SYNC_SIZE


class Projects:
    """A session as the project's own hosts keep it."""

    def __init__(self, binding: bytes, hello: bytes, host_random: bytes, unit_random: bytes) -> None:
        auth = BindingKeys(CRYPTO, binding).auth
        self.kek = BindingKeys(CRYPTO, binding).kek
        transcript_hash = transcript(CRYPTO, hello, host_random, unit_random)
        self.unit_proof = proof(CRYPTO, auth, "unit", transcript_hash)
        self.host_proof = proof(CRYPTO, auth, HOST, transcript_hash)
        self._channel = SecureChannel(CRYPTO, auth, transcript_hash, HOST)

    def secured(self, kind: int, request_id: int, body: bytes) -> bytes:
        view = memoryview(bytearray(len(body) + OVERHEAD))
        view[SYNC_SIZE : SYNC_SIZE + len(body)] = body
        return bytes(view[: self._channel.seal(kind, request_id, view, len(body))])

    def opened(self, kind: int, request_id: int, payload: bytes) -> bytes:
        body = self._channel.open(kind, request_id, memoryview(bytearray(payload)))
        assert body is not None, "the unit's frame is not the next one"
        return bytes(body)


class Reference:
    """The same from PROTOCOL.md, with hashlib, hmac and cryptography."""

    def __init__(self, binding: bytes, hello: bytes, host_random: bytes, unit_random: bytes) -> None:
        keys = session_reference.Binding(binding)
        session = session_reference.Session(keys.auth, hello, host_random, unit_random)
        self.kek, self.unit_proof, self.host_proof = keys.kek, session.unit_proof, session.host_proof
        self._to_unit, self._to_host = session.to_unit, session.to_host

    def secured(self, kind: int, request_id: int, body: bytes) -> bytes:
        return self._to_unit.secured(kind, request_id, body)

    def opened(self, kind: int, request_id: int, payload: bytes) -> bytes:
        ciphertext, to_host = payload[:-TAG_SIZE], self._to_host
        keystream = aes_ctr(to_host.encryption_key, to_host.number.to_bytes(8) + bytes(8), bytes(len(ciphertext)))
        body = xor(ciphertext, keystream)[SYNC_SIZE:]
        assert to_host.secured(kind, request_id, body) == payload
        return body


class Laptop:
    """A unit and the host that it is bound to, at any stage of a session."""

    def __init__(self, kind: "type[Projects | Reference]" = Projects, board: MemoryBoard | None = None) -> None:
        self.board = board or MemoryBoard()
        self.kind = kind
        self.session: Projects | Reference | None = None  # before PROVE
        self.channel: Projects | Reference | None = None  # after it
        self._ids = itertools.count(1)
        self.restart()
        if not self.unit.state.binding:
            self.ask(commands.PROVISION, *membership())

    def restart(self) -> None:
        self.board.start()
        self.unit = Dispatcher(self.board)
        self.session = self.channel = None

    def disconnect(self) -> None:
        """The host leaves without a word, and comes back."""
        self.unit.poll()
        self.board.is_connected = False
        self.unit.poll()
        self.board.is_connected = True
        self.session = self.channel = None

    # In steps

    def hello(self) -> bytes:
        self.session = self.channel = None
        frame = self.send(commands.HELLO, b"")
        assert frame.kind == commands.HELLO.code | framing.ANSWER
        return bytes(frame.payload)

    def begin(self, binding: bytes = BINDING) -> bytes:
        """HELLO and OPEN_SESSION; return the unit's proof."""
        hello = self.hello()
        unit_random, unit_proof = self.ask(commands.OPEN_SESSION, RANDOM)
        self.session = self.kind(binding, hello, RANDOM, unit_random)
        return unit_proof

    def prove(self, given: bytes = b"") -> None:
        assert self.session
        self.ask(commands.PROVE, given or self.session.host_proof)
        self.channel = self.session

    def unlock(self, kek: bytes = b"", minimum: int = 0, allow_jump: int = 0) -> None:
        assert self.session
        self.ask(commands.UNLOCK, kek or self.session.kek, minimum, allow_jump)

    def open(self, binding: bytes = BINDING, minimum: int = 0, allow_jump: int = 0) -> None:
        self.begin(binding)
        self.prove()
        self.unlock(minimum=minimum, allow_jump=allow_jump)

    # Requests

    def ask(self, command: commands.Command, *values: Any) -> tuple[Any, ...]:
        """The fields of the answer, in the session if there is one. UnitError when it carries a code."""
        body = command.request.pack(*values)
        if self.channel and command is not commands.HELLO:
            frame = self.send(command, self.secured(command, body))
            answer = self.channel.opened(frame.kind, frame.request_id, bytes(frame.payload))
        else:
            frame = self.send(command, body)
            answer = bytes(frame.payload)
        if frame.kind == framing.ERROR:
            raise errors.UnitError(int.from_bytes(answer))
        assert frame.kind == command.code | framing.ANSWER
        return command.answer.unpack(answer)

    def code(self, command: commands.Command, *values: Any) -> int:
        """The error code that is answered, 0 when it is none."""
        try:
            self.ask(command, *values)
        except errors.UnitError as error:
            return error.code
        return 0

    def status(self) -> dict[str, Any]:
        return dict(zip(commands.STATUS.answer.names, self.ask(commands.STATUS), strict=True))

    # Frames

    def secured(self, command: commands.Command, body: bytes) -> bytes:
        """The payload of the next frame; its id is that of the next `send`."""
        assert self.channel
        self.request_id = next(self._ids)
        self._has_id = True
        return self.channel.secured(command.code, self.request_id, body)

    _has_id = False

    def send(self, command: commands.Command, payload: bytes) -> framing.Frame:
        """The one answer to a frame with this payload as it is."""
        if not self._has_id:
            self.request_id = next(self._ids)
        self._has_id = False
        return self.send_frame(command.code, self.request_id, payload)

    def send_frame(self, kind: int, request_id: int, payload: bytes) -> framing.Frame:
        (frame,) = answers(self.board, self.unit, framing.encode(kind, request_id, payload))
        assert frame.request_id == request_id
        return frame
