# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The rules of a tunnel: handshake, records, streams. No I/O, no clock."""
