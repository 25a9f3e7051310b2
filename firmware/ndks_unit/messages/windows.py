# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Replay windows and binding ids of other units, in flash."""

import struct

from ndks_protocol import errors
from ndks_protocol.capsule import Window

from ..flash.record_log import RecordLog
from ..flash.records import MEMBER_IDS, WINDOW_KINDS

MEMBER_ID = ">H16s"  # an entry of the record MEMBER_IDS: lane, binding id

_LANE = ">H"
_MEMBER_ID_SIZE = struct.calcsize(MEMBER_ID)


class Windows:
    """One replay window per sender, each in a record of its own type."""

    def __init__(self, log: RecordLog):
        self._log = log

    def of(self, lane: int) -> Window:
        """Return the replay window of a lane."""
        body = self._log.body(self._kind_of(lane))
        return Window(bytes(body[2:]) if body else b"")

    def check_room(self, lane: int) -> None:
        """Raise UnitError(SENDERS) if there is no window for this lane, and no room for one."""
        if not self._kind_of(lane):
            self._free_kind()

    def store(self, lane: int, window: Window) -> None:
        """Write a window to flash."""
        self._log.append(self._kind_of(lane) or self._free_kind(), struct.pack(_LANE, lane) + window.pack())

    def binding_id_of(self, lane: int) -> bytes:
        """Return the binding id of the unit on a lane, b"" if it is unknown."""
        for member, binding_id in self.member_ids():
            if member == lane:
                return binding_id
        return b""

    def member_ids(self) -> list[tuple[int, bytes]]:
        """Return the known pairs of lane and binding id."""
        body = self._log.body(MEMBER_IDS) or b""
        return [struct.unpack_from(MEMBER_ID, body, offset) for offset in range(0, len(body), _MEMBER_ID_SIZE)]

    def _kind_of(self, lane: int) -> int:
        for kind in WINDOW_KINDS:
            body = self._log.body(kind)
            if body and struct.unpack_from(_LANE, body, 0)[0] == lane:
                return kind
        return 0

    def _free_kind(self) -> int:
        for kind in WINDOW_KINDS:
            if self._log.body(kind) is None:
                return kind
        raise errors.UnitError(errors.SENDERS)
