# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What `ndks` offers; loaded when one of these names is used there."""
# pyright: reportUnusedImport=false

from .driver.answers import Hello, Key, Status
from .driver.capsules import Unsealed
from .driver.finding import find_unit as open
from .driver.unit import Unit
from .exceptions import (
    AuthenticationError,
    CheckFailed,
    Declined,
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
