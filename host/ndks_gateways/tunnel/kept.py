# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Frames of this end that count, until the peer has them; numbered in their order, from 0 on."""

from collections import deque

from ndks.exceptions import NdksError

_OVERHEAD = 48  # bytes of memory for a frame beside its own


class DeliveryError(NdksError):
    """The peer broke a rule (a frame that counts too early, or any after END), or the link came late. The link ends."""

    code = "TUNNEL_DELIVERY"
    exit_status = 4
    usual_advice = "use the same version of ndks at both ends"


class Disagreement(DeliveryError):
    """The ends remember different histories (a process was replaced and came back, say): `Delivery.begin_again`."""

    code = "TUNNEL_DISAGREEMENT"
    usual_advice = "the connections in the tunnel end; run each end of a tunnel once"


class Kept:
    def __init__(self) -> None:
        self._sent = deque[bytes]()  # on the newest link
        self._unsent = deque[bytes]()
        self._acknowledged = 0
        self._sent_ever = 0  # how many were sent on any link
        self.sent_bytes = 0
        self.unsent_bytes = 0
        self.resent = 0

    def add(self, frame: bytes) -> None:
        self._unsent.append(frame)
        self.unsent_bytes += _size(frame)

    def take(self) -> bytes | None:
        """Return the next frame for the newest link."""
        if not self._unsent:
            return None
        frame = self._unsent.popleft()
        self._sent.append(frame)
        self.unsent_bytes -= _size(frame)
        self.sent_bytes += _size(frame)
        sent = self._acknowledged + len(self._sent)
        if sent > self._sent_ever:
            self._sent_ever = sent
        else:
            self.resent += 1
        return frame

    def acknowledge(self, count: int) -> None:
        """Forget the frames that the peer has. ACKs of several links may come in any order. Disagreement."""
        if count > self._sent_ever:
            raise Disagreement(f"the peer has {count} frames, and {self._sent_ever} were sent")
        while self._acknowledged < count:
            if self._sent:
                self.sent_bytes -= _size(self._sent.popleft())
            else:  # queued to be sent again, when an ACK of the link before came late
                self.unsent_bytes -= _size(self._unsent.popleft())
            self._acknowledged += 1

    def resume(self, count: int) -> None:
        """Have all but the first `count` sent over a new link. DeliveryError: the peer has a newer. Disagreement."""
        self.acknowledge(count)
        if count < self._acknowledged:
            raise DeliveryError(
                f"a handshake ended late: the peer had {count} frames then, and {self._acknowledged} over a newer link",
                "the tunnel makes a new link by itself",
            )
        self._unsent.extendleft(reversed(self._sent))
        self._sent.clear()
        self.unsent_bytes += self.sent_bytes
        self.sent_bytes = 0


def _size(frame: bytes) -> int:
    return len(frame) + _OVERHEAD
