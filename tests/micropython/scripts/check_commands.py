# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""commands.json: one conversation with a new unit."""

from harness import expect, run
from memory_board import MemoryBoard
from memory_host import Host

from ndks_protocol import framing


class PredictableBoard(MemoryBoard):
    """Its random bytes are those that the conversation says."""

    def __init__(self, uid: bytes, entropy: bytes):
        super().__init__(uid)
        self._entropy = entropy

    def entropy(self, size: int) -> bytes:
        expect(size, len(self._entropy))
        return self._entropy


class Conversation:
    """Group `unit` starts it; each case of group `step` is one request and its answer."""

    def start(self, case: dict) -> None:
        self._host = Host(PredictableBoard(bytes.fromhex(case["uid"]), bytes.fromhex(case["entropy"])))

    def step(self, case: dict) -> None:
        answer = self._host.exchange(case["command"], bytes.fromhex(case["request"]))
        if "error" in case:
            expect(answer, (framing.ERROR, case["error"].to_bytes(2, "big")))
        else:
            expect(answer, (case["command"] | framing.ANSWER, bytes.fromhex(case["answer"])))


conversation = Conversation()
run({"unit": conversation.start, "step": conversation.step})
