# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a member of a network needs to seal and open capsules."""

from ndks_protocol.capsule import HeaderKeys, MessageKeys

from .own_numbers import OwnNumbers
from .paper_bits import PaperBits
from .sealing import Sealing
from .windows import Windows

_BINDING_ID = bytes(16)  # until bindings exist


class Messages:
    """Header keys, numbers and windows; `sealing` and `incoming` are of the present session."""

    def __init__(self, board, log, member):
        self._board = board
        self._member = member
        self.header_keys = HeaderKeys(board, member.secret)
        self.own_numbers = OwnNumbers(log, member.epoch)
        self.windows = Windows(log)
        self.sealing = Sealing()
        self.incoming = None

    def own_keys(self, header) -> MessageKeys:
        """Return the keys of a message that this unit seals."""
        return self._keys(header, _BINDING_ID)

    def keys_of_sender(self, header) -> MessageKeys:
        """Return the keys of a message of another unit."""
        return self._keys(header, self.windows.binding_id_of(header.lane))

    def end_session(self) -> None:
        """Forget what is being sealed and opened: no message goes on in another session."""
        self.sealing.end_session()
        self.incoming = None

    def _keys(self, header, binding_id: bytes) -> MessageKeys:
        paper = PaperBits(self._board, self._member.generator, header.index)
        return MessageKeys(self._board, self._member.secret, header, binding_id, paper.read)
