# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a process can see of its own cage."""

import os
import socket
from pathlib import Path

_NAMESPACE = Path("/proc/self/ns/net")
_DESCRIPTORS = Path("/proc/self/fd")


def namespace() -> str:
    """Return the network namespace of this process, "" on a system that has none."""
    return str(_NAMESPACE.readlink()) if _NAMESPACE.exists() else ""


def open_descriptors() -> list[int]:
    """Return the open descriptors of this process."""
    if not _DESCRIPTORS.exists():
        return []
    listed = [
        int(path.name) for path in _DESCRIPTORS.iterdir()
    ]  # one of them was the listing itself, and is closed by now
    return sorted(number for number in listed if _is_open(number))


def interfaces() -> list[str]:
    """Return the network interfaces that this process sees. Not from /sys/class/net: that shows another namespace's."""
    return [name for _, name in socket.if_nameindex()]


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
