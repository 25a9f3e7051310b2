# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Stage 1 (section 4.1.1): all sides take keys, each in a cage that is probed from inside and outside.

The task in the cages is `recorded_keys` (commitments, as in `ndks faraday`) or `kept_keys` (the keys themselves).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ndks_laboratory.outcome import Check, Outcome

from .cage import find_cage, namespace
from .processes import Processes, SideProcess
from .sides import Side

Task = tuple[str, dict[str, Any]]  # name in `in_cage`, and options

_APART = "each side has its own network namespace"
_LOOPBACK = {"lo"}


@dataclass(frozen=True)
class Probe:
    """An attempt of one side to reach a door of another."""

    who: str
    door: str
    caged: bool
    answered: bool

    @property
    def kind(self) -> str:
        """The kind of the door: tcp, udp, unix."""
        return self.door.partition(" ")[0]


@dataclass(frozen=True)
class Cages:
    """The evidence of stage 1 about the cages, for any task."""

    command: tuple[str, ...]  # makes a cage; empty if there is none
    evidence: tuple[dict[str, Any], ...]  # of each side about itself in its cage
    probes: tuple[Probe, ...]
    probed: tuple[Check, ...]
    apart: tuple[Check, ...]

    @property
    def checks(self) -> tuple[Check, ...]:
        """All checks of the cages."""
        return (*self.probed, *self.apart)


def run_in_cages(sides: Sequence[Side], task: Task) -> Cages:
    """Make all sides do a task, each in its cage. CheckFailed if a side fails.

    The probe is first run without cages: only a probe that reaches the other sides there is evidence inside the cages.
    """
    cage = find_cage()
    probes = (*_run(sides, None, ()), *_run(sides, task, cage))
    evidence = tuple(json.loads(side.evidence.read_text()) for side in sides)
    return Cages(tuple(cage), evidence, probes, _probed(probes, bool(cage)), _apart(sides, evidence, bool(cage)))


def _run(sides: Sequence[Side], task: Task | None, cage: Sequence[str]) -> list[Probe]:
    """Start all sides, probe them, cut the pipes to them, and wait until they have done their task."""
    with Processes([SideProcess(side, "in_cage", json.dumps(task), cage=cage) for side in sides]) as processes:
        probes = _probe(processes, caged=bool(cage))
        for process in processes:
            process.part()
        processes.finish()
    return probes


def _probe(processes: Sequence[SideProcess], *, caged: bool) -> list[Probe]:
    doors = [process.ask("describe") for process in processes]
    return [
        Probe(process.side.name, knock["door"], caged, knock["answered"])
        for process, own in zip(processes, doors, strict=True)
        for others in doors
        if others is not own
        for knock in process.ask("knock", others)
    ]


def _probed(probes: Sequence[Probe], caged: bool) -> tuple[Check, ...]:
    outside = [probe for probe in probes if not probe.caged]
    reached = {probe.kind for probe in outside if probe.answered}
    by_every_kind = bool(reached) and reached == {probe.kind for probe in outside}
    words = f"reached by {', '.join(sorted(reached)) or 'none'}"
    works = Check(
        "without cages, the probe reaches the other side by every kind of door", Outcome.of(by_every_kind, words)
    )
    if not caged:
        return (works,)
    through = [f"{probe.who} by {probe.door}" for probe in probes if probe.caged and probe.answered]
    held = Outcome.of(not through, "; ".join(through))
    return (works, Check("inside the cages, the same probe reaches nobody", held))


def _apart(sides: Sequence[Side], evidence: Sequence[dict[str, Any]], caged: bool) -> tuple[Check, ...]:
    if not caged:
        why = "this system permits no network namespaces (unshare): nothing separated the sides"
        return (Check(_APART, Outcome.not_shown(why)),)
    interfaces = {name for side in evidence for name in side["interfaces"]} - _LOOPBACK
    strangers = [
        target
        for side, found in zip(sides, evidence, strict=True)
        for target in found["descriptors"].values()
        if target not in ("/dev/null", str(side.log))
    ]
    namespaces = {found["namespace"] for found in evidence} | {namespace()}
    others, left = ", ".join(sorted(interfaces)), ", ".join(strangers)
    return (
        Check(_APART, Outcome.of(len(namespaces) == len(sides) + 1)),
        Check("neither side has an interface except its own loopback", Outcome.of(not interfaces, others)),
        Check("neither side has a descriptor except /dev/null and its own log", Outcome.of(not strangers, left)),
    )
