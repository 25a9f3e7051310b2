# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""An open unit: its line, its session, and the lock between threads that use it."""

import contextlib
import functools
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from ndks_protocol import commands

from ..exceptions import NdksError, UsageError
from ..laptop.bindings import BindingStore
from ..line.link import Link
from .answers import Hello, Status, status_from
from .owner import Owner

_P = ParamSpec("_P")
_R = TypeVar("_R")
_U = TypeVar("_U", bound="OpenUnit")
_Answer = Any


def step(method: Callable[Concatenate[_U, _P], _R]) -> Callable[Concatenate[_U, _P], _R]:
    """Make a method of an open unit wait for other threads. UsageError when the unit is closed."""

    @functools.wraps(method)
    def in_turn(unit: _U, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        with unit.turn():
            return method(unit, *args, **kwargs)

    return in_turn


class OpenUnit:
    """Base of `Unit`: what all commands need."""

    def __init__(self, port: str, link: Link, bindings: BindingStore) -> None:
        self.port = port
        self._link = link
        self._lock = threading.RLock()
        self._is_closed = False
        self._owner = Owner(link, bindings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the unit; every further call but this one raises UsageError."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            try:
                with contextlib.suppress(NdksError, OSError):  # a failure skips reserved numbers, as a power cut does
                    if self._link.is_secured:
                        self._owner.close_session(unplug=self._link.unplugs)
            finally:
                self._link.close()

    @contextlib.contextmanager
    def turn(self) -> Generator[None]:
        """Hold the lock of the unit during the block. UsageError when the unit is closed."""
        with self._lock:
            if self._is_closed:
                raise UsageError("this unit is closed", "open it again: ndks.open")
            yield

    @property
    def hello(self) -> Hello:
        """The unit's last greeting."""
        return self._owner.hello

    @property
    def is_bound_here(self) -> bool:
        """Whether this laptop has a binding of the unit; it opens if the laptop is unchanged."""
        return self._owner.is_bound_here

    @property
    def has_code_here(self) -> bool:
        """Whether the unit was provisioned at this laptop and not bound yet: `bind` needs no code then."""
        return self._owner.has_code_here

    @property
    def went_back(self) -> bool:
        """Whether the unit's counter of exported keys was below this laptop's minimum, and was raised to it."""
        return self._owner.went_back

    def __repr__(self) -> str:
        """Name the unit and its port, without a request to the unit and without a secret."""
        state = "closed" if self._is_closed else self.hello.state
        return f"<ndks.Unit {self.hello.serial_number} at {self.port}, {state}>"

    @step
    def unlock(self, *, allow_jump: bool = False) -> Status:
        """Open a session if none is open, and return the member's state. Commands that need a session open it too.

        DeviceError BLANK, TAMPERED, STATE_FORMAT; AuthenticationError LOCKED when the unit is not bound to this laptop,
        KEK, DELAYED; DeviceError TOO_FAR when the laptop's minimum counter is far above the unit's, unless
        `allow_jump`, which is DENIED through a service.
        """
        if allow_jump:
            self._owner.refuse_held()
        return self._owner.unlock(allow_jump=allow_jump) if self._is_locked else self._seen_status()

    @step
    def status(self, *, unlock: bool = True) -> Status:
        """Return the unit's state, with its network if it is bound to this laptop. Works on a blank unit.

        For that it opens a session if none is open, with the errors of `unlock`. With `unlock=False` it opens none, and
        the network is left out unless a session is open.
        """
        opens = unlock and self._is_locked and self.is_bound_here
        return self._owner.unlock() if opens else self._seen_status()

    @property
    def _is_locked(self) -> bool:
        return not (self._link.is_secured or self._owner.is_held)

    def _seen_status(self) -> Status:
        return status_from(self._link.call(commands.STATUS))

    def _in_turns(self, answers: Iterator[_Answer]) -> Iterator[_Answer]:
        """Yield answers, holding the lock only while each is read."""
        while True:
            with self.turn():
                answer = next(answers, None)
            if answer is None:
                return
            yield answer


@contextlib.contextmanager
def advising(advice: str) -> Generator[None]:
    """Set the advice of errors that the block raises."""
    try:
        yield
    except NdksError as error:
        error.advice = advice
        raise
