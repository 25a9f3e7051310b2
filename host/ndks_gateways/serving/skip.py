# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Cisco's SKIP (draft-cisco-skip-02): keys for encryptors, by the names of systems. The ids are those of 014."""

import json
import secrets

from aiohttp import web

from ..keys.refusals import FORMAT, NOT_FOUND, BadRequest, Unauthorized
from ..keys.requests import Sizes, Values, entropy_of, key_id_of, size_of
from .answers import NO_PATH, Answer, NotAllowed, NotFound
from .bodies import query_of
from .config import Skip
from .delivering import Deliverer
from .issuing import Issuer

_ALGORITHM = "NDKS"
PATHS = ("capabilities", "key", "entropy")


class SkipDesk:
    """The methods of SKIP for the encryptors of this site."""

    def __init__(self, skip: Skip, sizes: Sizes, issuer: Issuer, deliverer: Deliverer) -> None:
        self._skip = skip
        self._sizes = sizes
        self._issuer = issuer
        self._deliverer = deliverer

    async def answer(self, request: web.BaseRequest, parts: list[str]) -> Answer:
        """Answer a request for a path of these parts, the first of which is one of PATHS. Refused."""
        if request.method != "GET":
            raise NotAllowed("GET")
        query = query_of(request)
        match parts:
            case ["capabilities"]:
                return self._capabilities()
            case ["entropy"]:
                return self._entropy(query)
            case ["key"]:
                return await self._new_key(query)
            case ["key", key_id]:
                return await self._key(key_id, query)
            case _:
                raise NotFound(NO_PATH)

    def _capabilities(self) -> Answer:
        return _json(
            entropy=True,
            key=True,
            algorithm=_ALGORITHM,
            localSystemID=self._skip.local,
            remoteSystemID=self._skip.remote,
        )

    def _entropy(self, query: Values) -> Answer:
        size = entropy_of(query, self._sizes)
        return _json(randomStr=secrets.token_hex(size), minentropy=8 * size)

    async def _new_key(self, query: Values) -> Answer:
        remote = self._remote(query)
        ((key_id, key),) = await self._issuer.issue(self._skip.local, [remote], size_of(query, self._sizes), 1)
        return _key(key_id, key)

    async def _key(self, text: str, query: Values) -> Answer:
        remote = self._remote(query)
        try:
            ((key_id, key),) = await self._deliverer.deliver(self._skip.local, remote, [key_id_of(text)])
        except Unauthorized:  # for which SKIP has no status (4.2, table 7)
            raise BadRequest(NOT_FOUND) from None
        return _key(key_id, key)

    def _remote(self, query: Values) -> str:
        remote = query.get("remoteSystemID")
        if not isinstance(remote, str) or remote not in self._skip.remote:
            raise BadRequest(FORMAT)
        return remote


def _key(key_id: bytes, key: bytes) -> Answer:
    text = key_id.hex()
    return Answer(f'{{"keyId": "{text}", "key": "{key.hex()}"}}'.encode(), (text,))


def _json(**values: object) -> Answer:
    return Answer(json.dumps(values).encode())
