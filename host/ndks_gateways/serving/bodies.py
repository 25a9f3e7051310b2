# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a request says: in its query, or in a JSON body that is neither too large nor too slow."""

import asyncio
from typing import NamedTuple

from aiohttp import HttpVersion11, web
from aiohttp.client_exceptions import ClientError
from aiohttp.http_exceptions import HttpProcessingError

from ..keys.refusals import FORMAT, BadRequest
from ..keys.requests import Values, from_body
from .answers import SLOW, TOO_LARGE


class Bounds(NamedTuple):
    """Most bytes of a body, and seconds until it must be there."""

    size: int
    patience: float


def query_of(request: web.BaseRequest) -> Values:
    """Return the fields of a query, each once. BadRequest."""
    query = request.rel_url.query
    values = dict(query)
    if len(values) != len(query):
        raise BadRequest(FORMAT)
    return values


async def fields_of(request: web.BaseRequest, bounds: Bounds) -> Values:
    """Return the fields of a JSON body; an empty one is an empty object. BadRequest."""
    return from_body(await _content(request, bounds))


async def _content(request: web.BaseRequest, bounds: Bounds) -> bytes:
    """Return a body whole. What is too large or too slow is refused before it is read further. BadRequest."""
    if not request.body_exists:
        return b""
    if (request.content_length or 0) > bounds.size:
        raise BadRequest(TOO_LARGE)
    content = b""
    try:
        if request.content.is_eof():  # as most bodies are by now: they need no clock
            content = request.content.read_nowait()
        else:
            async with asyncio.timeout(bounds.patience):
                await _ask_for(request)
                while len(content) <= bounds.size and (piece := await request.content.readany()):
                    content += piece
    except TimeoutError:
        raise BadRequest(SLOW) from None
    except (ClientError, HttpProcessingError, OSError):  # malformed chunks; the client has gone, or sent no TLS
        raise BadRequest(FORMAT) from None
    if len(content) > bounds.size:
        raise BadRequest(TOO_LARGE)
    return content


async def _ask_for(request: web.BaseRequest) -> None:
    """Tell a client that waits for 100 Continue, as some do for ever, to send its body. `web.Server` does not."""
    if request.version >= HttpVersion11 and request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer has not begun
