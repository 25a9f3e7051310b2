# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Bundles in the store: candidates, stored before the unit is asked to enter, and those kept whole, for others."""

from ..network.bundle import Bundle
from .limits import Limits
from .store import Store


class Kept:
    """The table of bundles, all with a valid signature. Writing methods are called within a step of the store."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self._store = store
        self._limits = limits
        self.candidates: dict[bytes, Bundle] = {}
        self.bundles: dict[int, Bundle] = {}
        for is_kept, content in store.read("SELECT is_kept, content FROM bundles ORDER BY g, digest"):
            bundle = Bundle.parse(content)
            if is_kept:
                self.bundles[bundle.g] = bundle
            else:
                self.candidates[bundle.digest] = bundle

    def newest(self) -> Bundle | None:
        return self.bundles[max(self.bundles)] if self.bundles else None

    def later(self, g: int) -> list[Bundle]:
        """Return the kept bundles that are later than a generation, in order."""
        return [bundle for _, bundle in sorted(self.bundles.items()) if bundle.g > g]

    def in_order(self) -> list[Bundle]:
        """Return the candidates, the oldest generation first."""
        return sorted(self.candidates.values(), key=lambda bundle: (bundle.g, bundle.digest))

    def add_candidate(self, bundle: Bundle) -> None:
        if self.bundles.get(bundle.g) != bundle:  # kept, if the unit went back to an old image of its flash
            self._write(bundle, is_kept=False)
        self.candidates[bundle.digest] = bundle
        for old in self.in_order()[: -self._limits.candidates]:
            self.drop(old)

    def drop(self, candidate: Bundle) -> None:
        """Forget a candidate."""
        self._store.write("DELETE FROM bundles WHERE digest = ? AND NOT is_kept", candidate.digest)
        self.candidates.pop(candidate.digest, None)

    def keep(self, bundle: Bundle) -> None:
        """Keep the bundle of a generation that the unit is in, and as many of those before it as are kept."""
        self._store.write("DELETE FROM bundles WHERE g = ? AND is_kept", bundle.g)
        self._write(bundle, is_kept=True)
        self.candidates.pop(bundle.digest, None)
        self.bundles[bundle.g] = bundle
        for g in sorted(self.bundles)[: -self._limits.bundles]:
            self._store.write("DELETE FROM bundles WHERE g = ? AND is_kept", g)
            del self.bundles[g]

    def _write(self, bundle: Bundle, *, is_kept: bool) -> None:
        values = bundle.digest, bundle.g, is_kept, bundle.content
        self._store.write("INSERT OR REPLACE INTO bundles VALUES (?, ?, ?, ?)", *values)
