# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What counts arrives once and in order, over any sequence of links between two processes.

Frames that count are numbered in each direction from 0 on, implicitly, and kept until the peer's ACK. A link begins
with an ACK each way, which says how many its sender has; what counts goes after the other's ACK, from that number on.

- The newest link wins. A newer one ends the older: END is the last frame on it each way; who gets END sends END.
- An end sends its first ACK on a link when it no longer reads an older one that has had its ACK: after END, or cut. So
  there is one link at a time on which it takes frames that count, and it never takes one twice.
- An older link may be cut at any time: nothing is lost. So wait only briefly for its END.
- A process that is not the one before knows nothing: kept frames are dropped, and both ends count from 0. One that was
  replaced and comes back remembers what this end has dropped, so this end becomes another process to it.
"""

import os
from collections import deque
from collections.abc import Callable

from .frames import ACK, CARRY, END, Frame, ack, frame
from .kept import DeliveryError, Disagreement, Kept

MOST_KEPT = 16 << 20  # bytes; readers of local connections pause beyond
_ACK_FRAMES = 16  # an ACK is due after so many frames, or so many bytes
_ACK_BYTES = 1 << 20
_FORMER = 1000  # processes


def _hold_memory() -> None:
    """Let the C library hold what frames have left for the next ones, instead of returning it to the system.

    glibc holds twice as much as the largest block that it got from the system and that was freed, at first 128 KB
    (mallopt(3), M_MMAP_THRESHOLD); an ACK frees 16 frames, which are 1 MB. This block is never written, so it takes no
    memory. It halves the CPU time of delivery and records.
    """
    bytearray(MOST_KEPT)


class Delivery:
    """One end of all links between two gateways under one name. `Attached` says what to call when."""

    def __init__(self, random: Callable[[int], bytes] = os.urandom) -> None:
        self._random = random
        self.process = random(16)  # this process to the peer, in the payloads of the handshake
        self.peer: bytes | None = None  # the peer's process
        self._former = deque[bytes](maxlen=_FORMER)
        self._links: list[Attached] = []
        _hold_memory()
        self._forget()

    def _forget(self) -> None:
        for link in tuple(self._links):
            link.cut()
        self.kept = Kept()
        self.received = 0  # frames that count
        self._said = 0  # of them acknowledged
        self._bytes_since = 0  # received since then
        self._is_ack_due = False
        self.newest: Attached | None = None  # None: a new link is wanted
        self._reading: Attached | None = None  # the one whose frames count

    @property
    def kept_bytes(self) -> int:
        """Memory of the frames that the peer has not acknowledged, the unsent ones included."""
        return self.kept.sent_bytes + self.kept.unsent_bytes

    @property
    def unsent_bytes(self) -> int:
        """Memory of the frames that wait for a link. Fairness: read local connections only while this is small."""
        return self.kept.unsent_bytes

    @property
    def is_full(self) -> bool:
        """16 MB are kept: read nothing from local connections. (CREDIT, FIN and RESET may still be counted.)"""
        return self.kept_bytes >= MOST_KEPT

    def count(self, content: bytes) -> None:
        """Take a packed frame that counts. It is sent when `newest` is asked for what is `next`."""
        self.kept.add(content)

    def acknowledge(self) -> None:
        """Let the next frame be an ACK, if one is owed: for a timer (50 ms). Every 16 frames or 1 MB, it is anyway."""
        self._is_ack_due = self.received != self._said

    def attach(self, own: bytes, peer: bytes) -> "Attached":
        """Take a link whose handshake is done at this end as the newest; it ends the older ones.

        own: `process` as the handshake sent it. peer: the peer's process. If that is not the one before, what was kept
        is dropped and older links count as cut (`Attached.is_reset`). Disagreement: close the link and `begin_again`,
        for the peer is a process that was replaced. DeliveryError: close it, for this end began again since then.
        """
        if own != self.process:
            raise DeliveryError("this end began again while the handshake went on", "it makes another link by itself")
        if peer in self._former:
            raise Disagreement("the peer's process is one that another had replaced")
        is_reset = self.peer is not None and self.peer != peer
        if self.peer is not None and is_reset:
            self._former.append(self.peer)
            self._forget()
        self.peer = peer
        self.newest = Attached(self, is_reset)
        self._links.append(self.newest)
        return self.newest

    def begin_again(self) -> None:
        """After Disagreement, or when numbers of streams are used up: be another process to the peer, count from 0.

        All links count as cut: close them. All streams are reset, here at once, at the peer with the next link.
        """
        self.process = self._random(16)
        self.peer = None
        self._former.clear()
        self._forget()

    # What follows is for Attached.

    def next_on(self, link: "Attached") -> bytes | None:
        """Return the next frame for the newest link."""
        if self._reading is not link:
            if self._reading:
                return None
            self._reading = link
            self._is_ack_due = True
        if self._is_ack_due:
            self._said = self.received
            self._bytes_since = 0
            self._is_ack_due = False
            return ack(self.received)
        return self.kept.take() if link.is_ready else None

    def note_counting(self, link: "Attached", content: Frame) -> None:
        if self._reading is not link:
            raise DeliveryError("the peer sent a frame that counts before it could know its number")
        self.received += 1
        self._bytes_since += len(content.data)
        if self.received - self._said >= _ACK_FRAMES or self._bytes_since >= _ACK_BYTES:
            self._is_ack_due = True

    def note_ack(self, link: "Attached", count: int) -> None:
        if self.newest is link and not link.is_ready:
            self.kept.resume(count)
        else:
            self.kept.acknowledge(count)

    def stop_reading(self, link: "Attached") -> None:
        if self._reading is link:
            self._reading = None
        if self.newest is link:
            self.newest = None

    def drop(self, link: "Attached") -> None:
        self._links.remove(link)


class Attached:
    """One link as delivery sees it.

    After each `receive` or `cut` of a link, and after `count` and `acknowledge`, ask that link, then `Delivery.newest`,
    for what is `next`, until they say None or their transports want a pause.
    """

    def __init__(self, delivery: Delivery, is_reset: bool) -> None:
        self.is_reset = is_reset  # the peer's process is not the one before: reset all streams, without frames
        self.is_ready = False  # the peer's ACK has come
        self._delivery = delivery
        self._end_said = False
        self._end_heard = False
        self._is_cut = False

    @property
    def is_over(self) -> bool:
        """Nothing more is sent or read on this link: close it when what was written has gone."""
        return self._is_cut or (self._end_said and self._end_heard)

    @property
    def may_talk(self) -> bool:
        """END is not sent: PING and CARRY, which are the caller's to send, may go over this link."""
        return not (self._is_cut or self._end_said)

    def next(self) -> bytes | None:
        """Return the next frame to seal and write, or None; it counts as sent."""
        if not self.may_talk:
            return None
        if self._delivery.newest is self:
            return self._delivery.next_on(self)
        self._end_said = True
        self._settle()
        return frame(END)

    def receive(self, content: Frame) -> bool:
        """Note a frame of this link; return whether the caller has to act on it (all kinds but ACK, PING and END).

        All frames of a link that was cut are ignored. DeliveryError, Disagreement.
        """
        if self._is_cut:
            return False
        if self._end_heard:
            raise DeliveryError("the peer sent a frame after END")
        if content.kind == ACK:
            self._delivery.note_ack(self, content.number)
            self.is_ready = True
        elif content.kind == END:
            self._end_heard = True
            self._delivery.stop_reading(self)
            self._settle()
        elif content.counts:
            self._delivery.note_counting(self, content)
        return content.counts or content.kind == CARRY

    def cut(self) -> None:
        """Note that the link is closed, whoever closed it: what it did not deliver goes over the next one."""
        if not self.is_over:
            self._is_cut = True
            self._delivery.stop_reading(self)
            self._delivery.drop(self)

    def _settle(self) -> None:
        if self._end_said and self._end_heard:
            self._delivery.drop(self)
