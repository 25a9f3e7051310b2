# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Packets as files in a folder, dir:FOLDER, which a synchroniser, a stick or mail carries from place to place.

Each agent writes files of its own names and changes no others, so that nothing collides, whoever copies them. A file is
never changed after it was written. A file that was copied in part, or altered, is read when it is whole.
"""

import logging
import os
import re
import struct
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from ..exceptions import NdksError, UsageError
from ..files import whole_file
from ..system_errors import file_error
from .carrier import BUNDLES, ROOM, WAITING, CarrierError, Receive, Received

_log = logging.getLogger(__name__)

MAGIC = b"ndks packets 1\n"
SUFFIX = ".ndkspackets"
_LOOK = 1.0  # seconds between two looks at the folder
_OWN_FILES = 1000  # that an agent leaves in the folder; the packets of older ones, others have asked for long ago
_LARGEST_FILE = 16 << 20  # bytes of a file that is read
_FILL = 1 << 20  # bytes of packets after which another file begins
_SIZE = ">I"
_DIGEST = 32
_NAME = re.compile(r"(?P<of>[0-9a-f]{16})-(?P<kind>p|g)(?P<number>\d{10})-[0-9a-f]{8}" + re.escape(SUFFIX))


class FolderCarrier:
    """A folder. `identity` is 16 lower-case hex digits; `memory` is a directory of the agent."""

    largest = None
    retains = True

    def __init__(self, url: str, identity: str, memory: Path) -> None:
        self.url = url
        self.problem: NdksError | None = None
        self._folder = Path(url.removeprefix("dir:"))
        if not str(url.removeprefix("dir:")) or not self._folder.is_dir():
            raise UsageError(f"{self._folder} is no folder", "name one that exists: dir:FOLDER")
        self._identity = identity
        self._memory = memory / f"read-{sha256(os.fsencode(self._folder.resolve())).hexdigest()[:16]}.txt"
        self._waiting: list[tuple[bytes, int | None]] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="folder", daemon=True)

    def start(self, receive: Receive) -> None:
        """Begin. FileError: what was read before is not known."""
        self._receive = receive
        try:
            self._reads_own = not self._memory.exists()  # whoever has no memory learns from what it wrote before
            self._read = set[str]() if self._reads_own else set(self._memory.read_text().split("\n"))
        except (OSError, UnicodeDecodeError) as error:
            raise file_error(error if isinstance(error, OSError) else OSError(f"{self._memory} is damaged")) from None
        self._under_way: dict[str, int] = {}  # packets of a file that are not taken yet
        self._thread.start()

    def send(self, packet: bytes, generation: int | None = None, *, passing: bool = False) -> bool:  # noqa: ARG002
        with self._lock:
            if len(self._waiting) >= WAITING:
                return False
            self._waiting.append((packet, generation))
        return True

    @property
    def has_room(self) -> bool:
        with self._lock:
            return not self.problem and len(self._waiting) < ROOM

    @property
    def is_idle(self) -> bool:
        with self._lock:
            return not self._waiting

    def close(self) -> None:
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def _run(self) -> None:
        is_last = False
        while not is_last:
            is_last = self._closing.wait(_LOOK)
            try:
                self._write()
                if not is_last:
                    self._look()
                self._tell(None)
            except OSError as error:
                self._tell(CarrierError(str(file_error(error)), file_error(error).advice))

    def _tell(self, problem: NdksError | None) -> None:
        if problem and str(problem) != str(self.problem):
            _log.warning("%s: %s", self.url, problem)
        self.problem = problem

    def _write(self) -> None:
        """Write what waits: the packets into one file, or more; each bundle into its own."""
        while waiting := self._next_file():
            generation = waiting[0][1]
            content = packed([packet for packet, _ in waiting])
            kind, number = ("p", self._next_number()) if generation is None else ("g", generation)
            name = self._name(kind, number, content)
            with whole_file(self._folder / name, private=False) as file:
                file.write(content)
            with self._lock:
                self._read.add(name)
                del self._waiting[: len(waiting)]
        self._remove_old()

    def _next_file(self) -> list[tuple[bytes, int | None]]:
        with self._lock:
            chosen: list[tuple[bytes, int | None]] = []
            size = 0
            for packet, generation in self._waiting:
                if chosen and (generation is not None or size + len(packet) > _FILL):
                    break
                chosen.append((packet, generation))
                size += len(packet)
                if generation is not None:
                    break
            return chosen

    def _own(self, kind: str) -> list[tuple[int, str]]:
        """Return the numbers and names of this agent's files, the oldest first."""
        found = (_NAME.fullmatch(name) for name in os.listdir(self._folder))  # noqa: PTH208 (names are enough)
        return sorted(
            (int(each["number"]), each[0])
            for each in found
            if each and (each["of"], each["kind"]) == (self._identity, kind)
        )

    def _next_number(self) -> int:
        own = self._own("p")
        return own[-1][0] + 1 if own else 1

    def _name(self, kind: str, number: int, content: bytes) -> str:
        """Return a name that no other content ever has, also in a folder that somebody has emptied."""
        return f"{self._identity}-{kind}{number:010}-{sha256(content).hexdigest()[:8]}{SUFFIX}"

    def _remove_old(self) -> None:
        for kind, kept in (("p", _OWN_FILES), ("g", BUNDLES)):
            for _, name in self._own(kind)[:-kept]:
                (self._folder / name).unlink(missing_ok=True)

    def _look(self) -> None:
        """Read the files of others that are new here."""
        names = {name for name in os.listdir(self._folder) if _NAME.fullmatch(name)}  # noqa: PTH208
        if gone := self._read - names:
            self._read -= gone
        for name in sorted(names - self._read - self._under_way.keys()):
            if (self._reads_own or not name.startswith(self._identity)) and (
                packets := self._packets(name)
            ) is not None:
                self._deliver(name, packets)

    def _packets(self, name: str) -> list[bytes] | None:
        path = self._folder / name
        try:
            if path.stat().st_size > _LARGEST_FILE:
                return None
            return unpacked(path.read_bytes())
        except (OSError, ValueError):
            return None  # it is being copied, or damaged

    def _deliver(self, name: str, packets: list[bytes]) -> None:
        self._under_way[name] = len(packets)
        for packet in packets:
            self._receive(Received(packet, lambda: self._taken(name)))
        if not packets:
            self._taken(name)

    def _taken(self, name: str) -> None:
        """Count a packet that is stored; after the last, remember the file."""
        with self._lock:
            left = self._under_way.get(name, 1) - 1
            if left > 0:
                self._under_way[name] = left
                return
            self._read.add(name)
            text = "\n".join(sorted(self._read))
            try:
                with whole_file(self._memory, private=True) as file:
                    file.write(text.encode())
            except (OSError, NdksError) as error:  # after a restart it is read again, which does no harm
                _log.warning("%s: cannot note what was read: %s", self.url, error)
            self._under_way.pop(name, None)


def packed(packets: list[bytes]) -> bytes:
    """Return the content of a file with these packets."""
    content = MAGIC + b"".join(struct.pack(_SIZE, len(packet)) + packet for packet in packets)
    return content + sha256(content).digest()


def unpacked(content: bytes) -> list[bytes]:
    """Return the packets of a file. ValueError: it is not whole."""
    body, digest = content[:-_DIGEST], content[-_DIGEST:]
    if not body.startswith(MAGIC) or sha256(body).digest() != digest:
        raise ValueError
    return list(_split(body[len(MAGIC) :]))


def _split(body: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(body):
        (size,) = struct.unpack_from(_SIZE, body, start)
        start += struct.calcsize(_SIZE)
        if start + size > len(body):
            raise ValueError
        yield body[start : start + size]
        start += size
