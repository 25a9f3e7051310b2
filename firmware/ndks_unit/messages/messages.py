# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a member of a network needs to seal and open capsules, as long as a session is open."""

from ndks_protocol.capsule import HeaderKeys, MessageKeys

from ..paper_bits import PaperBits
from .windows import Windows


class Messages:
    """Header keys, numbers and windows; `sealing`, which outlives the session, and `incoming`, which does not."""

    def __init__(self, unit):
        self._board = unit.board
        self._member = unit.member
        self.binding_id = unit.binding.id
        self.header_keys = HeaderKeys(unit.board, unit.member.secret)
        self.message_counters = unit.message_counters
        self.windows = Windows(unit.log)
        self.sealing = unit.sealing
        self.incoming = None

    def begin_opening(self, incoming) -> None:
        """Open this message from now on, and none that was begun before."""
        if self.incoming:
            self.incoming.wipe()
        self.incoming = incoming

    def wipe(self) -> None:
        """Overwrite the keys of headers, and of the message that is being opened."""
        self.header_keys.wipe()
        if self.incoming:
            self.incoming.wipe()

    def own_keys(self, header) -> MessageKeys:
        """Return the keys of a message that this unit seals."""
        return self._keys(header, self.binding_id)

    def keys_of_sender(self, header) -> MessageKeys:
        """Return the keys of a message of another unit."""
        return self._keys(header, self.windows.binding_id_of(header.lane))

    def _keys(self, header, binding_id: bytes) -> MessageKeys:
        paper = PaperBits(self._board, self._member.generator, header.index)
        return MessageKeys(self._board, self._member.secret, header, binding_id, paper.read)
