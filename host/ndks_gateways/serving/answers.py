# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Answers as HTTP has them, and the refusals that HTTP adds to those of the standard."""

import json
from typing import ClassVar, NamedTuple

from aiohttp import web

from ..keys.refusals import NOT_FOUND, REVOKED, TAKEN, TOO_OLD, NotNow, Refused

# 400
TOO_LARGE = "the body of the request is too large"
SLOW = "the body of the request did not come in time"
# 401
UNKNOWN_CLIENT = "the certificate is not of an SAE that this KME serves"
# 404, 405
NO_PATH = "this KME has nothing at this path"
UNKNOWN_SAE = "the SAE is not known on this KME"
NO_METHOD = "this path takes another method"
# 503
BROKEN = "error on the side of this KME"

_GONE = {TAKEN, TOO_OLD, REVOKED}  # for which the standard has one message (6.4)
# No cache of a client keeps a key, nor an answer of before.
_HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store"}


class Answer(NamedTuple):
    """The JSON body of a status 200, and the ids of the keys in it, for the audit log."""

    body: bytes
    ids: tuple[str, ...] = ()


class NotFound(Refused):
    """There is nothing by this name."""

    code = "NOT_FOUND"
    status: ClassVar[int] = 404
    exit_status = 2
    usual_advice = "the document at /openapi.json has all paths"


class NotAllowed(Refused):
    """The path is right, the method is not; `allowed` names those that are."""

    code = "NOT_ALLOWED"
    status: ClassVar[int] = 405
    exit_status = 2
    usual_advice = "the document at /openapi.json has the methods of each path"

    def __init__(self, *allowed: str) -> None:
        super().__init__(NO_METHOD)
        self.allowed = allowed


def done(answer: Answer) -> web.Response:
    return web.Response(body=answer.body, headers=_HEADERS)


def refused(error: Refused) -> web.Response:
    """Return the answer for a refusal: the object Error of ETSI GS QKD 014, 6.5."""
    reason = str(error)
    values: dict[str, object] = {"message": reason}
    if reason in _GONE:
        values = {"message": NOT_FOUND, "details": [{"reason": reason}]}
    response = web.Response(status=error.status, body=json.dumps(values).encode(), headers=_HEADERS)
    if isinstance(error, NotNow):
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, NotAllowed):
        response.headers["Allow"] = ", ".join(error.allowed)
    return response
