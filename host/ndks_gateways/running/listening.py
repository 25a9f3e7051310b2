# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Listening at an address that the user named."""

import asyncio
import contextlib
from collections.abc import Callable

from ndks.exceptions import NdksError, reason

from .settings import Address


class AddressError(NdksError):
    """An address is in use, or none of this machine."""

    code = "ADDRESS"
    exit_status = 1
    usual_advice = "name a free port, at an address of this machine"


def allow_connections() -> None:
    """Let this process have as many connections as the system permits: at first it may have few files, often 1024."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # not on Windows

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def listen(made: Callable[[], asyncio.BaseProtocol], where: Address, backlog: int) -> asyncio.Server:
    """Return a TCP server. AddressError."""
    try:
        return await asyncio.get_running_loop().create_server(made, *where, backlog=backlog)
    except OSError as error:
        raise unusable(where, error) from None


def unusable(where: Address, error: OSError) -> AddressError:
    return AddressError(f"cannot listen at {where}: {reason(error)}")
