# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Notes beside an unfinished folder or its unfinished file: how far it is. After an interruption, it goes on there."""

import contextlib
import errno
import json
import os
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, BinaryIO, Self, TypeVar

from .. import strict_json
from ..exceptions import FileError
from ..folders.rules import Notes
from ..folders.volumes import HEADER_SIZE
from ..on_disk import where_supported
from ..owners import open_own
from ..whole_file import write_private

_NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}
_DAMAGED = ValueError, TypeError, RecursionError
_LONGEST_LINE = 1 << 24  # bytes; the names that are noted take less, also the longest ones of each kind
_HEADER = re.compile(rf"[0-9a-f]{{{2 * HEADER_SIZE}}}")
_Values = TypeVar("_Values", "PackingPlan", "_Begun", "Behind")
_Plan = TypeVar("_Plan", "PackingPlan", "UnpackingPlan")


@dataclass(frozen=True)
class PackingPlan:
    """FOLDER.ndks.part has so many whole volumes; header and stream of the next one follow from the rest."""

    serial: str = ""
    generation: str = ""  # ids of the network and its generation, and the lane
    folder: str = ""
    volumes: int = 0
    before: str = ""
    fingerprint: str = ""
    noted: dict[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def read(cls, file: BinaryIO) -> Self:
        """OSError; ValueError, TypeError, RecursionError for what is not a plan."""
        plan = _parsed(cls, file.read(_LONGEST_LINE))
        Notes.of(plan.noted)
        return plan


@dataclass(frozen=True)
class _Begun:
    """The first line of the notes on unpacking."""

    first: str = ""


@dataclass(frozen=True)
class Behind:
    """Where unpacking goes on after a volume, which has this header: a line of the notes."""

    header: str = ""
    folder: str = ""
    lane: int = 0
    stream: dict[str, Any] = field(default_factory=dict[str, Any])
    writer: dict[str, Any] = field(default_factory=dict[str, Any])
    is_last: bool = False  # only the rename or acceptance is missing


@dataclass
class UnpackingPlan:
    """FOLDER.part has what is in so many volumes, whose headers these are; it goes on `behind` the last one.

    Its notes are lines: the header of the first volume, then one for each volume, so they grow by what is new only.
    """

    first: str = ""  # header of the first volume: which folder it is
    headers: list[bytes] = field(default_factory=list[bytes])
    behind: Behind = Behind()
    size: int = 0  # bytes of the whole lines

    @classmethod
    def read(cls, file: BinaryIO) -> Self:
        """As in PackingPlan. A line that was cut off or damaged is left out, with what follows it."""
        line = file.readline(_LONGEST_LINE)
        plan = cls(_parsed(_Begun, line).first, size=len(line))
        with contextlib.suppress(*_DAMAGED):
            while (line := file.readline(_LONGEST_LINE)).endswith(b"\n"):
                plan._add(_parsed(Behind, line), len(line))
        return plan

    def begin(self, target: Path) -> None:
        """Write the notes on a folder of which nothing is there yet. FileError, OSError."""
        write_private(plan_of(target), line := _line(_Begun(self.first)))
        self.size = len(line)

    def note(self, target: Path, behind: Behind) -> None:
        """Add a line when all that it speaks of is on the disk. OSError."""
        line = _line(behind)
        with plan_of(target).open("r+b") as file:
            file.seek(self.size)  # a line that was cut off is overwritten
            file.truncate()
            file.write(line)
            file.flush()
            with where_supported():
                os.fsync(file.fileno())
        self._add(behind, len(line))

    def _add(self, behind: Behind, size: int) -> None:
        if not _HEADER.fullmatch(behind.header):
            raise ValueError
        self.headers.append(bytes.fromhex(behind.header))
        self.behind = behind
        self.size += size


def part_of(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def plan_of(target: Path) -> Path:
    return target.with_name(target.name + ".part.json")


def save(target: Path, plan: PackingPlan) -> None:
    """Write a plan when all that it speaks of is on the disk. FileError, OSError."""
    write_private(plan_of(target), json.dumps(asdict(plan)).encode())


def load(target: Path, kind: type[_Plan]) -> _Plan | None:
    """Return the plan beside a target; None if there is none, or if it is damaged or of another kind. OSError."""
    try:
        with open(plan_of(target), "rb", opener=open_own) as file:
            return kind.read(file)
    except _DAMAGED:
        return None
    except OSError as error:
        if error.errno not in _NOT_THERE:
            raise
        return None


def load_or_refuse(target: Path, kind: type[_Plan]) -> _Plan | None:
    """Return the plan beside a target; FileError if something without a plan lies where the unfinished target would."""
    plan = load(target, kind)
    for path in () if plan else (plan_of(target), part_of(target)):
        if os.path.lexists(path):
            raise FileError(
                f"{path} exists, and ndks did not make it for this user", "move it away, or name another target"
            )
    return plan


def _line(values: "_Begun | Behind") -> bytes:
    return json.dumps(asdict(values)).encode() + b"\n"


def _parsed(kind: type[_Values], text: bytes) -> _Values:
    """Return an object whose values have the types of the defaults. ValueError, TypeError, RecursionError."""
    made, usual = kind(**strict_json.loads(text)), kind()
    if any(type(getattr(made, each.name)) is not type(getattr(usual, each.name)) for each in fields(usual)):
        raise TypeError
    return made
