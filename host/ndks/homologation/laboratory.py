# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A homologation from its beginning to its end."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ndks.exceptions import NdksError
from ndks.network import Network

from . import measurements, provisioning
from .attack import Attacker, Expert, Finding, Seen
from .attackers.roster import ACTIVE, PASSIVE, small_grid
from .controls import Target, bare_paper, float_unit, random_bits
from .evidence import ChangedDecimal, Evidence
from .letters import letters
from .material import KEY_BITS, UnitExpert, gather, unpack
from .no_channel import Hole, NoChannel, run_no_channel
from .provisioning import ALTERED_PLACE, UnitUnderTest
from .regular_channel import RegularChannel, run_regular_channel
from .requirements import PRIMAL_BITS
from .sides import Side
from .stations import Station
from .unit_system import UnitSystem
from .verdict import Attacked, Judged, check_control, decide, judge, threshold, verdict

STAGE_KEYS = 8  # that each side takes in its cage
STAGE_BITS = 256
PLACES = 40  # decimals of random parameters
_LONGEST = 120.0  # seconds for the long key, unless all of it takes less
_DEFINED_KEYS = 20

Tell = Callable[[int], object]
Progress = Callable[[str, int], Tell]  # begins a step of so many units of work; returns what hears of those done


@dataclass(frozen=True)
class Plan:
    """What to do, with whom, and how much of it."""

    ports: tuple[str, str]
    directory: Path
    network: Network
    seed: int = field(default_factory=lambda: secrets.randbits(32))
    keys: int = 2000
    long_bits: int = 1 << 22
    letters: int = 64
    primal_bits: int = PRIMAL_BITS
    flash: tuple[Path, ...] = ()
    alter_p1: bool = False
    tamper: bool = False
    hole: Hole | None = None


@dataclass(frozen=True)
class Homologation:
    """All that came of it."""

    plan: Plan
    units: tuple[UnitUnderTest, ...]
    evidence: Evidence
    seen: Seen
    attacked: tuple[Attacked, ...]  # the units first, then the controls
    judged: tuple[Judged, ...]
    verdict: str
    reasons: tuple[str, ...]
    seconds: float
    seconds_to_provision: float


@dataclass(frozen=True)
class _Shown:
    """What the two units have shown while they were members."""

    no_channel: NoChannel
    regular: RegularChannel
    seen: Seen
    findings: dict[str, Finding]
    long_key: measurements.LongKey
    as_defined: bool


def homologate(plan: Plan, progress: Progress) -> Homologation:
    """Test two blank units, and leave them blank. UsageError, CheckFailed when a part could not be done, NdksError."""
    start = time.monotonic()
    sides = _sides(plan)
    units = provisioning.greet(sides)
    changed = provisioning.keys_with_changed_decimal(sides, plan.network, KEY_BITS)
    with provisioning.members(sides, plan.network, alter_second=plan.alter_p1) as (lanes, seconds):
        shown = _show(plan, sides, progress)
    erased = provisioning.erase(sides)
    controls = _run_controls(plan, progress)
    limit = threshold(_p_values(shown.findings))
    attacked = _decide(shown.findings, controls, limit)
    evidence = _evidence(plan, shown, attacked[0], _distance(changed), tuple(erased), limit)
    judged = judge(evidence)
    word, reasons = verdict(judged, attacked[1:], attacked[0])
    return Homologation(
        plan,
        tuple(replace(unit, lane=lane) for unit, lane in zip(units, lanes, strict=True)),
        evidence,
        shown.seen,
        tuple(attacked),
        tuple(judged),
        word,
        tuple(reasons),
        time.monotonic() - start,
        seconds,
    )


def _sides(plan: Plan) -> list[Side]:
    sides = [Side(name, port, plan.directory / name) for name, port in zip(("alice", "bob"), plan.ports, strict=True)]
    for side in sides:
        side.directory.mkdir(mode=0o700)
    return sides


def _show(plan: Plan, sides: Sequence[Side], progress: Progress) -> _Shown:
    """Do with the members all that needs them."""
    tell = progress("stage 1: keys with no channel", 1)
    no_channel = run_no_channel(sides, plan.network, STAGE_KEYS, STAGE_BITS, _secret_message(plan), plan.hole)
    tell(1)
    tell = progress("stage 2: messages through the tap", len(letters(plan.letters, plan.seed)))
    regular = run_regular_channel(sides, plan.letters, plan.seed, tamper=plan.tamper, tell=tell)
    tell = progress("keys for the attackers", plan.keys)
    digits = plan.network.digits
    seen = gather(sides[0], digits, plan.keys, plan.long_bits, regular.carried, plan.seed, tell)
    expert = UnitExpert(sides[0], {c.letter.number: c.letter.text for c in regular.carried})
    findings = _attack(PASSIVE, seen, expert, progress("attackers on the channel and on keys", len(PASSIVE)))
    tell = progress("the long key of both units", plan.primal_bits)
    long_key = measurements.compare_long_key(sides, plan.keys + 2, plan.primal_bits, _LONGEST, tell)
    indices = np.linspace(1, plan.keys, min(plan.keys, _DEFINED_KEYS), dtype=int).tolist()
    as_defined = measurements.is_as_defined(sides[0], plan.network, indices)
    findings |= _attack_system(plan, sides, seen, expert, progress)
    return _Shown(no_channel, regular, seen, findings, long_key, as_defined)


def _secret_message(plan: Plan) -> bytes:
    return letters(plan.letters, plan.seed + 1)[-1].text


def _attack(attackers: Sequence[Attacker], seen: Seen, expert: Expert, tell: Tell) -> dict[str, Finding]:
    findings: dict[str, Finding] = {}
    for attacker in attackers:
        try:
            findings[attacker.label] = attacker.attack(seen, expert)
        except NdksError as error:  # a unit that does not answer any more shows nothing
            findings[attacker.label] = Finding(attacker.name, None, f"stopped by {error.code}: {error}")
        tell(1)
    return findings


def _attack_system(
    plan: Plan, sides: Sequence[Side], seen: Seen, expert: Expert, progress: Progress
) -> dict[str, Finding]:
    flash = [(path,) for path in plan.flash] or [(), ()]
    alice, bob = (Station(side.port, side.bindings, files) for side, files in zip(sides, flash, strict=True))
    system = UnitSystem(plan.network, alice, bob)
    try:
        tell = progress("attackers on the line, on the cable, on units", len(ACTIVE))
        return _attack(ACTIVE, replace(seen, system=system), expert, tell)
    finally:
        system.close()


def _run_controls(plan: Plan, progress: Progress) -> list[tuple[Target, dict[str, Finding]]]:
    """Attack what must fall, and what must stand."""
    attackers = {attacker.label: attacker for attacker in (*PASSIVE, *ACTIVE, small_grid())}
    everybody = frozenset(attackers)
    targets = (
        lambda: bare_paper(everybody - {"A6"}),
        lambda: float_unit(frozenset({"A6"})),
        lambda: random_bits(everybody, plan.seed),
    )
    tell = progress("controls: what must fall, and what must stand", 2 * len(everybody))
    found: list[tuple[Target, dict[str, Finding]]] = []
    for make in targets:
        target = make()
        chosen = [attacker for label, attacker in attackers.items() if label in target.labels]
        found.append((target, _attack(chosen, target.seen, target.expert, tell)))
    return found


def _p_values(findings: Mapping[str, Finding]) -> int:
    """Return how many p-values of the units are compared with the threshold."""
    distances = 1 + 9 * ALTERED_PLACE
    return sum(finding.p_value is not None for finding in findings.values()) + distances + 1  # the symbol


def _decide(
    units: Mapping[str, Finding], controls: Sequence[tuple[Target, dict[str, Finding]]], limit: float
) -> list[Attacked]:
    decided = {label: decide(finding, limit) for label, finding in units.items()}
    attacked = [Attacked("the units", "units", decided)]
    for target, findings in controls:
        attacked.append(check_control(target, {label: decide(finding, limit) for label, finding in findings.items()}))
    return attacked


def _distance(keys: tuple[bytes, bytes]) -> ChangedDecimal:
    differ = int(np.count_nonzero(unpack(keys[0]) != unpack(keys[1])))
    return ChangedDecimal(ALTERED_PLACE, KEY_BITS, differ)


def _evidence(
    plan: Plan, shown: _Shown, units: Attacked, changed: ChangedDecimal, erased: tuple[str, ...], limit: float
) -> Evidence:
    return Evidence(
        plan.network,
        shown.no_channel,
        shown.regular,
        units.findings,
        limit,
        changed,
        measurements.distances(plan.network, PLACES),
        measurements.fair_limits(KEY_BITS, limit),
        measurements.measure_symbol(shown.regular.carried),
        measurements.word_entropy(shown.seen.long_key),
        shown.long_key,
        (shown.as_defined, min(plan.keys, _DEFINED_KEYS)),
        erased,
        plan.keys + STAGE_KEYS,
    )
