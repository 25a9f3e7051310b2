# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a pair of units has to show: a requirement a row, with its source in the paper and how it is judged."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ndks.checks import Check, all_held

from . import PRIMAL_BITS
from .attack import Finding
from .controls import LEAST_KEYS, LEAST_LONG_BITS
from .evidence import Evidence
from .letters import FROM_CAGE
from .material import KEY_BITS
from .measurements import most_entropy

READER = "A1"
FREQUENCY = frozenset({"A2", "A3", "A5"})
SEARCHES = ("A2", "A3", "A4", "A5", "A6")

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


def _encrypted_in_the_cage(evidence: Evidence) -> Judgement:
    (letter,) = [c for c in evidence.regular.carried if c.letter.number == FROM_CAGE]
    came_out = Check("it came out as it was written, at the other side", letter.same, letter.error)
    return _checks(lambda e: (*e.no_channel.deletion_checks, came_out))(evidence)


def _swapped(evidence: Evidence) -> Judgement:
    regular = evidence.regular
    each = [sum(c.letter.sender == name for c in regular.carried) for name in ("alice", "bob")]
    words = f"{each[0]} messages of Alice, {each[1]} of Bob, in {regular.batches} batches by turns"
    return regular.batches > 1 and all(c.same for c in regular.carried), words


def _unread(evidence: Evidence) -> Judgement:
    """The ciphertext-only attack takes too long at large d; what the tap has counts nevertheless."""
    recorded = _checks(lambda e: e.regular.recorded)(evidence)
    if READER in evidence.unable:
        return recorded[0], f"{recorded[1]}; {evidence.findings[READER].summary}"
    return _both(recorded, judge_attacks(evidence.findings, [READER]))


def _not_deduced(evidence: Evidence) -> Judgement:
    """Judge by all searches that can be made at this d; there has to be one of those for the frequency."""
    able = [label for label in SEARCHES if label not in evidence.unable]
    held, words = judge_attacks(evidence.findings, able)
    unable = [label for label in SEARCHES if label in evidence.unable]
    if unable:
        words += f"; {', '.join(unable)}: take too long at d = {evidence.network.digits}"
    return (held if FREQUENCY.intersection(able) or held is False else None), words


def _alike(evidence: Evidence) -> Judgement:
    held, words = judge_attacks(evidence.findings, ["A8"])
    return _enough(held, words, evidence.keys_seen, LEAST_KEYS, "keys")


def _regular(evidence: Evidence) -> Judgement:
    held, words = judge_attacks(evidence.findings, ["S"])
    return _enough(held, words, evidence.long_bits_seen, LEAST_LONG_BITS, "bits of a key")


def _enough(held: bool | None, words: str, looked_at: int, least: int, what: str) -> Judgement:
    """Return what was found, unless nothing was, in less than the controls need."""
    if held and looked_at < least:
        return None, f"only {looked_at:,} {what} were looked at, of {least:,}"
    return held, words


def _encodings(evidence: Evidence) -> Judgement:
    symbol = evidence.symbol
    words = (
        f"{symbol.count} times the same symbol: {symbol.distinct} of 256 encodings, p = {symbol.p_value:.2g}; "
        f"{symbol.equal_messages} of {symbol.pairs} pairs of equal messages look alike"
    )
    return symbol.p_value > evidence.threshold and not symbol.equal_messages, words


def _decimals(evidence: Evidence) -> Judgement:
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


def _entropy(evidence: Evidence) -> Judgement:
    attackers = [label for label in (READER, *SEARCHES, "A8", "S") if label not in evidence.unable]
    shared = _same_keys(evidence)[0]
    held, _ = judge_attacks(evidence.findings, attackers)
    bits = f"the key's bytes have {evidence.word_entropy:.6f} bits a bit"
    if held is False:
        broken = [label for label in attackers if evidence.findings[label].succeeded]
        most = most_entropy(evidence.network.digits, KEY_BITS)
        limit = f"{KEY_BITS} bits of eq. 7 have at most {most:.0f} bits of entropy; "
        return False, f"{limit if evidence.network.suite == 'paper' else ''}{', '.join(broken)} succeeded; {bits}"
    if held is None or not shared:
        return (False if shared is False else None), "not all was shown: see R1 and the attacks on the units"
    secret = "all keys come from one secret of 256 bits" if evidence.network.suite == "hybrid" else "eq. 7 has far less"
    return True, f"no attacker does better than by chance; {bits}. That is no statement of information theory: {secret}"


def _primal(evidence: Evidence) -> Judgement:
    key = evidence.long_key
    part = "all" if key.compared == key.bits else f"{key.compared:,} (beginning, end, and windows between)"
    words = f"key {key.index} of {key.bits:,} bits: {part} compared, {'the same' if key.same else 'DIFFERENT'} in both"
    if key.same and key.bits < PRIMAL_BITS:
        return None, f"{words}; more were not asked for"
    return key.same, f"{words}; {key.seconds:.1f} s"


def _defined(evidence: Evidence) -> Judgement:
    defined = evidence.defined
    words = (
        f"{defined.keys} keys of 1024 bits, and {defined.windows} windows of a long key up to its end, of both units, "
        "beside exact integer arithmetic on this computer"
    )
    return defined.same, words


def _erased(evidence: Evidence) -> Judgement:
    left, states = evidence.left_in_flash, ", ".join(evidence.erased)
    if left is None:
        in_flash = "their flash was not read again"
    else:
        in_flash = f"still in flash: {', '.join(left)}" if left else "nothing is left in their flash"
    return set(evidence.erased) == {"blank"} and not left, f"the units say: {states}; {in_flash}"


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
        "The cages let no network through.",
        "4.1.1",
        "A probe of TCP, UDP and abstract Unix sockets reaches the other side without cages, and nobody inside. Both "
        "are processes of one computer, with one file system: the cages are no sandbox.",
        _checks(lambda e: e.no_channel.cage_checks),
    ),
    Requirement(
        "R3",
        "The sender keeps only the encrypted message.",
        "4.1.1",
        "The message is encrypted in the cage; afterwards its file is gone, and the other side can decrypt it.",
        _encrypted_in_the_cage,
    ),
    Requirement(
        "R4",
        "What Bob decrypts is what Alice wrote, and the other way round.",
        "4.1.2",
        "Letters go over TCP through the attackers' tap; the texts are compared.",
        _checks(lambda e: e.regular.delivered),
    ),
    Requirement(
        "R5",
        "The receiver is disconnected from every network when it decrypts.",
        "4.1.2",
        "The receiving process ends; another one, in a cage, decrypts.",
        _checks(lambda e: e.regular.disconnected),
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
        _unread,
    ),
    Requirement(
        "R8",
        "Whoever knows keys, or parts of them, deduces no others, by any search made here.",
        "3 (information asymmetry)",
        "Searches for angular frequency, p1 and p2, in keys that were disclosed.",
        _not_deduced,
    ),
    Requirement(
        "R9",
        "Keys of different indices have nothing in common.",
        "3 (dynamic encryption)",
        "Shared beginnings and correlation of all pairs of keys.",
        _alike,
    ),
    Requirement(
        "R10", "Keys show no regular patterns.", "4.1", "Statistics of a long key, with exact limits.", _regular
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
        "Changing one of the first decimals of a parameter, as the paper does, changes half of the key.",
        "3.2",
        "The paper's example on the units; every decimal of this network's parameters in software.",
        _decimals,
    ),
    Requirement(
        "R13",
        "The entropy of a key is 0 between the units, and 1 a bit for the eavesdropper, as far as attacks here show.",
        "3 (information asymmetry)",
        "What all attackers together reach, and how even the bytes of a long key are.",
        _entropy,
    ),
    Requirement(
        "R14",
        "A key may have 192,000,000 bits.",
        "table 2",
        "Both units give one, all of it or windows up to its end, and it is compared as it comes.",
        _primal,
    ),
    Requirement(
        "R15",
        "Keys are those that their definition gives: deterministic and reproducible.",
        "3.2",
        "Keys of the units beside keys computed from the network file.",
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
        "A stolen unit gives away no key.",
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
        "Whoever copies a unit's flash finds neither the network's secret nor what opens the unit.",
        "4.1 (built like a bomb)",
        "Every secret of the laboratory's network is looked for, in pieces.",
        _withstood("A7j"),
    ),
    Requirement(
        "R23", "A unit can be erased.", "4.1 (built like a bomb)", "At the end; their flash is searched again.", _erased
    ),
)


def _both(first: Judgement, second: Judgement) -> Judgement:
    held = False if False in (first[0], second[0]) else None if None in (first[0], second[0]) else True
    return held, f"{first[1]}; {second[1]}"
