# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What the user says of a tunnel, and how addresses are written."""

from typing import NamedTuple

from ndks.carriers.tunnel_sockets import ACCEPT, LISTEN
from ndks.exceptions import UsageError

AES, CAPSULE_AES, CAPSULE_VERNAM = RECORDS = ("aes", "capsule-aes", "capsule-vernam")


class Address(NamedTuple):
    """A host and a port, as HOST:PORT or [IPv6]:PORT."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Settings(NamedTuple):
    """One end of a tunnel. `inner` is where the plain side is, `outer` where the link is.

    End A (`is_connecting`) takes applications at `inner` (--listen) and connects to `outer` (--connect); end B accepts
    the link at `outer` (--accept) and connects to the service at `inner` (--to).
    """

    name: str
    is_connecting: bool
    inner: Address
    outer: Address
    peer: int | None = None  # the lane of the other end's unit, if the user names it
    udp: bool = False
    record: str = AES  # one of RECORDS
    metrics: Address | None = None
    unit: str | None = None

    @property
    def end(self) -> str:
        """The end's name in directories and options."""
        return LISTEN if self.is_connecting else ACCEPT

    @property
    def label(self) -> str:
        """What both ends call the tunnel in handshakes: ends that seal differently find no door to each other."""
        return self.name if self.record == AES else f"{self.name}/{self.record}"


def address(text: str) -> Address:
    """Return a host and a port from HOST:PORT, [IPv6]:PORT, or PORT alone for 127.0.0.1. UsageError."""
    host, _, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise UsageError(f"{text!a} is not an address: IPv6 needs brackets", "write [::1]:8000")
    if not (port.isascii() and port.isdecimal() and 0 < len(port) <= 5 and int(port) <= 0xFFFF):
        raise UsageError(f"{text!a} is not an address", "write HOST:PORT, such as 127.0.0.1:8000")
    try:
        host.encode("idna")  # as the system will look it up later, when nobody could say what is wrong
    except UnicodeError:
        raise UsageError(f"{text!a} is not an address: no host has such a name", "see if a dot is doubled") from None
    return Address(host or "127.0.0.1", int(port))
