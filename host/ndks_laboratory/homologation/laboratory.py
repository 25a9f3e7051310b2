# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A homologation from its beginning to its end."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ndks.network.network_file import Network
from ndks_laboratory.stages.no_channel import Hole, NoChannel, run_no_channel
from ndks_laboratory.stages.processes import Side
from ndks_laboratory.stages.regular_channel import RegularChannel, run_regular_channel

from . import PRIMAL_BITS, measurements
from .adversaries.active.possession import Remembered
from .adversaries.autocorrelation import bits_for
from .adversaries.roster import PASSIVE
from .attack import Finding, Seen
from .campaign import Progress, Reach, attack, attack_systems, reach, run_controls
from .controls import Target
from .correspondence import letters
from .evidence import ChangedDecimal, Evidence
from .material import KEY_BITS, UnitOracle, gather, unpack
from .provisioning import ALTERED_PLACE, PairMembership, UnitPair, UnitUnderTest
from .stations import Station
from .statistics import hamming
from .verdict import Attacked, Judged, check_control, decide, judge, threshold, verdict

STAGE_KEYS = 8  # that each side takes in its cage
STAGE_BITS = 256
PLACES = 40  # decimals of random parameters
_LONGEST = 120.0  # seconds for the long key, unless all of it takes less
_DEFINED_KEYS = 20


@dataclass(frozen=True)
class HomologationPlan:
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

    plan: HomologationPlan
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
    defined: measurements.Defined
    remembered: Remembered | None


def homologate(plan: HomologationPlan, progress: Progress, warn: Callable[[str], object]) -> Homologation:
    """Test two blank units, and leave them blank; `warn` is told of one that could not be made blank again.

    UsageError, CheckFailed when a part could not be done, NdksError.
    """
    start = time.monotonic()
    sides = [Side(name, port, plan.directory / name) for name, port in zip(("alice", "bob"), plan.ports, strict=True)]
    pair = UnitPair(sides, warn)
    for side in sides:
        side.directory.mkdir(mode=0o700)
    changed = pair.keys_with_changed_decimal(plan.network, KEY_BITS)
    able = reach(plan.network.digits, progress)
    with pair.members(plan.network, alter_second=plan.alter_p1) as membership:
        shown = _show(plan, sides, able, progress)
    left = shown.remembered.left() if shown.remembered and not plan.copy_flash else None
    controls = [*run_controls(plan.seed, progress), *able.controls]
    limit = threshold(_p_values(shown.findings, controls))
    attacked = _decide(shown.findings, controls, limit)
    evidence = _evidence(plan, shown, attacked[0], able, _distance(changed), membership, left, limit)
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


def _show(plan: HomologationPlan, sides: Sequence[Side], able: Reach, progress: Progress) -> _Shown:
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
    oracle = UnitOracle(sides[0], texts)
    tell = progress("attackers on the channel and on keys", len(PASSIVE))
    findings = attack(PASSIVE, seen, oracle, tell, able.unable)
    tell = progress("the long key of both units", plan.primal_bits)
    long_key = measurements.compare_long_key(sides, plan.keys + 2, plan.primal_bits, _LONGEST, tell)
    indices = np.linspace(1, plan.keys, min(plan.keys, _DEFINED_KEYS), dtype=int).tolist()
    defined = measurements.compare_with_definition(sides, network, indices, long_key)
    if plan.copy_flash:
        plan.copy_flash()
    files = [() if path is None else (path,) for path in plan.flash]
    stations = [Station(side.port, side.bindings, flash) for side, flash in zip(sides, files, strict=True)]
    in_action, remembered = attack_systems(network, stations, seen, oracle, progress)
    return _Shown(no_channel, regular, seen, findings | in_action, long_key, defined, remembered)


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
    plan: HomologationPlan,
    shown: _Shown,
    units: Attacked,
    able: Reach,
    changed: ChangedDecimal,
    membership: PairMembership,
    left: list[str] | None,
    limit: float,
) -> Evidence:
    return Evidence(
        plan.network,
        shown.no_channel,
        shown.regular,
        units.findings,
        able.unable,
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
