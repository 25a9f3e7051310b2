# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Capsules: encrypted messages between hosts (PROTOCOL.md section 4). A malformed capsule raises `UnitError`."""

from .header import Header, HeaderKeys, check_wire_header, header_keys
from .keys import CHECK_SIZE, SYNC_SIZE, Keys, MessageKeys
from .message import CHUNK, FIRST_PIECE, LARGEST_PIECE, TAG_SIZE, Opener, Pieces, Sealer, tag_of
from .window import Window

__all__ = (
    "CHECK_SIZE",
    "CHUNK",
    "FIRST_PIECE",
    "SYNC_SIZE",
    "TAG_SIZE",
    "Header",
    "HeaderKeys",
    "LARGEST_PIECE",
    "Keys",
    "MessageKeys",
    "Opener",
    "Pieces",
    "Sealer",
    "Window",
    "check_wire_header",
    "header_keys",
    "tag_of",
)
