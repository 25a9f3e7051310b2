# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Flows: the datagrams of one application in both directions, on the plain sides of a tunnel.

A numbers flows by the addresses that they come from; B has a socket of its own for each. A flow that has carried
nothing for a while ends, without a word to the other end.
"""

import asyncio
import contextlib
import functools
import socket
from collections.abc import Callable
from dataclasses import dataclass

from .datagram_socket import Address, DatagramSocket, bound, connected
from .listening import host_of
from .settings import Address as Where

IDLE = 180.0  # seconds; RFC 4787 asks for two minutes at least
MOST = 1024  # flows; beyond that, the one that has been quiet longest ends
_LOOK = 10.0  # seconds between two looks for idle flows

Send = Callable[[int, memoryview], object]  # flow, data


@dataclass(slots=True)
class _Flow:
    number: int
    used: float  # when it last carried something, by the loop's clock
    address: Address = None  # at A
    socket: DatagramSocket | None = None  # at B


class _Flows:
    """The flows of one end, in the order in which they were used."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._flows: dict[int, _Flow] = {}
        self._timer = self._loop.call_later(_LOOK, self._look)

    def __len__(self) -> int:
        return len(self._flows)

    def reset(self) -> None:
        """End all flows: the other end knows none of them."""
        for flow in list(self._flows.values()):
            self._end(flow)

    def close(self) -> None:
        self._timer.cancel()
        self.reset()

    def _use(self, flow: _Flow) -> None:
        flow.used = self._loop.time()
        self._flows.pop(flow.number, None)
        self._flows[flow.number] = flow
        if len(self._flows) > MOST:
            self._end(next(iter(self._flows.values())))

    def _look(self) -> None:
        self._timer = self._loop.call_later(_LOOK, self._look)
        limit = self._loop.time() - IDLE
        for flow in list(self._flows.values()):
            if flow.used > limit:
                return
            self._end(flow)

    def _end(self, flow: _Flow) -> None:
        del self._flows[flow.number]
        if flow.socket:
            flow.socket.close()


class EntranceFlows(_Flows):
    """At A: one socket, to which applications send."""

    def __init__(self, inner: Where, send: Send) -> None:
        super().__init__()
        self._numbers: dict[Address, int] = {}
        self._next = 0
        self._send = send
        self._socket = DatagramSocket(bound(*inner), self._received)

    @property
    def address(self) -> Address:
        return self._socket.address

    def deliver(self, number: int, data: memoryview) -> bool:
        """Send what came through the tunnel to the application; return whether it left."""
        flow = self._flows.get(number)
        if flow is None:
            return False
        self._use(flow)
        return self._socket.send(data, flow.address)

    def close(self) -> None:
        super().close()
        self._socket.close()

    def _received(self, data: memoryview, address: Address) -> None:
        number = self._numbers.get(address)
        if number is None:
            number = self._numbers[address] = self._next
            self._next = (self._next + 1) & 0xFFFFFFFF
            flow = _Flow(number, 0.0, address)
        else:
            flow = self._flows[number]
        self._use(flow)
        self._send(number, data)

    def _end(self, flow: _Flow) -> None:
        super()._end(flow)
        del self._numbers[flow.address]


class ExitFlows(_Flows):
    """At B: a socket for each flow, which talks to the service alone."""

    def __init__(self, inner: Where, send: Send) -> None:
        super().__init__()
        self._inner = inner
        self._send = send
        self._host = ""  # the address of the service
        self._looking_up: asyncio.Task[None] | None = None
        self._look_up()

    def close(self) -> None:
        super().close()
        if self._looking_up:
            self._looking_up.cancel()

    def deliver(self, number: int, data: memoryview) -> bool:
        """Send what came through the tunnel to the service; return whether it left."""
        flow = self._flows.get(number)
        if flow is None:
            try:
                flow = _Flow(number, 0.0, socket=self._opened(number))
            except OSError:  # too many files are open, or the name of the service is not known
                return False
        self._use(flow)
        assert flow.socket is not None
        return flow.socket.send(data)

    def _opened(self, number: int) -> DatagramSocket:
        self._look_up()
        if not self._host:
            raise OSError("the name of the service is not known yet")
        made = connected(self._host, self._inner.port)
        return DatagramSocket(made, functools.partial(self._received, number))

    def _look_up(self) -> None:
        """Find out, for later flows, which address the name of the service has now."""
        if self._looking_up is None or self._looking_up.done():
            self._looking_up = asyncio.create_task(self._looked_up())

    async def _looked_up(self) -> None:
        with contextlib.suppress(OSError):
            found = await self._loop.getaddrinfo(*self._inner, type=socket.SOCK_DGRAM)
            self._host = host_of(found[0][4])

    def _received(self, number: int, data: memoryview, _address: Address) -> None:
        self._use(self._flows[number])
        self._send(number, data)
