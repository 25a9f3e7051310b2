# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Drive NDKS units: boxes that answer with the same key for the same index, with no channel between them.

import ndks

with ndks.open() as unit:  # or ndks.open("/dev/ttyACM0"), ndks.open("emulator:DIR")
    key = unit.next_key(256)
"""

from .driver.answers import Hello, Key, Status
from .driver.capsules import Unsealed
from .driver.finding import find_unit as open
from .driver.unit import Unit
from .exceptions import (
    AuthenticationError,
    CheckFailed,
    DeviceError,
    FileError,
    NdksError,
    NetworkFileError,
    NoUnit,
    PortPermission,
    ProtocolError,
    SeveralUnits,
    UnitBusy,
    UnitRemoved,
    UnitTimeout,
    UsageError,
    VersionMismatch,
)
from .laptop.bindings import Binding, BindingStore
from .network.network_file import Member, Network

__version__ = "0.2.0"

__all__ = (
    "AuthenticationError",
    "Binding",
    "BindingStore",
    "CheckFailed",
    "DeviceError",
    "FileError",
    "Hello",
    "Key",
    "Member",
    "NdksError",
    "Network",
    "NetworkFileError",
    "NoUnit",
    "Unsealed",
    "PortPermission",
    "ProtocolError",
    "SeveralUnits",
    "Status",
    "Unit",
    "UnitBusy",
    "UnitRemoved",
    "UnitTimeout",
    "UsageError",
    "VersionMismatch",
    "open",
)
