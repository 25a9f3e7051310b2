# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The host at the other end of a stand-in board's line."""

from memory_board import MemoryBoard

from ndks_protocol import commands, framing
from ndks_unit.unit import Unit


class Host:
    """What a host does with the unit on a board, from the unit's start on."""

    def __init__(self, board: MemoryBoard):
        self.board = board
        self._unit = Unit(board)
        self._decoder = framing.Decoder()
        self._request_id = 0

    def exchange(self, code: int, payload: bytes) -> tuple:
        """Return kind and payload of the answer to a request."""
        self._request_id += 1
        self.board.inbound += framing.encode(code, self._request_id, payload)
        while self.board.inbound:
            self._unit.poll()
        (answer,) = self._decoder.feed(self.board.outbound)
        self.board.outbound = b""
        if answer.request_id != self._request_id:
            raise AssertionError(f"answer to request {answer.request_id}")
        return answer.kind, answer.payload

    def call(self, command: commands.Command, *values) -> tuple:
        """Return the fields of the answer to a command that succeeds."""
        kind, payload = self.exchange(command.code, command.request.pack(*values))
        if kind != command.code | framing.ANSWER:
            raise AssertionError(f"{command.name}: error {payload.hex()}")
        return command.answer.unpack(payload)
