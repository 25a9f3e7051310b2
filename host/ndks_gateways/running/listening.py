# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Listening at an address that the user named, and calling one."""

import asyncio
import contextlib
import ipaddress
import os
import socket
import sys
from collections.abc import Callable

from ndks.exceptions import NdksError, reason

from .settings import Address

_NEXT_ADDRESS = 0.25  # seconds until the next address of a name is tried beside the one before, as in RFC 8305
_RESERVED = 1280  # files: strangers at the door, links, the unit, commands


class AddressError(NdksError):
    """An address is in use, or is not one of this machine."""

    code = "ADDRESS"
    exit_status = 1
    usual_advice = "name a free port, at an address of this machine"


def allow_connections(flows: int = 0) -> int:
    """Let this process open as many files as the system permits: at first it may open few, often 1024.

    Return how many connections of applications that leaves room for, beside `flows` flows of datagrams, which have a
    file each: they never keep a link from being made.
    """
    reserved = _RESERVED + flows
    files = sys.maxsize
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # not on Windows

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        now, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        files = files if now == resource.RLIM_INFINITY else now
    return max(files - reserved, files // 2)


async def listen(made: Callable[[], asyncio.BaseProtocol], where: Address, backlog: int) -> asyncio.Server:
    """Return a TCP server. AddressError."""
    try:
        return await asyncio.get_running_loop().create_server(made, *where, backlog=backlog)
    except OSError as error:
        raise unusable(where, error) from None


async def call(made: Callable[[], asyncio.BaseProtocol], where: Address) -> None:
    """Make a TCP connection; where a name has several addresses, a silent one does not hold up the others. OSError.

    An IP address is spared that work: 0.15 ms of CPU.
    """
    delay = _NEXT_ADDRESS
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(where.host)
        delay = None
    await asyncio.get_running_loop().create_connection(made, *where, happy_eyeballs_delay=delay)


def unusable(where: Address, error: OSError) -> AddressError:
    return AddressError(f"cannot listen at {where}: {reason_alone(error)}")


def reason_alone(error: OSError) -> str:
    """Return the system's text for an error of asyncio, which puts the address into a text of its own."""
    if error.errno and not isinstance(error, socket.gaierror):
        return os.strerror(error.errno)
    return reason(error)
