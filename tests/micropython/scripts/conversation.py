# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A golden conversation with a unit, as bytes on the line."""

from harness import expect
from memory_board import MemoryBoard
from memory_host import Host

from ndks_protocol import framing
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
        self._case_open = False

    def restart(self) -> None:
        self.board.case_open = self._case_open
        self._host.restart()

    def step(self, case: dict) -> None:
        self._prepare(case)
        sent = bytes.fromhex(case["sent"])
        if case.get("dropped"):
            expect(self._host.sent_back(framing.encode(case["command"], case["request_id"], sent)), b"")
            return
        kind, payload = self._host.send(case["command"], case["request_id"], sent)
        expect((kind, payload), (case["kind"], bytes.fromhex(case["received"])))

    def _prepare(self, case: dict) -> None:
        self.board.now_ms += case.get("after_ms", 0)
        self.board.snapshots_writable = case.get("files_writable", self.board.snapshots_writable)
        self._case_open = case.get("case_open", self._case_open)
        if self._case_open:
            self.board.case_open = True  # until the next start
        if case.get("restart"):
            self.restart()
