# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The commands of networks: fields of request and answer. All need a MEMBER. Only units that use them load this."""

from ndks_protocol.wire import CONTROL, HINT, NOTICE, RENEW, ROLE, TICK

TICK_ROW = (">H", ">BIHIH*")
CONTROL_ROW = (">*", ">B")
ROWS = {
    TICK: TICK_ROW,
    CONTROL: CONTROL_ROW,
    NOTICE: (">H*", ">I"),
    HINT: (">H", ">4s"),
    RENEW: (">", ">I"),
    ROLE: (">B", ">"),
}
