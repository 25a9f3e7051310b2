# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Replay windows and binding ids of other units, in flash."""

import struct

from ndks_protocol import errors
from ndks_protocol.capsule import Window
from ndks_protocol.commands import MAX_SENDERS

from ..flash.record_log import RecordLog
from ..flash.records import MEMBER_IDS, WINDOW_KINDS

_LANE = ">H"
_ID = ">H16s"  # lane, binding id
_ID_SIZE = struct.calcsize(_ID)


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
        """Return the binding id of the unit of a lane, b"" if it is unknown."""
        for member, binding_id in self._ids():
            if member == lane:
                return binding_id
        return b""

    def remember(self, lane: int, binding_id: bytes) -> None:
        """Store the binding id of the unit of a lane. UnitError(SENDERS): there are too many."""
        known = self._ids()
        if (lane, binding_id) in known:
            return
        others = [entry for entry in known if entry[0] != lane]
        if len(others) >= MAX_SENDERS:
            raise errors.UnitError(errors.SENDERS)
        self._write_ids(others + [(lane, binding_id)])

    def forget(self, lane: int) -> None:
        """Remove the binding id of a lane, so that the sync words of its messages are not checked."""
        self._write_ids([entry for entry in self._ids() if entry[0] != lane])

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

    def _ids(self) -> list[tuple[int, bytes]]:
        body = self._log.body(MEMBER_IDS) or b""
        return [struct.unpack_from(_ID, body, offset) for offset in range(0, len(body), _ID_SIZE)]

    def _write_ids(self, ids: list[tuple[int, bytes]]) -> None:
        body = b"".join([struct.pack(_ID, lane, binding_id) for lane, binding_id in ids])
        if body != (self._log.body(MEMBER_IDS) or b""):
            self._log.append(MEMBER_IDS, body)
