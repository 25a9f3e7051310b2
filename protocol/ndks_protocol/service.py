# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Commands and errors of a service, which owns a unit for many programs (PROTOCOL.md section 10). For hosts.

A service answers these commands itself. Codes 70 to 7E never reach a unit, and no unit answers with an error of group
06.
"""

from .commands import Command
from .layout import Layout
from .wire import MEMBER, NOTHING

HELD = 8  # flag in the answer to HELLO: a service holds the unit, and there is no session to open

TABLE: dict[int, Command] = {}


def _declared(code: int, needs: int, request: Layout, answer: Layout) -> Command:
    TABLE[code] = Command(code, needs, request, answer)
    return TABLE[code]


WATCH = _declared(
    0x70, NOTHING, Layout(">I", "serial"), Layout(">IBIHBH", "serial present epoch revoked role beacon_age")
)
NO_BEACON = 0xFFFF  # beacon_age in seconds: none was heard, or the last one is as old as this
TAKE_NUMBER = _declared(0x71, MEMBER, Layout(">", ""), Layout(">IHQ", "epoch lane number"))
MESSAGE_KEYS = _declared(
    0x72, MEMBER, Layout(">8s8s", "token random"), Layout(">37s32s8s32s8s", "header tag_key sync aes_key check")
)
OPEN_MESSAGE_KEYS = _declared(
    0x73,
    MEMBER,
    Layout(">37sB", "header flags"),
    Layout(">HQ32s8s32s8s", "lane number tag_key sync aes_key check"),
)
RELEASE = _declared(0x74, NOTHING, Layout(">H", "seconds"), Layout(">", ""))

for _name, _value in list(globals().items()):
    if isinstance(_value, Command):
        _value.name = _name

NO_UNIT = 0x0601
BUSY = 0x0602
DENIED = 0x0603

ERRORS = {NO_UNIT: "NO_UNIT", BUSY: "BUSY", DENIED: "DENIED"}
