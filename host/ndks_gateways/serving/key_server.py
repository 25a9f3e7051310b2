# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The HTTP side of the server: what listens where, and what it says of itself."""

import contextlib
import dataclasses
import json
import logging
from collections.abc import Callable, Generator

from aiohttp import web

from ndks.exceptions import NdksError

from ..keys.refusals import NotNow, Refused
from ..keys.requests import Sizes
from . import metrics, openapi
from .audit import AuditLog
from .config import Config
from .config_readers import Address
from .connections import Listener
from .delivering import Deliverer
from .etsi import EtsiDesk
from .front import Front
from .handshakes import Handshakes
from .issuing import Issuer
from .skip import SkipDesk
from .tls import expiry, server_context

_log = logging.getLogger(__name__)

_MONITORS = 16  # connections
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


class KeyServer:
    """Serves clients, and the monitor if there is one. `problem` says why no key can be had; None: they can.

    `epoch` is that of the unit; None: it is away.
    """

    def __init__(
        self,
        config: Config,
        issuer: Issuer,
        deliverer: Deliverer,
        problem: Callable[[], NotNow | None],
        epoch: Callable[[], int | None] = lambda: None,
    ) -> None:
        sizes = Sizes(**dataclasses.asdict(config.keys))
        self._config = config
        self._issuer = issuer
        self._problem = problem
        self._epoch = epoch
        self._audit = AuditLog(config.audit.file)
        self._tally = metrics.Tally()
        self._handshakes = Handshakes(self._tally.failed_handshakes)
        self._certificate_ends = 0.0
        encryptors = SkipDesk(config.skip, sizes, issuer, deliverer) if config.skip else None
        etsi = EtsiDesk(config, issuer, deliverer, problem)
        document = json.dumps(openapi.document(sizes, has_skip=encryptors is not None)).encode()
        limits = config.limits
        front = Front(config, etsi, encryptors, document, self._audit, self._tally)
        failed = self._handshakes.fail
        self._clients = Listener(front.handle, limits.connections, limits.idle, limits.patience, failed, front.name_of)
        self._monitors = Listener(self._monitor, _MONITORS, limits.idle, limits.patience, failed)

    @property
    def address(self) -> Address:
        """Where clients connect."""
        return self._clients.address

    @property
    def monitor(self) -> Address | None:
        """Where /metrics and /healthz are."""
        return None if self._config.kme.monitor is None else self._monitors.address

    async def open(self) -> None:
        """Listen. UsageError: an address is taken; FileError: a file of the configuration cannot be used."""
        logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of each answer to a client that has gone
        context = server_context(self._config.kme)
        self._certificate_ends = expiry(self._config.kme.certificate)
        await self._clients.open(self._config.kme.listen, context)
        if self._config.kme.monitor is not None:
            await self._monitors.open(Address("127.0.0.1", self._config.kme.monitor), None)

    async def reload(self) -> None:
        """Open the audit log again, and read certificates again. What cannot be used is logged, and changes nothing.

        A log that cannot be opened keeps nobody from being revoked.
        """
        with self._failures_told():
            self._audit.open_again()
        with self._failures_told():
            context = server_context(self._config.kme)
            self._certificate_ends = expiry(self._config.kme.certificate)
            self._clients.renew(context)
            self._tally.reloads += 1
            _log.info("certificates were read again; earlier connections are closed")

    @contextlib.contextmanager
    def _failures_told(self) -> Generator[None]:
        try:
            yield
        except NdksError as error:
            self._tally.failed_reloads += 1
            _log.warning("%s: %s; the server goes on with what it has. Do: %s", error.code, error, error.advice)

    async def close(self) -> None:
        await self._clients.close()
        await self._monitors.close()
        self._handshakes.close()
        self._audit.close()

    def state(self) -> metrics.State:
        problem = self._problem()
        try:
            stored = self._issuer.stored(self._config.keys.size // 8)
        except Refused as error:
            stored, problem = 0, problem or NotNow(str(error))
        return metrics.State(
            problems=(str(problem),) if problem else (),
            connections=self._clients.count,
            turned_away=self._clients.turned_away,
            stored=stored,
            epoch=self._epoch(),
            certificate_ends=self._certificate_ends,
            audit_failures=self._audit.failures,
        )

    async def _monitor(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method != "GET":
            return web.Response(status=405, headers={"Allow": "GET"})
        if request.path == "/metrics":
            return web.Response(body=metrics.text(self._tally, self.state()).encode(), headers={"Content-Type": _TEXT})
        if request.path == "/healthz":
            problems = self.state().problems
            return web.json_response({"ok": not problems, "problems": problems}, status=503 if problems else 200)
        return web.Response(status=404)
