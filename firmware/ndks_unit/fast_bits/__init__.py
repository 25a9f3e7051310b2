# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The bits of equation 7 fast enough for a board, and as exact as those of ndks_protocol.generator."""
