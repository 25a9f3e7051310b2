# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Lanes and epochs of a network with generations."""

from hosts.administered import Member

from ndks_protocol.commands import AGAIN, ALLOW_JUMP
from ndks_protocol.control.limits import MOVE_PAUSE

LANE, OTHER, GONE = 1, 2, 5
PRESENT = 2 << 16
PAST = 1 << 16
ANY = AGAIN | ALLOW_JUMP


def renew(member: Member) -> None:
    member.renew()
    member.wait(MOVE_PAUSE)
