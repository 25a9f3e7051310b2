# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a unit answers, as Python sees it. Numbers that this version does not know keep their value in the name."""

from dataclasses import dataclass, field
from typing import Any

from ndks_protocol import commands
from ndks_protocol.generator import F1, F2

NEWER = "state of a newer firmware"
OLDER = "state of an older firmware, not sealed"
BLANK, PROVISIONED, LOCKED, TAMPERED = _STATES = ("blank", "provisioned", "locked", "tampered")
RESET_REASONS = ("power on", "brown-out", "software", "watchdog", "reset pin", "other")


@dataclass(frozen=True, slots=True)
class Hello:
    """Who answered (PROTOCOL.md, HELLO)."""

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
    """What the unit holds and how it is (PROTOCOL.md, STATUS); names are "" and numbers 0 where it is blank."""

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


@dataclass(frozen=True, slots=True)
class Key:
    """A key: element 0 is the most significant bit of `data[0]`; unused bits of the last byte are 0."""

    index: int
    epoch: int
    bits: int
    data: bytes = field(repr=False)  # a key in a traceback or log is a key lost


@dataclass(frozen=True, slots=True)
class Inspected:
    """What a unit sees in a header: sender's lane, number, cipher; `state` is new, or why it would not be opened."""

    lane: int
    number: int
    cipher: str
    state: str


def hello_from(answer: Any) -> Hello:
    """Return the answer to HELLO."""
    fields: dict[str, Any] = answer._asdict() | _state_of(answer)
    fields["serial_number"] = fields.pop("uid").hex().upper()
    fields["firmware"] = ".".join(map(str, answer.firmware))
    return Hello(**fields | {name: fields[name].hex() for name in ("salt", "binding_id")})


def status_from(answer: Any) -> Status:
    """Return the answer to STATUS."""
    fields: dict[str, Any] = answer._asdict() | _state_of(answer)
    is_member = answer.state == commands.STATE_PROVISIONED
    for name, known in (("suite", commands.SUITES), ("cipher", commands.CIPHERS), ("f1", F1), ("f2", F2)):
        fields[name] = name_of(known, fields[name]) if is_member else ""
    fields["network_id"] = answer.network_id.hex() if is_member else ""
    fields["reset_reason"] = name_of(RESET_REASONS, answer.reset_reason)
    return Status(**fields)


def _state_of(answer: Any) -> dict[str, Any]:
    return {"state": name_of(_STATES, answer.state), "flags": _flag_names(answer.flags)}


def _flag_names(flags: int) -> list[str]:
    names = {commands.NOT_SEALED: OLDER, commands.READ_ONLY: "read only", commands.NEWER_STATE: NEWER}
    return [names.get(bit, f"unknown ({bit})") for bit in (1 << i for i in range(8)) if flags & bit]


def name_of(names: tuple[str, ...], number: int) -> str:
    """Return the name with a number on the wire."""
    return names[number] if number < len(names) else f"unknown ({number})"
