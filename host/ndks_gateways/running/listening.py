# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Listening at an address that the user named."""

import asyncio
from collections.abc import Callable

from ndks.exceptions import NdksError, reason

from .settings import Address


class AddressError(NdksError):
    """An address is in use, or none of this machine."""

    code = "ADDRESS"
    exit_status = 1
    usual_advice = "name a free port, at an address of this machine"


async def listen(made: Callable[[], asyncio.BaseProtocol], where: Address, backlog: int) -> asyncio.Server:
    """Return a TCP server. AddressError."""
    try:
        return await asyncio.get_running_loop().create_server(made, *where, backlog=backlog)
    except OSError as error:
        raise unusable(where, error) from None


def unusable(where: Address, error: OSError) -> AddressError:
    return AddressError(f"cannot listen at {where}: {reason(error)}")
