# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A laptop and the port of its unit: how homologation opens it, and how it reports refusals."""

import contextlib
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from ndks.driver.unit import Unit, open_port
from ndks.exceptions import DeviceError, ProtocolError
from ndks.laptop.bindings import BindingStore
from ndks.line.link import Link
from ndks_protocol import errors

from .system import Refusal
from .tap import Tap

_LONGEST_DELAY = 70.0  # seconds: a unit that was given wrong proofs makes its laptop wait for a minute at most
_PAUSE = 0.1


@dataclass(frozen=True)
class Station:
    """A laptop's bindings and the port of its unit; `flash` are the files of its flash, or a directory of them."""

    port: str
    bindings: BindingStore
    flash: tuple[Path, ...] = ()


@contextlib.contextmanager
def refusals() -> Generator[None]:
    """Raise Refusal where unit or host refuse, and for answers that the host does not accept."""
    try:
        yield
    except (DeviceError, ProtocolError) as error:
        raise Refusal(error.code) from None


def open_station(station: Station, timeout: float, tap: list[Tap] | None = None) -> tuple[Unit, Link]:
    """Return a unit with its session open, and the link to it; a tap is added to `tap`."""
    transport = open_port(station.port, timeout)
    try:
        if tap is not None:
            transport = Tap(transport)
            tap.append(transport)
        link = Link(transport, timeout)
        unit = Unit(station.port, link, station.bindings)
        _unlock(unit)
    except BaseException:
        transport.close()
        raise
    return unit, link


def _unlock(unit: Unit) -> None:
    deadline = time.monotonic() + _LONGEST_DELAY
    while True:
        try:
            unit.unlock()
        except DeviceError as error:
            if error.number != errors.DELAYED or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)
        else:
            return
