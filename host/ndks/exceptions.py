# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Everything that this package raises on purpose.

    NdksError
    |-- UsageError             2   the request makes no sense
    |-- FileError              1   a file cannot be read or written
    |   `-- NetworkFileError   1   a network file is damaged or of another version
    |-- Declined               1   a question was answered with no
    |-- CheckFailed            1   something that must be equal is not
    |   `-- ChannelOpen        1   a laptop in its cage has a channel to the outside (ndks_laboratory.faraday)
    |-- NoUnit                 3   nothing there that is a unit
    |-- SeveralUnits           3   more than one, and none was chosen
    |-- DeviceError            4   the unit answered with an error code, or the host in its place
    |   `-- AuthenticationError 5  a capsule, a laptop or a unit is not the one that it should be
    |-- ProtocolError          4   the unit answered something that the protocol does not allow
    |   `-- VersionMismatch    4   unit and host speak different major versions
    |-- UnitBusy               4   another program has the port
    |-- PortPermission         4   this user may not open the port
    |-- UnitTimeout            6   no answer in time
    `-- UnitRemoved            6   the port went away

The number is the exit status of the command `ndks`.
"""

import os
from typing import ClassVar

from ndks_protocol import errors

from .refusals import REFUSALS, UNKNOWN, UPGRADE_OLDER


class NdksError(Exception):
    """What happened (`str`), its name for programs (`code`), and what helps (`advice`)."""

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


class Declined(NdksError):
    code = "DECLINED"
    exit_status = 1


class CheckFailed(NdksError):
    code = "CHECK_FAILED"
    exit_status = 1


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
    code = "VERSION"


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
    """A refusal; `number` is its code on the wire, also one that this version does not know."""

    exit_status = 4

    def __init__(self, number: int, message: str = "", advice: str = "") -> None:
        refusal = REFUSALS.get(number, UNKNOWN)
        super().__init__(message or refusal.meaning, advice or refusal.advice)
        self.number = number
        self.code = errors.name_of(number)


class AuthenticationError(DeviceError):
    """A capsule did not prove to be what a member of this network made, or unit and laptop do not belong together."""

    exit_status = 5


def device_error(number: int) -> DeviceError:
    """Return the exception for an error code."""
    is_authentication = REFUSALS.get(number, UNKNOWN).is_authentication
    return AuthenticationError(number) if is_authentication else DeviceError(number)


def reason(error: OSError) -> str:
    """Return why the system refused something, in its words; libraries raise some with a number or a text alone."""
    return error.strerror or (os.strerror(error.errno) if error.errno else str(error)) or type(error).__name__
