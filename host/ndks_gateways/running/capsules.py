# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Contents of streams as capsules that the unit itself seals and opens (mode b), one after another: slow.

A DATA frame then has a capsule in place of the bytes. What is sent again over a later link is the same capsule.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable

from ndks.exceptions import DeviceError, NdksError
from ndks_protocol.commands import MAX_CHUNK

from ..held import UnitAway
from .gate import BEHIND, Gate
from .tally import Tally

_log = logging.getLogger(__name__)

_HEADER, _TAG, _FRAMING = 37, 16, 16  # bytes: of a capsule, of each of its chunks, of sync word and check value
MOST_PLAIN = 4 * MAX_CHUNK - _FRAMING  # bytes in one capsule: a connection that has little waits for no more than that
_PAUSE = 1.0  # seconds after which a unit that has refused is asked again
_BEHIND_FOR = 30.0  # seconds in which a unit may enter the generation of what it does not know

Done = Callable[[bytes], object]


class Unopened(NdksError):
    """A capsule that came cannot be opened, and never will be."""

    code = "CAPSULE"
    exit_status = 5


def size_of(plain: int) -> int:
    """Return the size of a capsule with `plain` bytes of data."""
    chunks = -(-(plain + _FRAMING) // MAX_CHUNK)
    return _HEADER + plain + _FRAMING + _TAG * chunks


def most_plain(credit: int) -> int:
    """Return the most bytes that may be sealed if the capsule may have `credit` bytes."""
    most = min(MOST_PLAIN, max(0, credit - _HEADER - _FRAMING - _TAG))
    while most and size_of(most) > credit:
        most -= _TAG
    return max(0, most)


class Capsules:
    """Seals and opens at the unit, in the order in which it is asked, each way."""

    def __init__(self, gate: Gate, cipher: str, tally: Tally) -> None:
        self._gate = gate
        self._cipher = cipher
        self._tally = tally
        self._behind_until: float | None = None  # by the loop's clock: nothing was opened since one that is not known
        self._sealing = _Line(self._seal)
        self._opening = _Line(self._open)

    async def run(self) -> None:
        """Work until this is cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sealing.run())
            group.create_task(self._opening.run())

    def seal(self, data: bytes, done: Done) -> None:
        """Call `done` with the capsule of the data, later."""
        self._sealing.put(data, done, done)

    def open(self, capsule: bytes, done: Done, refused: Done) -> None:
        """Call `done` with the data in a capsule, later; `refused` if it cannot be opened."""
        self._opening.put(capsule, done, refused)

    def after_opening(self, do: Callable[[], object]) -> None:
        """Do something once all that was given to `open` so far is opened."""
        self._opening.put(b"", lambda _: do(), lambda _: do())

    async def _seal(self, data: bytes) -> bytes:
        """Seal data, however long the unit is away."""
        while True:
            try:
                begun = time.perf_counter()
                capsule = await self._gate.call(lambda unit: unit.seal(data, cipher=self._cipher, mode="b"))
            except NdksError as error:
                await self._wait(error)
            else:
                self._tally.capsule_seconds += time.perf_counter() - begun
                self._tally.capsule_bytes += len(data)
                return capsule

    async def _open(self, capsule: bytes) -> bytes:
        """Open a capsule, however long the unit is away. Unopened."""
        while True:
            known = self._gate.changes
            try:
                data = await self._gate.call(lambda unit: unit.unseal(capsule, mode="b", again=True, allow_jump=True))
            except NdksError as error:
                if isinstance(error, DeviceError) and error.number in BEHIND:
                    await self._catch_up(known, error)
                elif isinstance(error, DeviceError) and error.code not in ("CONFLICT", "BUSY", "SESSION_ENDED"):
                    raise _refused(error) from None
                else:
                    await self._wait(error)
                    self._behind_until = None  # while the unit was away, it could enter no generation
            else:
                self._behind_until = None
                return data

    async def _catch_up(self, known: int, error: NdksError) -> None:
        """Wait until there is news of the unit: the other one may have entered a generation before it. Unopened."""
        if self._behind_until is None:
            self._behind_until = asyncio.get_running_loop().time() + _BEHIND_FOR
        try:
            async with asyncio.timeout_at(self._behind_until):
                await self._gate.wait_change(known)
        except TimeoutError:
            raise _refused(error) from None

    async def _wait(self, error: NdksError) -> None:
        if not isinstance(error, UnitAway):
            _log.warning("%s: %s; it is tried again", error.code, error)
        await asyncio.sleep(_PAUSE)
        await self._gate.wait_present()


def _refused(error: NdksError) -> Unopened:
    return Unopened(f"a capsule was refused: {error}", error.advice)


class _Line:
    """What the unit works on, one after another."""

    def __init__(self, work: Callable[[bytes], Awaitable[bytes]]) -> None:
        self._work = work
        self._waiting: deque[tuple[bytes, Done, Done]] = deque()
        self._more = asyncio.Event()

    def put(self, data: bytes, done: Done, refused: Done) -> None:
        """Add data; empty data are done without work when it is their turn."""
        self._waiting.append((data, done, refused))
        self._more.set()

    async def run(self) -> None:
        while True:
            while self._waiting:
                data, done, refused = self._waiting.popleft()
                await self._do(data, done, refused)
            self._more.clear()
            await self._more.wait()

    async def _do(self, data: bytes, done: Done, refused: Done) -> None:
        try:
            result = await self._work(data) if data else b""
        except Unopened as error:
            _log.warning("%s: %s", error.code, error)
            refused(b"")
        else:
            done(result)
