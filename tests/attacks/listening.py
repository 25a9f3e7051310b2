# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What someone hears who has nothing but the line: whether it has a piece of a secret, or opens a session."""

from collections.abc import Iterable, Iterator

from capsule_reference import derive
from session_reference import Binding
from support.pieces import pieces
from wire_codes import C

from . import attackers
from .attackers import Loot
from .recording import Recording, exchanges
from .scene import Scene
from .sessions import NO_KEYS, Keys, begun

_KEY_SIZE = 32


def secrets_of(scene: Scene) -> Loot:
    """Return all that is true, and what derives from it."""
    binding, secret = Binding(scene.truth[attackers.BINDING]), scene.truth[attackers.SECRET]
    return scene.truth | {
        "A": binding.auth,
        "A of the transport code": Binding(scene.truth[attackers.CODE]).auth,
        "host secret": scene.host_secret,
        **{label: derive(secret, label) for label in ("ndks header mac", "ndks header mask")},
        **{label: derive(binding.kek, label) for label in ("ndks seal mac", "ndks seal enc")},
    }


def heard(recording: Recording) -> Iterator[bytes]:
    """Yield what is on the line, as bytes and as payloads of frames."""
    for sender in {sender for sender, _ in recording}:
        yield b"".join(data for other, data in recording if other == sender)
    for exchange in exchanges(recording):
        yield exchange.request
        yield exchange.answer


def found(secrets: Loot, recording: Recording) -> Loot:
    """Return the secrets of which 8 bytes in a row are on the line."""
    places = {piece for data in heard(recording) for piece in pieces(data)}
    return {name: secret for name, secret in secrets.items() if places & pieces(secret)}


def possible_keys(recording: Recording, images: Iterable[bytes] = ()) -> Keys:
    """Return all 32 bytes in a row that are on the line or in flash, which somebody might take for a key."""
    return frozenset(piece for data in (*heard(recording), *images) for piece in pieces(data, _KEY_SIZE))


def keys_that_open(recording: Recording, more: Keys = NO_KEYS) -> set[bytes]:
    """Return which of the possible keys on the line, and of `more`, is the A of a session there."""
    hello, opened = b"", list[bytes]()
    tried = possible_keys(recording) | more
    for exchange in exchanges(recording):
        if exchange.command == C.HELLO:
            hello = exchange.answer
        elif exchange.command == C.OPEN_SESSION:
            opened += [key for key in tried if begun(key, hello, exchange, tried)]
    return set(opened)
