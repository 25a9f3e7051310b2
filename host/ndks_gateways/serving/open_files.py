# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Enough open files for all connections: one too few, and no client, monitor or ledger would get any."""

import resource

from ndks.exceptions import UsageError

_OTHERS = 128  # handshakes, monitors, the ledger, the unit, certificates


def allow(connections: int) -> None:
    """Let this process open as many files as so many connections need. UsageError: the system forbids it."""
    needed = connections + _OTHERS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise UsageError(
            f"limits.connections is {connections}, which needs {needed} open files; the system allows {hard}",
            "lower it, or raise the system's limit: LimitNOFILE of systemd, or ulimit -H -n",
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
