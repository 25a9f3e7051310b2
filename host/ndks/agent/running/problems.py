# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Why the loop of an agent cannot go on: errors that programs are told about."""

from ...exceptions import DeviceError, NdksError, ProtocolError, UsageError
from ...system_errors import file_error


class Fault(NdksError):
    """A fault of this program."""

    code = "FAULT"


OF_A_PACKET = DeviceError, ProtocolError, UsageError, Fault  # others come from the unit's absence, or from the disk


class NotYet(NdksError):
    """The unit is not at hand, or has no generation yet."""

    code = "NOT_YET"
    exit_status = 3
    usual_advice = "messages are kept until then; ndks network status tells more"


def problem_of(error: Exception) -> NdksError:
    """Return an error that has a name and advice; a `Fault` for any that has none."""
    if isinstance(error, NdksError):
        return error
    if isinstance(error, OSError):
        return file_error(error)
    return Fault(f"a step of the agent failed: {type(error).__name__}")
