# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The loop of an agent: one thread that has the unit and the store, and takes all that comes.

A packet is taken from its carrier once the step that it caused is on the disk. If the unit is away, or the disk is
full, packets wait at their carriers, messages are stored, and the loop tries again.
"""

import functools
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from random import SystemRandom
from typing import NamedTuple

from ...carriers.carrier import Carrier, Received
from ...exceptions import NdksError
from ..agent import Agent
from ..events import Output
from ..limits import Limits
from ..store import Store
from ..unit import Unit
from .heard import Members
from .inputs import Asked, Inputs, Left
from .news import tell
from .office import Office
from .problems import OF_A_PACKET, Fault, NotYet, problem_of
from .publishing import publish
from .requests import Requests

_log = logging.getLogger(__name__)

_PAUSES = 0.5, 1.0, 2.0, 5.0  # seconds between attempts to go on after an error
_HELD = 10.0  # seconds without an error until it counts as going on: with a nearly full disk, some steps fail
_TRIES = 5  # with a packet that the unit or this program cannot take, until it is given up: a stranger may have made it
_SEALS = 16  # messages sealed in a step: a unit takes its time for each, and time must pass and requests be answered
_TIDY = 64  # ticks

OpenUnit = Callable[[], AbstractContextManager[Unit]]


class Settings(NamedTuple):
    """The administrators' key, the tick in seconds, and the bytes for what no program has taken."""

    public: bytes
    tick: float
    room: int = Limits.arrived_bytes


class Loop:
    """`open_unit` opens the unit for as long as it stays; `office` is there if this is an administrator's agent."""

    def __init__(
        self,
        store: Store,
        open_unit: OpenUnit,
        carriers: Sequence[Carrier],
        settings: Settings,
        office: Office | None = None,
    ) -> None:
        self.inputs = Inputs()
        self.carriers = carriers
        self.problem: NdksError | None = None  # why the unit or the store cannot be used now
        self.agent: Agent | None = None
        self.lane = 0  # of the unit, once it was there
        self.members = Members(store)
        self._unit: Unit | None = None
        self._store = store
        self._open_unit = open_unit
        self.settings = settings
        self._office = office
        self._limits = Limits(arrived_bytes=settings.room)
        self._requests = Requests(self, store, self._limits)
        self._stack = ExitStack()
        self._failures = 0
        self._untidy = 0  # ticks since the store was tidied
        self._failed_at = 0.0
        self._logged = ""  # the problem that was logged last, until the agent goes on
        self._seals = 0  # still allowed in this step
        self._due = time.monotonic()  # when the next tick is due, or the next attempt to go on
        self._ticked = self._due

    def run(self) -> None:
        """Run until `inputs.end`. NdksError: a carrier cannot be used at all."""
        with ExitStack() as stack:
            for carrier in self.carriers:
                carrier.start(self.inputs.receive)
                stack.callback(carrier.close)
            stack.callback(self._end)
            while not self.inputs.is_ended:
                if time.monotonic() >= self._due:
                    self._keep_time()
                self._take(max(0.0, self._due - time.monotonic()))

    @property
    def newest(self) -> int | None:
        """The newest generation that is known here, which the unit need not have entered; None: there is none."""
        ((known,),) = self._store.read("SELECT max(g) FROM bundles")
        own = self.agent.epoch >> 16 if self.agent and self.agent.epoch is not None else None
        made = self._office.generation if self._office else None
        return max((g for g in (known, own, made) if g is not None), default=None)

    def away(self) -> NdksError:
        """Return the error of a request that needs the unit."""
        return self.problem or NotYet("the agent has not seen its unit yet")

    @property
    def waits_for(self) -> str:
        """What an unsealed message waits for: unit, generation, carrier, or the messages before it (turn)."""
        if not self.agent:
            return "unit"
        if self.agent.epoch is None:
            return "generation"
        return "turn" if any(carrier.has_room for carrier in self.carriers) else "carrier"

    def seal(self) -> None:
        """Seal and publish the messages that wait, if the unit is there."""
        if agent := self.agent:
            self.do(lambda: agent.tick(0, retained=self._is_retained))

    def do(self, step: Callable[[], Output], carrier: str = "") -> bool:
        """Do a step of the agent and publish what it gives; return whether it was done; otherwise the agent is dropped.

        `carrier` is that of the packet that the step takes.
        """
        self._seals = _SEALS
        try:
            output = step()
        except Exception as error:
            self._fail(error)
            return False
        if self._failures and time.monotonic() >= self._failed_at + _HELD:
            self._failures, self._logged = 0, ""
            _log.warning("the agent goes on")
        if output.heard:
            self.members.note(output.heard, carrier)
        self._publish(output)
        return True

    def set_role(self, mode: int) -> None:
        """Set how the unit takes part in elections. NdksError."""
        if self._unit:
            self._unit.set_role(mode)

    def _take(self, longest: float) -> None:
        taken = self.inputs.take(longest, packets=self.agent is not None)
        if isinstance(taken, Received):
            self._receive(taken)
        elif taken:
            self._serve(taken)

    def _serve(self, taken: Asked | Left) -> None:
        if isinstance(taken, Asked):
            self._requests.answer(taken)
        else:
            self._requests.receivers.leave(taken.program)

    def _receive(self, received: Received) -> None:
        tries = 0
        while not self.inputs.is_ended:
            if agent := self.agent:
                if self.do(functools.partial(agent.receive, received.packet), received.carrier):
                    if self._office:
                        self._bring(self._office.receive(received.packet))
                    received.taken()
                    return
                tries += isinstance(self.problem, OF_A_PACKET)
                if tries == _TRIES:
                    _log.warning("a packet of %d bytes is given up", len(received.packet))
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
                if taken and not isinstance(taken, Received):
                    self._serve(taken)

    def _keep_time(self) -> None:
        now = time.monotonic()
        agent = self.agent
        if not agent:
            self._begin()
            return
        ticks = int((now - self._ticked) / self.settings.tick)
        self._ticked += ticks * self.settings.tick
        self._due = self._ticked + self.settings.tick
        if ticks and self.do(functools.partial(self._let_pass, agent, ticks)) and self._office:
            self._bring(self._office.tick(ticks))

    def _let_pass(self, agent: Agent, ticks: int) -> Output:
        self.members.tick(ticks)
        self._untidy += ticks
        if self._untidy >= _TIDY:
            self._untidy = 0
            self._store.tidy()
        return agent.tick(ticks, retained=self._is_retained)

    def _begin(self) -> None:
        """Open the unit, and go on from what the store has."""
        try:
            self._store.check_writable()
            unit = self._stack.enter_context(self._open_unit())
            self.lane = unit.lane
            self.agent = Agent(
                unit, self._store, SystemRandom(), self._limits, public=self.settings.public, may_seal=self._may_seal
            )
        except Exception as error:
            self._fail(error)
            return
        self._unit, self.problem = unit, None
        self._ticked = time.monotonic()
        self._due = self._ticked + self.settings.tick
        if self._office:
            self._publish(Output(self._office.tick(0)))  # before messages, which nobody can read without it
            self._give(self._office.known())
        self.seal()

    def _may_seal(self) -> bool:
        """Whether one more message is sealed in this step. What no carrier takes now would not be kept long enough."""
        self._seals -= 1
        return self._seals >= 0 and any(carrier.has_room for carrier in self.carriers)

    def _fail(self, error: Exception) -> None:
        """Drop the agent, which may know more than the store, and try again after a pause."""
        problem = problem_of(error)
        if str(problem) != self._logged:
            _log.warning("%s: %s", problem.code, problem, exc_info=isinstance(problem, Fault))
            self._logged = str(problem)
        self._drop()
        self.problem = problem
        self._failed_at = time.monotonic()
        self._due = self._failed_at + _PAUSES[min(self._failures, len(_PAUSES) - 1)]
        self._failures += 1

    @property
    def _is_retained(self) -> bool:
        """Whether all carriers give bundles to those who come later, as far as is known now."""
        return all(carrier.retains for carrier in self.carriers)

    def _end(self) -> None:
        self._drop()
        with suppress(NdksError):  # the disk is full: who was heard in the last minute is forgotten
            self.members.save()

    def _drop(self) -> None:
        self.agent = self._unit = None
        stack, self._stack = self._stack, ExitStack()
        try:
            stack.close()
        except Exception as error:  # the unit is away: there is nothing to close
            _log.debug("the unit could not be closed: %s", error)

    def _bring(self, packets: list[bytes]) -> None:
        """Publish what the office has, and give it to this agent too: carriers bring it only to the others."""
        self._publish(Output(packets))
        self._give(packets)

    def _give(self, packets: list[bytes]) -> None:
        for packet in packets:
            if agent := self.agent:
                self.do(functools.partial(agent.receive, packet))

    def _publish(self, output: Output) -> None:
        for packet in output.packets:
            publish(self.carriers, packet, passing=packet in output.passing)
        for event in output.events:
            tell(event)
        self._requests.checks.arrived(output.events)
        self._requests.receivers.arrived()  # a message may wait for earlier ones without being an event
