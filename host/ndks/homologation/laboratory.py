# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A homologation from its beginning to its end."""

import contextlib
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ndks.exceptions import NdksError
from ndks.network import Network

from . import PRIMAL_BITS, measurements
from .attack import Attacker, Expert, Finding, Seen
from .attackers.active.possession import Remembered, remember
from .attackers.autocorrelation import bits_for
from .attackers.roster import ACTIVE, PASSIVE, small_grid
from .controls import DIGITS, Target, bare_paper, float_unit, random_bits
from .evidence import ChangedDecimal, Evidence
from .letters import letters
from .material import KEY_BITS, UnitExpert, gather, unpack
from .no_channel import Hole, NoChannel, run_no_channel
from .provisioning import ALTERED_PLACE, Membership, Pair, UnitUnderTest
from .regular_channel import RegularChannel, run_regular_channel
from .requirements import FREQUENCY, READER
from .sides import Side
from .stations import Station
from .statistics import hamming
from .unit_system import UnitSystem
from .verdict import Attacked, Judged, check_control, decide, judge, threshold, verdict

STAGE_KEYS = 8  # that each side takes in its cage
STAGE_BITS = 256
PLACES = 40  # decimals of random parameters
_LONGEST = 120.0  # seconds for the long key, unless all of it takes less
_DEFINED_KEYS = 20
_OF_ALL_DIGITS = FREQUENCY | {READER}  # attackers whose work grows with d
_WORST = (False, None, True)

Tell = Callable[[int], object]
Progress = Callable[[str, int], Tell]  # begins a step of so many units of work; returns what hears of those done


@dataclass(frozen=True)
class Plan:
    """What to do, with whom, and how much of it.

    `flash`: where that of each unit can be read, None where it cannot; `copy_flash` is called while the units are
    members and their ports closed, where somebody has to copy it then: None where what is read is always as it is.
    """

    ports: tuple[str, str]
    directory: Path
    network: Network
    seed: int = field(default_factory=lambda: secrets.randbits(32))
    keys: int = 2000
    long_bits: int = 1 << 22
    letters: int = 64
    primal_bits: int = PRIMAL_BITS
    flash: tuple[Path | None, Path | None] = (None, None)
    copy_flash: Callable[[], object] | None = None
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
class _Reach:
    """Whether attackers can do anything at this d: those of `unable` do not even break bare paper in their time."""

    controls: list[tuple[Target, dict[str, Finding]]]
    unable: frozenset[str]


@dataclass(frozen=True)
class _Shown:
    """What the two units have shown while they were members."""

    no_channel: NoChannel
    regular: RegularChannel
    seen: Seen
    findings: dict[str, Finding]
    long_key: measurements.LongKey
    defined: measurements.Defined
    remembered: Remembered | None


def homologate(plan: Plan, progress: Progress, warn: Callable[[str], object]) -> Homologation:
    """Test two blank units, and leave them blank; `warn` is told of one that could not be made blank again.

    UsageError, CheckFailed when a part could not be done, NdksError.
    """
    start = time.monotonic()
    sides = [Side(name, port, plan.directory / name) for name, port in zip(("alice", "bob"), plan.ports, strict=True)]
    pair = Pair(sides, warn)
    for side in sides:
        side.directory.mkdir(mode=0o700)
    changed = pair.keys_with_changed_decimal(plan.network, KEY_BITS)
    reach = _reach(plan.network.digits, progress)
    with pair.members(plan.network, alter_second=plan.alter_p1) as membership:
        shown = _show(plan, sides, reach, progress)
    left = shown.remembered.left() if shown.remembered and not plan.copy_flash else None
    controls = [*_run_controls(plan, progress), *reach.controls]
    limit = threshold(_p_values(shown.findings, controls))
    attacked = _decide(shown.findings, controls, limit)
    evidence = _evidence(plan, shown, attacked[0], reach, _distance(changed), membership, left, limit)
    judged = judge(evidence)
    word, reasons = verdict(judged, attacked[1:], attacked[0])
    return Homologation(
        plan,
        tuple(replace(unit, lane=lane) for unit, lane in zip(pair.units, membership.lanes, strict=True)),
        evidence,
        shown.seen,
        tuple(attacked),
        tuple(judged),
        word,
        tuple(reasons),
        time.monotonic() - start,
        membership.seconds,
    )


def _show(plan: Plan, sides: Sequence[Side], reach: _Reach, progress: Progress) -> _Shown:
    """Do with the members all that needs them."""
    network, digits = plan.network, plan.network.digits
    texts = {letter.number: letter.text for letter in letters(plan.letters, plan.seed)}
    tell = progress("stage 1: keys with no channel", 1)
    no_channel = run_no_channel(sides, network, STAGE_KEYS, STAGE_BITS, texts[0], plan.hole)
    tell(1)
    tell = progress("stage 2: messages through the tap", len(texts))
    regular = run_regular_channel(sides, plan.letters, plan.seed, tamper=plan.tamper, tell=tell)
    tell = progress("keys for the attackers", plan.keys)
    long_bits = max(plan.long_bits, bits_for(digits))
    seen = gather(sides[0], digits, plan.keys, long_bits, regular.carried, plan.seed, tell)
    expert = UnitExpert(sides[0], texts)
    tell = progress("attackers on the channel and on keys", len(PASSIVE))
    findings = _attack(PASSIVE, seen, expert, tell, reach.unable)
    tell = progress("the long key of both units", plan.primal_bits)
    long_key = measurements.compare_long_key(sides, plan.keys + 2, plan.primal_bits, _LONGEST, tell)
    indices = np.linspace(1, plan.keys, min(plan.keys, _DEFINED_KEYS), dtype=int).tolist()
    defined = measurements.compare_with_definition(sides, network, indices, long_key)
    in_action, remembered = _attack_systems(plan, sides, seen, expert, progress)
    return _Shown(no_channel, regular, seen, findings | in_action, long_key, defined, remembered)


def _attack(
    attackers: Sequence[Attacker], seen: Seen, expert: Expert, tell: Tell, unable: frozenset[str] = frozenset()
) -> dict[str, Finding]:
    findings: dict[str, Finding] = {}
    for attacker in attackers:
        findings[attacker.label] = (
            _not_able(attacker, seen.digits) if attacker.label in unable else _finding(attacker, seen, expert)
        )
        tell(1)
    return findings


def _finding(attacker: Attacker, seen: Seen, expert: Expert) -> Finding:
    try:
        return attacker.attack(seen, expert)
    except NdksError as error:  # a unit that does not answer any more shows nothing
        return Finding(attacker.name, None, f"stopped by {error.code}: {error}")


def _not_able(attacker: Attacker, digits: int) -> Finding:
    what = f"not run: at d = {digits} it does not break bare paper either, in {attacker.budget:g} s"
    return Finding(attacker.name, None, what)


def _reach(digits: int, progress: Progress) -> _Reach:
    """Try attackers whose work grows with d on bare paper at this d; the other controls show what they do at d = 3."""
    if digits == DIGITS:
        return _Reach([], frozenset())
    chosen = [attacker for attacker in PASSIVE if attacker.label in _OF_ALL_DIGITS]
    tell = progress(f"what attackers can do at d = {digits}", len(chosen))
    target = bare_paper(_OF_ALL_DIGITS, digits)
    findings = _attack(chosen, target.seen, target.expert, tell)
    unable = frozenset(label for label, finding in findings.items() if not finding.succeeded)
    return _Reach([(target, findings)], unable)


def _attack_systems(
    plan: Plan, sides: Sequence[Side], seen: Seen, expert: Expert, progress: Progress
) -> tuple[dict[str, Finding], Remembered | None]:
    """Attack with the units in both roles: most attackers act upon one of them."""
    if plan.copy_flash:
        plan.copy_flash()
    tell = progress("attackers on the line, on the cable, on units", 2 * len(ACTIVE))
    files = [() if path is None else (path,) for path in plan.flash]
    stations = [Station(side.port, side.bindings, flash) for side, flash in zip(sides, files, strict=True)]
    first = UnitSystem(plan.network, *stations)
    with contextlib.closing(first):
        findings = _attack(ACTIVE, replace(seen, system=first), expert, tell)
        remembered = _remembered(first)
    with contextlib.closing(UnitSystem(plan.network, *reversed(stations))) as system:
        swapped = _attack(ACTIVE, replace(seen, system=system), expert, tell)
    return {label: _worse(finding, swapped[label]) for label, finding in findings.items()}, remembered


def _remembered(system: UnitSystem) -> Remembered | None:
    with contextlib.suppress(NdksError):  # a unit that does not answer any more; findings say so
        return remember(system)
    return None


def _worse(finding: Finding, swapped: Finding) -> Finding:
    """Return what came out with the units in one role or the other, whichever is worse."""
    worse = max(finding, swapped, key=lambda each: _WORST.index(each.succeeded))
    if finding.summary == swapped.summary:
        summary = f"{finding.summary}; so it is with the units' roles swapped"
    elif worse is finding and finding.succeeded is not False:
        summary = finding.summary
    else:
        summary = f"{worse.summary if worse is finding else finding.summary}; with roles swapped: {swapped.summary}"
    details = {**finding.details, "roles swapped": swapped.details}
    return replace(worse, summary=summary, seconds=finding.seconds + swapped.seconds, details=details)


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


def _p_values(units: Mapping[str, Finding], controls: Sequence[tuple[Target, dict[str, Finding]]]) -> int:
    """Return how many p-values are compared with the threshold: all findings', and that of the repeated symbol."""
    of_findings = [units, *(findings for _, findings in controls)]
    return 1 + sum(finding.p_value is not None for findings in of_findings for finding in findings.values())


def _decide(
    units: Mapping[str, Finding], controls: Sequence[tuple[Target, dict[str, Finding]]], limit: float
) -> list[Attacked]:
    decided = {label: decide(finding, limit) for label, finding in units.items()}
    attacked = [Attacked("the units", "units", decided)]
    for target, findings in controls:
        attacked.append(check_control(target, {label: decide(finding, limit) for label, finding in findings.items()}))
    return attacked


def _distance(keys: tuple[bytes, bytes]) -> ChangedDecimal:
    differ = int(hamming(unpack(keys[0]), unpack(keys[1])).value)
    return ChangedDecimal(ALTERED_PLACE, KEY_BITS, differ)


def _evidence(
    plan: Plan,
    shown: _Shown,
    units: Attacked,
    reach: _Reach,
    changed: ChangedDecimal,
    membership: Membership,
    left: list[str] | None,
    limit: float,
) -> Evidence:
    return Evidence(
        plan.network,
        shown.no_channel,
        shown.regular,
        units.findings,
        reach.unable,
        limit,
        changed,
        measurements.distances(plan.network, PLACES),
        measurements.fair_limits(KEY_BITS, limit),
        measurements.measure_symbol(shown.regular.carried),
        measurements.word_entropy(shown.seen.long_key),
        shown.long_key,
        shown.defined,
        tuple(membership.states),
        None if left is None else tuple(left),
        len(shown.seen.keys),
        len(shown.seen.long_key),
    )
