# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Datagrams of applications, sealed, between the two gateways: beside the link, never in it."""

import asyncio
from collections.abc import Callable

from ..tunnel.datagrams import Datagrams
from ..tunnel.handshake import Established
from .datagram_socket import Address, DatagramSocket, bound, connected
from .flows import EntranceFlows, ExitFlows
from .listening import unusable
from .settings import Settings
from .tally import Tally

_FORMER_FOR = 30.0  # seconds in which what a former link's keys sealed may still arrive


class Udp:
    """Both UDP sockets of one end, and its flows. B answers where the last good datagram came from."""

    def __init__(self, settings: Settings, tally: Tally) -> None:
        """Listen. AddressError."""
        self._settings = settings
        self._tally = tally
        self._loop = asyncio.get_running_loop()
        self._datagrams = Datagrams()
        self._peer: Address = None
        self._outer: DatagramSocket | None = None
        self._host = ""  # where it is connected to, at A
        self._has_failed = False  # something could not be sent: this gateway may have got another address
        self._forgetting: asyncio.TimerHandle | None = None
        self._is_retired = False  # no new link came since
        try:
            kind = EntranceFlows if settings.is_connecting else ExitFlows
            self.flows: EntranceFlows | ExitFlows = kind(settings.inner, self._send)
        except OSError as error:
            raise unusable(settings.inner, error) from None
        if not settings.is_connecting:
            self._open_outer()

    @property
    def inner_address(self) -> Address:
        """Where applications send to, at A."""
        return self.flows.address if isinstance(self.flows, EntranceFlows) else None

    def renew(self, established: Established, host: str, *, is_other: bool) -> None:
        """Use the keys of a new link to `host`; `is_other`: the process at its other end knows no earlier flow."""
        if is_other:
            self.flows.reset()
        self._datagrams.renew(established.udp_id, established.udp_send, established.udp_receive)
        self._is_retired = False
        self._later(self._datagrams.forget_former)
        if self._settings.is_connecting:
            self._connect_outer(host)

    def retire(self) -> None:
        """Forget all keys after a while, unless a new link brings others."""
        if not self._is_retired:
            self._is_retired = True
            self._later(self._datagrams.forget)

    def confirm(self) -> None:
        """Seal with the keys of the new link: the other end has them."""
        self._datagrams.confirm()

    @property
    def is_spent(self) -> bool:
        return self._datagrams.is_spent

    def forget(self) -> None:
        """Forget all keys."""
        self._datagrams.forget()

    def close(self) -> None:
        if self._forgetting:
            self._forgetting.cancel()
        self.flows.close()
        if self._outer:
            self._outer.close()

    def _later(self, forget: Callable[[], None]) -> None:
        if self._forgetting:
            self._forgetting.cancel()
        self._forgetting = self._loop.call_later(_FORMER_FOR, forget)

    def _open_outer(self) -> None:
        try:
            self._outer = DatagramSocket(bound(*self._settings.outer), self._arrived)
        except OSError as error:
            self.flows.close()
            raise unusable(self._settings.outer, error) from None

    def _connect_outer(self, host: str) -> None:
        """Talk to where the link goes; from another port only if that is elsewhere now, or nothing could be sent."""
        if self._outer and host == self._host and not self._has_failed:
            return
        if self._outer:
            self._outer.close()
        self._host, self._has_failed = host, False
        try:
            self._outer = DatagramSocket(connected(host, self._settings.outer.port), self._arrived)
        except OSError:  # no route now; the next link tries again
            self._outer = None

    def _send(self, flow: int, data: memoryview) -> None:
        packet = self._datagrams.seal(flow, data)
        is_reachable = self._outer is not None and (self._settings.is_connecting or self._peer is not None)
        if packet is None or not is_reachable or not self._sent(packet):
            self._tally.datagrams_dropped += 1
        else:
            self._tally.datagrams_sent += 1

    def _sent(self, packet: bytes) -> bool:
        if self._outer is None:
            return False
        is_sent = self._outer.send(packet, self._peer)
        self._has_failed |= not is_sent
        return is_sent

    def _arrived(self, packet: memoryview, address: Address) -> None:
        datagram = self._datagrams.open(bytes(packet))
        if datagram is None:
            self._tally.datagrams_dropped += 1
            return
        if not self._settings.is_connecting:
            self._peer = address
        self._tally.datagrams_received += 1
        if not self.flows.deliver(datagram.flow, datagram.data):
            self._tally.datagrams_dropped += 1
