# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Attacks on the units in both roles, and on the controls."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ndks.exceptions import NdksError
from ndks.network.network_file import Network
from ndks_laboratory.outcome import FAILED, HELD, NOT_SHOWN, Outcome

from .adversaries.active.possession import Remembered, remember
from .adversaries.roster import ACTIVE, NETWORK, PASSIVE, small_grid
from .attack import Adversary, Finding, Oracle, Seen
from .controls import DIGITS, Target, bare_paper, float_unit, no_oracle, old_sessions, random_bits, toy_networks
from .judgements import FREQUENCY, READER
from .networks.system import NetworkSystem
from .stations import Station
from .unit_system import UnitSystem

Tell = Callable[[int], object]
Progress = Callable[[str, int], Tell]  # starts a step (name, total work); returns a function that reports progress

_OF_ALL_DIGITS = FREQUENCY | {READER}  # labels of adversaries whose work grows with d
_WORSE = (HELD, NOT_SHOWN, FAILED)


@dataclass(frozen=True)
class Reach:
    """What the adversaries can do at this d: those in `unable` do not break even bare paper in time."""

    controls: list[tuple[Target, dict[str, Finding]]]
    unable: frozenset[str]


def attack(
    adversaries: Sequence[Adversary], seen: Seen, oracle: Oracle, tell: Tell, unable: frozenset[str] = frozenset()
) -> dict[str, Finding]:
    """Return the findings of adversaries by label; those in `unable` are not run."""
    findings: dict[str, Finding] = {}
    for adversary in adversaries:
        findings[adversary.label] = (
            _not_able(adversary, seen.digits) if adversary.label in unable else _finding(adversary, seen, oracle)
        )
        tell(1)
    return findings


def _finding(adversary: Adversary, seen: Seen, oracle: Oracle) -> Finding:
    try:
        return adversary.attack(seen, oracle)
    except NdksError as error:  # a silent unit proves nothing
        return Finding(adversary.name, Outcome.not_shown(f"stopped by {error.code}: {error}"))


def _not_able(adversary: Adversary, digits: int) -> Finding:
    what = f"not run: at d = {digits} it does not break bare paper either, in {adversary.budget:g} s"
    return Finding(adversary.name, Outcome.not_shown(what))


def reach(digits: int, progress: Progress) -> Reach:
    """Run the adversaries whose work grows with d on bare paper at this d; the other controls cover d = 3."""
    if digits == DIGITS:
        return Reach([], frozenset())
    chosen = [adversary for adversary in PASSIVE if adversary.label in _OF_ALL_DIGITS]
    tell = progress(f"what adversaries can do at d = {digits}", len(chosen))
    target = bare_paper(_OF_ALL_DIGITS, digits)
    findings = attack(chosen, target.seen, target.oracle, tell)
    unable = frozenset(label for label, finding in findings.items() if finding.outcome.word != FAILED)
    return Reach([(target, findings)], unable)


def attack_systems(
    network: Network, stations: Sequence[Station], seen: Seen, oracle: Oracle, progress: Progress
) -> tuple[dict[str, Finding], Remembered | None]:
    """Attack the units in both roles, because most adversaries attack only one role."""
    tell = progress("adversaries on the line, on the cable, on units", 2 * len(ACTIVE))
    with contextlib.closing(UnitSystem(network, *stations)) as system:
        findings = attack(ACTIVE, replace(seen, system=system), oracle, tell)
        remembered = _remembered(system)
    with contextlib.closing(UnitSystem(network, *reversed(stations))) as system:
        swapped = attack(ACTIVE, replace(seen, system=system), oracle, tell)
    return {label: _worse(finding, swapped[label]) for label, finding in findings.items()}, remembered


def _remembered(system: UnitSystem) -> Remembered | None:
    with contextlib.suppress(NdksError):  # a silent unit appears in the findings
        return remember(system)
    return None


def _worse(finding: Finding, swapped: Finding) -> Finding:
    """Return the worse of the findings in both roles, with both reasons."""
    worse = max(finding, swapped, key=lambda each: _WORSE.index(each.outcome.word))
    first, second = finding.outcome.reason, swapped.outcome.reason
    reason = f"{first}; with roles swapped: {'the same' if first == second else second}"
    details = {**finding.details, "roles swapped": swapped.details}
    outcome = Outcome(worse.outcome.word, reason)
    return replace(worse, outcome=outcome, seconds=finding.seconds + swapped.seconds, details=details)


def attack_network(system: NetworkSystem, seen: Seen, tell: Tell) -> dict[str, Finding]:
    """Attack a network of the units."""
    return attack(NETWORK, replace(seen, network=system), no_oracle(), tell)


def run_network_controls(seed: int, progress: Progress) -> list[tuple[Target, dict[str, Finding]]]:
    """Attack networks that lack a rule, and one that has them all."""
    targets = toy_networks(seed)
    tell = progress("controls: networks", sum(len(target.labels) for target in targets))
    return [(target, _attack_target(NETWORK, target, tell)) for target in targets]


def _attack_target(adversaries: Sequence[Adversary], target: Target, tell: Tell) -> dict[str, Finding]:
    chosen = [adversary for adversary in adversaries if adversary.label in target.labels]
    return attack(chosen, target.seen, target.oracle, tell)


def run_controls(seed: int, progress: Progress) -> list[tuple[Target, dict[str, Finding]]]:
    """Attack the controls that must fall and those that must stand."""
    adversaries = {adversary.label: adversary for adversary in (*PASSIVE, *ACTIVE, small_grid())}
    everybody = frozenset(adversaries)
    targets = (
        lambda: bare_paper(everybody - {"A6"}),
        lambda: float_unit(frozenset({"A6"})),
        lambda: old_sessions(frozenset({"A7m"}), seed),
        lambda: random_bits(everybody, seed),
    )
    tell = progress("controls: what must fall, and what must stand", 2 * len(everybody) + 1)
    found: list[tuple[Target, dict[str, Finding]]] = []
    for make in targets:
        target = make()
        found.append((target, _attack_target(tuple(adversaries.values()), target, tell)))
    return found
