# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Hosts for tests: one of a unit in memory, and the sessions that it keeps: the project's own, or PROTOCOL.md's."""
