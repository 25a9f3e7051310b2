# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Notes beside an unfinished folder or its unfinished file: how far it is. After an interruption, it goes on there."""

import json
import os
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from .. import strict_json
from ..exceptions import FileError
from ..files import read_small
from ..folders.rules import Notes
from ..folders.volumes import HEADER_SIZE
from ..whole_file import write_private

_MOST = 1 << 26  # bytes: the headers of 800,000 volumes
_HEADER = re.compile(rf"[0-9a-f]{{{2 * HEADER_SIZE}}}")
_T = TypeVar("_T", "PackingPlan", "UnpackingPlan")


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


@dataclass(frozen=True)
class UnpackingPlan:
    """FOLDER.part has what is in so many volumes, whose headers these are; `stream` and `writer`: where it goes on."""

    first: str = ""  # header of the first volume: which folder it is
    headers: list[str] = field(default_factory=list[str])
    folder: str = ""
    lane: int = 0
    stream: dict[str, Any] = field(default_factory=dict[str, Any])
    writer: dict[str, Any] = field(default_factory=dict[str, Any])
    is_complete: bool = False  # only the rename or acceptance is missing


def part_of(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def plan_of(target: Path) -> Path:
    return target.with_name(target.name + ".part.json")


def save(target: Path, plan: PackingPlan | UnpackingPlan) -> None:
    """Write a plan when all that it speaks of is on the disk. FileError, OSError."""
    write_private(plan_of(target), json.dumps(asdict(plan)).encode())


def load(target: Path, kind: type[_T]) -> _T | None:
    """Return the plan beside a target; None if there is none, or if it is damaged or of another kind. OSError."""
    if not plan_of(target).is_file():
        return None
    try:
        values = strict_json.loads(read_small(plan_of(target), _MOST))
        plan = kind(**values)
    except (ValueError, TypeError, RecursionError):
        return None
    usual = kind()
    right = all(type(getattr(plan, each.name)) is type(getattr(usual, each.name)) for each in fields(kind))
    return plan if right and _is_whole(plan) else None


def _is_whole(plan: PackingPlan | UnpackingPlan) -> bool:
    if isinstance(plan, PackingPlan):
        notes = {each.name for each in fields(Notes)}
        return set(plan.noted) in (set(), notes) and all(isinstance(each, dict) for each in plan.noted.values())
    return all(_HEADER.fullmatch(str(each)) for each in plan.headers)


def load_or_refuse(target: Path, kind: type[_T]) -> _T | None:
    """Return the plan beside a target; FileError if something without a plan lies where the unfinished target would."""
    plan = load(target, kind)
    for path in () if plan else (plan_of(target), part_of(target)):
        if os.path.lexists(path):
            raise FileError(f"{path} exists, and ndks did not make it", "move it away, or name another target")
    return plan
