# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Hosts for tests: the host of a unit in memory, with sessions by the project's code or by PROTOCOL.md alone."""
