# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Vouchers: what senders said about their late capsules, in the present generation."""

from typing import NamedTuple

from .packets import Voucher
from .store import Store


class Vouched(NamedTuple):
    """The sender of a capsule, and which message it is."""

    lane: int
    s: int


class Vouchers:
    """The table of vouchers; the oldest goes when there are too many. Writing methods are called within a step."""

    def __init__(self, store: Store, most: int) -> None:
        self._store = store
        self._most = most

    def of(self, digest: bytes) -> Vouched | None:
        rows = self._store.read("SELECT lane, s FROM vouchers WHERE digest = ?", digest)
        return Vouched(*rows[0]) if rows else None

    def add(self, lane: int, voucher: Voucher) -> None:
        insert = "INSERT OR REPLACE INTO vouchers (digest, lane, s) VALUES (?, ?, ?)"
        self._store.write(insert, voucher.digest, lane, voucher.s)
        self._store.write("DELETE FROM vouchers WHERE place <= (SELECT max(place) FROM vouchers) - ?", self._most)

    def forget(self) -> None:
        self._store.write("DELETE FROM vouchers")
