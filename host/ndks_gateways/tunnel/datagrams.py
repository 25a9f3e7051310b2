# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""UDP in a tunnel: id 4 | number u64 | AES-256-GCM(key, 0 u32 || number, flow u32 || data, AD = the 12 bytes before).

Each direction of a link has a key; numbers go up from 0. Datagrams may be lost and come in any order, but none comes
twice: a window of 1024 numbers, as in RFC 6479. The newest link's keys and id are used as soon as the peer has
shown that it has them too. What was sent with those of the links before is opened for 30 s more.
"""

import struct
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .records import TAG, RecordError, Use, nonce

_HEAD = struct.Struct(">4sQ")
_FLOW = struct.Struct(">I")
_LEAST = _HEAD.size + _FLOW.size + TAG
MOST_DATA = 65507 - _LEAST  # bytes: what fits into a datagram over IPv4
_WINDOW = 1024
_LINKS = 4  # whose datagrams are opened; more than two only when links fail one after another


class Datagram(NamedTuple):
    """What a packet holds. `data` is a view of bytes that nobody changes."""

    flow: int
    data: memoryview


class Window:
    """Which of the last 1024 numbers came. Lower ones count as having come."""

    def __init__(self) -> None:
        self._next = 0  # the highest number + 1
        self._come = 0  # bit i: _next - 1 - i

    def is_new(self, number: int) -> bool:
        age = self._next - 1 - number
        return age < 0 or (age < _WINDOW and not self._come >> age & 1)

    def note(self, number: int) -> None:
        """Note a number that is new, and authentic: a forged one must not move the window."""
        ahead = number + 1 - self._next
        if ahead > 0:
            self._come = self._come << min(ahead, _WINDOW) & (1 << _WINDOW) - 1
            self._next = number + 1
        self._come |= 1 << self._next - 1 - number


class _Receiving(Use):
    def __init__(self, udp_id: bytes, key: bytes) -> None:
        super().__init__()
        self.udp_id = udp_id
        self._cipher = AESGCM(key)
        self._window = Window()

    def open(self, packet: bytes, number: int) -> bytes | None:
        if not self._window.is_new(number):
            return None
        try:
            content = self._cipher.decrypt(nonce(number), memoryview(packet)[_HEAD.size :], packet[: _HEAD.size])
        except InvalidTag:
            return None
        self._window.note(number)
        self.records = max(self.records, number + 1)  # that the other end has sealed
        return content


class _Sending(Use):
    def __init__(self, udp_id: bytes, key: bytes) -> None:
        super().__init__()
        self._id = udp_id
        self._cipher = AESGCM(key)

    def seal(self, content: bytes) -> bytes:
        number = self.take(len(content))
        head = _HEAD.pack(self._id, number)
        return head + self._cipher.encrypt(nonce(number), content, head)


class Datagrams:
    """The datagrams of one end. What it cannot open it drops and counts: anybody may have sent that."""

    def __init__(self) -> None:
        self.dropped = 0  # not ours, damaged, too old, or duplicates
        self.forget()

    def renew(self, udp_id: bytes, send_key: bytes, receive_key: bytes) -> None:
        """Open with a new link's keys too, when its handshake is done."""
        self._next = _Sending(udp_id, send_key)
        self._receiving = [_Receiving(udp_id, receive_key), *self._receiving][:_LINKS]

    def confirm(self) -> None:
        """Seal with the new keys, when its `Attached.is_ready`: now the peer certainly has them."""
        self._sending = self._next

    def forget_former(self) -> None:
        """Open nothing of links before the newest any more: to be called 30 s after `renew`."""
        del self._receiving[1:]

    def forget(self) -> None:
        """Forget all keys."""
        self._sending: _Sending | None = None
        self._next: _Sending | None = None
        self._receiving = list[_Receiving]()

    @property
    def is_spent(self) -> bool:
        """7/8 of what a key of the newest link may seal are sealed, here or there: time for another one."""
        return self._next is not None and (self._next.is_spent or self._receiving[0].is_spent)

    def seal(self, flow: int, data: "bytes | bytearray | memoryview") -> bytes | None:
        """Return the packet, or None: there are no keys yet, they are used up, or the data is too long."""
        if self._sending is None or len(data) > MOST_DATA:
            return None
        try:
            return self._sending.seal(b"".join((_FLOW.pack(flow), data)))
        except RecordError:
            return None

    def open(self, packet: bytes) -> Datagram | None:
        """Return what a packet holds, or None: it is dropped. Answers go to where a datagram came from."""
        content = self._opened(packet)
        if content is None:
            self.dropped += 1
            return None
        return Datagram(_FLOW.unpack_from(content)[0], memoryview(content)[_FLOW.size :])

    def _opened(self, packet: bytes) -> bytes | None:
        if len(packet) < _LEAST:
            return None
        udp_id, number = _HEAD.unpack_from(packet)
        for receiving in self._receiving:
            if receiving.udp_id == udp_id:
                return receiving.open(packet, number)
        return None
