# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Keys without a unit and without a ledger: what HTTP does with them is the subject of the tests that use this."""

import hashlib
import threading
from collections.abc import Sequence

from ndks_gateways.keys import refusals
from ndks_gateways.keys.names import Groups, for_slave, of_request
from ndks_gateways.keys.refusals import BadRequest, NotNow, Unauthorized
from ndks_gateways.serving.delivering import Deliverer
from ndks_gateways.serving.issuing import Issuer


class FakeKeys(Issuer, Deliverer):
    """Issues and delivers keys in memory; sites that share one object are two ends of a network.

    `problem` makes it refuse everything; `calls` counts what reached it.
    """

    def __init__(self, groups: Groups | None = None) -> None:
        self._groups = groups or {}
        self._keys: dict[bytes, tuple[bytes, bytes]] = {}  # names, key
        self._taken: set[tuple[bytes, str]] = set()
        self._lock = threading.Lock()
        self.problem: Exception | None = None
        self.calls = 0

    async def issue(self, master: str, slaves: Sequence[str], size: int, number: int) -> list[tuple[bytes, bytes]]:
        self._count()
        names = of_request(master, slaves, self._groups).packed
        found: list[tuple[bytes, bytes]] = []
        with self._lock:
            for _ in range(number):
                seed = len(self._keys).to_bytes(8, "big")
                key_id = hashlib.sha256(b"id" + seed).digest()[:16]
                self._keys[key_id] = names, hashlib.shake_256(b"key" + seed).digest(size)
                found.append((key_id, self._keys[key_id][1]))
        return found

    async def deliver(self, sae: str, master: str, ids: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
        self._count()
        names = {each.packed for each in for_slave(master, sae, self._groups)}
        with self._lock:
            for each in ids:
                if each not in self._keys:
                    raise BadRequest(refusals.NOT_FOUND)
                if self._keys[each][0] not in names:
                    raise Unauthorized(refusals.NOT_YOURS)
                if (each, sae) in self._taken:
                    raise BadRequest(refusals.TAKEN)
            self._taken |= {(each, sae) for each in ids}
        return [(each, self._keys[each][1]) for each in ids]

    def stored(self, size: int) -> int:
        if self.problem:
            raise self.problem
        return (1 << 24) // -(-size // 32)

    def why_not(self) -> NotNow | None:
        return self.problem if isinstance(self.problem, NotNow) else None

    def _count(self) -> None:
        self.calls += 1
        if self.problem:
            raise self.problem
