# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The host's end of a session (PROTOCOL.md section 6)."""

import secrets

from ndks_protocol import commands, errors
from ndks_protocol.binding import BindingKeys
from ndks_protocol.kdf import same
from ndks_protocol.session import HOST, RANDOM_SIZE, UNIT, Channel, proof, transcript

from ..crypto import CRYPTO
from ..exceptions import AuthenticationError, NdksError
from .link import Link


def open_session(link: Link, hello: bytes, keys: BindingKeys) -> None:
    """Prove to each other that unit and host know the binding, secure the link, and open the unit's secrets.

    `hello` is the payload of the last answer to HELLO. AuthenticationError LOCKED, KEK, DELAYED.
    """
    host_random = secrets.token_bytes(RANDOM_SIZE)
    unit_random, unit_proof = link.call(commands.OPEN_SESSION, host_random)
    transcript_hash = transcript(CRYPTO, hello, host_random, unit_random)
    if not same(unit_proof, proof(CRYPTO, keys.auth, UNIT, transcript_hash)):
        raise AuthenticationError(
            errors.LOCKED,
            "this is not the unit that it says it is, or it was bound anew elsewhere",
            "do not trust it; zeroize it, or ask who has had it",
        )
    link.call(commands.PROVE, proof(CRYPTO, keys.auth, HOST, transcript_hash))
    link.secure(Channel(CRYPTO, keys.auth, transcript_hash, HOST))
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
