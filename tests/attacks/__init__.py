# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Attackers of SECURITY.md, made from PROTOCOL.md alone: they get bytes of flash and of the line."""
