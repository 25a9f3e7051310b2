# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What an application does with a connection through a tunnel."""

import asyncio
import socket
import struct


async def exchange(made, data: bytes) -> bytes:
    """Send data through the tunnel to an echo, end, and return all that comes back."""
    reader, writer = await made.connect()

    async def send() -> None:
        for at in range(0, len(data), 50_000):
            writer.write(data[at : at + 50_000])
            await writer.drain()
        writer.write_eof()

    sending = asyncio.create_task(send())
    try:
        back = await reader.read(-1)
        await sending
    finally:
        sending.cancel()
        writer.close()
    return back


def abort(writer: asyncio.StreamWriter) -> None:
    """Close so that the other end sees a reset."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
