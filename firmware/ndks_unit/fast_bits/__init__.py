# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Fast generators for equation 7 on a board, with exactly the bits of ndks_protocol.generator."""
