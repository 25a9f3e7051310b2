# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit simulated by a script and bound to its own laptop. It opens sessions like a real unit."""

from pathlib import Path
from typing import Any

import pytest
from host.scripted_transport import Script, ScriptedTransport, answer

from ndks.crypto import CRYPTO, EphemeralKey
from ndks.driver.answers import Hello
from ndks.driver.unit import Unit
from ndks.laptop.bindings import BindingStore
from ndks.line.link import Link
from ndks_protocol import MAJOR, MINOR, commands, framing
from ndks_protocol.binding import BindingKeys
from ndks_protocol.session import (
    OVERHEAD,
    PUBLIC_KEY_SIZE,
    SYNC_SIZE,
    UNIT,
    SecureChannel,
    proof,
    session_key,
    transcript,
)

SERIAL_NUMBER = "0001020304050607"
SALT = bytes(range(16))
UNIT_RANDOM = b"random of a unit"
TIMEOUT = 1.0


class ScriptedUnit:
    """The script of a bound unit; `script` answers all requests except those that open and close sessions.

    The first STATUS and NEXT_INDEX of a session are part of its opening; `opening` overrides the answers to them.
    """

    def __init__(self, script: Script, bindings: BindingStore, hello: dict[str, Any] | None = None) -> None:
        self._script = script
        self.opening: dict[int, tuple[Any, ...]] = {}
        self._to_answer: dict[int, tuple[Any, ...]] = {}
        salted = Hello(MAJOR, MINOR, "", 0, "", [], SERIAL_NUMBER, SALT.hex(), "", 1120, 10, 256, 1)
        self.keys = BindingKeys(CRYPTO, bindings.begin(salted, with_network=False))
        self.hello = commands.HELLO.answer.pack(*hello_values(binding_id=self.keys.id, **hello or {}))
        self._transcript = b""
        self._key = bytearray()
        self._channel: SecureChannel | None = None

    def __call__(self, request: framing.Frame) -> bytes:
        if request.kind == commands.HELLO.code:
            self._channel = None
            return framing.encode(request.kind | framing.ANSWER, request.request_id, self.hello)
        return self._secured(request) if self._channel else self._in_the_clear(request)

    def _in_the_clear(self, request: framing.Frame) -> bytes:
        if request.kind == commands.OPEN_SESSION.code:
            return answer(request, *self.agree(bytes(request.payload)))
        if request.kind == commands.PROVE.code:
            self._channel = SecureChannel(CRYPTO, self._key, self._transcript, UNIT)
            self._to_answer = {commands.STATUS.code: status_values(), commands.NEXT_INDEX.code: (0, 1)} | self.opening
            return answer(request)
        return self._script(request)

    def agree(self, host_share: bytes) -> tuple[bytes, bytes, bytes]:
        """Return the answer to OPEN_SESSION."""
        public, shared = self.shared_secret(host_share[:PUBLIC_KEY_SIZE])
        self._transcript = transcript(CRYPTO, self.hello, host_share, public + UNIT_RANDOM)
        self._key = session_key(CRYPTO, self.keys.auth, shared, self._transcript)
        return public, UNIT_RANDOM, proof(CRYPTO, self._key, UNIT, self._transcript)

    def shared_secret(self, host_public: bytes) -> tuple[bytes, bytes]:
        """Return the unit's public key and the secret that it shares with the host."""
        ephemeral = EphemeralKey()
        return ephemeral.public, ephemeral.shared(host_public)

    def _secured(self, request: framing.Frame) -> bytes:
        assert self._channel
        body = self._channel.open(request.kind, request.request_id, memoryview(bytearray(request.payload)))
        assert body is not None, "the host has not secured this frame"
        opened = framing.Frame(request.kind, request.request_id, bytes(body))
        silent = (commands.UNLOCK.code, commands.CLOSE.code)
        if request.kind in self._to_answer:
            wire = answer(opened, *self._to_answer.pop(request.kind))
        else:
            wire = answer(opened) if request.kind in silent else self._script(opened)
        return b"".join(map(self._sealed, framing.Decoder().feed(wire)))

    def _sealed(self, event: "framing.Frame | framing.FrameError") -> bytes:
        assert isinstance(event, framing.Frame)
        assert self._channel
        size = len(event.payload)
        view = memoryview(bytearray(size + OVERHEAD))
        view[SYNC_SIZE : SYNC_SIZE + size] = event.payload
        written = self._channel.seal(event.kind, event.request_id, view, size)
        return framing.encode(event.kind, event.request_id, bytes(view[:written]))


def hello_values(**others: Any) -> tuple[Any, ...]:
    """Return the fields of an answer to HELLO, by default of a bound unit."""
    values: dict[str, Any] = {
        "major": MAJOR,
        "minor": MINOR,
        "firmware": bytes((0, 1, 0)),
        "state_format": 3,
        "state": commands.STATE_LOCKED,
        "flags": 0,
        "uid": bytes.fromhex(SERIAL_NUMBER),
        "salt": SALT,
        "binding_id": bytes(16),
        "max_payload": framing.MAX_PAYLOAD,
        "lanes": commands.MAX_SENDERS,
        "window": commands.WINDOW_SIZE,
        "epochs": 1,
    }
    return tuple((values | others).values())


def status_values(**others: Any) -> tuple[Any, ...]:
    """Return the fields of an answer to STATUS, by default of a member of a network."""
    values: dict[str, Any] = dict.fromkeys(commands.STATUS.answer.names, 0)
    member = {
        "state": commands.STATE_PROVISIONED,
        "lane": 1,
        "suite": 1,
        "digits": 3,
        "log_used": 112,
        "log_size": 4064,
    }
    ids = {"network_id": bytes(8), "generation_id": bytes(8), "held": b"\xff" * 14}
    return tuple((values | member | {"network": "office"} | ids | others).values())


def scripted_unit(
    script: Script,
    monkeypatch: pytest.MonkeyPatch,
    directory: Path,
    opening: "dict[int, tuple[Any, ...]] | None" = None,
    kind: type[ScriptedUnit] = ScriptedUnit,
    **hello: Any,
) -> Unit:
    """Return an open unit that is bound to the laptop with its bindings in `directory`."""
    bindings = BindingStore(directory, look=lambda **_: ())
    scripted = kind(script, bindings, hello)
    scripted.opening = opening or {}
    return Unit("scripted", Link(ScriptedTransport(scripted, monkeypatch), TIMEOUT), bindings)
