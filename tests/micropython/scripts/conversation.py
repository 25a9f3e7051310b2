# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A golden conversation with a unit, as bytes on the line."""

from harness import expect
from memory_board import MemoryBoard
from memory_host import Host

from ndks_unit import device

device.FIRMWARE = (0, 1, 0)  # the firmware version of the vectors, so that a release does not change them


class PredictableBoard(MemoryBoard):
    """A board with the random bytes of the conversation."""

    def __init__(self, case: dict):
        super().__init__(bytes.fromhex(case["uid"]))
        self._entropy = bytes.fromhex(case["entropy"])

    def entropy(self, size: int) -> bytes:
        return self._entropy[:size]


class Conversation:
    """A conversation. A case {uid, entropy} starts it; each step is a request and its answer."""

    def start(self, case: dict) -> None:
        self.board = PredictableBoard(case)
        self._host = Host(self.board)

    def restart(self) -> None:
        self._host.restart()

    def step(self, case: dict) -> None:
        self.board.now_ms += case.get("after_ms", 0)
        if case.get("restart"):
            self.restart()
        sent = bytes.fromhex(case["sent"])
        kind, payload = self._host.send(case["command"], case["request_id"], sent)
        expect((kind, payload), (case["kind"], bytes.fromhex(case["received"])))
