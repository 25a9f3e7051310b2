# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Stations, which are laptops with a unit, and the translation of errors to refusals."""

import contextlib
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from ndks.driver.unit import Unit, open_port
from ndks.exceptions import DeviceError, ProtocolError
from ndks.laptop.bindings import BindingStore
from ndks.line.link import Link
from ndks.line.session import after_delay

from .system import Refusal
from .tap import Tap


@dataclass(frozen=True)
class Station:
    """A laptop's bindings and the port of its unit; `flash` are the files of its flash, or their directory."""

    port: str
    bindings: BindingStore
    flash: tuple[Path, ...] = ()


@contextlib.contextmanager
def refusals() -> Generator[None]:
    """Turn refusals by unit or host, and invalid answers, into Refusal."""
    try:
        yield
    except (DeviceError, ProtocolError) as error:
        raise Refusal(error.code) from None


def open_station(station: Station, timeout: float, tap: list[Tap] | None = None) -> tuple[Unit, Link]:
    """Return an unlocked unit and its link; with a list `tap`, put a tap on the line and append it to the list."""
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
