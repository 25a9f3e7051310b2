# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Public names of the package `ndks`, imported when the first of them is used."""
# pyright: reportUnusedImport=false

from .driver.answers import Hello, Inspected, Key, Status
from .driver.capsules import Unsealed
from .driver.exported_keys import ExportedKey
from .driver.finding import open
from .driver.folder_opening import UnsealedFolder
from .driver.folder_sealing import SealedFolder
from .driver.joining import Joined, JoinedByPackage
from .driver.messages import ReceivedMessage
from .driver.program_keys import OpeningKeys, OwnNumber, SealingKeys
from .driver.unit import Unit
from .exceptions import (
    AuthenticationError,
    BadSymbols,
    CheckFailed,
    Declined,
    DeviceError,
    FileError,
    FolderError,
    JoiningFileError,
    NdksError,
    NetworkFileError,
    NoUnit,
    OddSymbol,
    OtherContent,
    PortPermission,
    ProtocolError,
    SeveralUnits,
    SymbolsCut,
    SymbolsError,
    SymbolsTooLong,
    UnitBusy,
    UnitRemoved,
    UnitTimeout,
    UsageError,
    VersionMismatch,
    WordsDiffer,
)
from .laptop.bindings import BindingStore
from .laptop.bound_unit import Binding
from .network.admission import admit_by_request
from .network.join_package import JoinPackage
from .network.join_request import JoinRequest
from .network.network_file import Member, Network
from .symbols.coding import Run
from .symbols.symbols import Symbols
