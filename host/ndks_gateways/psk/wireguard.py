# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""WireGuard, through its command wg: kernel or wireguard-go.

A preshared key counts at the next handshake, which may be two minutes away; a peer that is removed and added
again begins with a handshake. If that fails, because the other site still has the former key, WireGuard repeats it
after 5 s.
"""

import hmac
from base64 import b64encode
from typing import NamedTuple

from .consumer import ConsumerFailed
from .programs import run
from .rotation import Given

_NONE, _OFF = "(none)", "off"
_FIELDS = 8


class _Peer(NamedTuple):
    """A line of `wg show DEVICE dump`."""

    public_key: str
    preshared_key: str
    endpoint: str
    allowed_ips: str
    handshake: str
    received: str
    sent: str
    keepalive: str

    def settings(self) -> list[str]:
        """Return the words with which `wg set` makes such a peer, without the key."""
        named = {"endpoint": self.endpoint, "allowed-ips": self.allowed_ips, "persistent-keepalive": self.keepalive}
        return [word for name, value in named.items() if value not in (_NONE, _OFF) for word in (name, value)]


class WireGuard:
    """The peer with this public key, in base64, of a device."""

    def __init__(self, device: str, peer: str) -> None:
        self.name = f"WireGuard device {device}"
        self._device = device
        self._peer = peer

    def give(self, given: Given) -> None:
        """Remove the peer and add it again, in one call, with all settings that it had."""
        peer = ("peer", self._peer)
        settings = self._found().settings()
        words = ("wg", "set", self._device, *peer, "remove", *peer, "preshared-key", "/dev/stdin", *settings)
        run(words, b64encode(given.key) + b"\n")

    def has(self, given: Given) -> bool:
        return hmac.compare_digest(self._found().preshared_key, b64encode(given.key).decode())

    def _found(self) -> _Peer:
        """Return the peer as it is. ConsumerFailed: there is none; whoever removed it may have meant to."""
        lines = run(("wg", "show", self._device, "dump")).decode().splitlines()
        for fields in (line.split("\t") for line in lines[1:]):
            if fields[0] == self._peer and len(fields) == _FIELDS:
                return _Peer(*fields)
        raise ConsumerFailed(
            f"{self.name} has no peer {self._peer}",
            f"add it: wg set {self._device} peer {self._peer} allowed-ips ADDRESSES",
        )
