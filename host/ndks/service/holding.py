# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The one thread that uses the unit's port, and opens it again whenever it goes away."""

import asyncio
import logging
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ndks_protocol import errors, service
from ndks_protocol.wire import SLAVE

from ..driver.owner import Owner
from ..exceptions import DeviceError, NdksError, NoUnit
from ..laptop.bindings import BindingStore
from ..line.link import Link
from ..line.transport import SerialTransport, Transport
from ..system_errors import file_error
from .hold import Hold, News, Released
from .order import Order
from .quick_jobs import QuickJobs

_log = logging.getLogger(__name__)

_IDLE = 1.0  # seconds between two checks of an idle port
_AWAY = 0.5  # between two attempts to open the port
_REFUSED = 5.0  # between two attempts at a unit that opens no session; the first few come without a pause
_FEW = 3

Opener = Callable[[str], tuple[str, Transport]]  # takes the uid known so far, or ""; returns the port and a transport


@dataclass(frozen=True)
class State:
    """What is known about the unit. `code` is the answer to requests while no session can be opened."""

    hello: bytes = field(default=b"", repr=False)
    serial_number: str = ""
    port: str = ""
    present: bool = False
    is_opening: bool = False  # the unit has answered, and its session is being opened
    epoch: int = 0
    revoked: int = 0  # lanes that it knows as revoked
    role: int = SLAVE
    heard: float = field(default=-math.inf, compare=False)  # when it last heard or gave a beacon
    code: int = service.NO_UNIT
    problem: NdksError | None = field(default=None, compare=False)  # why no session is open

    @property
    def seen(self) -> tuple[bool, int, int, int]:
        """What WATCH waits for."""
        return self.present, self.epoch, self.revoked, self.role


class Holder:
    """Does the jobs of `order` at the unit. `told` is called with each new state, in the thread of the unit."""

    def __init__(
        self, order: Order, opener: Opener, timeout: float, bindings: BindingStore, told: Callable[[State], object]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._state = State()
        self._order = order
        self._opener = opener
        self._timeout = timeout
        self._bindings = bindings
        self._told = told
        self._refusals = 0

    def start(self) -> threading.Thread:
        """Run in a thread, which ends after the order is closed."""
        thread = threading.Thread(target=self._run, name="unit", daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        while not self._order.is_closed:
            try:
                self._hold()
            except Released as released:
                released.job.done(b"")
                problem = NoUnit(f"its port is released for {released.seconds} s", "wait, or start the service again")
                self._lose(problem, service.NO_UNIT, released.seconds)
            except DeviceError as error:
                self._refusals += 1
                self._lose(error, error.number, 0 if self._refusals <= _FEW else _REFUSED)
            except NdksError as error:
                self._lose(error, service.NO_UNIT, _AWAY)
            except OSError as error:  # from the bindings
                self._lose(file_error(error), service.NO_UNIT, _REFUSED)
            except Exception as error:  # a fault of ours must not end this thread: all clients would then wait for ever
                _log.exception("the unit is lost by a fault of ndks service; report this")
                self._lose(NdksError(f"a fault of ndks service: {type(error).__name__}"), errors.INTERNAL, _REFUSED)

    def _lose(self, problem: NdksError, code: int, pause: float) -> None:
        if self._state.present or not self._state.problem or str(problem) != str(self._state.problem):
            _log.warning("the unit is not at hand: %s: %s", problem.code, problem)
        self._tell(replace(self._state, present=False, is_opening=False, code=code, problem=problem))
        self._order.pause(pause)

    def _tell(self, state: State) -> None:
        is_news = state != self._state or bool(state.problem) != bool(self._state.problem)
        self._state = state
        if is_news:
            self._told(state)

    def _hold(self) -> None:
        port, transport = self._opener(self._state.serial_number)
        try:
            link = Link(transport, self._timeout)
            owner = Owner(link, self._bindings)
            self._greet(port, owner)
            hold = Hold(self._order, link, owner, lambda epoch: self._open(owner, epoch), self._note)
            try:
                hold.open_session()
                self._serve(hold, transport, link)
            finally:
                hold.abandon()
        finally:
            transport.close()

    def _greet(self, port: str, owner: Owner) -> None:
        known, found = self._state.serial_number, owner.hello.serial_number
        if known not in ("", found):
            raise NoUnit(f"{port} has unit {found} now, not {known}", "plug that one in")
        self._tell(replace(self._state, hello=owner.greeting, serial_number=found, port=port, is_opening=True))

    def _open(self, owner: Owner, epoch: int) -> None:
        self._refusals = 0
        if not self._state.present:
            _log.info("unit %s is at %s, epoch %d", self._state.serial_number, self._state.port, epoch)
        here = replace(self._state, hello=owner.greeting, present=True, is_opening=False, epoch=epoch, role=SLAVE)
        self._tell(replace(here, code=service.NO_UNIT, problem=None))

    def _note(self, news: News) -> None:
        """Take what an answer says about the network."""
        heard = self._order.clock() if news.is_beacon else self._state.heard
        epoch = self._state.epoch if news.epoch is None else news.epoch
        revoked = self._state.revoked if news.revoked is None else news.revoked
        role = self._state.role if news.role is None else news.role
        known, state = self._state, replace(self._state, epoch=epoch, revoked=revoked, role=role, heard=heard)
        self._state = state
        if known.seen != state.seen or news.is_beacon:
            self._told(state)

    def _serve(self, hold: Hold, transport: Transport, link: Link) -> None:
        descriptor = transport.descriptor if isinstance(transport, SerialTransport) else None
        while not self._order.is_closed:
            job = hold.take(_IDLE if descriptor is None else 0)
            if not job and not hold.is_working and descriptor is not None:
                job = QuickJobs(self._loop, self._order, hold, descriptor).run()
            if job:
                hold.begin(job)
            elif hold.is_working:
                hold.receive()
            elif isinstance(transport, SerialTransport) and transport.has_news:
                link.ended()  # raises UnitRemoved if it was unplugged
        hold.finish(unplug=link.unplugs)
