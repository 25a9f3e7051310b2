# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The exceptions of this package and their exit statuses.

    NdksError
    |-- UsageError             2   an argument or a combination of arguments is invalid
    |-- FileError              1   a file cannot be read or written
    |   |-- NetworkFileError   1   a network file is damaged or of another version
    |   |-- JoiningFileError   1   a request to join, or a package for it, is damaged or of another version
    |   `-- FolderError        1   the content of a folder is none that ndks packs
    |-- SymbolsError           1   symbols are wrong
    |   |-- OddSymbol          1   something is none of 0, 1 and nothing
    |   |-- SymbolsTooLong     1   there are too many of one kind in a row
    |   |-- BadSymbols         1   bytes code no symbols, or code them in another way than the only one
    |   |   `-- SymbolsCut     1   the end of the coded symbols is missing
    |   `-- OtherContent       1   a message holds bytes, and no symbols
    |-- CheckFailed            1   two values that must be equal differ
    |   |-- WordsDiffer        1   a file is not the one whose six words were said
    |   `-- ChannelOpen        1   a laptop in its cage has a channel to the outside (ndks_laboratory.faraday)
    |-- Declined               1   the user did not confirm
    |-- NoUnit                 3   no unit was found
    |-- SeveralUnits           3   several units were found, and none was chosen
    |-- DeviceError            4   the unit, or the host in its place, refused with an error code
    |   `-- AuthenticationError 5  a capsule, a laptop or a unit is not authentic
    |-- ProtocolError          4   the answer of the unit violates the protocol
    |   `-- VersionMismatch    4   unit and host speak different major versions of the protocol
    |-- UnitBusy               4   another program holds the port
    |-- PortPermission         4   this user may not open the port
    |-- UnitTimeout            6   the unit did not answer in time
    `-- UnitRemoved            6   the port disappeared

The numbers are the exit statuses of the command `ndks`.
"""

import os
from typing import ClassVar

from ndks_protocol import errors, service

from .refusals import REFUSALS, UNKNOWN, UPGRADE_OLDER


class NdksError(Exception):
    """An error: its message (`str`), its name for programs (`code`), and a remedy for the user (`advice`)."""

    code: str = "ERROR"
    exit_status: ClassVar[int] = 1
    usual_advice: ClassVar[str] = "repeat; report it if it stays"

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice or self.usual_advice


class UsageError(NdksError):
    code = "USAGE"
    exit_status = 2
    usual_advice = "see --help of the command"


class FileError(NdksError):
    code = "FILE"
    exit_status = 1
    usual_advice = "check the path, its permissions and the free space"


class NetworkFileError(FileError):
    code = "NETWORK_FILE"


class JoiningFileError(FileError):
    code = "JOINING_FILE"


class FolderError(FileError):
    code = "FOLDER"
    usual_advice = "have it sent again, by a version of ndks that follows docs/folders.md"


class SymbolsError(NdksError):
    code = "SYMBOLS"


class OddSymbol(SymbolsError):
    code = "ODD_SYMBOL"
    usual_advice = "symbols are 0, 1, and nothing: . in a text, where .{N} is N of them, and None in Python"


class SymbolsTooLong(SymbolsError):
    code = "SYMBOLS_TOO_LONG"
    usual_advice = "send them in parts"


class BadSymbols(SymbolsError):
    code = "BAD_SYMBOLS"
    usual_advice = "have them sent again, by a version of ndks that follows PROTOCOL.md"


class SymbolsCut(BadSymbols):
    code = "SYMBOLS_CUT"

    def __init__(self) -> None:
        super().__init__("the end of the symbols is missing")


class OtherContent(SymbolsError):
    code = "OTHER_CONTENT"
    usual_advice = "open it as bytes: ndks decrypt"

    def __init__(self) -> None:
        super().__init__("the message holds bytes, and no symbols; it was not accepted")


class CheckFailed(NdksError):
    code = "CHECK_FAILED"
    exit_status = 1


class WordsDiffer(CheckFailed):
    code = "WORDS"
    usual_advice = "ask for them again by voice; if they still differ, do not use the file, and have it sent again"


class Declined(NdksError):
    code = "DECLINED"
    exit_status = 1
    usual_advice = "repeat the command if you want it"


class NoUnit(NdksError):
    code = "NO_UNIT"
    exit_status = 3


class SeveralUnits(NdksError):
    code = "SEVERAL_UNITS"
    exit_status = 3


class ProtocolError(NdksError):
    code = "PROTOCOL"
    exit_status = 4
    usual_advice = UPGRADE_OLDER


class VersionMismatch(ProtocolError):
    code = "PROTOCOL_VERSION"


class UnitBusy(NdksError):
    code = "BUSY"
    exit_status = 4


class PortPermission(NdksError):
    code = "PERMISSION"
    exit_status = 4


class UnitTimeout(NdksError):
    code = "TIMEOUT"
    exit_status = 6


class UnitRemoved(NdksError):
    code = "REMOVED"
    exit_status = 6


class DeviceError(NdksError):
    """A refusal by the unit; `number` is its code on the wire, which this version may not know."""

    exit_status = 4

    def __init__(self, number: int, message: str = "", advice: str = "") -> None:
        refusal = REFUSALS.get(number, UNKNOWN)
        super().__init__(message or refusal.meaning, advice or refusal.advice)
        self.number = number
        self.code = service.ERRORS.get(number) or errors.name_of(number)


class AuthenticationError(DeviceError):
    """A capsule is not authentic, or unit and laptop do not belong together."""

    exit_status = 5


def device_error(number: int) -> DeviceError:
    """Return the exception for an error code."""
    is_authentication = REFUSALS.get(number, UNKNOWN).is_authentication
    return AuthenticationError(number) if is_authentication else DeviceError(number)


def refused(number: int) -> NdksError:
    """Return the exception for an error answer: that of `device_error`, or for a unit that its service lacks."""
    kind = {service.NO_UNIT: NoUnit, service.BUSY: UnitBusy}.get(number)
    refusal = REFUSALS.get(number, UNKNOWN)
    return kind(refusal.meaning, refusal.advice) if kind else device_error(number)


def reason(error: OSError) -> str:
    """Return the system's text for an error. Libraries raise some errors with a number or a text alone."""
    return error.strerror or (os.strerror(error.errno) if error.errno else str(error)) or type(error).__name__
