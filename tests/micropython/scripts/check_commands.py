# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Check of commands.json: one conversation with a new unit."""

from conversation import Conversation
from harness import run

conversation = Conversation()
run({"unit": conversation.start, "step": conversation.step})
