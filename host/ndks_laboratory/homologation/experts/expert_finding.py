# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The file in which a laboratory records what one of its experts was given, had, and claims to have decoded.

docs/homologation.md has the schema.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Self

from ndks import strict_json
from ndks.exceptions import FileError, UsageError
from ndks.files import read_small

from .claims import Claim, claim_from
from .fields import FieldError, Fields

FORMAT = 1
_MARK = "ndks_expert_finding"
_NAMES = (_MARK, "expert", "date", "units", "network_id", "given", "hours", "claims")
_LONGEST, _MOST_GIVEN, _MOST_UNITS, _MOST_CLAIMS = 200, 100, 100, 1000
_MOST_HOURS = 100_000.0
_SERIAL_NUMBER, _NETWORK_ID = re.compile("[0-9A-F]{16}"), re.compile("[0-9a-f]{16}")


@dataclass(frozen=True)
class ExpertFinding:
    """What one expert found; without claims, nothing."""

    expert: str
    date: str
    units: tuple[str, ...]  # serial numbers; empty: those of the run that reads it
    network_id: str  # of the run in which the units were members of this network; "" is the run that reads it
    given: tuple[str, ...]  # what was given to the expert
    hours: float  # of work
    claims: tuple[Claim, ...]
    content: bytes = field(repr=False, default=b"")  # of the file

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return what a file says. FileError for a file that is not a finding, OSError."""
        content = read_small(path)
        try:
            return cls._of(strict_json.loads(content), content)
        except FieldError as error:
            why = str(error)
        except (ValueError, RecursionError):
            why = "it is not JSON"
        raise FileError(f"{path} is not a finding of an expert: {why}", "mend it; docs/homologation.md has the schema")

    @classmethod
    def _of(cls, values: Any, content: bytes) -> Self:
        fields = Fields(values, "", _NAMES)
        fields.whole(_MARK, FORMAT, FORMAT)
        is_today = values["network_id"] is None
        claims = enumerate(fields.items("claims", _MOST_CLAIMS))
        return cls(
            fields.text("expert", _LONGEST),
            fields.matching("date", _is_date, "a date such as 2026-11-28"),
            _units(fields),
            "" if is_today else fields.matching("network_id", _NETWORK_ID.fullmatch, "null or 16 digits 0 to f"),
            _given(fields),
            fields.number("hours", _MOST_HOURS),
            tuple(claim_from(each, f"claims[{number}]") for number, each in claims),
            content,
        )


def check_units(findings: Sequence[ExpertFinding], serial_numbers: Sequence[str]) -> None:
    """UsageError for a finding about a unit that is not under test."""
    for finding in findings:
        for unit in finding.units:
            if unit not in serial_numbers:
                what = f"the finding of {finding.expert} is about unit {unit}, which is not tested here"
                raise UsageError(what, f"test that unit, or name others in the finding: {', '.join(serial_numbers)}")


def _units(fields: Fields) -> tuple[str, ...]:
    units = fields.items("units", _MOST_UNITS)
    if not all(type(unit) is str and _SERIAL_NUMBER.fullmatch(unit) for unit in units):
        raise FieldError("units has to be a list of serial numbers, of 16 digits 0 to F each")
    return tuple(units)


def _given(fields: Fields) -> tuple[str, ...]:
    given = fields.items("given", _MOST_GIVEN)
    return tuple(Fields({"given": each}, "", ("given",)).text("given", _LONGEST) for each in given)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
