# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A member, and notices of the generation after its own."""

import struct
from typing import Any

from hosts.administered import OPERATORS, Member, secret_of

from ndks_protocol.control.notice import Notice

LANE, OTHER = 1, 2
REVOKED = (5, 9)


def content(**changes: Any) -> bytes:
    """Return the data of a notice for generation 3 with other fields."""
    values: dict[str, Any] = {"revoked": REVOKED, "operators": OPERATORS, "others": ()} | changes
    lanes = struct.pack(f">{len(values['revoked'])}H", *values["revoked"])
    others = [(g, 0, values.get("their_operators", OPERATORS), secret_of(g)) for g in values["others"]]
    return Notice(3, values["operators"], secret_of(3), lanes, others).pack()


def member_that_knows_revoked_lanes() -> Member:
    """Return a member in generation 2, which knows two revoked lanes."""
    member = Member(LANE, generation=2, enters=False)
    member.enter(2, REVOKED)
    return member
