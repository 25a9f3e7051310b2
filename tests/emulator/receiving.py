# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Reading at the unit's end of a line."""

from support.emulate_process import wait_until

from ndks_emulator.lines import Line


def receive(line: Line, size: int) -> bytes:
    """Return at least `size` bytes from the host."""
    data = bytearray()
    wait_until(lambda: data.extend(line.read()) or len(data) >= size, f"{size} bytes from the host")
    return bytes(data)
