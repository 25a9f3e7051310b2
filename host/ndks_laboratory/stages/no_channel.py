# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Stage 1 (section 4.1.1): all sides take keys, each in a cage that was probed from inside and outside.

What they do there is a task: `recorded_keys` (commitments, as in `ndks faraday`), `kept_keys` (the keys themselves).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ndks_laboratory.outcome import Check, Outcome

from .cage import find_cage, namespace
from .processes import Processes, SideProcess
from .sides import Side

Task = tuple[str, dict[str, Any]]  # its name in `in_cage`, and its options

_APART = "each side in a network namespace of its own"
_LOOPBACK = {"lo"}


@dataclass(frozen=True)
class Probe:
    """One knock of one side at a door of another."""

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
    """What stage 1 has shown of the cages, whatever task the sides had."""

    command: tuple[str, ...]  # that makes a cage; empty where there is none
    evidence: tuple[dict[str, Any], ...]  # of each side, as it saw itself in its cage
    probes: tuple[Probe, ...]
    probed: tuple[Check, ...]
    apart: tuple[Check, ...]

    @property
    def checks(self) -> tuple[Check, ...]:
        """All of them."""
        return (*self.probed, *self.apart)


def run_in_cages(sides: Sequence[Side], task: Task) -> Cages:
    """Have all sides do a task, each in its cage. CheckFailed when a side could not do its part.

    Before that they are probed without cages: what does not reach another side there shows nothing inside.
    """
    cage = find_cage()
    probes = (*_run(sides, None, ()), *_run(sides, task, cage))
    evidence = tuple(json.loads(side.evidence.read_text()) for side in sides)
    return Cages(tuple(cage), evidence, probes, _probed(probes, bool(cage)), _apart(sides, evidence, bool(cage)))


def _run(sides: Sequence[Side], task: Task | None, cage: Sequence[str]) -> list[Probe]:
    """Start all sides and probe them, then leave them alone with their task until they have ended."""
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
        "without cages the probe reaches the other side, by every kind of door", Outcome.of(by_every_kind, words)
    )
    if not caged:
        return (works,)
    through = [f"{probe.who} by {probe.door}" for probe in probes if probe.caged and probe.answered]
    held = Outcome.of(not through, "; ".join(through))
    return (works, Check("inside the cages the same probe reaches nobody", held))


def _apart(sides: Sequence[Side], evidence: Sequence[dict[str, Any]], caged: bool) -> tuple[Check, ...]:
    if not caged:
        why = "this system gives no network namespaces (unshare): nothing kept the sides from talking"
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
        Check("no interface but its own loopback on either side", Outcome.of(not interfaces, others)),
        Check("no descriptor left but /dev/null and its own log", Outcome.of(not strangers, left)),
    )
