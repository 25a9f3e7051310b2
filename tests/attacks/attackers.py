# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What attackers make of what they hold: values by name, right or wrong; `Scene.won` compares them with the truth.

`privates` are private keys of X25519: those that an attacker was given, and all that he might take for one.
"""

import struct
from collections.abc import Iterable

from capsule_reference import aes_ctr, derive, paper_bytes, xor
from session_reference import Binding
from wire_codes import C

from .flash_copy import Member, member_from, stolen_auth, stolen_membership
from .packages import unsealed
from .recording import Exchange, Recording, exchanges
from .sessions import ANONYMOUS, NO_KEYS, Keys, opened

BINDING, KEK, SECRET, CODE = "B", "KEK", "E", "transport code"
KEY, NEXT_KEY, MESSAGE = "key of the session", "the key after it", "message of the session"
KEY_SIZE = 32  # bytes
_PIECE = 13  # where the data begin in SEAL_CHUNK
Loot = dict[str, bytes]


def with_flash_and_recording(images: list[bytes], recording: Recording, privates: Keys = NO_KEYS) -> Loot:
    loot = with_auth_and_recording(stolen_auth(images), recording, privates)
    return loot | with_flash_and_kek(images, loot.get(KEK, b""))


def with_auth_and_recording(auth: bytes, recording: Recording, privates: Keys = NO_KEYS) -> Loot:
    """Return what is said in the sessions that A opens."""
    return what_was_said(opened(auth, recording, privates))


def with_recording_of_provisioning(recording: Recording, privates: Keys = NO_KEYS) -> Loot:
    """Return what is said in the clear, in the session of the blank unit, and in that under the transport code."""
    loot = what_was_said(exchanges(recording)) | what_was_said(opened(ANONYMOUS, recording, privates))
    if CODE in loot:
        loot |= with_auth_and_recording(Binding(loot[CODE]).auth, recording, privates)
    return loot


def what_was_said(said: Iterable[Exchange]) -> Loot:
    """Return what exchanges say that is worth having."""
    loot: Loot = {}
    for each in said:
        if each.command == C.UNLOCK:
            loot[KEK] = each.request[:32]
        elif each.command == C.BIND:
            loot |= {BINDING: each.request, KEK: Binding(each.request).kek}
        elif each.command == C.KEY_CHUNK:
            loot[KEY] = each.answer
        elif each.command == C.SEAL_CHUNK:
            loot[MESSAGE] = each.request[_PIECE:]
        elif each.command == C.PROVISION:
            loot |= {CODE: each.request[:32]} | of_member(member_from(each.request[32:]))
        elif each.command == C.PROVISION_SEALED:
            loot[CODE] = each.request[:32]
    return loot


def with_flash_and_kek(images: list[bytes], kek: bytes) -> Loot:
    return of_member(member_from(stolen_membership(images, kek)))


def with_package(package: bytes, privates: Keys) -> Loot:
    """Return what is in a package, if one of the private keys is its joining key."""
    return of_member(member_from(unsealed(package, privates)))


def of_member(member: Member | None) -> Loot:
    """Return the network's secret and keys of the common lane, computed from it."""
    if member is None:
        return {}
    return {SECRET: member.network.secret, KEY: exported(member, 1), NEXT_KEY: exported(member, 2)}


def exported(member: Member, index: int) -> bytes:
    """Return the start of an exported key of suite hybrid (PROTOCOL.md section 3)."""
    mask_key = derive(member.network.secret, "ndks export mask", struct.pack(">Q", index))
    return xor(paper_bytes(member.network, index, KEY_SIZE), aes_ctr(mask_key, bytes(16), bytes(KEY_SIZE)))
