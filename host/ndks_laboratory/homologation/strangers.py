# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Attacks from laptops that a unit is not bound to, with host software that does not itself refuse."""

import secrets
import tempfile
from pathlib import Path

from ndks.crypto import CRYPTO, EphemeralKey
from ndks.driver.unit import Unit, open_port
from ndks.laptop.bindings import BindingStore
from ndks.laptop.fingerprint import Characteristics
from ndks.line.link import Link
from ndks.line.session import after_delay
from ndks_laboratory import times
from ndks_protocol import commands
from ndks_protocol.binding import BindingKeys
from ndks_protocol.session import HOST, RANDOM_SIZE, SecureChannel, proof, session_key, transcript

UNKNOWING = "a laptop without any secret"
OTHER = "a laptop with a secret of its own"
COPIED = "a laptop with a copy of the owner's files"
STRANGERS = (UNKNOWING, OTHER, COPIED)

_ASKED = (0, 1, 0, 16)  # KEY_CHUNK: epoch, index, offset, size


def ask_as(stranger: str, port: str, owner: BindingStore, timeout: float) -> bytes:
    """Return the key that the unit gives to one of STRANGERS. DeviceError."""
    with tempfile.TemporaryDirectory(prefix="ndks-stranger-") as directory:
        store = BindingStore(Path(directory), _other_laptop)
        if stranger == COPIED:
            store.replace(owner.export(), overwrite=True)
        link = Link(open_port(port, timeout), timeout)
        try:
            unit = Unit(port, link, store)
            if stranger == UNKNOWING:
                link.open_session = None  # this laptop cannot open a session
                return link.call(commands.KEY_CHUNK, *_ASKED)[0]
            return _try_binding(link, BindingKeys(CRYPTO, store.begin(unit.hello)))
        finally:
            link.close()


def begin_session(link: Link, public: bytes, random: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Return the answer to HELLO, and the unit's public key, random bytes and proof; wait while it is DELAYED."""
    return after_delay(
        lambda: (link.call_raw(commands.HELLO), *link.call(commands.OPEN_SESSION, public, random)), times.STRANGER
    )


def _try_binding(link: Link, keys: BindingKeys) -> bytes:
    ephemeral, random = EphemeralKey(), secrets.token_bytes(RANDOM_SIZE)
    # Ignores the unit's proof, which this binding cannot verify
    hello, unit_public, unit_random, _ = begin_session(link, ephemeral.public, random)
    transcript_hash = transcript(CRYPTO, hello, ephemeral.public + random, unit_public + unit_random)
    key = session_key(CRYPTO, keys.auth, ephemeral.shared(unit_public), transcript_hash)
    link.call(commands.PROVE, proof(CRYPTO, key, HOST, transcript_hash))
    link.secure(SecureChannel(CRYPTO, key, transcript_hash, HOST))
    link.call(commands.UNLOCK, keys.kek, 0, 1)
    return link.call(commands.KEY_CHUNK, *_ASKED)[0]


def _other_laptop(*, with_network: bool = False) -> Characteristics:  # noqa: ARG001 (as BindingStore calls it)
    return (("board", "another laptop"),)
