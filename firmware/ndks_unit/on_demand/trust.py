# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Handler of TRUST: set the binding id of the laptop of another lane's unit (PROTOCOL.md section 6)."""

import struct

from ndks_protocol import errors, wire
from ndks_protocol.binding import ID_SIZE

from ..flash.records import MEMBER_IDS
from ..messages.windows import MEMBER_ID
from ..state import State


def trust(state: State, lane: int, binding_id: bytes) -> tuple[()]:
    if state.opened is None or lane in (wire.COMMON_LANE, state.opened.lane):
        raise errors.UnitError(errors.RANGE)
    known = state.windows.member_ids()
    ids = [entry for entry in known if entry[0] != lane]
    if binding_id != bytes(ID_SIZE):  # zeros: the sync words of this lane's messages are not checked
        if len(ids) >= wire.MAX_SENDERS:
            raise errors.UnitError(errors.SENDERS)
        ids.append((lane, binding_id))
    if sorted(ids) != sorted(known):
        state.log.append(MEMBER_IDS, b"".join([struct.pack(MEMBER_ID, *entry) for entry in ids]))
    return ()


HANDLERS = {wire.TRUST: trust}
