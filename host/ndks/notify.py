# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tells systemd that a service is ready (sd_notify)."""

import contextlib
import os
import socket


def notify(state: str) -> None:
    """Send a state such as READY=1 to whatever started this process and waits for it; failures are ignored."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(state.encode(), f"\0{address[1:]}" if address.startswith("@") else address)
