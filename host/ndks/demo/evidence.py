# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a process can see of its own cage."""

import contextlib
import os
import socket
from pathlib import Path

_NAMESPACE = Path("/proc/self/ns/net")
_DESCRIPTORS = Path("/proc/self/fd")


def namespace() -> str:
    """Return the network namespace of this process, "" on a system that has none."""
    return str(_NAMESPACE.readlink()) if _NAMESPACE.exists() else ""


def open_descriptors() -> dict[str, str]:
    """Return what each open descriptor of this process refers to, by its number."""
    found: dict[str, str] = {}
    for link in _DESCRIPTORS.iterdir() if _DESCRIPTORS.exists() else ():
        with contextlib.suppress(OSError):  # the listing's own, closed by now
            found[link.name] = str(link.readlink())
    return {number: target for number, target in found.items() if _is_open(int(number))}


def interfaces() -> list[str]:
    """Return the network interfaces that this process sees. Not from /sys/class/net: that shows another namespace's."""
    return [name for _, name in socket.if_nameindex()]


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
