# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Secrets in pieces, which are long enough not to occur by chance."""

PIECE = 8


def pieces(secret: bytes, size: int = PIECE) -> set[bytes]:
    return {secret[start : start + size] for start in range(len(secret) - size + 1)}
