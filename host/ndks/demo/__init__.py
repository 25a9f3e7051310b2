# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The paper's no-channel key sharing (section 4.1.1), with two emulated units on real serial lines."""

from .stage import StageResult, run_stage

__all__ = ("StageResult", "run_stage")
