# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Which bundles a broker is to retain, and which it is known to have."""

import threading

from .carrier import BUNDLES


class Bundles:
    """The bundles that this agent has sent, of the last generations. For several threads.

    Only what the broker gives back, marked as retained, is known to be there: some brokers acknowledge what they drop.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bundles: dict[int, bytes] = {}
        self._unsent = set[int]()
        self._old = set[int]()  # generations whose bundles the broker need not retain any more
        self._shown = set[int]()  # on this connection, of any agent

    def put(self, generation: int, packet: bytes) -> None:
        """Note a bundle that is to be sent."""
        with self._lock:
            self._bundles[generation] = packet
            self._unsent.add(generation)
            self._shown.discard(generation)
            for old in sorted(self._bundles)[:-BUNDLES]:
                del self._bundles[old]
                self._unsent.discard(old)
                self._old.add(old)

    def take_unsent(self) -> dict[int, bytes]:
        """Return what was not sent yet; it counts as sent now."""
        with self._lock:
            unsent, self._unsent = self._unsent, set[int]()
            return {generation: self._bundles[generation] for generation in sorted(unsent)}

    def take_old(self) -> set[int]:
        """Return the generations that are to be removed; they count as removed now."""
        with self._lock:
            old, self._old = self._old, set[int]()
            return old

    def connected(self) -> None:
        """Forget what the broker had: it may be another one."""
        with self._lock:
            self._shown = set[int]()

    def arrived(self, generation: int, packet: bytes, *, is_retained: bool) -> bool:
        """Note a bundle that came from the broker; return whether it is one of this agent's."""
        with self._lock:
            own = self._bundles.get(generation)
            if is_retained and own in (None, packet):
                self._shown.add(generation)
            return own == packet

    @property
    def any_shown(self) -> bool:
        """Whether the broker retains the bundle of any generation."""
        return bool(self._shown)

    @property
    def missing(self) -> dict[int, bytes]:
        """The bundles of this agent that the broker has not shown on this connection."""
        with self._lock:
            return {generation: packet for generation, packet in self._bundles.items() if generation not in self._shown}
