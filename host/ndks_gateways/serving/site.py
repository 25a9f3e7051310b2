# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The keys of a server: its unit and its ledger, and what stands between them."""

import asyncio
import contextlib

from ndks_protocol.control.limits import SILENCE

from ..keys.names import Groups
from ..keys.refusals import NotNow
from .delivering import Deliverer
from .issuing import Issuer
from .known import KnownEpochs
from .ledger import Ledger
from .unit import ServingUnit, away

_AGAIN = 5.0  # seconds until a run is tried again


class KeySite:
    """Issues and delivers keys with a unit and a ledger, while `run` runs."""

    def __init__(self, unit: ServingUnit, ledger: Ledger, groups: Groups) -> None:
        self._unit = unit
        self._ledger = ledger
        self._known = KnownEpochs(unit, ledger.seen, ledger.prune)
        self.issuer = Issuer(unit, self._known, groups, ledger.note, ledger.mark.run)
        self.deliverer = Deliverer(unit, self._known, groups, ledger)

    @property
    def problem(self) -> NotNow | None:
        """Why not all requests can be answered now."""
        is_ready = self._unit.presence and self._known.kept  # no id can be read before the unit was asked
        return self._ledger.problem if is_ready else away()

    async def run(self) -> None:
        """Follow unit and ledger until this is cancelled; then end what was begun, and close the ledger."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for each in (self._ledger.run(), self._known.run(), self._prepare()):
                    tasks.create_task(each)
        finally:
            await self.issuer.close()
            self.deliverer.close()
            await self._ledger.close()

    async def _prepare(self) -> None:
        """Have a run at hand in the epoch to issue in, so that clients need not wait for one.

        So the ledger knows all epochs of this server, which are looked for after its next start.
        """
        while True:
            changes = self._unit.changes
            patience: float = SILENCE
            try:
                await self.issuer.prepare()
            except NotNow:
                patience = _AGAIN
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._unit.wait_change(changes)
