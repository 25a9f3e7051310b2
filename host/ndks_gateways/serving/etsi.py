# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The three methods of ETSI GS QKD 014 V1.1.1: status, enc_keys, dec_keys; the latter two by GET and by POST."""

import base64
import dataclasses
import json
from collections.abc import Callable, Sequence

from aiohttp import web

from ..keys.refusals import NOT_YOURS, NotNow, Unauthorized
from ..keys.requests import Sizes, Values, ids_request, key_request
from .answers import NO_PATH, UNKNOWN_SAE, Answer, NotAllowed, NotFound
from .bodies import Bounds, fields_of, query_of
from .config import Config
from .delivering import Deliverer
from .issuing import Issuer

MOST_STORED = 100_000  # keys: max_key_count
METHODS = {"status": ("GET",), "enc_keys": ("GET", "POST"), "dec_keys": ("GET", "POST")}


class EtsiDesk:
    """The methods for the SAEs of this site. `problem` says why the server can answer no request for keys, or None."""

    def __init__(
        self, config: Config, issuer: Issuer, deliverer: Deliverer, problem: Callable[[], NotNow | None]
    ) -> None:
        self._config = config
        self._saes = config.saes
        self._bounds = Bounds(config.limits.body, config.limits.patience)
        self._sizes = Sizes(**dataclasses.asdict(config.keys))
        self._issuer = issuer
        self._deliverer = deliverer
        self._problem = problem
        self._most_saes = max((len(each) for each in config.groups.values()), default=1) - 1

    async def answer(self, request: web.BaseRequest, me: str, other: str, method: str) -> Answer:
        """Answer a request of the SAE `me` about another. Refused."""
        methods = METHODS.get(method)
        if not methods:
            raise NotFound(NO_PATH)
        if request.method not in methods:
            raise NotAllowed(*methods)
        if method == "status":
            return self._status(me, other)
        # Some clients send POST without a body and mean its query.
        values = (request.method == "POST" and await fields_of(request, self._bounds)) or query_of(request)
        if method == "enc_keys":
            return await self._new_keys(me, other, values)
        return await self._keys(me, other, values)

    def _status(self, me: str, other: str) -> Answer:
        config, keys = self._config, self._config.keys
        self._check_slave(other)
        if problem := self._problem():
            raise problem
        values = {
            "source_KME_ID": config.kme.id,
            "target_KME_ID": config.kme.peer,
            "master_SAE_ID": me,
            "slave_SAE_ID": other,
            "key_size": keys.size,
            "stored_key_count": min(self._issuer.stored(keys.size // 8), MOST_STORED),
            "max_key_count": MOST_STORED,
            "max_key_per_request": keys.per_request,
            "max_key_size": keys.max_size,
            "min_key_size": keys.min_size,
            "max_SAE_ID_count": self._most_saes,
        }
        return Answer(json.dumps(values).encode())

    def _check_slave(self, other: str) -> None:
        """NotFound: nobody has keys with this SAE. It may be the client itself: that is how qkdsec tests a server."""
        if other not in self._saes:
            raise NotFound(UNKNOWN_SAE)

    async def _new_keys(self, me: str, other: str, values: Values) -> Answer:
        self._check_slave(other)
        asked = key_request(values, self._sizes)
        return _container(await self._issuer.issue(me, [other, *asked.additional], asked.size, asked.number))

    async def _keys(self, me: str, other: str, values: Values) -> Answer:
        ids = ids_request(values, self._sizes)
        if other not in self._saes:
            raise Unauthorized(NOT_YOURS)
        return _container(await self._deliverer.deliver(me, other, ids))


def _container(keys: Sequence[tuple[bytes, bytes]]) -> Answer:
    """Return the Key container object of these ids and keys. Nothing in it needs an escape."""
    texts = [(_uuid(key_id), base64.b64encode(key).decode()) for key_id, key in keys]
    rows = ", ".join([f'{{"key_ID": "{key_id}", "key": "{key}"}}' for key_id, key in texts])
    return Answer(f'{{"keys": [{rows}]}}'.encode(), tuple([key_id for key_id, _ in texts]))


def _uuid(key_id: bytes) -> str:
    digits = key_id.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
