# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What counts arrives once and in order, over any sequence of links between two processes.

Frames that count are numbered in each direction from 0 on, implicitly, and kept until the peer's ACK. A link begins with
an ACK each way, which says how many the sender of it has; what counts goes after the other's ACK, from that number on.

- The newest link wins. A newer one ends the older: END is the last frame on it each way; who gets END sends END.
- An end says its first ACK on a link when it reads no older link any more that has had its ACK: after END, or cut. So there
  is one link at a time on which it takes frames that count, and nothing is in flight that it could take twice.
- An older link may be cut at any time, so wait for its END shortly only.
- A process that is not the one before knows nothing: kept frames are dropped, and both count from 0.
"""

from ndks.exceptions import NdksError

from .frames import Frame

MOST_KEPT = 16 << 20  # bytes; readers of local connections pause beyond


class DeliveryError(NdksError):
    """The peer broke a rule: a frame that counts before its time, or anything after END. Its link ends."""

    code = "TUNNEL_DELIVERY"
    exit_status = 4
    usual_advice = "use the same version of ndks at both ends"


class Disagreement(DeliveryError):
    """Both processes know each other and remember different histories (two peers in turn, say): `begin_again`."""

    code = "TUNNEL_DISAGREEMENT"
    usual_advice = "the connections in the tunnel end; run each end of a tunnel once"


class Delivery:
    """One end of all links between two gateways under one name. It has no clock: see `Attached` for what to call when."""

    def __init__(self) -> None:
        self.process = bytes(16)  # 16 random bytes: this process to the peer (in the payloads of the handshake)
        self.peer: bytes | None = None  # the peer's process
        self.newest: Attached | None = None
        self.received = 0  # frames that count
        self.resent = 0  # frames that went over a link again, for the status

    @property
    def kept_bytes(self) -> int:
        """Memory of the frames that the peer has not acknowledged, the unsent ones included."""
        raise NotImplementedError

    @property
    def unsent_bytes(self) -> int:
        """Memory of the frames that wait for a link. Fairness: read local connections only while this is small."""
        raise NotImplementedError

    @property
    def is_full(self) -> bool:
        """16 MB are kept: read nothing from local connections. (CREDIT, FIN and RESET may still be counted.)"""
        raise NotImplementedError

    def count(self, frame: bytes) -> None:
        """Take a packed frame that counts. It is sent when `newest` is asked for what is `next`."""
        raise NotImplementedError

    def acknowledge(self) -> None:
        """Let the next frame be an ACK, if one is owed: for a timer (50 ms). Each 16 frames or 1 MB it is by itself."""
        raise NotImplementedError

    def attach(self, own: bytes, peer: bytes) -> "Attached":
        """Take a link whose handshake is done at this end as the newest; it ends the older ones.

        own: `process` as the handshake sent it. peer: the peer's process. If that is not the one before, its frames are
        dropped and older links count as cut (`Attached.is_reset`). Disagreement: `begin_again` came in between; close it.
        """
        raise NotImplementedError

    def begin_again(self) -> None:
        """After Disagreement, or when numbers of streams are used up: be another process to the peer, count from 0.

        All links count as cut: close them. All streams are reset, here at once, at the peer with the next link.
        """
        raise NotImplementedError


class Attached:
    """One link as delivery sees it. After each `receive` or `cut` of any link, and after `count` and `acknowledge`, ask that
    link and `Delivery.newest` for what is `next`, as long as their transports take it.
    """

    is_reset: bool  # the peer's process is not the one before: reset all streams, silently

    @property
    def is_over(self) -> bool:
        """Nothing more is sent or read on this link: close it when what was written has gone."""
        raise NotImplementedError

    @property
    def is_ready(self) -> bool:
        """It is the newest, and the peer's ACK has come: what counts goes over it."""
        raise NotImplementedError

    def next(self) -> bytes | None:
        """Return the next frame to seal and write, or None; it counts as sent. PING and CARRY are the caller's, before END."""
        raise NotImplementedError

    @property
    def may_talk(self) -> bool:
        """END is not sent: PING and CARRY may go over this link."""
        raise NotImplementedError

    def receive(self, frame: Frame) -> bool:
        """Note a frame of this link; return whether the caller has to act on it (all kinds but ACK, PING and END).

        DeliveryError, Disagreement. Nothing is to be received from a link that was cut.
        """
        raise NotImplementedError

    def cut(self) -> None:
        """Note that the link is closed, by whomever: what it did not deliver goes over the next one."""
        raise NotImplementedError
