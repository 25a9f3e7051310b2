# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Judgements of evidence: whether a requirement is met, and the reasons."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ndks_laboratory.outcome import FAILED, HELD, NOT_SHOWN, Check, Outcome, worst, worst_of
from ndks_laboratory.stages.letters import FROM_CAGE

from .attack import Finding
from .controls import LEAST_KEYS, LEAST_LONG_BITS
from .evidence import Evidence
from .experts.claims import KEY, OTHER, TEXT
from .experts.judging import claimed
from .material import KEY_BITS
from .measurements import most_entropy
from .networks.evidence import LEAST_UNITS
from .plan import PRIMAL_BITS

READER = "A1"
FREQUENCY = frozenset({"A2", "A3", "A5"})
SEARCHES = ("A2", "A3", "A4", "A5", "A6")

_FEW = 5
_NO_NETWORK = Outcome.not_shown(f"not run: needs {LEAST_UNITS} or more units")

Judge = Callable[[Evidence], Outcome]


def checks(choose: Callable[[Evidence], Sequence[Check]]) -> Judge:
    def judge(evidence: Evidence) -> Outcome:
        chosen = choose(evidence)
        missed = [f"{check.name}: {_told(check.outcome)}" for check in chosen if check.outcome.word != HELD]
        return Outcome(worst_of(chosen) if chosen else NOT_SHOWN, "; ".join(missed) or _held(chosen))

    return judge


def _held(checks: Sequence[Check]) -> str:
    few = len(checks) <= _FEW
    return "; ".join(check.name for check in checks) if few else f"all of {len(checks)} checks held"


def _told(outcome: Outcome) -> str:
    return outcome.word.upper() + (f" ({outcome.reason})" if outcome.reason else "")


def withstood(*labels: str) -> Judge:
    def judge(evidence: Evidence) -> Outcome:
        return judge_attacks(evidence.attacks.findings, labels)

    return judge


def of_network(*parts: str) -> Judge:
    """Judge by parts of the test of a network."""

    def judge(evidence: Evidence) -> Outcome:
        network = evidence.of_network
        if network is None:
            return _NO_NETWORK
        return checks(lambda _: [check for part in parts for check in network.checks[part]])(evidence)

    return judge


def network_withstood(*labels: str) -> Judge:
    def judge(evidence: Evidence) -> Outcome:
        return judge_attacks(evidence.attacks.findings, labels) if evidence.of_network else _NO_NETWORK

    return judge


def both(one: Judge, other: Judge) -> Judge:
    def judge(evidence: Evidence) -> Outcome:
        judged = one(evidence), other(evidence)
        return Outcome(worst(judged), "; ".join(dict.fromkeys(outcome.reason for outcome in judged)))

    return judge


def in_many_cages(evidence: Evidence) -> Outcome:
    """Judge the first stage, if three or more units were in it."""
    if len(evidence.no_channel.records) < LEAST_UNITS:
        return _NO_NETWORK
    return both(same_keys, checks(lambda e: e.no_channel.cages.checks))(evidence)


def judge_attacks(findings: Mapping[str, Finding], labels: Sequence[str]) -> Outcome:
    """Judge by the findings of some attacks, all of which must be withstood."""
    mine = {label: findings[label] for label in labels}
    word = worst(finding.outcome for finding in mine.values())
    if word == HELD:
        return Outcome.held(f"withstood: {', '.join(f'{label} ({found.adversary})' for label, found in mine.items())}")
    missed = (f"{label}: {found.outcome.reason}" for label, found in mine.items() if found.outcome.word == word)
    return Outcome(word, "; ".join(missed))


def same_keys(evidence: Evidence) -> Outcome:
    judged = checks(lambda e: e.no_channel.keys)(evidence)
    keys = evidence.no_channel.records[0].keys
    units = len(evidence.no_channel.records)
    return Outcome(judged.word, f"{len(keys)} keys of {keys[0].bits} bits each, of {units} units; {judged.reason}")


def encrypted_in_the_cage(evidence: Evidence) -> Outcome:
    (letter,) = [c for c in evidence.regular.carried if c.letter.number == FROM_CAGE]
    came_out = Check("the other side decrypted it correctly", Outcome.of(letter.same, letter.error))
    return checks(lambda e: (*e.no_channel.deletion, came_out))(evidence)


def swapped(evidence: Evidence) -> Outcome:
    regular = evidence.regular
    each = [sum(c.letter.sender == name for c in regular.carried) for name in ("alice", "bob")]
    words = f"{each[0]} messages of Alice, {each[1]} of Bob, in {regular.batches} batches by turns"
    return Outcome.of(regular.batches > 1 and all(c.same for c in regular.carried), words)


def unread(evidence: Evidence) -> Outcome:
    """Judge by the tap's record and the ciphertext-only attack, or by the record alone if the attack takes too long."""
    recorded, attacks = checks(lambda e: e.regular.recorded)(evidence), evidence.attacks
    experts = claimed(attacks.findings, TEXT, OTHER)
    judged = [recorded]
    if READER in attacks.unable:
        judged.append(Outcome.held(attacks.findings[READER].outcome.reason))
    readers = experts if READER in attacks.unable else [READER, *experts]
    if readers:
        judged.append(judge_attacks(attacks.findings, readers))
    return Outcome(worst(judged), "; ".join(outcome.reason for outcome in judged))


def not_deduced(evidence: Evidence) -> Outcome:
    """Judge by all searches that are possible at this d, of which one must be for the frequency."""
    attacks = evidence.attacks
    able = [label for label in SEARCHES if label not in attacks.unable]
    judged = judge_attacks(attacks.findings, [*able, *claimed(attacks.findings, KEY, OTHER)])
    unable = ", ".join(label for label in SEARCHES if label in attacks.unable)
    more = f"; {unable}: take too long at d = {evidence.network.digits}" if unable else ""
    is_enough = FREQUENCY.intersection(able) or judged.word == FAILED
    return Outcome(judged.word if is_enough else NOT_SHOWN, judged.reason + more)


def alike(evidence: Evidence) -> Outcome:
    judged = judge_attacks(evidence.attacks.findings, ["A8"])
    return _enough(judged, evidence.attacks.keys_seen, LEAST_KEYS, "keys")


def regular(evidence: Evidence) -> Outcome:
    judged = judge_attacks(evidence.attacks.findings, ["S"])
    return _enough(judged, evidence.attacks.long_bits_seen, LEAST_LONG_BITS, "bits of a key")


def _enough(judged: Outcome, looked_at: int, least: int, what: str) -> Outcome:
    """Return the judgement, or "not shown" if it held on a smaller sample than the controls need."""
    if judged.word == HELD and looked_at < least:
        return Outcome.not_shown(f"only {looked_at:,} {what} were examined, of {least:,}")
    return judged


def encodings(evidence: Evidence) -> Outcome:
    symbol = evidence.keys.symbol
    words = (
        f"one symbol repeated {symbol.count} times: {symbol.distinct} of 256 encodings, p = {symbol.p_value:.2g}; "
        f"{symbol.equal_messages} of {symbol.pairs} pairs of equal messages look alike"
    )
    return Outcome.of(symbol.p_value > evidence.attacks.threshold and not symbol.equal_messages, words)


def decimals(evidence: Evidence) -> Outcome:
    """Judge the paper's own example on the units, and the median over all digits of p1's first places in software.

    A single pair of keys may be alike by chance, if their frequencies are close modulo pi and up to sign.
    """
    measured = evidence.keys.sensitivity
    on_units, (low, high) = measured.on_units, measured.limits
    early = float(np.median(measured.distances["p1"][: on_units.place]))
    ends = [f"{name} from place {measured.last_half(name) + 1}" for name in ("p1", "p2")]
    words = (
        f"p1 = 0.52 and 0.52001 on the units: {on_units.differ} of {on_units.bits} bits differ; in software, the "
        f"median for all digits in places 1 to {on_units.place} of p1 is {early:g}; less than half changes with "
        f"decimals of {', of '.join(ends)} on"
    )
    return Outcome.of(low <= on_units.differ <= high and low <= early <= high, words)


def entropy(evidence: Evidence) -> Outcome:
    network, attacks = evidence.network, evidence.attacks
    adversaries = [label for label in (READER, *SEARCHES, "A8", "S") if label not in attacks.unable]
    bits = f"the key's bytes have {evidence.keys.evenness:.6f} bits of entropy per bit"
    attacked, shared = judge_attacks(attacks.findings, adversaries).word, same_keys(evidence).word
    if attacked == FAILED:
        broken = [label for label in adversaries if attacks.findings[label].outcome.word == FAILED]
        most = most_entropy(network.digits, KEY_BITS)
        limit = f"{KEY_BITS} bits of eq. 7 have at most {most:.0f} bits of entropy; "
        return Outcome.failed(f"{limit if network.suite == 'paper' else ''}{', '.join(broken)} succeeded; {bits}")
    if attacked == NOT_SHOWN or shared != HELD:
        word = FAILED if shared == FAILED else NOT_SHOWN
        return Outcome(word, "not everything was shown: see R1 and the attacks on the units")
    secret = "all keys come from one secret of 256 bits" if network.suite == "hybrid" else "eq. 7 has far less"
    why = f"no adversary does better than chance; {bits}. This is not a statement of information theory: {secret}"
    return Outcome.held(why)


def primal(evidence: Evidence) -> Outcome:
    key = evidence.keys.long_key
    part = "all" if key.compared == key.bits else f"{key.compared:,} (beginning, end, and windows between)"
    words = f"key {key.index} of {key.bits:,} bits: {part} compared, {'the same' if key.same else 'DIFFERENT'} in both"
    if key.same and key.bits < PRIMAL_BITS:
        return Outcome.not_shown(f"{words}; a longer key was not requested")
    return Outcome.of(key.same, f"{words}; {key.seconds:.1f} s")


def defined(evidence: Evidence) -> Outcome:
    defined = evidence.keys.defined
    words = (
        f"{defined.keys} keys of 1024 bits and {defined.windows} windows of a long key up to its end, from all units, "
        "compared with exact integer arithmetic on this computer"
    )
    return Outcome.of(defined.same, words)


def erased(evidence: Evidence) -> Outcome:
    states, flash = evidence.erasure.states, evidence.erasure.flash
    words = f"the units report: {', '.join(states)}; {flash.reason}"
    all_blank = states == len(evidence.no_channel.records) * ("blank",)
    if evidence.of_network:
        again = evidence.of_network.states
        words += f"; after the network: {', '.join(again)}"
        all_blank = all_blank and again == states
    return Outcome.of(all_blank and flash.word != FAILED, words)
