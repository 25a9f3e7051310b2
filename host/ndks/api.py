# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Public names of the package `ndks`, imported at the first use of one of them."""
# pyright: reportUnusedImport=false

from .driver.answers import Hello, Inspected, Key, Status
from .driver.capsules import Unsealed
from .driver.exported_keys import ExportedKey
from .driver.finding import open
from .driver.joining import Joined
from .driver.messages import ReceivedMessage
from .driver.program_keys import OpeningKeys, OwnNumber, SealingKeys
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
