# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""One end of a tunnel: links to the other end, streams and datagrams of applications, packets of agents."""

import asyncio
import time
from dataclasses import dataclass

from .gate import Gate
from .settings import Settings
from .store import Store
from .tally import Tally


@dataclass(frozen=True)
class LinkState:
    """The current link, for `ndks tunnel status`."""

    since: float  # of time.time()
    address: str  # of the other end, HOST:PORT
    lane: int  # of the other end's unit
    is_resumed: bool
    records: int  # sent and received
    octets: int


class End:
    """A or B, as the settings say. `run` listens, then works until it is cancelled."""

    def __init__(self, settings: Settings, gate: Gate, store: Store, tally: Tally) -> None:
        self.listening = asyncio.Event()  # all addresses are taken: READY
        self.problem = ""  # why there is no link, or no new one, in words; "" if nothing is known to be wrong
        self.problem_code = ""
        self.link_lost: float = time.time()  # when there was a link last

    async def run(self) -> None:
        """Serve until this is cancelled. NdksError: an address cannot be listened at."""
        raise NotImplementedError

    @property
    def link(self) -> LinkState | None:
        """The link in use, None: there is none."""
        raise NotImplementedError

    @property
    def streams(self) -> int:
        """Streams that are open now."""
        raise NotImplementedError

    @property
    def kept_bytes(self) -> int:
        """Bytes that the other end has not acknowledged yet."""
        raise NotImplementedError

    @property
    def flows(self) -> int:
        """Flows of datagrams that are not idle."""
        raise NotImplementedError

    def carrier(self) -> asyncio.BaseProtocol:
        """A protocol for one connection at the socket `carry`: `loop.create_unix_server(end.carrier, path)`."""
        raise NotImplementedError

    def forget(self) -> None:
        """Cut all links and drop what would resume them: the store has forgotten peer and pair doors."""
        raise NotImplementedError
