# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What the checks and thieves see of the model's units."""

from typing import Any

from ..model.capsules import Box, derive, header_key_of
from ..model.epochs import Member
from ..model.flash import Flash
from ..model.generations import Generation, Past
from ..model.unit import Unit
from .interface import Haul, Kept, Sight, View


def first_records(member: Member) -> dict[str, Any]:
    """Return what ENROL writes, or PROVISION in a network of before."""
    return {"member": member} if member.secret else {"member": member, "first": (member.g, member.key)}


def view_of(unit: Unit) -> View | None:
    here = None if unit.erased else unit.epochs.here
    if here is None:
        return None
    roles, past = unit.roles, tuple(map(_kept, unit.epochs.past))
    return View(_kept(here), past, here.revoked, roles.term, roles.master, roles.is_master)


def _kept(generation: Generation | Past) -> Kept:
    return Kept(generation.g, generation.header_key, generation.number, generation.low)


def sight_of(box: Box) -> Sight:
    head, body = box.head, box.body
    kind = head.kind if head.kind == "message" else body[0]
    s = body[0] if kind == "message" else 0
    return Sight(kind, box.header_key, box.key, head.lane, head.n, head.number, s, body, box.digest)


def _haul(entry: Generation | Past) -> Haul:
    control = entry.control_key if isinstance(entry, Generation) else b""
    return Haul(entry.g, entry.header_key, control, entry.secret, entry.low)


def haul_of(g: int, secret: bytes) -> Haul:
    return Haul(g, header_key_of(secret), derive(secret, "ndks control"), secret, 0)


def loot_of(flash: Flash) -> tuple[list[Haul], list[tuple[int, bytes]]]:
    """Return all that is in flash, superseded or not."""
    hauls: list[Haul] = []
    keys: list[tuple[int, bytes]] = []
    for record in (*flash.records.values(), *(body for _, body in flash.superseded)):
        if isinstance(record, Member):
            hauls += [haul_of(0, record.secret)] if record.secret else []
            continue
        if isinstance(record, tuple) and len(record) == 2 and isinstance(record[0], int):
            keys.append(record)  # record 22
            continue
        entries = record if isinstance(record, tuple) and not isinstance(record, Generation) else [record]
        hauls += [_haul(entry) for entry in entries if isinstance(entry, Generation | Past)]
        keys += [(entry.g + 1, entry.member_key) for entry in entries if getattr(entry, "member_key", b"")]
    return hauls, keys
