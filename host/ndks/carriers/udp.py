# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Packets as UDP datagrams: to a multicast group, udp://239.1.2.3:7000, or to peers, udp://0.0.0.0:7000?peer=HOST:PORT.

Datagrams are neither acknowledged nor retained, and each holds one packet of at most `largest` bytes.
"""

import contextlib
import ipaddress
import socket
import struct
import threading
import time
from collections import deque
from hashlib import sha256

from ..exceptions import NdksError, UsageError, reason
from . import urls
from .carrier import CarrierError, Receive, Received, tell
from .peers import Address, Peers

EXAMPLE = "udp://239.192.7.7:7000, or udp://0.0.0.0:7000?peer=HOST:PORT&peer=HOST:PORT"
_OPTIONS = ("peer", "interface", "ttl")
_PROBE = 5.0  # seconds between two empty datagrams while none leaves
_SLICE = 0.2  # seconds after which the receiving thread checks whether to end
_JOIN_AGAIN = 30.0  # seconds
_ECHOES = 256  # own packets that are recognised when they come back
_BUFFER = 1 << 20  # bytes that the system keeps until they are read
_NOWHERE = "0.0.0.0"  # noqa: S104 (the user names the address in the URL)


class UdpCarrier:
    """A multicast group, or peers."""

    largest = 1280  # bytes: with the headers of IPv6 and UDP within 1,500, also through a tunnel
    retains = False

    def __init__(self, url: str) -> None:
        self.url = url
        self.problem: NdksError | None = None
        self._url = urls.parse(url, _OPTIONS, EXAMPLE)
        self._address = _address(self._url)
        peers = [urls.host_and_port(peer, "a peer") for peer in self._url.all("peer")]
        if bool(peers) == self._address.is_multicast:
            what = "a group needs no peers" if peers else f"{self._address} is no group, and no peer is named"
            raise UsageError(f"{url}: {what}", f"write it as {EXAMPLE}")
        self._family = socket.AF_INET if self._address.version == 4 else socket.AF_INET6
        self._peers = Peers(peers or [(str(self._address), self._url.port or 0)], self._family)
        self._reaches = True  # whether the last packet has left for a peer, or for the group
        self._probed = 0.0  # when that was tried without a packet
        self._ttl = _ttl(self._url.option("ttl"))
        self._joined = time.monotonic()
        self._echoes: deque[bytes] = deque(maxlen=_ECHOES)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="udp", daemon=True)

    def start(self, receive: Receive) -> None:
        """Begin. CarrierError: the address is not one of this machine's, or is in use."""
        self._receive = receive
        try:
            self._socket = self._bound()
        except OSError as error:
            raise CarrierError(
                f"cannot listen at {self._address}:{self._url.port}: {reason(error)}", "name an address of this machine"
            ) from None
        self._peers.start()
        self._thread.start()

    def send(self, packet: bytes, generation: int | None = None, *, passing: bool = False) -> bool:  # noqa: ARG002
        self._echoes.append(sha256(packet).digest())
        addresses = self._peers.addresses
        problems = [problem for address in addresses if (problem := self._send_to(packet, address))]
        self._reaches = len(problems) < len(addresses)
        tell(self, problems[0] if problems else self._peers.problem)
        return True  # a datagram may be lost anywhere: its receivers ask for it again

    @property
    def has_room(self) -> bool:
        return self._reaches

    @property
    def is_idle(self) -> bool:
        return True

    def close(self) -> None:
        self._closing.set()
        self._peers.close()
        if self._thread.is_alive():
            self._thread.join(5.0)
            self._socket.close()

    def _send_to(self, packet: bytes, address: Address) -> NdksError | None:
        try:
            self._socket.sendto(packet, address)
        except OSError as error:
            return CarrierError(f"cannot send to {address[0]}:{address[1]}: {reason(error)}")
        return None

    def _bound(self) -> socket.socket:
        made = socket.socket(self._family, socket.SOCK_DGRAM)
        try:
            made.settimeout(_SLICE)
            with contextlib.suppress(OSError):
                made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            if self._address.is_multicast:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # shared with others on this machine
                self._join(made)
            made.bind((str(self._address), self._url.port or 0))
        except BaseException:
            made.close()
            raise
        return made

    def _join(self, made: socket.socket) -> None:
        """Join the group. OSError, even if that is already done."""
        interface = self._url.option("interface")
        if self._address.version == 4:
            local = socket.inet_aton(interface or _NOWHERE)
            made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, self._ttl)
            if interface:
                made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, local)
            made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, self._address.packed + local)
        else:
            number = socket.if_nametoindex(interface) if interface else 0
            membership = self._address.packed + struct.pack("@I", number)
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, self._ttl)
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, number)
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, membership)

    def _stay(self) -> None:
        """Join the group again now and then: an interface that went away has forgotten it."""
        if self._address.is_multicast and time.monotonic() > self._joined + _JOIN_AGAIN:
            self._joined = time.monotonic()
            with contextlib.suppress(OSError):  # as a rule it is already joined
                self._join(self._socket)

    def _probe(self) -> None:
        """Find out whether datagrams leave again: messages wait until then, and a monitor sends nothing else."""
        if not self._reaches and time.monotonic() >= self._probed + _PROBE:
            self._probed = time.monotonic()
            self._reaches = not all(self._send_to(b"", address) for address in self._peers.addresses)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._stay()
            self._probe()
            try:
                packet = self._socket.recv(1 << 16)
            except TimeoutError:
                continue
            except OSError:  # a peer's machine said that nobody listens there, or the network is down
                self._closing.wait(_SLICE / 4)
                continue
            if packet and sha256(packet).digest() not in self._echoes:
                self._receive(Received(packet, lambda: None, self.url))


def _address(url: urls.Url) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        address = ipaddress.ip_address(url.host)
    except ValueError:
        raise UsageError(f"{url.text} must name an IP address", f"write it as {EXAMPLE}") from None
    if not url.port or url.path.strip("/"):
        raise UsageError(f"{url.text} must name a port, and no path", f"write it as {EXAMPLE}")
    return address


def _ttl(text: str) -> int:
    if text and (not text.isdecimal() or not 0 <= int(text) < 256):
        raise UsageError(f"a ttl is 0 to 255, not {text}")
    return int(text or 1)
