# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Commands in advice, with the --unit that the user typed."""

import re
import shlex

_NEEDS_UNIT = re.compile(
    r"\bndks (?:bind(?: --allow-jump)?(?! --(?:backup|forget|restore|show))|info|join request"
    r"|key(?: --index \d+(?: --advance)?)?(?! --network)|provision NETWORK|trust LANE ID|zeroize)\b(?! --unit)"
)


def with_unit(text: str, unit: str | None) -> str:
    """Return advice whose commands are for the unit of --unit, if the user named one."""
    if unit is None:
        return text
    return _NEEDS_UNIT.sub(lambda command: f"{command[0]} --unit {shlex.quote(unit)}", text)
