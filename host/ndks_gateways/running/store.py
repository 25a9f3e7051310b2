# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What an end of a tunnel keeps on the disk: its own static key, the pinned peer, and pair doors.

One file of mode 0600 in NDKS_HOME/tunnels/NAME/END, replaced as a whole at each change. It holds no key of a link.
"""

import contextlib
import json
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from filelock import FileLock, Timeout

from ndks import strict_json
from ndks.exceptions import FileError, NdksError, UsageError, reason
from ndks.files import read_private
from ndks.on_disk import sync_directory
from ndks.paths import make_private_directory
from ndks.refusals import UPGRADE_HOST
from ndks.system_errors import file_errors
from ndks.whole_file import write_private
from ndks.word_list import spoken_words

from .places import KEYS, directory_of, ends_of, names

FORMAT = 1
_LOCK = "lock"
_KEY_SIZE = 32
_MOST_PAIRS = 2
_LAST_LANE = 0xFFFF


class TunnelBusy(NdksError):
    """Another process runs this end of the tunnel here."""

    code = "TUNNEL_BUSY"
    exit_status = 4


class Pinned(NamedTuple):
    """The peer of the first link: the lane of its unit, and the static key of its gateway."""

    lane: int
    static: bytes


class Store:
    """The file of one end, which this process has locked. Each change is on the disk when the method returns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.static, self.peer, self.pairs = _loaded(path) if path.exists() else _made(path)

    def pin(self, peer: Pinned) -> None:
        """Keep the peer of the first link. FileError."""
        self._keep(peer, self.pairs)

    def keep_pairs(self, pairs: tuple[bytes, ...]) -> None:
        """Keep these pairs (`doors.pairs_to_keep`), and no others. FileError."""
        self._keep(self.peer, pairs)

    def drop_pairs(self) -> None:
        """Forget the pair doors: the peer was revoked. FileError."""
        self._keep(self.peer, ())

    def forget(self) -> None:
        """Forget peer and pair doors: the next full handshake pins anew. FileError."""
        self._keep(None, ())

    @property
    def own_words(self) -> str:
        """Six words of this gateway's static key: the other end shows them as those of its peer.

        Each key has words of its own. If the words were of both keys together, somebody in between could find two
        keys, one for each end, with the same words: that takes 2^33 trials, but the words of one given key take 2^66.
        """
        return spoken_words(self.static.public_key().public_bytes_raw())

    @property
    def peer_words(self) -> str:
        """Six words of the peer's static key, "" without one."""
        return spoken_words(self.peer.static) if self.peer else ""

    def _keep(self, peer: Pinned | None, pairs: tuple[bytes, ...]) -> None:
        _write(self._path, self.static, peer, pairs)
        self.peer, self.pairs = peer, pairs


@contextlib.contextmanager
def opened(name: str, end: str, *, create: bool = True) -> Generator[Store]:
    """Lock the file of an end and load it, or make it. UsageError, TunnelBusy; FileError, also for a damaged one."""
    directory = directory_of(name, end)
    if not create and not (directory / KEYS).exists():
        known = ", ".join(names())
        which = f"{name} with --{end}" if ends_of(name) else name
        raise UsageError(f"there is no tunnel {which}", f"choose from {known}" if known else "there is none at all")
    with file_errors():
        make_private_directory(directory)
    lock = FileLock(directory / _LOCK, timeout=0, mode=0o600, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        what = f"tunnel {name} already runs with --{end}"
        raise TunnelBusy(what, f"see ndks tunnel status {name}; or end it first") from None
    except OSError as error:
        raise FileError(f"{directory / _LOCK} cannot be locked: {reason(error)}") from None
    try:
        yield Store(directory / KEYS)
    finally:
        with contextlib.suppress(OSError):  # harmless: the lock ends with this process
            lock.release()


def _made(path: Path) -> tuple[X25519PrivateKey, None, tuple[()]]:
    static = X25519PrivateKey.generate()
    _write(path, static, None, ())
    sync_directory(path.parent.parent, f"{path} is complete")
    return static, None, ()


def _write(path: Path, static: X25519PrivateKey, peer: Pinned | None, pairs: tuple[bytes, ...]) -> None:
    values = {
        "ndks_tunnel": FORMAT,
        "static": static.private_bytes_raw().hex(),
        "peer": {"lane": peer.lane, "static": peer.static.hex()} if peer else None,
        "pairs": [pair.hex() for pair in pairs],
    }
    with file_errors():
        write_private(path, json.dumps(values).encode() + b"\n")


def _loaded(path: Path) -> tuple[X25519PrivateKey, Pinned | None, tuple[bytes, ...]]:
    with file_errors():
        content = read_private(path)
    try:
        values: Any = strict_json.loads(content)
        if not strict_json.is_version(values["ndks_tunnel"], FORMAT):
            raise FileError(f"{path} has another format version", UPGRADE_HOST)
        static = X25519PrivateKey.from_private_bytes(_key(values["static"]))
        pairs = tuple(map(_key, values["pairs"]))
        if len(pairs) > _MOST_PAIRS:
            raise ValueError
        return static, _peer(values["peer"]), pairs
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        advice = f"move {path} away; then the peer has to forget this gateway: ndks tunnel forget NAME, there"
        raise FileError(f"{path} is damaged", advice) from None


def _peer(values: Any) -> Pinned | None:
    if values is None:
        return None
    lane = values["lane"]
    if type(lane) is not int or not 0 < lane <= _LAST_LANE:  # not a bool
        raise ValueError
    return Pinned(lane, _key(values["static"]))


def _key(text: Any) -> bytes:
    key = bytes.fromhex(text)
    if len(key) != _KEY_SIZE:
        raise ValueError
    return key
