# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Answers of units of protocol 3.0: what 3.1 added becomes zeros, as for a unit without generations in epoch 0.

A request does not know the version of the unit, so the size of an answer tells.
"""

import struct

from ndks_protocol import commands
from ndks_protocol.commands import Command

_AES_KEY_SIZE = 32
_HELD_BY_NONE = b"\xff" * 14
_NETWORK_AT = struct.calcsize(">BBIHBBB")  # offset of the size of the network's name in an answer to STATUS
_STATUS_SIZE = struct.calcsize(">BBIHBBBB8sHHIIBBQBIIQ")  # without that name
_ADDED = {  # at the end, or before the AES key
    commands.STATUS: bytes(8) + _HELD_BY_NONE,
    commands.SEAL_BEGIN: bytes(4),
    commands.SEAL_KEYS: bytes(4),
    commands.OPEN_BEGIN: bytes(5),
    commands.OPEN_KEYS: bytes(5),
}


def completed(command: Command, payload: bytes) -> bytes:
    """Return an answer with the fields that a unit of 3.0 does not send."""
    if command not in _ADDED:
        return payload
    fixed = _fixed_size(command, payload)
    for key in (0, _AES_KEY_SIZE) if command in (commands.SEAL_KEYS, commands.OPEN_KEYS) else (0,):
        if len(payload) == fixed - len(_ADDED[command]) + key:
            end = len(payload) - key
            return payload[:end] + _ADDED[command] + payload[end:]
    return payload


def _fixed_size(command: Command, payload: bytes) -> int:
    """Return the size of an answer of this version without its AES key."""
    if command is not commands.STATUS:
        return struct.calcsize(command.answer.fields.rstrip("*"))
    name = payload[_NETWORK_AT] if len(payload) > _NETWORK_AT else 0
    return _STATUS_SIZE + name + len(_ADDED[command])
