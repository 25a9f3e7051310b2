# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""commands.json: one conversation with a new unit."""

from harness import expect, run
from memory_board import MemoryBoard
from memory_host import Host

from ndks_protocol import framing


class Conversation:
    """Group `unit` starts it; each case of group `step` is one request and its answer."""

    def start(self, case: dict) -> None:
        self._host = Host(MemoryBoard(bytes.fromhex(case["uid"])))

    def step(self, case: dict) -> None:
        answer = self._host.exchange(case["command"], bytes.fromhex(case["request"]))
        if "error" in case:
            expect(answer, (framing.ERROR, case["error"].to_bytes(2, "big")))
        else:
            expect(answer, (case["command"] | framing.ANSWER, bytes.fromhex(case["answer"])))


conversation = Conversation()
run({"unit": conversation.start, "step": conversation.step})
