# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Numbers on which the units of a network must agree (PROTOCOL.md section 11). A tick is a second."""

LAST_GENERATION = 65534
LAST_NUMBER = 16383  # of an epoch in its generation: it has 14 bits in a header
AHEAD = 4096  # steps of a ratchet in one request
NO_GENERATION = 0xFFFF
PAST = 6  # generations kept for late messages, and those that a notice brings
MOVES = 8  # of the number, after which an epoch is gone
MOVE_PAUSE = 64  # ticks between two moves
BEACON = 8  # ticks between two beacons of a master
SILENCE = 32  # ticks, and 1 to SLOTS more, after which a unit leads
SLOTS = 16
LONGEST_TICK = 16  # more ticks at once count as this many
LAST_TERM = 0xFFFFFFFF
MAX_REVOKED = 96  # lanes
ADMINISTRATORS = 4  # number a makes the generations and gives the lanes whose remainder is a
ADMINISTRATOR_LANE = 0xFFF0  # of administrator 0 as the sender of notices
LAST_MEMBER_LANE = ADMINISTRATOR_LANE - 1
HINT_SIZE = 4
BEACON_SIZE = 78  # bytes of the capsule
EMPTY_NOTICE_SIZE = 109  # bytes of the capsule, without revoked lanes and other generations
