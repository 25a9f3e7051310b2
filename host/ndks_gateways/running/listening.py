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
from typing import Any

from ndks.exceptions import NdksError, reason

from .settings import Address

_NEXT_ADDRESS = 0.25  # seconds until the next address of a name is tried beside the one before, as in RFC 8305
_STRANGERS = 1024
_RESERVED = _STRANGERS + 256  # files: strangers at the door, links, the unit, commands


class AddressError(NdksError):
    """An address is in use, or is not one of this machine."""

    code = "ADDRESS"
    exit_status = 1
    usual_advice = "name a free port, at an address of this machine"


def allow_files() -> int:
    """Let this process open as many files as the system permits, at first often 1024, and return how many that is."""
    files = sys.maxsize
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # not on Windows

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        now, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        files = files if now == resource.RLIM_INFINITY else now
    return files


def most_connections(files: int, flows: int) -> int:
    """Return how many connections of applications there may be, beside `flows` flows of datagrams with a file each.

    They never keep a link from being made.
    """
    return max(files - _RESERVED - flows, files // 2)


def most_strangers(files: int) -> int:
    """Return for how many connections that have shown no door there is room."""
    return min(_STRANGERS, files // 4)


async def listen(
    made: Callable[[], asyncio.BaseProtocol], where: Address, backlog: int, at_once: int = 0
) -> asyncio.Server:
    """Return a TCP server. AddressError.

    asyncio accepts as many connections in one turn of the loop as may wait; with `at_once`, no more than that.
    """
    try:
        server = await asyncio.get_running_loop().create_server(made, *where, backlog=at_once or backlog)
        for each in server.sockets if at_once else ():
            with each.dup() as same:
                same.listen(backlog)
    except OSError as error:
        raise unusable(where, error) from None
    return server


async def call(made: Callable[[], asyncio.BaseProtocol], where: Address) -> None:
    """Make a TCP connection; where a name has several addresses, a silent one does not hold up the others. OSError.

    An IP address is spared that work: 0.15 ms of CPU.
    """
    delay = _NEXT_ADDRESS
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(where.host)
        delay = None
    await asyncio.get_running_loop().create_connection(made, *where, happy_eyeballs_delay=delay)


def host_of(name: Any) -> str:
    """Return the IP address in the address of a socket; a link-local one of IPv6 needs the number of its interface."""
    zone = name[3] if len(name) > 3 else 0
    return f"{name[0]}%{zone}" if zone else name[0]


def unusable(where: Address, error: OSError) -> AddressError:
    return AddressError(f"cannot listen at {where}: {reason_alone(error)}")


def reason_alone(error: OSError) -> str:
    """Return the system's text for an error of asyncio, which puts the address into a text of its own."""
    if error.errno and not isinstance(error, socket.gaierror):
        return os.strerror(error.errno)
    return reason(error)
