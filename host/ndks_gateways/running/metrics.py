# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The numbers of a tunnel as Prometheus reads them (text format 0.0.4), on request over HTTP."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .listening import unusable
from .settings import Address

_PATIENCE = 5.0  # seconds for a request
_LONGEST = 8192  # bytes of it
_CLIENTS = 16
_KIND = "text/plain; version=0.0.4; charset=utf-8"

_BROKEN = OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError

Values = dict[str, Any]  # as of status.State.values

# What the number is called, what it means, and where it stands in the values. Names with _total only grow.
_ROWS: tuple[tuple[str, str, Callable[[Values], int]], ...] = (
    ("up", "1: there is a link", lambda values: values["link"] is not None),
    ("unit_present", "1: the unit can be used", lambda values: values["unit"]["present"]),
    ("generation", "generation of the unit", lambda values: values["unit"]["generation"] or 0),
    ("streams", "connections that are open", lambda values: values["streams"]["open"]),
    ("streams_total", "connections so far", lambda values: values["streams"]["opened"]),
    ("stream_resets_total", "connections that were reset", lambda values: values["streams"]["resets"]),
    ("sent_bytes_total", "bytes of connections, sent", lambda values: values["bytes"]["sent"]),
    ("received_bytes_total", "bytes of connections, received", lambda values: values["bytes"]["received"]),
    ("kept_bytes", "bytes that the peer has not acknowledged", lambda values: values["bytes"]["kept"]),
    ("resent_frames_total", "frames that were sent once more", lambda values: values["resent"]),
    ("full_handshakes_total", "links that the units made", lambda values: values["handshakes"]["full"]),
    ("resumed_handshakes_total", "links that were resumed", lambda values: values["handshakes"]["resumed"]),
    ("cuts_total", "links that were cut", lambda values: values["cuts"]),
    ("flows", "flows of datagrams", lambda values: values["datagrams"]["flows"]),
    ("datagrams_sent_total", "datagrams sent", lambda values: values["datagrams"]["sent"]),
    ("datagrams_received_total", "datagrams received", lambda values: values["datagrams"]["received"]),
    ("datagrams_dropped_total", "datagrams dropped", lambda values: values["datagrams"]["dropped"]),
    ("carried_sent_total", "packets of agents, sent", lambda values: values["carried"]["sent"]),
    ("carried_received_total", "packets of agents, received", lambda values: values["carried"]["received"]),
)


def text(ends: Sequence[Values]) -> str:
    """Return the numbers of ends of tunnels, each kind once. Their names need no escapes."""
    return "".join(f"{line}\n" for line in _lines(ends))


def _lines(ends: Sequence[Values]) -> Iterator[str]:
    for name, meaning, value in _ROWS:
        yield from _head(name, meaning)
        for values in ends:
            yield f"ndks_tunnel_{name}{{{_labels(values)}}} {int(value(values))}"
    yield from _head("failed_handshakes_total", "handshakes that made no link")
    for values in ends:
        for code, count in sorted(values["handshakes"]["failed"].items()):
            yield f'ndks_tunnel_failed_handshakes_total{{{_labels(values)},code="{code}"}} {count}'


def _labels(values: Values) -> str:
    return f'tunnel="{values["name"]}",side="{values["side"]}"'


def _head(name: str, meaning: str) -> list[str]:
    kind = "counter" if name.endswith("_total") else "gauge"
    return [f"# HELP ndks_tunnel_{name} {meaning}", f"# TYPE ndks_tunnel_{name} {kind}"]


async def serve(address: Address, values: Callable[[], Values]) -> asyncio.Server:
    """Answer each GET /metrics at an address. AddressError."""
    room = asyncio.Semaphore(_CLIENTS)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(*_BROKEN):
            if room.locked():
                return
            async with room, asyncio.timeout(_PATIENCE):
                request = await reader.readuntil(b"\r\n\r\n")
                writer.write(_answer(request, values))
                await writer.drain()

    try:
        return await asyncio.start_server(answer, *address, limit=_LONGEST)
    except OSError as error:
        raise unusable(address, error) from None


def _answer(request: bytes, values: Callable[[], Values]) -> bytes:
    method, _, rest = request.partition(b" ")
    if method != b"GET" or rest.split(b" ", 1)[0].split(b"?", 1)[0] != b"/metrics":
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    body = text([values()]).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {_KIND}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
