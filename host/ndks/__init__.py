# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Driver of NDKS units: USB boxes that compute the same key for the same key index, with no channel between them.

import ndks

with ndks.open() as unit:  # or ndks.open("/dev/ttyACM0"), ndks.open("emulator:DIR")
    key = unit.next_key(256)
"""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.11.0"

__all__ = (
    "AuthenticationError",
    "BadSymbols",
    "Binding",
    "BindingStore",
    "CheckFailed",
    "Declined",
    "DeviceError",
    "ExportedKey",
    "FileError",
    "FolderError",
    "Hello",
    "Inspected",
    "JoinPackage",
    "JoinRequest",
    "Joined",
    "JoinedByPackage",
    "JoiningFileError",
    "Key",
    "Member",
    "NdksError",
    "Network",
    "NetworkFileError",
    "NoUnit",
    "OddSymbol",
    "OpeningKeys",
    "OtherContent",
    "OwnNumber",
    "Unsealed",
    "UnsealedFolder",
    "PortPermission",
    "ProtocolError",
    "ReceivedMessage",
    "Run",
    "SealedFolder",
    "SealingKeys",
    "SeveralUnits",
    "Status",
    "Symbols",
    "SymbolsCut",
    "SymbolsError",
    "SymbolsTooLong",
    "Unit",
    "UnitBusy",
    "UnitRemoved",
    "UnitTimeout",
    "UsageError",
    "VersionMismatch",
    "WordsDiffer",
    "admit_by_request",
    "open",
)

if TYPE_CHECKING:
    from .api import *
else:

    def __getattr__(name: str) -> object:
        """Load the public names when the first one is used: `ndks --help` needs none of them."""
        if name in __all__:
            return getattr(importlib.import_module(".api", __name__), name)
        raise AttributeError(f"module {__name__} has no attribute {name}")

    def __dir__() -> list[str]:
        """Show in an interpreter which names there are, loaded or not."""
        return sorted({*globals(), *__all__})
