# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What attackers make of what they hold: values by name, right or wrong; `Scene.won` compares them with the truth."""

import struct

from capsule_reference import aes_ctr, derive, paper_bytes, xor
from session_reference import Binding
from wire_codes import C

from .flash_copy import Member, member_from, stolen_auth, stolen_membership
from .recording import Recording, exchanges
from .sessions import opened

BINDING, KEK, SECRET, CODE = "B", "KEK", "E", "transport code"
KEY, NEXT_KEY, MESSAGE = "key of the session", "the key after it", "message of the session"
KEY_SIZE = 32  # bytes
_PIECE = 13  # where the data begin in SEAL_CHUNK
Loot = dict[str, bytes]


def with_flash_and_recording(images: list[bytes], recording: Recording) -> Loot:
    loot = with_auth_and_recording(stolen_auth(images), recording)
    return loot | with_flash_and_kek(images, loot.get(KEK, b""))


def with_auth_and_recording(auth: bytes, recording: Recording) -> Loot:
    """Return what is said in the sessions that A opens."""
    loot: Loot = {}
    for said in opened(auth, recording):
        if said.command == C.UNLOCK:
            loot[KEK] = said.request[:32]
        elif said.command == C.BIND:
            loot[BINDING] = said.request
        elif said.command == C.KEY_CHUNK:
            loot[KEY] = said.answer
        elif said.command == C.SEAL_CHUNK:
            loot[MESSAGE] = said.request[_PIECE:]
    return loot


def with_recording_of_provisioning(recording: Recording) -> Loot:
    """Return what PROVISION says in the clear, and what the session says in which the transport code is replaced."""
    loot: Loot = {}
    for heard in exchanges(recording):
        if heard.command == C.PROVISION:
            code, body = heard.request[:32], heard.request[32:]
            loot |= {CODE: code} | of_member(member_from(body)) | with_auth_and_recording(Binding(code).auth, recording)
    if BINDING in loot:
        loot[KEK] = Binding(loot[BINDING]).kek
    return loot


def with_flash_and_kek(images: list[bytes], kek: bytes) -> Loot:
    return of_member(member_from(stolen_membership(images, kek)))


def of_member(member: Member | None) -> Loot:
    """Return the network's secret and keys of the common lane, computed from it."""
    if member is None:
        return {}
    return {SECRET: member.network.secret, KEY: exported(member, 1), NEXT_KEY: exported(member, 2)}


def exported(member: Member, index: int) -> bytes:
    """Return the start of an exported key of suite hybrid (PROTOCOL.md section 3)."""
    mask_key = derive(member.network.secret, "ndks export mask", struct.pack(">Q", index))
    return xor(paper_bytes(member.network, index, KEY_SIZE), aes_ctr(mask_key, bytes(16), bytes(KEY_SIZE)))
