# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Answers of a unit as Python objects. A number without a name in this version becomes "unknown (NUMBER)"."""

import struct
from dataclasses import dataclass, field
from typing import Any

from ndks_protocol import commands, service
from ndks_protocol.control.limits import NO_GENERATION
from ndks_protocol.generator import F1, F2

NEWER = "state of a newer firmware"
OLDER = "state of an older firmware, not sealed"
HELD = "held by a service"
BLANK, PROVISIONED, LOCKED, TAMPERED = _STATES = ("blank", "provisioned", "locked", "tampered")
RESET_REASONS = ("power on", "brown-out", "software", "watchdog", "reset pin", "other")


@dataclass(frozen=True, slots=True)
class Hello:
    """The unit's greeting (PROTOCOL.md, HELLO)."""

    major: int
    minor: int
    firmware: str
    state_format: int
    state: str
    flags: list[str]
    serial_number: str
    salt: str
    binding_id: str
    max_payload: int
    lanes: int
    window: int
    epochs: int


@dataclass(frozen=True, slots=True)
class Status:
    """The unit's state (PROTOCOL.md, STATUS); of a blank unit, names are "" and numbers 0."""

    state: str
    flags: list[str]
    network: str
    network_id: str
    epoch: int
    lane: int
    suite: str
    cipher: str
    digits: int
    log_used: int
    log_size: int
    free_memory: int
    dropped_frames: int
    f1: str
    f2: str
    boots: int
    reset_reason: str
    erases: int
    wrong_attempts: int
    message_counter: int
    generation_id: str
    generations: list[int]  # those whose capsules the unit opens, the highest first


@dataclass(frozen=True, slots=True)
class Key:
    """A key: element 0 is the most significant bit of `data[0]`; unused bits of the last byte are 0."""

    index: int
    epoch: int
    bits: int
    data: bytes = field(repr=False)  # keeps the key out of tracebacks and logs


@dataclass(frozen=True, slots=True)
class Inspected:
    """The fields of a capsule's header; `state` is "new" or the error code with which the unit would refuse it."""

    lane: int
    number: int
    cipher: str
    state: str


def hello_from(answer: Any) -> Hello:
    """Return an answer to HELLO as a Hello."""
    fields: dict[str, Any] = answer._asdict() | _state_of(answer)
    fields["serial_number"] = fields.pop("uid").hex().upper()
    fields["firmware"] = ".".join(map(str, answer.firmware))
    return Hello(**fields | {name: fields[name].hex() for name in ("salt", "binding_id")})


def status_from(answer: Any) -> Status:
    """Return an answer to STATUS as a Status."""
    fields: dict[str, Any] = answer._asdict() | _state_of(answer)
    is_member = answer.state == commands.STATE_PROVISIONED
    for name, known in (("suite", commands.SUITES), ("cipher", commands.CIPHERS), ("f1", F1), ("f2", F2)):
        fields[name] = name_of(known, fields[name]) if is_member else ""
    fields["network_id"] = answer.network_id.hex() if is_member else ""
    fields["generation_id"] = answer.generation_id.hex() if is_member else ""
    held = struct.iter_unpack(">H", fields.pop("held"))
    fields["generations"] = [each for (each,) in held if each != NO_GENERATION]
    fields["reset_reason"] = name_of(RESET_REASONS, answer.reset_reason)
    return Status(**fields)


def _state_of(answer: Any) -> dict[str, Any]:
    return {"state": name_of(_STATES, answer.state), "flags": _flag_names(answer.flags)}


def _flag_names(flags: int) -> list[str]:
    names = {commands.NOT_SEALED: OLDER, commands.READ_ONLY: "read only", commands.NEWER_STATE: NEWER}
    names[service.HELD] = HELD
    return [names.get(bit, f"unknown ({bit})") for bit in (1 << i for i in range(8)) if flags & bit]


def name_of(names: tuple[str, ...], number: int) -> str:
    """Return the name of a number on the wire."""
    return names[number] if number < len(names) else f"unknown ({number})"
