# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Everything that this package raises on purpose.

    NdksError
    |-- UsageError             2   the request makes no sense
    |-- FileError              1   a file cannot be read or written
    |   `-- NetworkFileError   1   a network file is damaged or of another version
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

from ndks_protocol import errors, texts


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
    usual_advice = "upgrade the older one of host and unit"


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
    usual_advice = "upgrade this host: git pull in its clone, and pip install . there"

    def __init__(self, number: int, message: str = "", advice: str = "") -> None:
        meaning = texts.MEANINGS.get(number, "an error that this version does not know")
        super().__init__(message or meaning, advice or _ADVICE.get(number, ""))
        self.number = number
        self.code = errors.name_of(number)


class AuthenticationError(DeviceError):
    """A capsule did not prove to be what a member of this network made, or unit and laptop do not belong together."""

    exit_status = 5


def device_error(number: int) -> DeviceError:
    """Return the exception for an error code."""
    return AuthenticationError(number) if number in _AUTHENTICATION else DeviceError(number)


def reason(error: OSError) -> str:
    """Return why the system refused something, in its words; libraries raise some with a number or a text alone."""
    return error.strerror or (os.strerror(error.errno) if error.errno else str(error)) or type(error).__name__


_AUTHENTICATION = {
    *(errors.HEADER, errors.AUTH, errors.DIVERGED, errors.BINDING),
    *(errors.LOCKED, errors.KEK, errors.DELAYED),
}
_ADVICE = {
    errors.BAD_REQUEST: "upgrade the older one of host and unit",
    errors.UNKNOWN_COMMAND: "deploy the current firmware to the unit: ndks deploy DRIVE",
    errors.INTERNAL: "unplug the unit, plug it in again and repeat; report it if it stays",
    errors.BLANK: "make the unit a member of a network first: ndks provision NETWORK",
    errors.PROVISIONED: "use another, or erase this one: ndks zeroize",
    errors.STORAGE: "take the development jumper off if it is on; if that was not it, run ndks deploy DRIVE again",
    errors.STATE_FORMAT: "deploy that firmware again: ndks deploy DRIVE; or, if it was older, erase it: ndks zeroize",
    errors.TAMPERED: "look into the case, close it, plug the unit in anew, say ndks zeroize, and provision it again",
    errors.RANGE: "check the numbers; ranges are in PROTOCOL.md",
    errors.EPOCH: "ask the unit for its next index again",
    errors.TOO_FAR: "check the number; if it is right, repeat with --allow-jump",
    errors.CAPSULE_VERSION: "check that this is a capsule; if it is, upgrade ndks and the unit",
    errors.HEADER: "compare network ids (ndks info, ndks network show); if they are the same, have it sent again",
    errors.SUITE: "ask the sender which network the unit is a member of",
    errors.KIND: "upgrade the unit: ndks deploy DRIVE",
    errors.REFLECTED: "decrypt it with a unit of the receiver, or with the network file: --network FILE",
    errors.DUPLICATE: "if you need the message once more, repeat with --again",
    errors.TOO_OLD: "if it came late, or the sender was unplugged often, repeat with --again",
    errors.SENDERS: "decrypt it with the network file: --network FILE",
    errors.AUTH: "have it sent again",
    errors.DIVERGED: "bring both units together and compare: ndks key --index 1; provision the one that differs anew",
    errors.BINDING: "ask the sender whether the unit was moved to another laptop",
    errors.CONFLICT: "repeat; a new message is begun",
    errors.LOCKED: "use it at the laptop that it is bound to; a new unit, or one that was moved: ndks bind",
    errors.KEK: "use the laptop that it is bound to; if there is none any more: ndks zeroize, then provision it",
    errors.SESSION_ENDED: "repeat the command; if it stays, try another cable or port",
    errors.DELAYED: "wait for a minute, leave the unit plugged in, and repeat",
}
