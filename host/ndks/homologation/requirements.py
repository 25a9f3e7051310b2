# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a pair of units has to show: a requirement a row, with its source in the paper and how it is judged."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ndks.checks import Check, all_held

from .attack import Finding
from .evidence import Evidence
from .measurements import most_entropy

PRIMAL_BITS = 192_000_000  # the paper's table 2

_FEW = 5

Judgement = tuple[bool | None, str]  # None: not shown; and what there is to say for it
_Judge = Callable[[Evidence], Judgement]


@dataclass(frozen=True)
class Requirement:
    """One thing that is required. `source` is a section of the paper."""

    id: str
    text: str
    source: str
    test: str
    judge: _Judge


def _checks(choose: Callable[[Evidence], Sequence[Check]]) -> _Judge:
    def judge(evidence: Evidence) -> Judgement:
        checks = choose(evidence)
        failed = [check for check in checks if not check.held]
        words = [f"{check.name}: {_outcome(check)}" for check in failed] or [_held(checks)]
        return all_held(checks), "; ".join(words)

    return judge


def _held(checks: Sequence[Check]) -> str:
    few = len(checks) <= _FEW
    return "; ".join(check.name for check in checks) if few else f"all of {len(checks)} checks held"


def _outcome(check: Check) -> str:
    return ("NOT SHOWN" if check.held is None else "FAILED") + (f" ({check.detail})" if check.detail else "")


def _withstood(*labels: str) -> _Judge:
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
    return True, f"withstood: {', '.join(f'{label} ({finding.attacker})' for label, finding in mine.items())}"


def _same_keys(evidence: Evidence) -> Judgement:
    held, words = _checks(lambda e: e.no_channel.key_checks)(evidence)
    keys = evidence.no_channel.records[0].keys
    return held, f"{len(keys)} keys of {keys[0].bits} bits each; {words}"


def _swapped(evidence: Evidence) -> Judgement:
    regular = evidence.regular
    each = [sum(c.letter.sender == name for c in regular.carried) for name in ("alice", "bob")]
    words = f"{each[0]} messages of Alice, {each[1]} of Bob, in {regular.batches} batches by turns"
    return regular.batches > 1 and all(c.same for c in regular.carried), words


def _encodings(evidence: Evidence) -> Judgement:
    symbol = evidence.symbol
    words = (
        f"{symbol.count} times the same symbol: {symbol.distinct} of 256 encodings, p = {symbol.p_value:.2g}; "
        f"{symbol.equal_messages} of {symbol.pairs} pairs of equal messages look alike"
    )
    return symbol.p_value > evidence.threshold and not symbol.equal_messages, words


def _decimals(evidence: Evidence) -> Judgement:
    on_units = evidence.changed_decimal
    low, high = evidence.distance_limits
    within = low <= on_units.differ <= high
    early = evidence.distances["p1"][: on_units.place]
    all_within = bool(((early >= low) & (early <= high)).all())
    words = (
        f"place {on_units.place} of p1, on the units: {on_units.differ} of {on_units.bits} bits differ; places 1 to "
        f"{on_units.place}, every other digit: {early.min()} to {early.max()}; fair coins: {low} to {high}"
    )
    return within and all_within, words


def _entropy(evidence: Evidence) -> Judgement:
    attackers = ("A1", "A2", "A3", "A4", "A5", "A6", "A8", "S")
    held, _ = judge_attacks(evidence.findings, attackers)
    most = most_entropy(evidence.network.digits, 1024)
    if held is False:
        return False, f"attackers know the key from a part of it: 1024 bits have at most {most:.0f} bits of entropy"
    words = (
        f"no attacker does better than by chance; the key's bytes have {evidence.word_entropy:.6f} bits a bit. This is "
        "what attackers can reach, not information theory: all keys come from one secret of 256 bits"
    )
    return held, words


def _primal(evidence: Evidence) -> Judgement:
    key = evidence.long_key
    part = "all" if key.compared == key.bits else f"{key.compared:,} (beginning, end, and windows between)"
    words = f"key {key.index} of {key.bits:,} bits: {part} compared, {'the same' if key.same else 'DIFFERENT'} in both"
    return key.same and key.bits >= PRIMAL_BITS, f"{words}; {key.seconds:.1f} s"


def _defined(evidence: Evidence) -> Judgement:
    words = f"{evidence.as_defined[1]} keys of 1024 bits compared with exact integer arithmetic on this computer"
    return evidence.as_defined[0], words


def _erased(evidence: Evidence) -> Judgement:
    return set(evidence.erased) == {"blank"}, f"the units say: {', '.join(evidence.erased)}"


def _delivered(evidence: Evidence) -> Sequence[Check]:
    return evidence.regular.checks[:2]


REQUIREMENTS = (
    Requirement(
        "R1",
        "Both units give the same keys for the same indices, with no channel between them.",
        "4.1.1",
        "Each side asks its unit for keys, alone in its cage; afterwards the records are compared.",
        _same_keys,
    ),
    Requirement(
        "R2",
        "The cages let nothing through.",
        "4.1.1",
        "A probe of TCP, UDP and Unix sockets reaches the other side without cages, and nobody inside.",
        _checks(lambda e: e.no_channel.cage_checks),
    ),
    Requirement(
        "R3",
        "The sender keeps only the encrypted message.",
        "4.1.1",
        "The message is encrypted in the cage; afterwards its file is gone.",
        _checks(lambda e: e.no_channel.deletion_checks),
    ),
    Requirement(
        "R4",
        "What Bob decrypts is what Alice wrote, and the other way round.",
        "4.1.2",
        "Letters go over TCP through the attackers' tap; the texts are compared.",
        _checks(_delivered),
    ),
    Requirement(
        "R5",
        "The receiver is disconnected from every network when it decrypts.",
        "4.1.2",
        "The receiving process ends; another one, in a cage, decrypts.",
        _checks(lambda e: e.regular.checks[2:3]),
    ),
    Requirement(
        "R6",
        "Sender and receiver swap roles without any switching.",
        "4.1.2",
        "Batches of letters go to and fro, by the same commands.",
        _swapped,
    ),
    Requirement(
        "R7",
        "Whoever records the channel reads no message.",
        "4.1.2",
        "The tap has every capsule, no piece of a text is in it, and the ciphertext-only attack reads none.",
        lambda e: _both(_checks(lambda e: e.regular.checks[3:])(e), judge_attacks(e.findings, ["A1"])),
    ),
    Requirement(
        "R8",
        "Whoever knows keys, or parts of them, cannot deduce others.",
        "3 (information asymmetry)",
        "Searches for angular frequency, p1 and p2, in keys that were disclosed.",
        _withstood("A2", "A3", "A4", "A5", "A6"),
    ),
    Requirement(
        "R9",
        "Keys of different indices have nothing in common.",
        "3 (dynamic encryption)",
        "Shared beginnings and correlation of all pairs of keys.",
        _withstood("A8"),
    ),
    Requirement(
        "R10", "Keys show no regular patterns.", "4.1", "Statistics of a long key, with exact limits.", _withstood("S")
    ),
    Requirement(
        "R11",
        "A symbol that is repeated gets another encoding each time; so does a message.",
        "3 (dynamic encryption)",
        "Letters of one symbol, and equal letters, as they were on the line.",
        _encodings,
    ),
    Requirement(
        "R12",
        "Changing one decimal of a parameter changes half of the key.",
        "3.2",
        "Units with parameters that differ in one decimal; other decimals in software.",
        _decimals,
    ),
    Requirement(
        "R13",
        "The entropy of a key is 0 between the units, and 1 a bit for the eavesdropper.",
        "3 (information asymmetry)",
        "What all attackers together reach, and how even the bytes of a long key are.",
        _entropy,
    ),
    Requirement(
        "R14",
        "A key may have 192,000,000 bits.",
        "table 2",
        "Both units make one, and it is compared as it comes.",
        _primal,
    ),
    Requirement(
        "R15",
        "Keys are those that their definition gives: deterministic and reproducible.",
        "3.2",
        "Keys of a unit beside keys computed from the network file.",
        _defined,
    ),
    Requirement(
        "R16",
        "A message that was altered, cut, rearranged or put together from others is refused.",
        "3 (integrity of what is encapsulated)",
        "Attackers on the line.",
        _withstood("A7a", "A7c", "A7d", "A7e"),
    ),
    Requirement(
        "R17",
        "A message is accepted once, and not by its sender.",
        "3 (sequential synchronization)",
        "Attackers on the line send it again, and back.",
        _withstood("A7b", "A7f"),
    ),
    Requirement(
        "R18",
        "Every message has a key of its own.",
        "4.1",
        "Numbers and keystreams of many messages, also after units were unplugged.",
        _withstood("A7g"),
    ),
    Requirement(
        "R19",
        "A unit does not open for another laptop.",
        "4.1 (sync word)",
        "Bob's unit at laptops that it is not bound to.",
        _withstood("A7h"),
    ),
    Requirement(
        "R20",
        "A stolen unit gives away nothing.",
        "4.1 (sync word)",
        "All requests without a session, guessed proofs.",
        _withstood("A7i"),
    ),
    Requirement(
        "R21",
        "What passes between laptop and unit is encrypted, under a sync word that is renewed in each transmission.",
        "4.1",
        "A tap on the cable, which looks for keys, alters frames and sends old ones again.",
        _withstood("A7k", "A7l"),
    ),
    Requirement(
        "R22",
        "Whoever copies a unit's flash finds no secret in it.",
        "4.1 (built like a bomb)",
        "Every secret of the laboratory's network is looked for, in pieces.",
        _withstood("A7j"),
    ),
    Requirement(
        "R23", "A unit can be erased.", "4.1 (built like a bomb)", "Erased at the end; then they say so.", _erased
    ),
)


def _both(first: Judgement, second: Judgement) -> Judgement:
    held = False if False in (first[0], second[0]) else None if None in (first[0], second[0]) else True
    return held, f"{first[1]}; {second[1]}"
