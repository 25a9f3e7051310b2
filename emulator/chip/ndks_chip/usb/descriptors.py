# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Descriptors (USB 2.0, 9.6; Communications Device Class 1.2, 5)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

DEVICE, CONFIGURATION, STRING, _INTERFACE, _ENDPOINT = 1, 2, 3, 4, 5
_CDC_CONTROL, _ABSTRACT_CONTROL_MODEL, _CDC_DATA = 2, 2, 10
DEVICE_SIZE, CONFIGURATION_HEADER_SIZE = 18, 9
ENGLISH = 0x0409


@dataclass
class CdcFunction:
    """A serial port: its control interface, the index of that interface's name, and the endpoints of its data."""

    control: int
    name_index: int
    endpoint_in: int = 0
    endpoint_out: int = 0


@dataclass
class _Interface:
    number: int
    kind: int
    subclass: int
    name_index: int
    endpoints: list[int] = field(default_factory=list[int])


def vendor_and_product(device: bytes) -> tuple[int, int]:
    vendor, product = struct.unpack_from("<2H", device, 8)
    return vendor, product


def total_length(configuration: bytes) -> int:
    return struct.unpack_from("<H", configuration, 2)[0]


def cdc_functions(configuration: bytes) -> list[CdcFunction]:
    """Return the serial ports in the order of their interfaces."""
    found: list[CdcFunction] = []
    for interface in _interfaces(configuration):
        if (interface.kind, interface.subclass) == (_CDC_CONTROL, _ABSTRACT_CONTROL_MODEL):
            found.append(CdcFunction(interface.number, interface.name_index))
        elif interface.kind == _CDC_DATA and found:
            for address in interface.endpoints:
                if address & 0x80:
                    found[-1].endpoint_in = address & 0xF
                else:
                    found[-1].endpoint_out = address
    return found


def text(descriptor: bytes) -> str:
    return descriptor[2 : descriptor[0] if descriptor else 2].decode("utf-16-le", "replace")


def _interfaces(configuration: bytes) -> list[_Interface]:
    found: list[_Interface] = []
    for part in _parts(configuration):
        if part[1] == _INTERFACE:
            found.append(_Interface(part[2], part[5], part[6], part[8]))
        elif part[1] == _ENDPOINT and found:
            found[-1].endpoints.append(part[2])
    return found


def _parts(configuration: bytes) -> Iterator[bytes]:
    at = 0
    while at + 2 <= len(configuration) and configuration[at] >= 2:
        yield configuration[at : at + configuration[at]]
        at += configuration[at]
