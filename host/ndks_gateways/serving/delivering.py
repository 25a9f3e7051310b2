# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Keys for slaves: each key once for each SAE.

The keys are read first, so a unit that fails consumes nothing. Then they are written to the ledger, and only then are
they handed out: a crash in between loses them for this SAE, and none comes twice.
"""

from collections.abc import Sequence

from ..keys import names, refusals
from ..keys.names import Groups
from ..keys.refusals import BadRequest
from .chunks import Chunks
from .known import KnownEpochs
from .ledger import Ledger
from .tables import Delivered
from .unit import EpochGone, ServingUnit


class Deliverer:
    """Delivers the keys that the servers of the other site, or this one, issue."""

    def __init__(self, unit: ServingUnit, known: KnownEpochs, groups: Groups, ledger: Ledger) -> None:
        self._known = known
        self._groups = groups
        self._ledger = ledger
        self._chunks = Chunks(unit)

    async def deliver(self, sae: str, master: str, ids: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
        """Return the keys of these ids of 16 bytes, each with its id: all of them, or none.

        Unauthorized, BadRequest; NotNow: nothing was consumed, unless the database failed at the last moment.
        """
        if len(set(ids)) != len(ids):
            raise BadRequest(refusals.TWICE)
        wanted = names.for_slave(master, sae, self._groups)
        places = [self._known.place(key_id, wanted) for key_id in ids]
        try:
            keys = await self._chunks.keys(places)
        except EpochGone as gone:
            raise BadRequest(gone.reason) from None
        await self._ledger.deliver([Delivered(*place[:4], sae) for place in places])
        return list(zip(ids, keys, strict=True))

    def close(self) -> None:
        """Overwrite the keys that are kept in memory."""
        self._chunks.wipe()
