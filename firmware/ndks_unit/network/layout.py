# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The bodies of the records GENERATION, PAST and FIRST_KEY (PROTOCOL.md section 7). Those of the first two begin alike.

The release build writes these numbers where they are used.
"""

# Offsets in the bodies of GENERATION and PAST: g u16, d, f1, f2 u8, number u16, low u16
AT_OPERATORS = 2
AT_NUMBER = 5
AT_LOW = 7
# GENERATION: moves, mode u8, settled u8, keys. SETTLED: nothing that it superseded is left in flash. GREW: not settled,
# and more lanes are revoked than before.
AT_MOVES = 9  # their count u8, then the numbers u16, the oldest first
AT_MODE = 26
AT_SETTLED = 27
AT_MEMBER_KEY = 28
AT_HEADER_KEYS = 60
AT_CONTROL_KEY = 124
AT_LOW_SECRET = 156
AT_SECRET = 188
AT_REVOKED = 220  # their count u8, then the lanes u16, ascending
NOT_SETTLED, SETTLED, GREW = 0, 1, 2
# PAST, repeated, the latest first: the number of revoked lanes u8, keys
AT_PAST_REVOKED = 9
AT_PAST_HEADER_KEYS = 10
AT_PAST_SECRET = 74
PAST_SIZE = 106
KEY = 32
# FIRST_KEY: g u16, member key, mode u8
AT_FIRST_KEY = 2
AT_FIRST_MODE = 34
