# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What serving needs of a unit."""

import contextlib
import logging
import time
from collections.abc import Generator
from typing import Protocol

from ndks.exceptions import DeviceError, NdksError
from ndks_protocol import errors

from ..key_unit import Presence
from ..keys import refusals
from ..keys.refusals import NotNow

_log = logging.getLogger(__name__)

_MINUTE = 60.0
_told: dict[str, float] = {}  # when each error of a unit was logged, by code: a client could cause it at each request


class Number(Protocol):
    """A number of the unit's own, which nobody gets again."""

    @property
    def lane(self) -> int: ...
    @property
    def number(self) -> int: ...


class ServingUnit(Protocol):
    """A unit, which comes and goes. UnitAway or another NdksError that is not a DeviceError: it is not at hand."""

    @property
    def presence(self) -> Presence | None:
        """What it knew last; None: it is not at hand."""
        ...

    @property
    def changes(self) -> int:
        """A number that grows whenever the unit comes or goes, enters an epoch, or hears of a revoked lane."""
        ...

    async def wait_change(self, known: int) -> int:
        """Return `changes` as soon as it differs from this number."""
        ...

    async def chunk(self, epoch: int, n: int, offset: int, size: int) -> bytes:
        """Return bytes of the exported key n of lane 0 of an epoch, at most 1024. DeviceError EPOCH, CUT, RANGE."""
        ...

    async def take_number(self) -> Number:
        """Use up a number of its own. It is in the laptop's minimum counter, on the disk, before this returns."""
        ...

    async def renew(self) -> int:
        """Begin the next epoch of the whole network, and return it."""
        ...


class EpochGone(NdksError):
    """The unit does not give keys of this epoch: it was given up, or somebody who was a member then is revoked now.

    `reason` is one of `refusals`.
    """

    code = "EPOCH"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def away() -> NotNow:
    """Return the refusal while the unit is not at hand."""
    return NotNow(refusals.UNIT_AWAY)


@contextlib.contextmanager
def unit_errors() -> Generator[None]:
    """Raise what a unit refuses or fails with as EpochGone, or as NotNow."""
    try:
        yield
    except NdksError as error:
        if isinstance(error, DeviceError) and error.number == errors.EPOCH:
            raise EpochGone(refusals.TOO_OLD) from None
        if isinstance(error, DeviceError) and error.number == errors.CUT:
            raise EpochGone(refusals.REVOKED) from None
        _tell(error)
        raise away() from None


def _tell(error: NdksError) -> None:
    """Log an error, each kind at most once a minute. The unit itself has logged that it is away."""
    now = time.monotonic()
    is_news = isinstance(error, DeviceError) and now - _told.get(error.code, -_MINUTE) >= _MINUTE
    if is_news:
        _told[error.code] = now
    _log.log(logging.WARNING if is_news else logging.DEBUG, "%s: %s", error.code, error)
