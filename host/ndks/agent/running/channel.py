# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The channel of a network for a command of its administrator, which has no unit: it learns, and publishes bundles."""

import contextlib
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ...carriers.carrier import Carrier, Received
from ...carriers.opening import open_carrier
from .inputs import Inputs
from .office import Office
from .publishing import bundle_in, publish

_SHOWN = 4.0  # seconds after which a carrier has shown what it retains
_TICK = 1.0  # seconds
_SLICE = 0.1  # seconds between two checks of whether all is done


@dataclass(frozen=True)
class Published:
    """Whether a member was heard in the newest generation, and whether all carriers have the bundles, and keep them."""

    heard: bool
    retained: bool


class Channel:
    """The carriers, and the administrator's office. Bundles of other administrators are learned, and merged."""

    def __init__(self, office: Office, carriers: Sequence[Carrier]) -> None:
        self._office = office
        self._carriers = carriers
        self._inputs = Inputs()
        self._ticked = time.monotonic()

    def start(self, stack: contextlib.ExitStack) -> None:
        """Begin; the carriers are closed by `stack`. NdksError."""
        for carrier in self._carriers:
            carrier.start(self._inputs.receive)
            stack.callback(carrier.close)
        stack.callback(self._inputs.end)

    def learn(self) -> None:
        """Learn what the channel retains: no change is made without what other administrators have done before.

        The newest first: otherwise a copy from a backup would answer an older one with a generation that already
        exists.
        """
        if any(carrier.retains for carrier in self._carriers):
            bundles = dict[bytes, int]()  # those of administrators: strangers could send any number

            def take(packet: bytes) -> None:
                if (bundle := bundle_in(packet)) is None:
                    self._take(packet)
                elif bundle.is_signed_by(self._office.public):
                    bundles[packet] = bundle.g

            self._run(_SHOWN, lambda: False, take)
            for packet in sorted(bundles, key=lambda packet: -bundles[packet]):
                self._take(packet)

    @property
    def has_merged(self) -> bool:
        """Whether what came has made a merge necessary, which the file now has."""
        return self._office.has_merged

    @property
    def retains(self) -> bool:
        """Whether all carriers retain bundles, so that no member needs to be heard."""
        return all(carrier.retains for carrier in self._carriers)

    def publish(self, seconds: float, *, is_anybody: bool = True) -> Published:
        """Publish all bundles, the newest again and again for so many seconds, until a member is heard in that one.

        Where all carriers retain bundles, or nobody is there to be heard, it is enough that they have them. NdksError:
        a carrier has not taken them.
        """
        for packet in self._office.publish():
            publish(self._carriers, packet)
        self._run(seconds, self._is_done if is_anybody else self._has_left)
        problem = next((carrier.problem for carrier in self._carriers if carrier.problem), None)
        if problem and not self._office.is_heard:
            raise problem
        return Published(self._office.is_heard, self._is_retained())

    def _is_done(self) -> bool:
        return self._office.is_heard or self._is_retained()

    def _is_retained(self) -> bool:
        return self.retains and self._has_left()

    def _has_left(self) -> bool:
        return all(carrier.is_idle and not carrier.problem for carrier in self._carriers)

    def _run(self, seconds: float, is_done: Callable[[], bool], take: Callable[[bytes], object] | None = None) -> None:
        """Let time pass, and `take` packets, by default at once."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not is_done():
            received = self._inputs.take(_SLICE, packets=True)
            if isinstance(received, Received):
                (take or self._take)(received.packet)
                received.taken()
            ticks = int((time.monotonic() - self._ticked) / _TICK)
            self._ticked += ticks * _TICK
            self._send(self._office.tick(ticks) if ticks else [])

    def _take(self, packet: bytes) -> None:
        self._send(self._office.receive(packet))

    def _send(self, packets: list[bytes]) -> None:
        for packet in packets:
            publish(self._carriers, packet)


@contextlib.contextmanager
def channel(path: Path, urls: Sequence[str]) -> Generator[Channel]:
    """Open the channel for the file of an administrator. NdksError."""
    office = Office(path)
    # An identity of its own, always the same: brokers keep something for each.
    identity = sha256(b"ndks administrator %d" % office.number + office.public).hexdigest()[:16]
    with contextlib.ExitStack() as stack:
        # What was read is forgotten: the file may be older, from a copy.
        memory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ndks-")))
        opened = Channel(office, [open_carrier(url, identity, memory) for url in urls])
        opened.start(stack)
        yield opened
