# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Jobs at an open port: sessions, requests that are sent again, and what this laptop has to note."""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ndks_protocol import commands, errors, service
from ndks_protocol.commands import WIRE_HEADER_SIZE, Command

from ..driver.owner import Owner
from ..exceptions import DeviceError, FileError, NdksError, UnitRemoved, UnitTimeout
from ..line.conversation import Answer, Failure
from ..line.link import Link, unpack_answer
from .order import Job, Order, Outcome
from .scopes import NETWORK

_log = logging.getLogger(__name__)

_TRIES = 3  # of one request, each in another session
_BLOCK = 64  # numbers that a unit reserves at a time: after as many, the floor goes to the disk
_REMEMBERED = 8  # messages that a unit has begun, whose headers it gives again

# What may be sent again after a session was lost: doing it twice has the same effect as doing it once.
_REPEATED = {
    *(commands.STATUS, commands.NEXT_INDEX, commands.KEY_CHUNK, commands.ACKNOWLEDGE),
    *(commands.ACCEPT, commands.TRUST),
}
_BEGINNING = {commands.SEAL_BEGIN, commands.SEAL_KEYS, commands.OPEN_BEGIN, commands.OPEN_KEYS}
_QUICK = {
    *(commands.NEXT_INDEX, commands.KEY_CHUNK, commands.STATUS, commands.MESSAGE_STREAM, commands.MESSAGE_CHECK),
    *(commands.SEAL_CHUNK, commands.OPEN_BEGIN, commands.OPEN_CHUNK, commands.OPEN_KEYS),
}
_CLOSING = {commands.CLOSE, service.RELEASE}


class Released(Exception):
    """The port is to be closed for some seconds. The job that asked for this is done once it is closed."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job
        self.seconds: int = service.RELEASE.request.unpack(job.payload)[0]


@dataclass(frozen=True)
class News:
    """What an answer says about the network; None: nothing. `is_beacon`: the unit has heard or given a beacon."""

    epoch: int | None = None
    revoked: int | None = None
    role: int | None = None
    is_beacon: bool = False


class Hold:
    """Does jobs at a unit over one open port.

    `opened` is called after each session was opened, with its epoch; `noted` with what an answer says about the
    network.
    """

    def __init__(
        self,
        order: Order,
        link: Link,
        owner: Owner,
        opened: Callable[[int], object],
        noted: Callable[[News], object],
    ) -> None:
        self._noted = noted
        self._order = order
        self._link = link
        self._owner = owner
        self._opened = opened
        self._at_unit: dict[int, tuple[Job, float]] = {}  # by request id, with the time when it was sent
        self._answered = 0.0  # when the last answer came
        self._headers: deque[bytes] = deque(maxlen=_REMEMBERED)  # of the last messages that were begun
        self._sealed = 0

    @property
    def is_working(self) -> bool:
        """Whether the unit has a request that it has not answered."""
        return bool(self._at_unit)

    def take(self, longest: float = 0.0) -> Job | None:
        """Return the job whose turn it is; wait for one for `longest` seconds if the unit has none.

        After a job that is to be followed by another one there is none: the unit must do nothing between these two.
        """
        if any(job.follow for job, _ in self._at_unit.values()):
            return None
        return self._order.take(len(self._at_unit), longest)

    def open_session(self) -> None:
        """Open a session, and raise the unit's counters to those of this laptop. NdksError."""
        self._opened(self._owner.unlock().epoch)

    def begin(self, job: Job) -> None:
        """Send a request, in a new session if there is none. Released: the port is to be closed. NdksError."""
        try:
            if job.command in _CLOSING:
                self._close(job)
                return
            if not self._link.is_secured:
                self.open_session()
            self._post(job)
        except Released:
            raise
        except BaseException:
            self._lose(job)
            raise

    def _post(self, job: Job) -> None:
        self._at_unit[self._link.post(job.command, job.payload)] = job, self._order.clock()

    def is_quick(self, job: Job) -> bool:
        """Return whether a job waits for nothing but the unit's answer: no session to open, no counter to note."""
        return job.command in _QUICK and not job.is_durable and self._link.is_secured

    def receive(self, *, waits: bool = True) -> None:
        """Wait briefly for answers, or only check which are late. UnitRemoved, also for a unit that does not answer."""
        is_silent = False
        for event in self._link.ended() if waits else self._link.late():
            job, sent = self._at_unit.pop(event.request_id)
            now = self._order.clock()
            self._order.used(job.client, now - max(sent, self._answered))
            self._answered = now
            is_silent = is_silent or (isinstance(event, Failure) and isinstance(event.error, UnitTimeout))
            self._end(job, event)
        if is_silent:
            raise UnitRemoved("the unit does not answer")

    def finish(self, *, unplug: bool) -> None:
        """Wait for what is at the unit, and close the session."""
        while self._at_unit:
            self.receive()
        if self._link.is_secured:
            self._owner.close_session(unplug=unplug)

    def abandon(self) -> None:
        """End the jobs at the unit, or have them wait for another port; note the counters."""
        lost, self._at_unit = self._at_unit, {}
        for job, _ in reversed(lost.values()):
            self._lose(job)
        self._owner.sync_counters()

    def _close(self, job: Job) -> None:
        """Give the unit its unused numbers back, so that it can be unplugged; with RELEASE let go of the port too."""
        self.finish(unplug=True)
        if job.command is service.RELEASE:
            raise Released(job)
        job.done(b"")

    def _end(self, job: Job, event: Answer | Failure) -> None:
        if isinstance(event, Answer):
            self._note(job.command, job.payload, event.payload)
            if job.command in NETWORK:
                self._note_network(job.command, event.payload)
            job.done(self._durable(event.payload) if job.is_durable else event.payload)
            following = job.follow(event.payload) if job.follow else None
            if following:
                following.tries = _TRIES  # it belongs to this session: in another one it would be about other messages
                self.begin(following)
        elif isinstance(event.error, DeviceError) and event.error.number != errors.SESSION_ENDED:
            job.done(event.error.number)
        elif isinstance(event.error, (DeviceError, UnitTimeout)):
            self._lose(job)
        else:
            job.done(errors.INTERNAL)  # the answer violates the protocol

    def _durable(self, status: bytes) -> Outcome:
        """Return an answer to STATUS when its number is on the disk, or an error code."""
        try:
            fields = unpack_answer(commands.STATUS, status)
            self._owner.note_number(fields.epoch, fields.message_counter)
        except (NdksError, OSError) as error:
            _log.error("a number cannot be noted: %s", error)
            return errors.STORAGE if isinstance(error, (FileError, OSError)) else errors.INTERNAL
        return status

    def _lose(self, job: Job) -> None:
        """End a job whose session was lost, or have it wait for the next session."""
        job.tries += 1
        if job.command in _REPEATED and job.tries < _TRIES:
            self._order.put(job, again=True)
        else:
            can_begin = job.command in _BEGINNING | _REPEATED | NETWORK
            job.done(errors.SESSION_ENDED if can_begin else errors.CONFLICT)

    def _note_network(self, command: Command, answer: bytes) -> None:
        """Note what an answer says about the network, and the number of a beacon."""
        try:
            fields = unpack_answer(command, answer)
        except NdksError:
            return  # the client gets it as it is
        if command is commands.TICK:
            if fields.capsule:
                self._owner.note_sealed()
            self._noted(News(fields.epoch, fields.revoked, fields.role, is_beacon=bool(fields.capsule)))
        elif command is commands.CONTROL:
            self._noted(News(is_beacon=True))
        elif command in (commands.NOTICE, commands.RENEW):
            self._noted(News(fields.epoch))

    def _note(self, command: Command, payload: bytes, answer: bytes) -> None:
        """Note a number that the unit has issued, or a key that it has used up."""
        if command in (commands.SEAL_BEGIN, commands.SEAL_KEYS):
            header = answer[:WIRE_HEADER_SIZE]
            if header not in self._headers:  # otherwise it was the same number again
                self._headers.append(header)
                self._owner.note_sealed()
                self._sealed += 1
                if self._sealed % _BLOCK == 0:
                    self._owner.sync_counters()
        elif command is commands.ACKNOWLEDGE:
            epoch, index, allow_jump = command.request.unpack(payload)
            self._owner.note_acknowledged(epoch, index, allow_jump=bool(allow_jump))
