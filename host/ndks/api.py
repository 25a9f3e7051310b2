# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What `ndks` offers; loaded when one of these names is used there."""
# pyright: reportUnusedImport=false

from .driver.answers import Hello, Inspected, Key, Status
from .driver.capsules import Unsealed
from .driver.exported_keys import ExportedKey
from .driver.finding import open
from .driver.joining import Joined
from .driver.messages import ReceivedMessage
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
