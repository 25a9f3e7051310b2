# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Which messages of other units were accepted, and what is known of those units; in flash."""

import struct

from ndks_protocol import errors
from ndks_protocol.capsule import Window
from ndks_protocol.commands import MAX_SENDERS

from .records import MEMBER_IDS, WINDOW, window_key

_ID = ">H16s"  # lane, binding id
_ID_SIZE = 18


class Windows:
    """A window for each lane that something was accepted from."""

    def __init__(self, log):
        self._log = log

    def of(self, lane: int) -> Window:
        """Return the window of a lane."""
        body = self._log.body(window_key(lane))
        return Window(body[2:] if body else b"")

    def check_room(self, lane: int) -> None:
        """UnitError(SENDERS) for a lane that no window can be kept of."""
        if self._log.body(window_key(lane)) is None and self._log.number_of(WINDOW) >= MAX_SENDERS:
            raise errors.UnitError(errors.SENDERS)

    def store(self, lane: int, window: Window) -> None:
        """Write a window; it is in flash when this returns."""
        self._log.append(WINDOW, struct.pack(">H", lane) + window.pack())

    def binding_id_of(self, lane: int) -> bytes:
        """Return the id of the laptop that the unit of this lane is bound to, b"" if it is not known."""
        body = self._log.body(MEMBER_IDS) or b""
        for offset in range(0, len(body), _ID_SIZE):
            member, binding_id = struct.unpack_from(_ID, body, offset)
            if member == lane and binding_id != bytes(16):
                return binding_id
        return b""
