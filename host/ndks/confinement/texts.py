# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Words for findings."""


def counted(count: int, what: str) -> str:
    """Return a number of things: 1 key, 2 keys."""
    return f"{count} {what}{'' if count == 1 else 's'}"
