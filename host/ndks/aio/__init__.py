# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Units in asyncio programs: the methods of `ndks.Unit` as coroutines.

import ndks.aio

async with ndks.aio.open() as unit:
    key = await unit.next_key(256)

Strategy: one thread for each unit runs the methods of the driver, one after the other, as a unit works on one request
at a time. The event loop never waits for a port, for the disk (minimum counters), or for an emulated unit that
computes, and there is one driver. A cancelled task stops its method at the next read of the port. At that point the
conversation is between two frames: it drops the answers that nobody awaits, and the session goes on.
"""

from .opening import open
from .unit import Unit
from .values import ExportedKey, ReceivedMessage

__all__ = ("ExportedKey", "ReceivedMessage", "Unit", "open")
