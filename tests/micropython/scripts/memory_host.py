# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Model of a host on the line of a board in memory, and the binding of its unit."""

from memory_board import MemoryBoard

from ndks_protocol import fields, framing, wire
from ndks_protocol.binding import BindingKeys
from ndks_protocol.framing import HEADER_SIZE
from ndks_protocol.session import HOST, OVERHEAD, SYNC_SIZE, UNIT, SecureChannel, proof, session_key, transcript
from ndks_unit import on_demand
from ndks_unit.dispatcher import Dispatcher

BINDING = bytes(range(64, 96))
SECRET = bytes(32)
_RANDOM = bytes(range(16))
_PRIVATE = bytes(range(32))  # of the host, in all sessions
_PUBLIC = (
    b"\x8f\x40\xc5\xad\xb6\x8f\x25\x62\x4a\xe5\xb2\x14\xea\x76\x7a\x6e"
    b"\xc9\x4d\x82\x9d\x3d\x7b\x5e\x1a\xd1\xba\x6f\x3e\x21\x38\x28\x5f"
)


class Host:
    """The host of a unit from its start on."""

    def __init__(self, board: MemoryBoard):
        self.board = board
        self._encoder = framing.Encoder()
        self._decoder = framing.Decoder()
        self._request_id = 0
        self.restart()

    def restart(self) -> None:
        """Restart the unit."""
        self._unit = Dispatcher(self.board)
        self._channel = None

    def send(self, code: int, request_id: int, payload: bytes) -> tuple:
        """Return kind and payload of the answer to a raw frame."""
        self._encoder.view[HEADER_SIZE : HEADER_SIZE + len(payload)] = payload
        (answer,) = self._decoder.feed(self.sent_back(bytes(self._encoder.finish(code, request_id, len(payload)))))
        if answer.request_id != request_id:
            raise AssertionError(f"answer to request {answer.request_id}")
        return answer.kind, answer.payload

    def sent_back(self, data: bytes) -> bytes:
        """Return what the unit sends when this arrives."""
        self.board.inbound = data
        while self.board.inbound:
            self._unit.poll()
        sent, self.board.outbound = self.board.outbound, b""
        return sent

    def exchange(self, code: int, payload: bytes) -> tuple:
        """Return kind and payload of the answer to a request, secured if a session is open."""
        self._request_id += 1
        if not self._channel:
            return self.send(code, self._request_id, payload)
        kind, secured = self.send(code, self._request_id, self._sealed(code, payload))
        body = self._channel.open(kind, self._request_id, memoryview(bytearray(secured)))
        if body is None:
            raise AssertionError(f"the session has ended: {secured.hex()}")
        return kind, bytes(body)

    def call(self, code: int, *values) -> tuple:
        """Return the fields of the answer to a command that must succeed; open a session if necessary."""
        needs, request, answer = wire.COMMANDS[code]
        if needs & wire.SESSION and not self._channel:
            self.open_session()
        if needs & wire.IS_BLANK and needs & wire.PROVED and not self._channel:
            self.authenticate(None)
        kind, payload = self.exchange(code, fields.pack(request, *values))
        if kind != code | framing.ANSWER:
            raise AssertionError(f"{code:02x}: error {payload.hex()}")
        if code in (wire.PROVISION, wire.PROVISION_SEALED):
            self._channel = None
        return fields.unpack(answer, payload)

    def provision(self, lane: int = 1, operators: tuple = (0, 0)) -> None:
        """Make the unit a member of a network with suite hybrid, cipher aes and d = 12."""
        hybrid = wire.SUITES.index("hybrid")
        self.call(wire.PROVISION, BINDING, 0, lane, hybrid, wire.AES, 12, SECRET, "test", "0.52", "25", *operators)

    def open_session(self, binding: bytes = BINDING) -> None:
        """Open a session and unlock the unit."""
        keys = BindingKeys(self.board, binding)
        self.authenticate(keys.auth)
        self.call(wire.UNLOCK, keys.kek, 0, 0)

    def authenticate(self, auth: "bytes | None") -> None:
        """Open a session; without `auth`, that of a blank unit."""
        self._channel = None
        hello = self.exchange(wire.HELLO, b"")[1]
        unit_public, unit_random, unit_proof = self.call(wire.OPEN_SESSION, _PUBLIC, _RANDOM)
        transcript_hash = transcript(self.board, hello, _PUBLIC + _RANDOM, unit_public + unit_random)
        shared = on_demand.get("key_agreement").shared_secret(self.board, _PRIVATE, unit_public)
        key = session_key(self.board, auth, shared, transcript_hash)
        if unit_proof != proof(self.board, key, UNIT, transcript_hash):
            raise AssertionError("the unit has proved nothing")
        self.call(wire.PROVE, proof(self.board, key, HOST, transcript_hash))
        self._channel = SecureChannel(self.board, key, transcript_hash, HOST)

    def close(self) -> None:
        """Close the session."""
        self.call(wire.CLOSE, 1)
        self._channel = None

    def _sealed(self, code: int, body: bytes) -> bytes:
        view = memoryview(bytearray(len(body) + OVERHEAD))
        view[SYNC_SIZE : SYNC_SIZE + len(body)] = body
        return bytes(view[: self._channel.seal(code, self._request_id, view, len(body))])
