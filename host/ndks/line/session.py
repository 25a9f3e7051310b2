# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The host's end of a session (PROTOCOL.md section 6)."""

import secrets
from collections.abc import Callable
from typing import TypeVar

from ndks_protocol import commands, errors
from ndks_protocol.binding import BindingKeys
from ndks_protocol.kdf import same
from ndks_protocol.session import HOST, RANDOM_SIZE, UNIT, SecureChannel, proof, transcript

from .. import times
from ..crypto import CRYPTO
from ..exceptions import AuthenticationError, DeviceError, NdksError
from ..retry import retry
from .link import Link

_T = TypeVar("_T")


class Handshake:
    """What opens a session, without I/O: whoever has a conversation sends OPEN_SESSION, PROVE, and secures it.

    `hello` is the payload of the last answer to HELLO. `host_random` is what OPEN_SESSION carries.
    """

    def __init__(self, hello: bytes, auth: bytes) -> None:
        self.host_random = secrets.token_bytes(RANDOM_SIZE)
        self._hello = hello
        self._auth = auth
        self._transcript_hash = b""

    def prove(self, unit_random: bytes, unit_proof: bytes) -> bytes:
        """Check the answer to OPEN_SESSION and return what PROVE carries. AuthenticationError LOCKED."""
        self._transcript_hash = transcript(CRYPTO, self._hello, self.host_random, unit_random)
        if not same(unit_proof, proof(CRYPTO, self._auth, UNIT, self._transcript_hash)):
            raise AuthenticationError(
                errors.LOCKED,
                "this is not the unit that it says it is, or it was bound anew elsewhere",
                "do not trust it; zeroize it, or ask who has had it",
            )
        return proof(CRYPTO, self._auth, HOST, self._transcript_hash)

    def channel(self) -> SecureChannel:
        """Return the keys of the session, once the unit has accepted the host's proof."""
        return SecureChannel(CRYPTO, self._auth, self._transcript_hash, HOST)


def open_session(link: Link, hello: bytes, keys: BindingKeys) -> None:
    """Prove to each other that unit and host know the binding, secure the link, and open the unit's secrets.

    `hello` is the payload of the last answer to HELLO. AuthenticationError LOCKED, KEK, DELAYED.
    """
    handshake = Handshake(hello, keys.auth)
    link.call(commands.PROVE, handshake.prove(*link.call(commands.OPEN_SESSION, handshake.host_random)))
    link.secure(handshake.channel())
    unlock(link, keys, 0)  # which minimum is meant depends on the epoch, and only a unit that is open tells that


def unlock(link: Link, keys: BindingKeys, minimum: int, *, allow_jump: bool = False) -> None:
    """Open the unit's secrets, and let it go on above the message counter `minimum`. AuthenticationError KEK; TOO_FAR.

    In a session that is open it does the same once more.
    """
    try:
        link.call(commands.UNLOCK, keys.kek, minimum, allow_jump)
    except NdksError:
        link.end_session()  # it is of no use, and must not be taken for one that is
        raise


def after_delay(attempt: Callable[[], _T], longest: float = times.LONGEST_DELAY) -> _T:
    """Return what `attempt` returns once a unit that was given wrong proofs listens again: not DELAYED any more."""
    return retry(attempt, lambda error: isinstance(error, DeviceError) and error.number == errors.DELAYED, longest)
