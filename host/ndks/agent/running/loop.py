# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The loop of an agent: one thread that has the unit and the store, and takes all that comes.

A packet is taken from its carrier when the step that it caused is on the disk. If the unit is away, or the disk is
full, packets wait at their carriers, messages are stored, and the loop tries again. While no carrier has room, messages
stay in the store: of those that were sealed only the last ones are kept.
"""

import functools
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack
from random import SystemRandom

from ...carriers.carrier import Carrier, Received
from ...exceptions import NdksError, UsageError
from ...network.bundle import BUNDLE, BadBundle, Bundle
from ...system_errors import file_error
from ..agent import Agent
from ..events import Entered, Event, LeftOut, Master, Output, Refused
from ..limits import Limits
from ..pieces import split
from ..store import Store
from ..unit import Unit
from .inputs import Asked, Inputs, Left
from .office import Office
from .requests import Requests

_log = logging.getLogger(__name__)

_PAUSES = 0.5, 1.0, 2.0, 5.0  # seconds between attempts to go on after an error
_HELD = 10.0  # seconds without an error after which the agent goes on: where a disk is nearly full, some steps fail
_AT_ONCE = 32  # messages sealed in one step: it takes the unit a second
_HEADER = 13  # bytes of a piece before its part of the packet

OpenUnit = Callable[[], AbstractContextManager[Unit]]


class Loop:
    """`open_unit` opens the unit for as long as it stays; `tick` is in seconds.

    `public` is the administrators' key; `office` is there if this is an administrator's agent.
    """

    def __init__(
        self,
        store: Store,
        open_unit: OpenUnit,
        carriers: Sequence[Carrier],
        public: bytes,
        tick: float,
        office: Office | None = None,
    ) -> None:
        self.inputs = Inputs()
        self.carriers = carriers
        self.problem: NdksError | None = None  # why the unit or the store cannot be used now
        self.agent: Agent | None = None
        self.lane = 0  # of the unit, once it was there
        self._unit: Unit | None = None
        self._store = store
        self._open_unit = open_unit
        self._public = public
        self._tick = tick
        self._office = office
        self._limits = Limits(repeat=0) if all(carrier.retains for carrier in carriers) else Limits()
        self._requests = Requests(self, store, self._limits)
        self._stack = ExitStack()
        self._failures = 0
        self._failed_at = 0.0
        self._logged = ""  # the problem that was logged last, until the agent goes on
        self._due = time.monotonic()  # when the next tick is, or the next attempt to go on
        self._ticked = self._due

    def run(self) -> None:
        """Run until `inputs.end`. NdksError: a carrier cannot be used at all."""
        with ExitStack() as stack:
            for carrier in self.carriers:
                carrier.start(self.inputs.receive)
                stack.callback(carrier.close)
            stack.callback(self._drop)
            while not self.inputs.is_ended:
                if time.monotonic() >= self._due:
                    self._keep_time()
                self._take(max(0.0, self._due - time.monotonic()))

    def seal(self) -> None:
        """Seal and publish the messages that wait, if the unit is there."""
        if agent := self.agent:
            self.do(lambda: agent.tick(0))

    def do(self, step: Callable[[], Output]) -> bool:
        """Do a step of the agent and publish what it gives; return whether it was done, else the agent is dropped."""
        if self.agent:
            self.agent.limit(_AT_ONCE if any(carrier.has_room for carrier in self.carriers) else 0)
        try:
            output = step()
        except UsageError:
            raise
        except Exception as error:
            self._fail(error)
            return False
        if self._failures and time.monotonic() >= self._failed_at + _HELD:
            self._failures, self._logged = 0, ""
            _log.warning("the agent goes on")
        self._publish(output)
        return True

    def set_role(self, mode: int) -> None:
        """Set how the unit takes part in elections. NdksError."""
        if self._unit:
            self._unit.set_role(mode)

    def _take(self, longest: float) -> None:
        taken = self.inputs.take(longest, packets=self.agent is not None)
        if isinstance(taken, Asked):
            self._requests.answer(taken)
        elif isinstance(taken, Left):
            self._requests.leave(taken.program)
        elif taken:
            self._receive(taken)

    def _receive(self, received: Received) -> None:
        while not self.inputs.is_ended:
            if (agent := self.agent) and self.do(functools.partial(agent.receive, received.packet)):
                if self._office:
                    self._bring(self._office.receive(received.packet))
                received.taken()
                return
            self._wait_until_due()

    def _wait_until_due(self) -> None:
        """Answer requests until the agent goes on, or the end: the packet in hand must not be lost."""
        while not self.agent and not self.inputs.is_ended:
            if time.monotonic() >= self._due:
                self._keep_time()
            else:
                taken = self.inputs.take(max(0.0, self._due - time.monotonic()), packets=False)
                if isinstance(taken, Asked):
                    self._requests.answer(taken)
                elif isinstance(taken, Left):
                    self._requests.leave(taken.program)

    def _keep_time(self) -> None:
        now = time.monotonic()
        agent = self.agent
        if not agent:
            self._begin()
            return
        ticks = int((now - self._ticked) / self._tick)
        self._ticked += ticks * self._tick
        self._due = self._ticked + self._tick
        if ticks and self.do(lambda: agent.tick(ticks)) and self._office:
            self._bring(self._office.tick(ticks))

    def _begin(self) -> None:
        """Open the unit, and go on from what the store has."""
        try:
            self._store.check_writable()
            unit = self._stack.enter_context(self._open_unit())
            self.lane = unit.lane
            self.agent = Agent(unit, self._store, SystemRandom(), self._limits, public=self._public)
        except Exception as error:
            self._fail(error)
            return
        self._unit, self.problem = unit, None
        self._ticked = time.monotonic()
        self._due = self._ticked + self._tick
        self.seal()

    def _fail(self, error: Exception) -> None:
        """Drop the agent, which may know what the store does not, and try again after a pause."""
        problem = known_error(error)
        if problem is None:
            _log.exception("a step of the agent failed")
            problem = NdksError(f"a step of the agent failed: {type(error).__name__}")
        elif str(problem) != self._logged:
            _log.warning("%s: %s", problem.code, problem)
            self._logged = str(problem)
        self._drop()
        self.problem = problem
        self._failed_at = time.monotonic()
        self._due = self._failed_at + _PAUSES[min(self._failures, len(_PAUSES) - 1)]
        self._failures += 1

    def _drop(self) -> None:
        self.agent = self._unit = None
        stack, self._stack = self._stack, ExitStack()
        try:
            stack.close()
        except Exception as error:  # the unit is away: there is nothing to close
            _log.debug("the unit could not be closed: %s", error)

    def _bring(self, packets: list[bytes]) -> None:
        """Publish what the office has, and give it to the own agent: carriers bring it to the others only."""
        self._publish(Output(packets))
        for packet in packets:
            if agent := self.agent:
                self.do(functools.partial(agent.receive, packet))

    def _publish(self, output: Output) -> None:
        for packet in output.packets:
            publish(self.carriers, packet, passing=packet in output.passing)
        for event in output.events:
            _tell(event)
        if output.events:
            self._requests.arrived()


def known_error(error: Exception) -> NdksError | None:
    """Return an error that has a name and an advice, None for a fault of this program."""
    if isinstance(error, NdksError):
        return error
    return file_error(error) if isinstance(error, OSError) else None


def publish(carriers: Iterable[Carrier], packet: bytes, *, passing: bool = False) -> None:
    """Send a packet by all carriers, in pieces where they take only such."""
    generation = _generation_of(packet)
    for carrier in carriers:
        parts = split(packet, carrier.largest - _HEADER) if carrier.largest else [packet]
        if not all(carrier.send(part, generation, passing=passing) for part in parts):
            _log.debug("%s: too much waits; others ask for it again", carrier.url)


def _generation_of(packet: bytes) -> int | None:
    """Return the generation of a bundle, None for other packets."""
    if packet[:1] != bytes([BUNDLE]):
        return None
    try:
        return Bundle.parse(packet).g
    except BadBundle:
        return None


def _tell(event: Event) -> None:
    """Log an event of the network; messages are the programs' business."""
    if isinstance(event, Entered):
        _log.warning("entered generation %d", event.g)
    elif isinstance(event, Master):
        _log.info("lane %d leads", event.lane) if event.lane else _log.info("nobody leads")
    elif isinstance(event, LeftOut):
        _log.warning("generation %d has no notice for this unit: it may be revoked", event.g)
    elif isinstance(event, Refused):
        _log.warning("the unit refuses the notice of generation %d: error %04X", event.g, event.error)
