# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Opening of a session by the host (PROTOCOL.md section 6)."""

import secrets
from collections.abc import Callable
from typing import TypeVar

from ndks_protocol import commands, errors
from ndks_protocol.binding import BindingKeys
from ndks_protocol.kdf import same, wipe
from ndks_protocol.session import HOST, RANDOM_SIZE, UNIT, SecureChannel, proof, session_key, transcript

from .. import times
from ..crypto import CRYPTO, EphemeralKey
from ..exceptions import AuthenticationError, DeviceError, NdksError
from ..retry import retry
from .link import Link

_T = TypeVar("_T")


class Handshake:
    """The handshake of a session without I/O: the caller sends OPEN_SESSION and PROVE, then secures the line.

    `hello` is the payload of the last answer to HELLO. `auth` is A of the binding; None opens an anonymous session with
    a blank unit, which anybody may be.
    """

    def __init__(self, hello: bytes, auth: bytes | None) -> None:
        self._ephemeral = EphemeralKey()
        self.share = self._ephemeral.public, secrets.token_bytes(RANDOM_SIZE)  # the values of OPEN_SESSION
        self._hello = hello
        self._auth = auth
        self._transcript_hash = b""
        self._key = bytearray()

    def prove(self, unit_public: bytes, unit_random: bytes, unit_proof: bytes) -> bytes:
        """Check the answer to OPEN_SESSION and return the payload of PROVE. AuthenticationError LOCKED."""
        self._transcript_hash = transcript(CRYPTO, self._hello, b"".join(self.share), unit_public + unit_random)
        try:
            shared = self._ephemeral.shared(unit_public)
        except ValueError:
            raise _not_that_unit() from None  # no unit sends a key of low order
        self._key = session_key(CRYPTO, self._auth, shared, self._transcript_hash)
        if not same(unit_proof, proof(CRYPTO, self._key, UNIT, self._transcript_hash)):
            raise _not_that_unit()
        return proof(CRYPTO, self._key, HOST, self._transcript_hash)

    def channel(self) -> SecureChannel:
        """Return the secure channel of the session, once, after the unit has accepted the host's proof."""
        channel = SecureChannel(CRYPTO, self._key, self._transcript_hash, HOST)
        wipe(self._key)
        return channel


def _not_that_unit() -> AuthenticationError:
    return AuthenticationError(
        errors.LOCKED,
        "this is not the unit that it claims to be, or it has since been bound to another laptop",
        "do not trust it; ask who has had it, or erase it: ndks zeroize",
    )


def open_session(link: Link, hello: bytes, keys: BindingKeys) -> None:
    """Authenticate unit and host to each other with the binding, secure the link and unlock the unit.

    `hello` is the payload of the last answer to HELLO. AuthenticationError LOCKED, KEK, DELAYED.
    """
    _secure(link, Handshake(hello, keys.auth))
    unlock(link, keys, 0)  # no minimum yet: it depends on the epoch, which only an unlocked unit reports


def open_anonymous_session(link: Link, hello: bytes) -> None:
    """Secure the link to a blank unit against eavesdroppers; nobody authenticates.

    `hello` is the payload of the last answer to HELLO. AuthenticationError LOCKED when the line altered the handshake.
    """
    _secure(link, Handshake(hello, None))


def _secure(link: Link, handshake: Handshake) -> None:
    link.call(commands.PROVE, handshake.prove(*link.call(commands.OPEN_SESSION, *handshake.share)))
    link.secure(handshake.channel())


def unlock(link: Link, keys: BindingKeys, minimum: int, *, allow_jump: bool = False) -> None:
    """Unlock the unit and raise its message counter to `minimum`; may be repeated in a session.

    AuthenticationError KEK, DeviceError TOO_FAR.
    """
    try:
        link.call(commands.UNLOCK, keys.kek, minimum, allow_jump)
    except NdksError:
        link.end_session()  # a session of a locked unit is useless
        raise


def after_delay(attempt: Callable[[], _T], longest: float | None = None) -> _T:
    """Call `attempt` until it no longer fails with DELAYED, as it does after wrong proofs, and return its result."""

    def is_delayed(error: Exception) -> bool:
        return isinstance(error, DeviceError) and error.number == errors.DELAYED

    return retry(attempt, is_delayed, times.LONGEST_DELAY if longest is None else longest)
