# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit and its bindings to this laptop, as they lie in its file."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from ndks_protocol.binding import BINDING_SIZE
from ndks_protocol.commands import MAX_NUMBER

from .. import strict_json
from .counters import number
from .fingerprint import Characteristics

FORMAT = 1


@dataclass(frozen=True)
class Binding:
    """A binding of a unit to this laptop, with the characteristics at the time of binding."""

    binding_id: str
    with_network: bool
    characteristics: Characteristics


@dataclass(frozen=True)
class BoundUnit:
    """A unit and its bindings; there are two only while one replaces the other."""

    serial_number: str
    bindings: tuple[Binding, ...] = ()
    epoch: int = 0  # with own_number: the highest message counter, where ndks 0.1 stored it
    own_number: int = 0
    transport_code: str = field(default="", repr=False)  # in hex, from provisioning here until the unit is bound here

    def binding(self, binding_id: str) -> Binding | None:
        """Return the binding with this id, or None."""
        return next((binding for binding in self.bindings if binding.binding_id == binding_id), None)


def content_of(unit: BoundUnit) -> bytes:
    """Return the content of the file of a unit."""
    values = {name: value for name, value in asdict(unit).items() if name != "transport_code" or value}
    return (json.dumps({"ndks_bindings": FORMAT, **values}, indent=2) + "\n").encode()


def unit_from(serial_number: str, content: bytes) -> BoundUnit:
    """Return what a file says of a unit. ValueError: it is damaged."""
    try:
        return _unit_from(serial_number, strict_json.loads(content))
    except (KeyError, TypeError, RecursionError):
        raise ValueError from None


def _unit_from(serial_number: str, values: Any) -> BoundUnit:
    if not strict_json.is_version(values["ndks_bindings"], FORMAT):
        raise ValueError
    bindings = cast(list[dict[str, Any]], values["bindings"])
    own_number, code = _own_number(values["own_number"]), bytes.fromhex(values.get("transport_code", ""))
    if len(code) not in (0, BINDING_SIZE):
        raise ValueError
    return BoundUnit(
        serial_number, tuple(map(_binding_from, bindings)), number(values["epoch"]), own_number, code.hex()
    )


def _binding_from(values: dict[str, Any]) -> Binding:
    pairs = tuple((_line(name), _line(value)) for name, value in values["characteristics"])
    return Binding(_line(values["binding_id"]), strict_json.typed(bool, values["with_network"]), pairs)


def _own_number(value: Any) -> int:
    """Return a message counter, or 0 for one that is too large: ndks 0.1 stored numbers of units unchecked."""
    return 0 if type(value) is int and value > MAX_NUMBER else number(value)


def _line(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError
    return value
