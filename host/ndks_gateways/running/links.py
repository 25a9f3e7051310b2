# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""An established link: records over one TCP connection, and whether it is alive."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any, Protocol

from ndks.exceptions import NdksError

from ..tunnel import frames
from ..tunnel.delivery import Attached
from ..tunnel.frames import Frame
from ..tunnel.handshake import Established
from ..tunnel.records import Opener, Sealer
from .listening import host_of
from .settings import Address

PING_AFTER = 5.0  # seconds in which nothing was sent
DEAD_AFTER = 15.0  # seconds in which nothing came
OLD_FOR = 30.0  # seconds after which an older link is cut
QUIET = 0.5  # seconds that an older link may be silent before its END: after that, the line may have failed
_TICK = 1.0
# Bytes that wait in front of a small frame: in this process, and in the system before they are sent. Few, for a round
# trip beside a saturated stream; enough to keep the line busy while the event loop does something else.
_HIGH, _LOW = 128 << 10, 32 << 10
_UNSENT = 128 << 10


class User(Protocol):
    """What a link serves."""

    def received(self, link: "Link", frame: Frame) -> None:
        """Take a frame. NdksError: it breaks a rule, and the link ends."""
        ...

    def settle(self, link: "Link") -> None:
        """Note that all frames that had come were received, or that the link takes more."""
        ...

    def lost(self, link: "Link", problem: NdksError | None) -> None:
        """Note that the link is closed. Nothing is received from it any more."""
        ...


class Link(asyncio.BufferedProtocol):
    """One link. Frames that wait in `attached` are written as long as the line takes them."""

    def __init__(self, established: Established, attached: Attached, user: User) -> None:
        self.established = established
        self.attached = attached
        self.since = time.time()
        self.is_full = False
        self.is_lost = False
        self.is_confirmed = False  # a record has come
        self.peer_has_udp = False
        self.was_cut = False  # it was lost before all was said and heard
        self._user = user
        self._sealer = Sealer(established.send_key)
        self._opener = Opener(established.receive_key)
        self._loop = asyncio.get_running_loop()
        self._heard = self._spoke = self._loop.time()
        self._problem: NdksError | None = None
        self._transport: asyncio.Transport | None = None
        self._name: Any = ()
        self._ticking: asyncio.TimerHandle | None = None
        self._ending: asyncio.TimerHandle | None = None
        self._quiet: asyncio.TimerHandle | None = None
        self._is_heard_out = False  # END came

    def start(self, transport: asyncio.Transport) -> None:
        """Take the connection over from the handshake, which has read nothing beyond it."""
        self._transport = transport
        self._name = transport.get_extra_info("peername") or ()
        with contextlib.suppress(OSError, AttributeError):  # not on all systems
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)
        transport.set_write_buffer_limits(_HIGH, _LOW)
        transport.set_protocol(self)
        transport.resume_reading()
        self._ticking = self._loop.call_later(_TICK, self._tick)
        if transport.is_closing():  # it was lost since the handshake, and nobody was told
            self.connection_lost(None)

    @property
    def records(self) -> int:
        """Records sent and received."""
        return self._sealer.records + self._opener.records

    @property
    def octets(self) -> int:
        """Bytes of frames sent and received."""
        return self._sealer.octets + self._opener.octets

    @property
    def has_heard(self) -> bool:
        """Whether a record has come."""
        return self._opener.records > 0

    @property
    def is_spent(self) -> bool:
        """Whether a key of this link is nearly used up: it is time for another link."""
        return self._sealer.is_spent or self._opener.is_spent

    @property
    def is_idle(self) -> bool:
        """Whether the line has taken all that was written."""
        return self._transport is not None and not self._transport.get_write_buffer_size()

    @property
    def address(self) -> str:
        """HOST:PORT of the other end, as the system sees it."""
        return str(Address(self.host, self._name[1])) if self._name else ""

    @property
    def host(self) -> str:
        """The IP address of the other end."""
        return host_of(self._name) if self._name else ""

    def pump(self) -> None:
        """Write what waits, as long as the line takes it; close when all is said and heard."""
        while self._takes and not self.is_full and (frame := self.attached.next()) is not None:
            self._write(frame)
        if self.attached.is_over and self._takes and self._transport:
            self._transport.close()
            self.retire()

    def talk(self, frame: bytes) -> bool:
        """Write a frame that does not count, PING or CARRY, unless END was sent; return whether it was written."""
        if not self._takes or not self.attached.may_talk:
            return False
        self._write(frame)
        return True

    def retire(self) -> None:
        """Cut this link after a while: it must not stay."""
        if not self._ending:
            self._ending = self._loop.call_later(OLD_FOR, self.abort)

    def replace(self) -> None:
        """Read this link to its END, for there is a newer one; cut it if it falls quiet before that."""
        self.retire()
        if not self._quiet:
            self._heard = max(self._heard, self._loop.time())
            self._await_quiet()
        self.pump()

    def abort(self, problem: NdksError | None = None) -> None:
        """Cut the link now; what it did not deliver goes over the next one."""
        self._problem = self._problem or problem
        if self._transport:
            self._transport.abort()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        return self._opener.room()

    def buffer_updated(self, nbytes: int) -> None:
        self._heard = self._loop.time()
        self._take(self._opener.filled(nbytes))

    def eof_received(self) -> None:
        """Let the transport close: no end closes before END was sent both ways, so the network did it."""

    def pause_writing(self) -> None:
        self.is_full = True

    def resume_writing(self) -> None:
        self.is_full = False
        # Later: asyncio up to Python 3.11 fails when a write fails in here.
        self._loop.call_soon(self._go_on)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if self.is_lost:
            return
        self.is_lost = True
        self.was_cut = not self.attached.is_over
        for timer in self._ticking, self._ending, self._quiet:
            if timer:
                timer.cancel()
        self.attached.cut()
        self._user.lost(self, self._problem)

    @property
    def _takes(self) -> bool:
        """Whether it is neither closed nor about to be."""
        return self._transport is not None and not self._transport.is_closing()

    def _go_on(self) -> None:
        if not self.is_lost:
            self._user.settle(self)

    def _take(self, contents: Iterator[bytes]) -> None:
        try:
            for content in contents:
                frame = frames.parse(content)
                self._is_heard_out |= frame.kind == frames.END
                self._user.received(self, frame)
                if self.is_lost:
                    return
        except NdksError as error:  # of records, frames, delivery or streams
            self.abort(error)
        else:
            self._user.settle(self)

    def _write(self, frame: bytes) -> None:
        assert self._transport is not None
        try:
            record = self._sealer.seal(frame)
        except NdksError as error:  # the key is used up, and no other link came in time
            self.abort(error)
            return
        self._spoke = self._loop.time()
        self._transport.write(record)

    def _await_quiet(self) -> None:
        left = self._heard + QUIET - self._loop.time()
        if left > 0:
            self._quiet = self._loop.call_later(left, self._await_quiet)
        elif not self._is_heard_out:  # else it stays until all that it has to say has left
            self.abort()

    def _tick(self) -> None:
        now = self._loop.time()
        self._ticking = self._loop.call_later(_TICK, self._tick)
        if now >= self._heard + DEAD_AFTER:
            self.abort()
        elif now >= self._spoke + PING_AFTER and not self.is_full:
            self.talk(frames.frame(frames.PING))
