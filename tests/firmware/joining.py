# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Joining keys and packages for them, and what remains of keys."""

from conversation import sealed
from hosts.memory import Host
from hosts.network import membership
from support.pieces import pieces

from ndks_protocol import commands
from ndks_unit.flash.records import JOINING_KEY

FIELDS = commands.PROVISION.request.pack(*membership())[32:]
ERASE = commands.CONFIRMATION


def key_of(host: Host) -> bytes:
    """Return the private joining key in the unit's memory, or b""."""
    return bytes(host.firmware.state.log.body(JOINING_KEY) or b"")[:32]


def package_for(private: bytes, fields: bytes = FIELDS) -> bytes:
    return sealed(private, fields)


def remains(host: Host, *privates: bytes) -> list[bytes]:
    """Return the pieces of these keys in nvm and files."""
    wanted = {piece for private in privates for piece in pieces(private)}
    return [piece for image in host.unit.flash.images for piece in wanted & pieces(image)]


def remains_in_files(host: Host, *privates: bytes) -> list[bytes]:
    wanted = {piece for private in privates for piece in pieces(private)}
    return [piece for image in host.unit.flash.images[1:] for piece in wanted & pieces(image)]
