# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Packets as files in a folder, dir:FOLDER, which a sync program, a USB stick or mail carries from place to place.

Each agent writes files under names of its own and changes no others, so that nothing collides, whoever copies them. A
file is never changed once it is written. A file that was copied only in part, or altered, is read once it is whole.
Strangers may put anything into the folder, even things that are not files.
"""

import os
import re
import threading
import time
from hashlib import sha256
from pathlib import Path

from ..exceptions import NdksError, UsageError
from ..system_errors import file_error
from ..whole_file import whole_file, write_private
from .carrier import BUNDLES, ROOM, WAITING, Receive, Received, problem_of, tell
from .packet_file import FILL, content_of, packed, unpacked

SUFFIX = ".ndkspackets"
_LOOK = 1.0  # seconds between two scans of the folder
_EASE = 10  # times as long as a scan has taken: no folder, however full, takes more of the processor than that
_OWN_FILES = 1000  # that an agent leaves in the folder; others have long since asked for the packets of older ones
_LAST_NUMBER = 10**10 - 1  # as many digits as a name has
_LONGEST_PAUSE = 600.0  # seconds until a file that was not whole is read again, if it does not change
_NAME = re.compile(r"(?P<of>[0-9a-f]{16})-(?P<kind>p|g)(?P<number>[0-9]{10})-[0-9a-f]{8}" + re.escape(SUFFIX))


class _Damaged:
    """A file that was not whole: it is read again when it has changed, and now and then, as clocks may be coarse."""

    def __init__(self, state: tuple[int, int], pause: float) -> None:
        self.state = state
        self.pause = pause
        self.again_at = time.monotonic() + pause


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
        self._damaged: dict[str, _Damaged] = {}
        self._under_way: dict[str, int] = {}  # packets of a file that have not been taken yet
        self._is_noted = True  # whether `memory` has everything that was read
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="folder", daemon=True)

    def start(self, receive: Receive) -> None:
        """Begin. FileError: it cannot be found out what was read before."""
        self._receive = receive
        try:
            self._reads_own = not self._memory.exists()  # an agent without memory learns from what it wrote before
            # A damaged entry names no file, so that file is read again, which does no harm.
            noted = [] if self._reads_own else self._memory.read_text("ascii", errors="replace").split("\n")
            written = os.listdir(self._folder) if self._reads_own else noted  # noqa: PTH208
        except OSError as error:
            raise file_error(error) from None
        self._read = set(noted)
        self._written = {name for name in written if name.startswith(self._identity)}
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
        is_last, took = False, 0.0
        while not is_last:
            is_last = self._closing.wait(max(_LOOK, _EASE * took))
            began = time.monotonic()
            try:
                self._pass(looks=not is_last)
                tell(self, None)
            except Exception as error:  # whatever happens, the carrier goes on
                tell(self, problem_of(error))
            took = time.monotonic() - began

    def _pass(self, *, looks: bool) -> None:
        names = {name for name in os.listdir(self._folder) if _NAME.fullmatch(name)}  # noqa: PTH208 (names are enough)
        self._write(names)
        if looks:
            self._look(names)
        self._note()

    def _write(self, names: set[str]) -> None:
        """Write what waits: the packets into one file, or more; each bundle into its own. Add them to `names`."""
        is_written = False
        while waiting := self._next_file():
            generation = waiting[0][1]
            content = packed([packet for packet, _ in waiting])
            kind, number = ("p", self._next_number(names)) if generation is None else ("g", generation)
            name = self._name(kind, number, content)
            with whole_file(self._folder / name, private=False) as file:
                file.write(content)
            with self._lock:
                self._read.add(name)
                self._written.add(name)
                self._is_noted = False
                del self._waiting[: len(waiting)]
            names.add(name)
            is_written = True
        if is_written:
            self._remove_old(names)

    def _next_file(self) -> list[tuple[bytes, int | None]]:
        with self._lock:
            chosen: list[tuple[bytes, int | None]] = []
            size = 0
            for packet, generation in self._waiting:
                if chosen and (generation is not None or size + len(packet) > FILL):
                    break
                chosen.append((packet, generation))
                size += len(packet)
                if generation is not None:
                    break
            return chosen

    def _own(self, kind: str, names: set[str]) -> list[tuple[int, str]]:
        """Return the numbers and names of this agent's files, the oldest first; none that others made in its name."""
        self._written &= names
        found = (_NAME.fullmatch(name) for name in self._written)
        return sorted((int(each["number"]), each[0]) for each in found if each and each["kind"] == kind)

    def _next_number(self, names: set[str]) -> int:
        own = self._own("p", names)
        return own[-1][0] % _LAST_NUMBER + 1 if own else 1

    def _name(self, kind: str, number: int, content: bytes) -> str:
        """Return a name that no other content ever has, even in a folder that somebody has emptied."""
        return f"{self._identity}-{kind}{number:010}-{sha256(content).hexdigest()[:8]}{SUFFIX}"

    def _remove_old(self, names: set[str]) -> None:
        for kind, kept in (("p", _OWN_FILES), ("g", BUNDLES)):
            for _, name in self._own(kind, names)[:-kept]:
                (self._folder / name).unlink(missing_ok=True)

    def _look(self, names: set[str]) -> None:
        """Read others' files that are new here."""
        with self._lock:
            self._read &= names
        self._damaged = {name: damaged for name, damaged in self._damaged.items() if name in names}
        for name in sorted(names - self._read - self._under_way.keys()):
            if (self._reads_own or not name.startswith(self._identity)) and (
                packets := self._packets(name)
            ) is not None:
                self._deliver(name, packets)
                self._write(names)  # the loop may take long, and own packets do not wait for it

    def _packets(self, name: str) -> list[bytes] | None:
        """Return the packets of a file, None if it is not whole."""
        try:
            state = _state(self._folder / name)
        except OSError:
            return None
        damaged = self._damaged.get(name)
        if damaged and damaged.state == state and time.monotonic() < damaged.again_at:
            return None
        try:
            packets = unpacked(content_of(self._folder / name))
        except (OSError, ValueError):  # it is being copied, or damaged
            pause = 2 * damaged.pause if damaged and damaged.state == state else _LOOK
            self._damaged[name] = _Damaged(state, min(pause, _LONGEST_PAUSE))
            return None
        self._damaged.pop(name, None)
        return packets

    def _deliver(self, name: str, packets: list[bytes]) -> None:
        self._under_way[name] = len(packets)
        for packet in packets:
            self._receive(Received(packet, lambda: self._taken(name), self.url))
        if not packets:
            self._taken(name)

    def _taken(self, name: str) -> None:
        """Count a packet that is stored; after the last one, the file counts as read."""
        with self._lock:
            left = self._under_way.get(name, 1) - 1
            if left > 0:
                self._under_way[name] = left
                return
            self._read.add(name)
            self._is_noted = False
            self._under_way.pop(name, None)

    def _note(self) -> None:
        """Remember what was read, for all files at once; what is not noted is read again after a restart."""
        with self._lock:
            if self._is_noted:
                return
            text = "\n".join(sorted(self._read))
            self._is_noted = True
        try:
            write_private(self._memory, text.encode())
        except BaseException:
            self._is_noted = False
            raise


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
