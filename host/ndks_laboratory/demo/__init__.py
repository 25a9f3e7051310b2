# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The paper's no-channel key sharing and encrypted communication (sections 4.1.1 and 4.1.2).

Two emulated units on real serial lines, and every part of it a process of its own.
"""

from ndks_laboratory.outcome import Check, all_held

from .messages import Carried, check_messages, run_messages
from .stage import StageResult, run_stage

__all__ = ("Carried", "Check", "StageResult", "all_held", "check_messages", "run_messages", "run_stage")
