# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The handshake of a link, as generators that yield steps: `connect` for A, which calls, `accept` for B.

Strategy: Noise with ephemeral keys, so that whoever takes both units later reads nothing; with keys of a message of
each unit as pre-shared keys, which hold when X25519 falls; with static keys, so that a member cannot pose as another
gateway.
"""

import hmac
import secrets
from collections.abc import Generator, Mapping, Sequence
from typing import Any

from . import bundles, knocks
from .derivations import message_check, message_psk
from .doors import MAC_SIZE, Door, find
from .errors import (
    Diverged,
    Garbage,
    HandshakeError,
    NoDoor,
    OtherLane,
    PeerBehind,
    PinnedKeyDiffers,
    Reflected,
    TooMany,
    UnitBehind,
    UnknownResumption,
    unproven,
)
from .noise import Noise
from .parties import Established, Expected, Identity, Peer, Resumable, established
from .steps import Admit, Ahead, Behind, Bundles, Doors, MessageKeys, Open, OpenedKeys, Read, Seal, Send, Step

__all__ = ["Established", "Expected", "Handshake", "Identity", "Peer", "Resumable", "accept", "attempts", "connect"]

Handshake = Generator[Step, Any, Established]


def attempts(resumable: Resumable | None, doors: Sequence[Door]) -> list[Resumable | Door]:
    """Return what A tries in turn to connect with, each over a new connection: resumption, pair door, doors of epochs.

    B closes what does not fit, so the next one is tried when the link is closed before it is established.
    """
    ordered = sorted(doors, key=lambda door: (door.kind != "pair", -(door.epoch or 0)))
    return [*([resumable] if resumable else []), *ordered]


def connect(identity: Identity, attempt: Resumable | Door, expected: Expected) -> Handshake:
    """A's side of one connection. HandshakeError, of the kinds in `errors`."""
    hello: bytes = yield Read(knocks.HELLO_SIZE)
    with unproven():
        knocks.check_hello(hello)
    if isinstance(attempt, Resumable):
        return (yield from _connect_resumed(identity, attempt, hello))
    return (yield from _connect_full(identity, attempt, expected, hello))


def accept(identity: Identity, resumables: Mapping[bytes, Resumable], expected: Expected) -> Handshake:
    """B's side of one connection; `resumables` by their ids. HandshakeError, of the kinds in `errors`.

    Order: sizes, door, bucket, unit, lane, Noise. A stranger costs one MAC a door: no step but Read, Send and Doors.
    """
    hello = knocks.hello(secrets.token_bytes(knocks.CHALLENGE_SIZE))
    yield Send(hello)
    kind = yield from _read_kind()
    if kind == knocks.RESUMED:
        return (yield from _accept_resumed(identity, resumables, hello))
    if kind == knocks.FULL:
        return (yield from _accept_full(identity, expected, hello))
    raise _unknown_kind()


def _connect_full(identity: Identity, door: Door, expected: Expected, hello: bytes) -> Handshake:
    own: MessageKeys = yield Seal()
    check = _check_of(own.header, own)
    noise = Noise("XXpsk0+psk2", True, knocks.full_prologue(hello, own.header, check, identity.name), identity.static)
    noise.psks.append(_psk_of(own.header, own))
    knock = bytes([knocks.FULL]) + own.header + check + knocks.sized(noise.write(identity.payload))
    yield Send(knock + door.mac(hello, knock))
    with unproven():
        kind = yield from _read_kind()
        if kind != knocks.FULL:
            raise (yield from _refused(kind))
        head, message = yield from _read_message(knocks.FULL_HEAD_SIZE, knocks.FULL_MESSAGES[1])
        lane = yield from _open(head, noise, identity, expected)
        payload = noise.read(message)
    peer = _peer_of(noise, payload, lane, identity)
    _check_static(peer, expected)
    yield Send(knocks.sized(noise.write(identity.payload)))
    return established("A", noise, peer, door)


def _accept_full(identity: Identity, expected: Expected, hello: bytes) -> Handshake:
    head, message = yield from _read_message(knocks.FULL_HEAD_SIZE, knocks.FULL_MESSAGES[0])
    mac: bytes = yield Read(MAC_SIZE)
    doors: Sequence[Door] = yield Doors()
    door = find(doors, hello, bytes([knocks.FULL]) + head + message, mac)
    if not door:
        raise NoDoor("a stranger, a gateway of another tunnel, or of an epoch that is not kept here")
    is_admitted: bool = yield Admit(door)
    if not is_admitted:
        raise TooMany("the other gateway began too many full handshakes")
    prologue = knocks.full_prologue(hello, *knocks.header_and_check(head), identity.name)
    noise = Noise("XXpsk0+psk2", False, prologue, identity.static)
    lane = yield from _open(head, noise, identity, expected)
    noise.read(message)
    own: MessageKeys = yield Seal()
    noise.psks.append(_psk_of(own.header, own))
    message = knocks.sized(noise.write(identity.payload))
    yield Send(bytes([knocks.FULL]) + own.header + _check_of(own.header, own) + message)
    with unproven():
        kind = yield from _read_kind()
        if kind != knocks.LAST:
            raise (yield from _refused(kind))
        _, message = yield from _read_message(2, knocks.FULL_MESSAGES[2], bytes([kind]))
        payload = noise.read(message)
    peer = _peer_of(noise, payload, lane, identity)
    _check_static(peer, expected)
    return established("B", noise, peer, door)


def _connect_resumed(identity: Identity, resumable: Resumable, hello: bytes) -> Handshake:
    noise = Noise("NNpsk0", True, knocks.resumed_prologue(hello, resumable.id, identity.name))
    noise.psks.append(resumable.key)
    yield Send(bytes([knocks.RESUMED]) + resumable.id + knocks.sized(noise.write(identity.payload)))
    with unproven():
        if (yield from _read_kind()) != knocks.RESUMED:
            raise _unknown_kind()
        _, message = yield from _read_message(2, knocks.RESUMED_MESSAGES[1])
        payload = noise.read(message)
    return established("A", noise, _same_peer(resumable, payload), None)


def _accept_resumed(identity: Identity, resumables: Mapping[bytes, Resumable], hello: bytes) -> Handshake:
    head, message = yield from _read_message(knocks.RESUMED_HEAD_SIZE, knocks.RESUMED_MESSAGES[0])
    resumable = resumables.get(head[:-2])
    if not resumable:
        raise UnknownResumption("the link that the other gateway resumes is not known here")
    noise = Noise("NNpsk0", False, knocks.resumed_prologue(hello, resumable.id, identity.name))
    noise.psks.append(resumable.key)
    with unproven():
        payload = noise.read(message)
    peer = _same_peer(resumable, payload)
    yield Send(bytes([knocks.RESUMED]) + knocks.sized(noise.write(identity.payload)))
    return established("B", noise, peer, None)


def _read_kind() -> Generator[Step, Any, int]:
    kind: bytes = yield Read(1)
    return kind[0]


def _read_message(head_size: int, size: int, begun: bytes = b"") -> Generator[Step, Any, tuple[bytes, bytes]]:
    """Return what is before a message of Noise, with its size, and the message; `begun` was read before."""
    head = begun + (yield Read(head_size - len(begun)))
    knocks.check_size(head, size)
    message: bytes = yield Read(size)
    return head, message


def _open(head: bytes, noise: Noise, identity: Identity, expected: Expected) -> Generator[Step, Any, int]:
    """Give Noise the key of the other unit's message, and return that unit's lane.

    When the units are in different generations, the end that lacks bundles gets them instead, and both close.
    """
    header, check = knocks.header_and_check(head)
    try:
        opened: OpenedKeys = yield Open(header)
    except Behind as behind:
        yield Send(bytes([knocks.BEHIND]) + behind.generation.to_bytes(2, "big"))
        raise (yield from _refused((yield from _read_kind()))) from None
    except Ahead:
        raise (yield from _behind(None)) from None
    if opened.lane == identity.lane:
        raise Reflected("the unit at the other end has this unit's own lane")
    if expected.lane not in (None, opened.lane):
        raise OtherLane(f"the unit of the other gateway has lane {opened.lane}, not {expected.lane}")
    if not hmac.compare_digest(check, _check_of(header, opened)):
        raise Diverged("both units made different keys for the same message")
    noise.psks.append(_psk_of(header, opened))
    return opened.lane


def _refused(kind: int) -> Generator[Step, Any, HandshakeError]:
    """Return why there is a message of this kind where another was due."""
    if kind == knocks.BUNDLES:
        head: bytes = yield Read(4)
        size = int.from_bytes(head, "big")
        if size > bundles.MAX_BUNDLES:
            return Garbage("there are more bundles than a network has")
        data: bytes = yield Read(size)
        return UnitBehind(bundles.unpack(data))
    if kind == knocks.BEHIND:
        generation: bytes = yield Read(2)
        return (yield from _behind(int.from_bytes(generation, "big")))
    return _unknown_kind()


def _behind(since: int | None) -> Generator[Step, Any, PeerBehind]:
    """Send what the other end lacks, which is in generation `since`, if it has said so."""
    packed = bundles.pack((yield Bundles(since)))
    yield Send(bytes([knocks.BUNDLES]) + len(packed).to_bytes(4, "big") + packed)
    return PeerBehind("the unit of the other gateway is in an earlier generation than that of this one")


def _peer_of(noise: Noise, payload: bytes, lane: int, identity: Identity) -> Peer:
    peer = Peer(*knocks.payload_of(payload), lane, noise.remote_static)
    if peer.process == identity.process or peer.static == identity.static.public_key().public_bytes_raw():
        raise Reflected("the other end has this gateway's own static key, or is this very process")
    return peer


def _same_peer(resumable: Resumable, payload: bytes) -> Peer:
    """Return the peer of a resumed link. Its process may have begun again, and then has another name."""
    return Peer(*knocks.payload_of(payload), resumable.peer.lane, resumable.peer.static)


def _check_static(peer: Peer, expected: Expected) -> None:
    if expected.static is not None and not hmac.compare_digest(peer.static, expected.static):
        raise PinnedKeyDiffers("the other gateway has another static key than the pinned one")


def _check_of(header: bytes, keys: MessageKeys | OpenedKeys) -> bytes:
    return message_check(header, keys.tag_key, keys.aes_key)


def _psk_of(header: bytes, keys: MessageKeys | OpenedKeys) -> bytes:
    return message_psk(header, keys.tag_key, keys.aes_key)


def _unknown_kind() -> Garbage:
    return Garbage("a message of the handshake is of an unknown kind")
