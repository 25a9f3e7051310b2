# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What all carriers have in common."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from ..exceptions import NdksError
from ..system_errors import file_error

_log = logging.getLogger(__name__)

WAITING = 1000  # packets that wait for a carrier that is away; receivers ask for what is lost beyond that
LARGEST = 16 << 20  # bytes of a packet; larger ones come from strangers
ROOM = 200  # packets that wait for a carrier which has room: fewer than the own messages that an agent keeps
BUNDLES = 7  # generations whose bundles a carrier retains: those from which a unit can still come


class CarrierError(NdksError):
    """A carrier cannot be used now; it goes on trying."""

    code = "CARRIER"
    exit_status = 6
    usual_advice = "nothing is lost: what was accepted is sent when the carrier is there again"


@dataclass(frozen=True)
class Received:
    """A packet that has arrived. Call `taken` once it is stored: until then a carrier delivers it again if it can."""

    packet: bytes = field(repr=False)
    taken: Callable[[], object]
    carrier: str  # the URL of the carrier


Receive = Callable[[Received], object]  # may be called in any thread


class Carrier(Protocol):
    """Carries packets in both directions, in threads of its own, from `start` to `close`."""

    url: str  # as the user named it; it has no secrets
    problem: NdksError | None  # why nothing gets through now

    @property
    def largest(self) -> int | None:
        """The largest packet in bytes; None: any size."""
        ...

    @property
    def retains(self) -> bool:
        """Whether those who come later get the bundles of the last generations."""
        ...

    @property
    def has_room(self) -> bool:
        """Whether the carrier is there and little waits for it: what is sent now leaves soon, as far as it can know."""
        ...

    @property
    def is_idle(self) -> bool:
        """Whether all that was sent has left, as far as the carrier can know."""
        ...

    def start(self, receive: Receive) -> None:
        """Begin; raise NdksError for what will not mend itself."""

    def send(self, packet: bytes, generation: int | None = None, *, passing: bool = False) -> bool:
        """Send a packet soon, without waiting; return False if too many wait already.

        A bundle has its generation. A `passing` packet is worth nothing after a while.
        """
        ...

    def close(self) -> None:
        """Send what waits if that takes no more than a moment, and end."""


def tell(carrier: Carrier, problem: NdksError | None) -> None:
    """Note why nothing gets through, or that it does, and log any change."""
    if str(problem) != str(carrier.problem):
        if problem:
            _log.warning("%s: %s: %s. Do: %s", carrier.url, problem.code, problem, problem.advice)
        else:
            _log.info("%s: connected", carrier.url)
    carrier.problem = problem


def problem_of(error: Exception) -> NdksError:
    """Return what to say about an error in a carrier's thread, which goes on; a fault of this program is logged."""
    if isinstance(error, CarrierError):
        return error
    if isinstance(error, OSError):
        error = file_error(error)
    if isinstance(error, NdksError):
        return CarrierError(str(error), error.advice)
    _log.warning("a carrier failed", exc_info=error)
    return CarrierError(f"the carrier failed: {type(error).__name__}")
