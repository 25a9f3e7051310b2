# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Parts of the test of a network: each is a generator of checks, and an error ends it."""

from collections.abc import Iterator

from ndks.exceptions import CheckFailed, DeviceError, NdksError
from ndks_laboratory.outcome import Check, Outcome

_ENDED = "it was done to its end"


def held(name: str, holds: bool, reason: str = "") -> Check:
    """Return a check that held or failed."""
    return Check(name, Outcome.of(holds, reason))


def made(part: Iterator[Check]) -> tuple[Check, ...]:
    """Return the checks of a part, followed by a failed one if the part did not come to its end.

    What a unit refuses, or what does not happen, has failed; a unit that is silent shows nothing.
    """
    checks: list[Check] = []
    try:
        for check in part:
            checks.append(check)
    except (CheckFailed, DeviceError) as error:
        checks.append(Check(_ENDED, Outcome.failed(f"{error.code}: {error}")))
    except NdksError as error:
        checks.append(Check(_ENDED, Outcome.not_shown(f"stopped by {error.code}: {error}")))
    return tuple(checks)
