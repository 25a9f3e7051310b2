# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""An open unit: its line, the laptop's dealings with it, and the turns of the threads that use it."""

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
    """Let a method of an open unit wait for those that other threads have called. UsageError when it is closed."""

    @functools.wraps(method)
    def in_turn(unit: _U, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        with unit.turn():
            return method(unit, *args, **kwargs)

    return in_turn


class OpenUnit:
    """What all commands of a unit need: `Unit` is made of this and of the verbs."""

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
        """Leave the unit; every further call raises UsageError. Closing twice does nothing."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            try:
                with contextlib.suppress(NdksError, OSError):  # at worst, numbers are lost as in a power cut
                    if self._link.is_secured:
                        self._owner.close_session(unplug=self._link.unplugs)
            finally:
                self._link.close()

    @contextlib.contextmanager
    def turn(self) -> Generator[None]:
        """Let other threads wait until the block ends. UsageError when the unit is closed."""
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
        """Whether the unit is bound to this laptop, and opens for it if the laptop is as it was."""
        return self._owner.is_bound_here

    @property
    def went_back(self) -> bool:
        """Whether the unit knew less than this laptop of the keys that were used, and was made to go on after them."""
        return self._owner.went_back

    def __repr__(self) -> str:
        """Name the unit and its port; asks the unit nothing, and shows no secret."""
        state = "closed" if self._is_closed else self.hello.state
        return f"<ndks.Unit {self.hello.serial_number} at {self.port}, {state}>"

    @step
    def unlock(self, *, allow_jump: bool = False) -> Status:
        """Open a session if none is open, and return the member's state; commands that need one open it themselves.

        DeviceError BLANK, TAMPERED, STATE_FORMAT; AuthenticationError LOCKED when this is not the laptop that the unit
        is bound to, KEK, DELAYED; DeviceError TOO_FAR when the laptop knows of numbers far above the unit's, and
        `allow_jump` does not permit that.
        """
        return self._seen_status() if self._link.is_secured else self._owner.unlock(allow_jump=allow_jump)

    @step
    def status(self, *, unlock: bool = True) -> Status:
        """Return the unit's state: a member's where it is bound to this laptop, else what anybody sees of it.

        Works on a blank unit too. For a member's state it opens a session, and raises what `unlock` raises; without
        `unlock` it opens none, and what concerns the network is left out unless one is open.
        """
        opens = unlock and not self._link.is_secured and self.is_bound_here
        return self._owner.unlock() if opens else self._seen_status()

    def _seen_status(self) -> Status:
        return status_from(self._link.call(commands.STATUS))

    def _in_turns(self, answers: Iterator[_Answer]) -> Iterator[_Answer]:
        """Yield answers; get each in a turn of its own."""
        while True:
            with self.turn():
                answer = next(answers, None)
            if answer is None:
                return
            yield answer


@contextlib.contextmanager
def advising(advice: str) -> Generator[None]:
    """Let errors of the block advise this."""
    try:
        yield
    except NdksError as error:
        error.advice = advice
        raise
