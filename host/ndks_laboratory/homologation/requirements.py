# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The requirements on a pair of units, and on a network of more, with their sources in the paper, and judgements."""

from dataclasses import dataclass

from . import judgements
from .judgements import Judge
from .networks.evidence import CASE, CONFINEMENT, JOINING, LATE, LEAST_UNITS, RENEWAL, ROLES, SYMBOLS, THEFT


@dataclass(frozen=True)
class Requirement:
    """A requirement; `source` is a section of the paper."""

    id: str
    text: str
    source: str
    test: str
    judge: Judge
    units: int = 2  # the fewest that it can be asked of


REQUIREMENTS = (
    Requirement(
        "R1",
        "Both units give the same keys for the same indices, with no channel between them.",
        "4.1.1",
        "Each side reads keys from its unit, alone in its cage; afterwards the records are compared.",
        judgements.same_keys,
    ),
    Requirement(
        "R2",
        "The cages let no network through.",
        "4.1.1",
        "A probe of TCP, UDP and abstract Unix sockets reaches the other side without cages, but not inside. Both "
        "are processes of one computer, with one file system: the cages are not a sandbox.",
        judgements.checks(lambda e: e.no_channel.cages.checks),
    ),
    Requirement(
        "R3",
        "The sender keeps only the encrypted message.",
        "4.1.1",
        "The message is encrypted in the cage; afterwards its file is deleted, and the other side can decrypt it.",
        judgements.encrypted_in_the_cage,
    ),
    Requirement(
        "R4",
        "Bob decrypts exactly what Alice wrote, and vice versa.",
        "4.1.2",
        "Letters go over TCP through the adversaries' tap; the texts are compared.",
        judgements.checks(lambda e: e.regular.delivered),
    ),
    Requirement(
        "R5",
        "The receiver is disconnected from every network when it decrypts.",
        "4.1.2",
        "The receiving process ends; another process decrypts, in a cage.",
        judgements.checks(lambda e: e.regular.disconnected),
    ),
    Requirement(
        "R6",
        "Sender and receiver swap roles without any switching.",
        "4.1.2",
        "Batches of letters go back and forth, with the same commands.",
        judgements.swapped,
    ),
    Requirement(
        "R7",
        "Nobody who records the channel can read a message.",
        "4.1.2",
        "The tap records all capsules; its record has no piece of a text, and the ciphertext-only attack reads none.",
        judgements.unread,
    ),
    Requirement(
        "R8",
        "Nobody can deduce other keys from known keys or parts of them, by any search made here.",
        "3 (information asymmetry)",
        "Searches for the angular frequency, p1 and p2 in disclosed keys.",
        judgements.not_deduced,
    ),
    Requirement(
        "R9",
        "Keys of different indices have nothing in common.",
        "3 (dynamic encryption)",
        "Shared beginnings and correlation of all pairs of keys.",
        judgements.alike,
    ),
    Requirement(
        "R10",
        "Keys show no regular patterns.",
        "4.1",
        "Statistics of a long key, with exact limits.",
        judgements.regular,
    ),
    Requirement(
        "R11",
        "A repeated symbol gets a different encoding each time, and so does a repeated message.",
        "3 (dynamic encryption)",
        "Ciphertexts of letters of one symbol, and of equal letters.",
        judgements.encodings,
    ),
    Requirement(
        "R12",
        "Changing one of the first decimals of a parameter, as the paper does, changes half of the key.",
        "3.2",
        "The paper's example on the units; every decimal of this network's parameters in software.",
        judgements.decimals,
    ),
    Requirement(
        "R13",
        "The entropy of a key is 0 for the units, and 1 per bit for the eavesdropper, as far as the attacks show.",
        "3 (information asymmetry)",
        "The findings of all adversaries, and the empirical entropy of a long key.",
        judgements.entropy,
    ),
    Requirement(
        "R14",
        "A key may have 192,000,000 bits.",
        "table 2",
        "Such a key of both units is compared, in full or in windows up to its end.",
        judgements.primal,
    ),
    Requirement(
        "R15",
        "Keys are deterministic and reproducible: they match their definition.",
        "3.2",
        "Keys of the units are compared with keys computed from the network file.",
        judgements.defined,
    ),
    Requirement(
        "R16",
        "A message that was altered, truncated, reordered or spliced is refused.",
        "3 (integrity of what is encapsulated)",
        "Adversaries on the line.",
        judgements.withstood("A7a", "A7c", "A7d", "A7e"),
    ),
    Requirement(
        "R17",
        "A message is accepted only once, and never by its sender.",
        "3 (sequential synchronization)",
        "Adversaries on the line replay it, and send it back.",
        judgements.withstood("A7b", "A7f"),
    ),
    Requirement(
        "R18",
        "Every message has a key of its own.",
        "4.1",
        "Numbers and keystreams of many messages are compared, also after the units were unplugged.",
        judgements.withstood("A7g"),
    ),
    Requirement(
        "R19",
        "A unit does not open for another laptop.",
        "4.1 (sync word)",
        "Bob's unit is plugged into laptops that it is not bound to.",
        judgements.withstood("A7h"),
    ),
    Requirement(
        "R20",
        "A stolen unit reveals no key.",
        "4.1 (sync word)",
        "All requests without a session, and guessed proofs.",
        judgements.withstood("A7i"),
    ),
    Requirement(
        "R21",
        "What passes between laptop and unit is encrypted, under a sync word that is renewed in each transmission.",
        "4.1",
        "A tap on the cable searches for keys, and alters and replays frames.",
        judgements.withstood("A7k", "A7l"),
    ),
    Requirement(
        "R22",
        "A copy of a unit's flash reveals neither the network's secret nor the key that unlocks the unit.",
        "4.1 (built like a bomb)",
        "The flash is searched for pieces of every secret of the test network.",
        judgements.withstood("A7j"),
    ),
    Requirement(
        "R23",
        "A unit can be erased.",
        "4.1 (built like a bomb)",
        "Both units are erased at the end, and their flash is searched again.",
        judgements.erased,
    ),
    Requirement(
        "R24",
        "A recording of the cable stays closed to whoever copies the unit's flash, before or afterwards.",
        "4.1 (sync word)",
        "All that may be a key in a copy of the flash is tried on recorded sessions of the laptop.",
        judgements.withstood("A7m"),
    ),
    Requirement(
        "R25",
        "Three or more units give the same keys at once, each alone in a cage of its own.",
        "4.1 (more than two units)",
        "Stage 1 is run with all units.",
        judgements.in_many_cages,
        LEAST_UNITS,
    ),
    Requirement(
        "R26",
        "One unit is the master; when it is destroyed or stolen, another one is, and messages go on.",
        "4.1 (master and slaves)",
        "The master is unplugged and comes back; later it is stolen.",
        judgements.of_network(ROLES, THEFT),
        LEAST_UNITS,
    ),
    Requirement(
        "R27",
        "A unit joins only by permission of the competent authority, and reads nothing of before.",
        "4.1 (requesting permission)",
        "Wrong signatures are tried; who joins late gets the recording of before.",
        judgements.of_network(JOINING),
        LEAST_UNITS,
    ),
    Requirement(
        "R28",
        "Keys, parameters and operators are renewed, at all units the same.",
        "4.1 (parameters and operators, which can be renewed)",
        "A unit renews keys, p1 and p2; the administrator renews d, f1 and f2; keys of all units are compared.",
        judgements.of_network(RENEWAL),
        LEAST_UNITS,
    ),
    Requirement(
        "R29",
        "A unit that was stolen and revoked reads, sends and leads nothing any more.",
        "4.1 (stolen units)",
        "Unit, laptop and a recording of everything are in a thief's hands.",
        judgements.both(judgements.of_network(THEFT), judgements.network_withstood("N5")),
        LEAST_UNITS,
    ),
    Requirement(
        "R30",
        "A message that comes late is delivered once and in order; one that can never come is named as lost.",
        "4.1 (synchronization)",
        "The channel delays, reverses and loses messages; a unit misses an epoch; a sender forgets.",
        judgements.of_network(LATE),
        LEAST_UNITS,
    ),
    Requirement(
        "R31",
        "The symbols 0, 1 and nothing reach all others, and nothing costs no key.",
        "4.1 (three possible states)",
        "Bits with a silence between them are sent beside the same bits without.",
        judgements.of_network(SYMBOLS),
        LEAST_UNITS,
    ),
    Requirement(
        "R32",
        "Nobody but members chooses the master, and nobody but administrators begins a generation.",
        "4.1 (master and slaves)",
        "Beacons and bundles are replayed, altered and forged.",
        judgements.network_withstood("N1", "N2"),
        LEAST_UNITS,
    ),
    Requirement(
        "R33",
        "No member can wear out the flash of the others.",
        "4.1 (parameters and operators, which can be renewed)",
        "A member renews as often as its laptop can.",
        judgements.network_withstood("N3"),
        LEAST_UNITS,
    ),
    Requirement(
        "R34",
        "A recording of the network stays closed to whoever copies the flash of a member.",
        "4.1 (built like a bomb)",
        "All that may be a key in the flash is tried on recorded messages.",
        judgements.network_withstood("N4"),
        LEAST_UNITS,
    ),
    Requirement(
        "R35",
        "A unit whose case is opened erases itself, and the network goes on without it.",
        "4.1 (built like a bomb)",
        "The case of a member is opened, by its control socket or by a person.",
        judgements.of_network(CASE),
        LEAST_UNITS,
    ),
    Requirement(
        "R36",
        "When keys or messages disagree, the unit at fault is named, or the channel.",
        "4.1 (a confinement procedure)",
        "Records of all units are compared with their definition, and with a unit and a message that were altered.",
        judgements.of_network(CONFINEMENT),
        LEAST_UNITS,
    ),
)
