# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""How evidence is judged: whether a requirement is met, and what there is to say for it."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ndks_laboratory.outcome import Check, all_held

from . import PRIMAL_BITS
from .attack import Finding
from .controls import LEAST_KEYS, LEAST_LONG_BITS
from .correspondence import FROM_CAGE
from .evidence import Evidence
from .material import KEY_BITS
from .measurements import most_entropy

READER = "A1"
FREQUENCY = frozenset({"A2", "A3", "A5"})
SEARCHES = ("A2", "A3", "A4", "A5", "A6")

_FEW = 5

Judgement = tuple[bool | None, str]  # None: not shown; and what there is to say for it
Judge = Callable[[Evidence], Judgement]


def checks(choose: Callable[[Evidence], Sequence[Check]]) -> Judge:
    def judge(evidence: Evidence) -> Judgement:
        chosen = choose(evidence)
        failed = [check for check in chosen if not check.held]
        words = [f"{check.name}: {_outcome(check)}" for check in failed] or [_held(chosen)]
        return all_held(chosen) if chosen else None, "; ".join(words)

    return judge


def _held(checks: Sequence[Check]) -> str:
    few = len(checks) <= _FEW
    return "; ".join(check.name for check in checks) if few else f"all of {len(checks)} checks held"


def _outcome(check: Check) -> str:
    return ("NOT SHOWN" if check.held is None else "FAILED") + (f" ({check.detail})" if check.detail else "")


def withstood(*labels: str) -> Judge:
    def judge(evidence: Evidence) -> Judgement:
        return judge_attacks(evidence.findings, labels)

    return judge


def judge_attacks(findings: Mapping[str, Finding], labels: Sequence[str]) -> Judgement:
    """Judge by what came of some attacks: all have to be withstood."""
    mine = {label: findings[label] for label in labels}
    broken = [f"{label}: {finding.summary}" for label, finding in mine.items() if finding.succeeded]
    missing = [f"{label}: {finding.summary}" for label, finding in mine.items() if finding.succeeded is None]
    if broken or missing:
        return False if broken else None, "; ".join(broken or missing)
    return True, f"withstood: {', '.join(f'{label} ({finding.adversary})' for label, finding in mine.items())}"


def same_keys(evidence: Evidence) -> Judgement:
    held, words = checks(lambda e: e.no_channel.key_checks)(evidence)
    keys = evidence.no_channel.records[0].keys
    return held, f"{len(keys)} keys of {keys[0].bits} bits each; {words}"


def encrypted_in_the_cage(evidence: Evidence) -> Judgement:
    (letter,) = [c for c in evidence.regular.carried if c.letter.number == FROM_CAGE]
    came_out = Check("it came out as it was written, at the other side", letter.same, letter.error)
    return checks(lambda e: (*e.no_channel.deletion_checks, came_out))(evidence)


def swapped(evidence: Evidence) -> Judgement:
    regular = evidence.regular
    each = [sum(c.letter.sender == name for c in regular.carried) for name in ("alice", "bob")]
    words = f"{each[0]} messages of Alice, {each[1]} of Bob, in {regular.batches} batches by turns"
    return regular.batches > 1 and all(c.same for c in regular.carried), words


def unread(evidence: Evidence) -> Judgement:
    """The ciphertext-only attack takes too long at large d; what the tap has counts nevertheless."""
    recorded = checks(lambda e: e.regular.recorded)(evidence)
    if READER in evidence.unable:
        return recorded[0], f"{recorded[1]}; {evidence.findings[READER].summary}"
    return _both(recorded, judge_attacks(evidence.findings, [READER]))


def not_deduced(evidence: Evidence) -> Judgement:
    """Judge by all searches that can be made at this d; there has to be one of those for the frequency."""
    able = [label for label in SEARCHES if label not in evidence.unable]
    held, words = judge_attacks(evidence.findings, able)
    unable = [label for label in SEARCHES if label in evidence.unable]
    if unable:
        words += f"; {', '.join(unable)}: take too long at d = {evidence.network.digits}"
    return (held if FREQUENCY.intersection(able) or held is False else None), words


def alike(evidence: Evidence) -> Judgement:
    held, words = judge_attacks(evidence.findings, ["A8"])
    return _enough(held, words, evidence.keys_seen, LEAST_KEYS, "keys")


def regular(evidence: Evidence) -> Judgement:
    held, words = judge_attacks(evidence.findings, ["S"])
    return _enough(held, words, evidence.long_bits_seen, LEAST_LONG_BITS, "bits of a key")


def _enough(held: bool | None, words: str, looked_at: int, least: int, what: str) -> Judgement:
    """Return what was found, unless nothing was, in less than the controls need."""
    if held and looked_at < least:
        return None, f"only {looked_at:,} {what} were looked at, of {least:,}"
    return held, words


def encodings(evidence: Evidence) -> Judgement:
    symbol = evidence.symbol
    words = (
        f"{symbol.count} times the same symbol: {symbol.distinct} of 256 encodings, p = {symbol.p_value:.2g}; "
        f"{symbol.equal_messages} of {symbol.pairs} pairs of equal messages look alike"
    )
    return symbol.p_value > evidence.threshold and not symbol.equal_messages, words


def decimals(evidence: Evidence) -> Judgement:
    """Judge the paper's own example on the units, and the median of all digits in p1's first places in software.

    Single pairs of keys may be alike where two frequencies happen to be close, modulo pi and up to sign.
    """
    on_units, (low, high) = evidence.changed_decimal, evidence.distance_limits
    early = float(np.median(evidence.distances["p1"][: on_units.place]))
    ends = [f"{name} from place {_last_half(evidence, name) + 1}" for name in ("p1", "p2")]
    words = (
        f"0.52 and 0.52001 on the units: {on_units.differ} of {on_units.bits} bits differ; in software, the median of "
        f"all digits in places 1 to {on_units.place} of p1: {early:g}; less than half changes with decimals of "
        f"{', of '.join(ends)} on"
    )
    return low <= on_units.differ <= high and low <= early <= high, words


def _last_half(evidence: Evidence, name: str) -> int:
    """Return the last place of a parameter up to which its digits change half of the key, by their median."""
    medians = np.median(evidence.distances[name], axis=1)
    return int(np.argmax(np.append(medians < evidence.distance_limits[0], True)))


def entropy(evidence: Evidence) -> Judgement:
    adversaries = [label for label in (READER, *SEARCHES, "A8", "S") if label not in evidence.unable]
    shared = same_keys(evidence)[0]
    held, _ = judge_attacks(evidence.findings, adversaries)
    bits = f"the key's bytes have {evidence.word_entropy:.6f} bits a bit"
    if held is False:
        broken = [label for label in adversaries if evidence.findings[label].succeeded]
        most = most_entropy(evidence.network.digits, KEY_BITS)
        limit = f"{KEY_BITS} bits of eq. 7 have at most {most:.0f} bits of entropy; "
        return False, f"{limit if evidence.network.suite == 'paper' else ''}{', '.join(broken)} succeeded; {bits}"
    if held is None or not shared:
        return (False if shared is False else None), "not all was shown: see R1 and the attacks on the units"
    secret = "all keys come from one secret of 256 bits" if evidence.network.suite == "hybrid" else "eq. 7 has far less"
    return True, f"no attacker does better than by chance; {bits}. That is no statement of information theory: {secret}"


def primal(evidence: Evidence) -> Judgement:
    key = evidence.long_key
    part = "all" if key.compared == key.bits else f"{key.compared:,} (beginning, end, and windows between)"
    words = f"key {key.index} of {key.bits:,} bits: {part} compared, {'the same' if key.same else 'DIFFERENT'} in both"
    if key.same and key.bits < PRIMAL_BITS:
        return None, f"{words}; more were not asked for"
    return key.same, f"{words}; {key.seconds:.1f} s"


def defined(evidence: Evidence) -> Judgement:
    defined = evidence.defined
    words = (
        f"{defined.keys} keys of 1024 bits, and {defined.windows} windows of a long key up to its end, of both units, "
        "beside exact integer arithmetic on this computer"
    )
    return defined.same, words


def erased(evidence: Evidence) -> Judgement:
    left, states = evidence.left_in_flash, ", ".join(evidence.erased)
    if left is None:
        in_flash = "their flash was not read again"
    else:
        in_flash = f"still in flash: {', '.join(left)}" if left else "nothing is left in their flash"
    return evidence.erased == ("blank", "blank") and not left, f"the units say: {states}; {in_flash}"


def _both(first: Judgement, second: Judgement) -> Judgement:
    held = False if False in (first[0], second[0]) else None if None in (first[0], second[0]) else True
    return held, f"{first[1]}; {second[1]}"
