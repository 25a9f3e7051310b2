# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""All requests of clients: who asks, how often, for what; each answer is counted and noted in the audit log."""

import asyncio
import functools
import logging
import math
from typing import NamedTuple
from urllib.parse import unquote

from aiohttp import web

from ndks.exceptions import NdksError

from ..keys.refusals import NOT_FOUND, NOT_YOURS, TOO_MANY, NotNow, Refused, Unauthorized
from . import answers, skip
from .answers import BROKEN, NO_PATH, UNKNOWN_CLIENT, Answer, NotAllowed, NotFound
from .audit import AuditLog
from .config import Config
from .etsi import METHODS, EtsiDesk
from .limits import Buckets
from .metrics import Tally
from .skip import SkipDesk
from .tls import client_name

_log = logging.getLogger(__name__)

DOCUMENT = "openapi.json"
_PREFIX = ["api", "v1", "keys"]
_BY_ID = {"dec_keys", "key_id"}
_OF_SKIP = {*skip.PATHS, "key_id"}
_WRONG = {NOT_FOUND, NOT_YOURS}
_MINUTE = 60.0
_STRANGERS = ""  # all clients whose names are not known share one bucket


class _Asked(NamedTuple):
    """What a path asks for: an action (for the counts, so one of few), with whom, and the parts of the path."""

    action: str
    other: str
    parts: list[str]


class Front:
    """The handler of requests that came over mutual TLS."""

    def __init__(
        self,
        config: Config,
        etsi: EtsiDesk,
        encryptors: SkipDesk | None,
        document: bytes,
        audit: AuditLog,
        tally: Tally,
    ) -> None:
        self._name_in = config.kme.name_in
        self._saes = frozenset(config.sae.here)
        self._encryptors = frozenset(config.skip.clients) if config.skip else frozenset[str]()
        self._etsi = etsi
        self._skip = encryptors
        self._document = Answer(document)
        self._audit = audit
        self._tally = tally
        self._requests = Buckets(config.limits.requests)
        self._wrong = Buckets(config.limits.wrong_ids / _MINUTE, _MINUTE)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, whatever it is."""
        client = self._client(request.transport) if request.transport else None
        asked = _asked(request.rel_url.raw_path)
        if asked.action in _OF_SKIP:  # which has names in the query
            asked = asked._replace(other=request.rel_url.query.get("remoteSystemID", ""))
        try:
            answer = await self._answer(request, client, asked)
        except Refused as error:
            return self._refuse(request, error, client, asked)
        except NdksError as error:
            _log.warning("%s: %s", error.code, error)
            return self._refuse(request, NotNow(BROKEN), client, asked)
        except Exception:
            _log.exception("a request failed; this is a bug")
            return self._refuse(request, NotNow(BROKEN), client, asked)
        self._note(client, asked, 200, answer.ids)
        return answers.done(answer)

    def name_of(self, transport: asyncio.BaseTransport) -> str:
        """Return whose a connection is, by its certificate; all clients that are not served have one name."""
        client = self._client(transport)
        return client if client in self._saes or client in self._encryptors else _STRANGERS

    def _client(self, transport: asyncio.BaseTransport) -> str | None:
        return client_name(transport.get_extra_info("peercert"), self._name_in)

    async def _answer(self, request: web.BaseRequest, client: str | None, asked: _Asked) -> Answer:
        is_sae, is_encryptor = client in self._saes, client in self._encryptors
        name = client if client and (is_sae or is_encryptor) else _STRANGERS
        if not self._requests.take(name):
            raise NotNow(TOO_MANY, math.ceil(self._requests.wait(name)))
        if not name:
            raise Unauthorized(UNKNOWN_CLIENT)
        if asked.action in _BY_ID and self._wrong.is_empty(name):
            raise NotNow(TOO_MANY, math.ceil(self._wrong.wait(name)))
        if asked.action == DOCUMENT:
            return self._show(request)
        try:
            if is_sae and asked.action in METHODS:
                return await self._etsi.answer(request, name, asked.other, asked.action)
            if is_encryptor and self._skip and asked.action in _OF_SKIP:
                return await self._skip.answer(request, asked.parts)
        except Refused as error:
            if str(error) in _WRONG:
                self._wrong.take(name)
            raise
        raise NotFound(NO_PATH)

    def _show(self, request: web.BaseRequest) -> Answer:
        if request.method != "GET":
            raise NotAllowed("GET")
        return self._document

    def _refuse(self, request: web.BaseRequest, error: Refused, client: str | None, asked: _Asked) -> web.Response:
        self._tally.refusals[str(error)] += 1
        self._note(client, asked, error.status, (), str(error))
        response = answers.refused(error)
        if request.body_exists and not request.content.is_eof():
            response.force_close()  # the rest of a body is not worth reading
        return response

    def _note(self, client: str | None, asked: _Asked, status: int, ids: tuple[str, ...] = (), why: str = "") -> None:
        self._tally.requests[asked.action, status] += 1
        self._tally.keys[asked.action] += len(ids)
        self._audit.note(client or "", asked.action, asked.other, status, ids, why)


@functools.lru_cache(maxsize=128)  # clients of 014 ask for few paths, again and again
def _asked(path: str) -> _Asked:
    """Return what a path asks for. The parts are decoded after they are separated: a name may have a slash.

    Extra slashes mean nothing to 014; to SKIP only the first ones mean nothing, after an address that ends with one, as
    `/key/` without an id is not a request for a new key.
    """
    parts = [unquote(each) for each in path.lstrip("/").split("/")]
    named = [each for each in parts if each]
    if named[:3] == _PREFIX and len(named) == 5 and named[4] in METHODS:
        return _Asked(named[4], named[3], named)
    if parts and parts[0] in skip.PATHS:
        action = "key_id" if parts[0] == "key" and len(parts) > 1 else parts[0]
        return _Asked(action, "", parts)
    if parts == [DOCUMENT]:
        return _Asked(DOCUMENT, "", parts)
    return _Asked("", "", parts)
