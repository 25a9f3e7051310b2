# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""UDP in a tunnel: id 4 | number u64 | AES-256-GCM(key, 0 u32 || number, flow u32 || data, AD = the 12 bytes before).

Each direction of a link has a key; numbers go up from 0. Datagrams may be lost, and come in any order, but none comes
twice: a window of 1024 numbers as in RFC 6479. Keys and id are those of the newest link; of the one before what still
comes is opened for 30 s more.
"""

from typing import NamedTuple

MOST_DATA = 65507 - 12 - 16 - 4  # bytes that fit into a datagram over IPv4


class Datagram(NamedTuple):
    flow: int
    data: memoryview


class Window:
    """Which of the last 1024 numbers have come."""

    def is_new(self, number: int) -> bool:
        raise NotImplementedError

    def note(self, number: int) -> None:
        """Note a number that is new and authentic."""
        raise NotImplementedError


class Datagrams:
    """The datagrams of one end. What cannot be opened is dropped and counted, as the sender may be anybody."""

    dropped: int  # not ours, damaged, too old, or come twice

    def renew(self, udp_id: bytes, send_key: bytes, receive_key: bytes) -> None:
        """Use a new link's keys; the former ones open only."""
        raise NotImplementedError

    def forget_former(self) -> None:
        """Call it 30 s after `renew`."""
        raise NotImplementedError

    def forget(self) -> None:
        """Forget all keys (a peer that is refused, a process that ends)."""
        raise NotImplementedError

    @property
    def is_spent(self) -> bool:
        """7/8 of what a key may seal are sealed: time for another link."""
        raise NotImplementedError

    def seal(self, flow: int, data: "bytes | bytearray | memoryview") -> bytes | None:
        """Return the packet, or None: there are no keys yet, they are used up, or data is longer than fits."""
        raise NotImplementedError

    def open(self, packet: bytes) -> Datagram | None:
        """Return what a packet holds, or None if it is dropped. After a datagram, answer where it came from."""
        raise NotImplementedError
