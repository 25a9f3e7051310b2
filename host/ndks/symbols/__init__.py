# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Symbols on a line: 0, 1 and nothing, which is counted and never sent."""
