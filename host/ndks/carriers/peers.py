# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The addresses of UDP peers. Resolving a name may take long, so a thread does it, and repeats it now and then."""

import socket
import threading
from collections.abc import Sequence
from typing import Any

from ..exceptions import NdksError, reason
from .carrier import CarrierError

_AGAIN, _SOON = 300.0, 10.0  # seconds until names are resolved again, if all of them were, or if not

Peer = tuple[str, int]  # host and port
Address = Any  # as the sockets of its family take it


class Peers:
    """Peers by their addresses, all of one family, from `start` to `close`. Peers without one so far are left out."""

    def __init__(self, peers: Sequence[Peer], family: socket.AddressFamily) -> None:
        self.problem: NdksError | None = None  # of the last name that has no address
        self._peers = peers
        self._family = family
        self._addresses: dict[Peer, Address] = {}
        self._closing = threading.Event()

    def start(self) -> None:
        self._resolve(socket.AI_NUMERICHOST)
        if self.problem:
            self.problem = None
            threading.Thread(target=self._run, name="peers", daemon=True).start()

    @property
    def addresses(self) -> list[Address]:
        return list(self._addresses.values())

    def close(self) -> None:
        """End the thread, as soon as no name is being resolved."""
        self._closing.set()

    def _run(self) -> None:
        is_last = False
        while not is_last:
            self._resolve(0)
            is_last = self._closing.wait(_SOON if self.problem else _AGAIN)

    def _resolve(self, flags: int) -> None:
        """Note the addresses of all peers; one whose name cannot be resolved now keeps its former address."""
        problem = None
        for peer in self._peers:
            try:
                found = socket.getaddrinfo(*peer, self._family, socket.SOCK_DGRAM, flags=flags)
            except (OSError, UnicodeError) as error:  # a name may be impossible
                why = reason(error) if isinstance(error, OSError) else "it is no name"
                problem = CarrierError(f"there is no address of {peer[0]}: {why}")
            else:
                self._addresses = {**self._addresses, peer: found[0][4]}
        self.problem = problem
