# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Doors: whoever knows none is refused by one MAC, before the unit is asked and before anything is allocated.

A door is derived from a key that members have, and the tunnel's name: an epoch door from an exported key of that epoch,
a pair door from the last full handshake. The pair door outlives epochs and generations, so gateways whose units are in
different ones find each other.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from .derivations import derived

MAC_SIZE = 16
KEPT_EPOCHS = 8  # besides the present one, at most
_BURST = 4  # full handshakes of one door at once
_INTERVAL = 2.0  # seconds until one more may follow
_DOORS_COUNTED = 64


@dataclass(frozen=True, slots=True)
class Door:
    """A door; `epoch` is that of an epoch door, and None for a pair door."""

    key: bytes = field(repr=False)
    kind: Literal["pair", "epoch"]
    epoch: int | None = None

    def mac(self, hello: bytes, knock: bytes) -> bytes:
        """Return the MAC, of 16 bytes, of the part of a knock before it, in answer to this hello."""
        return derived(self.key, "ndks tunnel knock", hello + knock)[:MAC_SIZE]


def pair_door(pair: bytes, name: str) -> Door:
    """Return the door of a pair of gateways; `pair` is that of `Established`."""
    return Door(_door_key(pair, name), "pair")


def epoch_door(exported: bytes, epoch: int, name: str) -> Door:
    """Return the door of an epoch; `exported` is 32 bytes of KEY_CHUNK at n = 2^47, offset 0."""
    return Door(_door_key(exported, name), "epoch", epoch)


def find(doors: Sequence[Door], hello: bytes, knock: bytes, mac: bytes) -> Door | None:
    """Return the door that the MAC of a knock fits, or None. All are tried, each in constant time."""
    found: Door | None = None
    for door in doors:
        if hmac.compare_digest(door.mac(hello, knock), mac):
            found = door
    return found


def pairs_to_keep(new: bytes, kept: Sequence[bytes], used: Door | None, name: str) -> tuple[bytes, ...]:
    """Return the pairs that an end keeps after a full handshake, the latest first: the new one, and the one it used.

    Both ends certainly have the latter. A handshake cut off at its end, even repeatedly, leaves B without the new one.
    """
    known = [pair for pair in kept if used == pair_door(pair, name)] or list(kept[:1])
    return new, *known


def _door_key(key: bytes, name: str) -> bytes:
    return derived(key, "ndks tunnel door", name.encode())


class Buckets:
    """How many full handshakes each door may have: 4 at once, then 1 in 2 s. Times in seconds, of any steady clock."""

    def __init__(self) -> None:
        self._full_at: dict[bytes, float] = {}  # door: when its bucket is full again

    def admit(self, door: Door, now: float) -> bool:
        """Return whether the door may have a full handshake now, and count it if so."""
        full_at = max(self._full_at.pop(door.key, now), now)
        is_admitted = full_at + _INTERVAL <= now + _BURST * _INTERVAL
        self._full_at[door.key] = full_at + _INTERVAL if is_admitted else full_at
        if len(self._full_at) > _DOORS_COUNTED:  # doors of epochs that are gone
            self._full_at = {key: time for key, time in self._full_at.items() if time > now}
        return is_admitted
