# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A complete homologation."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ndks_laboratory.outcome import Outcome
from ndks_laboratory.stages.letters import FROM_CAGE, Letter
from ndks_laboratory.stages.recorded_keys import RecordedKeys, run_with_records
from ndks_laboratory.stages.regular_channel import RegularChannel, run_regular_channel
from ndks_laboratory.stages.sides import NAMES, Side

from . import measurements
from .adversaries.active.possession import Remembered
from .adversaries.roster import NETWORK as OF_NETWORKS
from .adversaries.roster import PASSIVE
from .attack import Bits, Finding, Seen
from .campaign import (
    Progress,
    Reach,
    attack,
    attack_network,
    attack_systems,
    reach,
    run_controls,
    run_network_controls,
)
from .controls import Target
from .correspondence import letters
from .evidence import Attacks, Erasure, Evidence, KeyMeasures
from .experts.expert_finding import ExpertFinding, check_units
from .experts.judging import judge_experts
from .material import KEY_BITS, UnitOracle, gather
from .networks.evidence import NetworkEvidence
from .networks.stage import ALL_PARTS, run_network
from .networks.system import NetworkSystem
from .pcap import write_pcap
from .plan import P1, TAMPER, HomologationPlan
from .provisioning import GroupMembership, UnitGroup, UnitUnderTest
from .stations import Station
from .verdict import NETWORK, Attacked, Verdict, asked_of, check_control, decide, decided, judge, threshold

_STAGE_KEYS, _STAGE_BITS = 8, 256  # number and size of the keys that each side takes in its cage
_DEFINED_KEYS = 20

_Controls = Sequence[tuple[Target, dict[str, Finding]]]


@dataclass(frozen=True)
class Homologation:
    """The results of a homologation; `long_key` is the beginning of a key that adversaries had."""

    plan: HomologationPlan
    units: tuple[UnitUnderTest, ...]
    evidence: Evidence
    verdict: Verdict
    long_key: Bits
    seconds: tuple[float, float]  # in total, and for provisioning
    experts: tuple[ExpertFinding, ...]


@dataclass(frozen=True)
class _Stages:
    no_channel: RecordedKeys
    regular: RegularChannel


@dataclass(frozen=True)
class _UnderAttack:
    """The attacks on the units while they were members."""

    seen: Seen
    findings: dict[str, Finding]
    remembered: Remembered | None


@dataclass(frozen=True)
class _Shown:
    """The evidence collected while the units were members."""

    stages: _Stages
    long_keys: tuple[measurements.LongKey, measurements.Defined]
    attacked: _UnderAttack
    experts: tuple[ExpertFinding, ...]


@dataclass(frozen=True)
class _Networked:
    """The test of a network, if there was one."""

    evidence: NetworkEvidence | None = None
    findings: dict[str, Finding] = field(default_factory=dict[str, Finding])
    controls: _Controls = ()


def homologate(plan: HomologationPlan, progress: Progress, warn: Callable[[str], object]) -> Homologation:
    """Test blank units and leave them blank; `warn` gets a message for a unit that could not be erased.

    UsageError, CheckFailed if a part fails, NdksError.
    """
    start = time.monotonic()
    sides = [Side(name, port, plan.directory / name) for name, port in named(plan.units.ports)]
    group = UnitGroup(sides, warn)
    check_units(plan.experts.known, group.serial_numbers)
    for side in sides:
        side.make()
    changed = group.keys_with_changed_decimal(plan.network, KEY_BITS)
    able = reach(plan.network.digits, progress)
    with group.members(plan.network, alter_second=plan.fault == P1) as membership:
        shown = _show(plan, group, able, progress)
    network = _Networked()
    if asked_of(len(sides)) == NETWORK:
        network = _network(plan, group, shown.attacked.seen, progress)
    erasure = Erasure(tuple(membership.states), _searched(plan, shown.attacked.remembered))
    controls = [*run_controls(plan.seed, progress), *able.controls, *network.controls]
    findings = {**shown.attacked.findings, **network.findings}
    limit = threshold(_p_values(findings, controls))
    attacked = _decide(findings, controls, limit)
    seen = shown.attacked.seen
    attacks = Attacks(attacked[0].findings, able.unable, limit, len(seen.keys), len(seen.long_key))
    keys = _keys(plan, changed, shown, limit)
    stages = shown.stages
    evidence = Evidence(plan.network, stages.no_channel, stages.regular, attacks, keys, erasure, network.evidence)
    verdict = decided(judge(evidence), attacked, len(sides))
    seconds = time.monotonic() - start, membership.seconds
    return Homologation(plan, _with_lanes(group, membership), evidence, verdict, seen.long_key, seconds, shown.experts)


def _network(plan: HomologationPlan, group: UnitGroup, seen: Seen, progress: Progress) -> _Networked:
    """Run the test of a network, and its controls."""
    tell = progress("a network of all units", ALL_PARTS + len(OF_NETWORKS))
    findings: dict[str, Finding] = {}

    def attack_it(system: NetworkSystem) -> None:
        findings.update(attack_network(system, seen, tell))

    evidence = run_network(plan, group, attack_it, tell)
    return _Networked(evidence, findings, run_network_controls(plan.seed, progress))


def named(ports: Sequence[str]) -> list[tuple[str, str]]:
    """Return a name for each port: the first two units exchange letters, and adversaries attack them."""
    further = (f"unit-{number}" for number in range(len(NAMES) + 1, len(ports) + 1))
    return list(zip((*NAMES, *further), ports, strict=True))


def _show(plan: HomologationPlan, group: UnitGroup, able: Reach, progress: Progress) -> _Shown:
    """Run all parts of the test that need members."""
    sides, pair = group.sides, group.sides[: len(NAMES)]
    written = letters(plan.sample.letters, plan.seed)
    stages = _run_stages(plan, sides, written, progress)
    tell = progress("keys for the adversaries", plan.sample.keys)
    seen = gather(pair[0], plan, stages.regular.carried, tell)
    oracle = UnitOracle(pair[0], {letter.number: letter.text for letter in written})
    tell = progress("adversaries on the channel and on keys", len(PASSIVE))
    findings = attack(PASSIVE, seen, oracle, tell, able.unable)
    experts = _hear_experts(plan, group, stages.regular)
    findings |= judge_experts(experts, plan.network.network_id, oracle)
    long_keys = _compare_keys(plan, sides, progress)
    if plan.units.copy_flash:
        plan.units.copy_flash()
    files = [() if path is None else (path,) for path in plan.units.flash]
    stations = [Station(side.port, side.bindings, flash) for side, flash in zip(pair, files, strict=True)]
    in_action, remembered = attack_systems(plan.network, stations, seen, oracle, progress)
    return _Shown(stages, long_keys, _UnderAttack(seen, findings | in_action, remembered), experts)


def _hear_experts(plan: HomologationPlan, group: UnitGroup, regular: RegularChannel) -> tuple[ExpertFinding, ...]:
    """Put down what was on the line, and hear what experts make of it, which may take days."""
    write_pcap(plan.directory, regular.segments)
    return plan.experts.all(group.serial_numbers)


def _run_stages(
    plan: HomologationPlan, sides: Sequence[Side], written: Sequence[Letter], progress: Progress
) -> _Stages:
    tell = progress("stage 1: keys with no channel", 1)
    (message,) = (letter.text for letter in written if letter.number == FROM_CAGE)
    no_channel = run_with_records(sides, plan.network, _STAGE_KEYS, _STAGE_BITS, message)
    tell(1)
    tell = progress("stage 2: messages through the tap", len(written))

    def tell_of(batch: Sequence[Letter]) -> None:
        tell(len(batch))

    return _Stages(
        no_channel, run_regular_channel(sides[: len(NAMES)], written, tamper=plan.fault == TAMPER, tell=tell_of)
    )


def _compare_keys(
    plan: HomologationPlan, sides: Sequence[Side], progress: Progress
) -> tuple[measurements.LongKey, measurements.Defined]:
    """Compare a long key of two units, and keys of all units with their definition."""
    keys, bits = plan.sample.keys, plan.sample.primal_bits
    tell = progress("the long key of both units", bits)
    long_key = measurements.compare_long_key(sides[: len(NAMES)], keys + 2, bits, tell)
    indices = np.linspace(1, keys, min(keys, _DEFINED_KEYS), dtype=int).tolist()
    return long_key, measurements.compare_with_definition(sides, plan.network, indices, long_key)


def _keys(plan: HomologationPlan, changed: tuple[bytes, bytes], shown: _Shown, limit: float) -> KeyMeasures:
    return KeyMeasures(
        measurements.measure_sensitivity(plan.network, changed, limit),
        measurements.measure_symbol(shown.stages.regular.carried),
        measurements.evenness(shown.attacked.seen.long_key),
        *shown.long_keys,
    )


def _searched(plan: HomologationPlan, remembered: Remembered | None) -> Outcome:
    """Return the outcome of the search for secrets in the erased flash."""
    left = remembered.left() if remembered and not plan.units.copy_flash else None
    if left is None:
        return Outcome.not_shown("their flash was not read after the erasure")
    return Outcome.of(not left, f"still in flash: {', '.join(left)}" if left else "nothing is left in their flash")


def _with_lanes(group: UnitGroup, membership: GroupMembership) -> tuple[UnitUnderTest, ...]:
    known = zip(group.units, membership.members, strict=True)
    return tuple(replace(unit, lane=member.lane) for unit, member in known)


def _p_values(units: Mapping[str, Finding], controls: _Controls) -> int:
    """Return the number of p-values compared with the threshold: those of findings, and that of the repeated symbol."""
    of_findings = [units, *(findings for _, findings in controls)]
    return 1 + sum(finding.p_value is not None for findings in of_findings for finding in findings.values())


def _decide(units: Mapping[str, Finding], controls: _Controls, limit: float) -> list[Attacked]:
    decided = {label: decide(finding, limit) for label, finding in units.items()}
    attacked = [Attacked("the units", "units", decided)]
    for target, findings in controls:
        attacked.append(check_control(target, {label: decide(finding, limit) for label, finding in findings.items()}))
    return attacked
