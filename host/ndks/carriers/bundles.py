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
        self._old = set[int]()  # generations whose bundles the broker need no longer retain
        self._shown = set[int]()  # on this connection
        self._any_shown = False  # from any agent

    def put(self, generation: int, packet: bytes) -> bool:
        """Note a bundle that is to be sent; return False if it is too old for the broker to retain."""
        with self._lock:
            self._bundles[generation] = packet
            self._unsent.add(generation)
            self._shown.discard(generation)
            for old in sorted(self._bundles)[:-BUNDLES]:
                del self._bundles[old]
                self._unsent.discard(old)
                if old != generation:
                    self._old.add(old)
            return generation in self._bundles

    def take_unsent(self) -> dict[int, bytes]:
        """Return what has not been sent yet; it then counts as sent."""
        with self._lock:
            unsent, self._unsent = self._unsent, set[int]()
            return {generation: self._bundles[generation] for generation in sorted(unsent)}

    def take_old(self) -> set[int]:
        """Return the generations that are to be removed; they then count as removed."""
        with self._lock:
            old, self._old = self._old, set[int]()
            return old

    def connected(self) -> None:
        """Forget what the broker had: it may be another one."""
        with self._lock:
            self._shown, self._any_shown = set[int](), False

    def arrived(self, name: str, packet: bytes, *, is_retained: bool) -> bool:
        """Note a bundle that came from the broker; return whether it is one of this agent's.

        `name` is the end of its topic: a stranger's may be anything, so it is never converted to a number.
        """
        with self._lock:
            own = next((g for g, bundle in self._bundles.items() if str(g) == name and bundle == packet), None)
            self._any_shown |= is_retained
            if is_retained and own is not None:
                self._shown.add(own)
            return own is not None

    @property
    def any_shown(self) -> bool:
        """Whether the broker retains anybody's bundle."""
        return self._any_shown

    @property
    def missing(self) -> dict[int, bytes]:
        """The bundles of this agent that the broker has not shown on this connection."""
        with self._lock:
            return {generation: packet for generation, packet in self._bundles.items() if generation not in self._shown}
