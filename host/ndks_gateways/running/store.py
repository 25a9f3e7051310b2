# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a tunnel keeps on the disk: its own static key, the pinned peer, and pair doors."""

import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey


class Pinned(NamedTuple):
    """The peer of the first link: the lane of its unit, and the static key of its gateway."""

    lane: int
    static: bytes


class Store:
    """The file of one tunnel, which this process has locked. Each change is on the disk when the method returns."""

    static: X25519PrivateKey
    peer: Pinned | None
    pairs: tuple[bytes, ...]  # the latest first; secrets

    def pin(self, peer: Pinned) -> None:
        """Keep the peer of the first link. FileError."""
        raise NotImplementedError

    def keep_pair(self, pair: bytes, most: int) -> None:
        """Keep the pair door of a full handshake, and the ones before it, `most` in all. FileError."""
        raise NotImplementedError

    def drop_pairs(self) -> None:
        """Forget the pair doors: the peer was revoked. FileError."""
        raise NotImplementedError

    def forget(self) -> None:
        """Forget peer and pair doors; the next full handshake pins anew. FileError."""
        raise NotImplementedError

    @property
    def own_words(self) -> str:
        """Six words of the own static key, as the other end shows them for its peer."""
        raise NotImplementedError

    @property
    def peer_words(self) -> str:
        """Six words of the peer's static key, "" without one."""
        raise NotImplementedError


@contextlib.contextmanager
def opened(name: str) -> Generator[Store]:
    """Lock and load the file of a tunnel, or make it. UsageError for the name; TunnelBusy, FileError."""
    raise NotImplementedError


def directory_of(name: str) -> Path:
    """NDKS_HOME/tunnels/NAME. UsageError for a name that is none."""
    raise NotImplementedError
