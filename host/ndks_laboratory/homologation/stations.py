# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A laptop and the port of its unit: how homologation opens it, and what it makes of refusals."""

import contextlib
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from ndks.driver.unit import Unit, open_port
from ndks.exceptions import DeviceError, ProtocolError
from ndks.laptop.bindings import BindingStore
from ndks.line.link import Link
from ndks.line.session import after_delay

from .system import Refused
from .tap import Tap


@dataclass(frozen=True)
class Station:
    """A laptop's bindings and the port of its unit; `flash` are the files of its flash, or a directory of them."""

    port: str
    bindings: BindingStore
    flash: tuple[Path, ...] = ()


@contextlib.contextmanager
def refusals() -> Generator[None]:
    """Raise Refused for what unit or host refuse, and for answers that the host does not take."""
    try:
        yield
    except (DeviceError, ProtocolError) as error:
        raise Refused(error.code) from None


def open_station(station: Station, timeout: float, tap: list[Tap] | None = None) -> tuple[Unit, Link]:
    """Return a unit with its session open, and the link to it; a tap is added to `tap`."""
    transport = open_port(station.port, timeout)
    try:
        if tap is not None:
            transport = Tap(transport)
            tap.append(transport)
        link = Link(transport, timeout)
        unit = Unit(station.port, link, station.bindings)
        after_delay(unit.unlock)
    except BaseException:
        transport.close()
        raise
    return unit, link
