# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a pair of units has to show: a requirement a row, with its source in the paper and how it is judged."""

from dataclasses import dataclass

from . import judgements
from .judgements import Judge


@dataclass(frozen=True)
class Requirement:
    """One thing that is required. `source` is a section of the paper."""

    id: str
    text: str
    source: str
    test: str
    judge: Judge


REQUIREMENTS = (
    Requirement(
        "R1",
        "Both units give the same keys for the same indices, with no channel between them.",
        "4.1.1",
        "Each side asks its unit for keys, alone in its cage; afterwards the records are compared.",
        judgements.same_keys,
    ),
    Requirement(
        "R2",
        "The cages let no network through.",
        "4.1.1",
        "A probe of TCP, UDP and abstract Unix sockets reaches the other side without cages, and nobody inside. Both "
        "are processes of one computer, with one file system: the cages are no sandbox.",
        judgements.checks(lambda e: e.no_channel.cages.checks),
    ),
    Requirement(
        "R3",
        "The sender keeps only the encrypted message.",
        "4.1.1",
        "The message is encrypted in the cage; afterwards its file is gone, and the other side can decrypt it.",
        judgements.encrypted_in_the_cage,
    ),
    Requirement(
        "R4",
        "What Bob decrypts is what Alice wrote, and the other way round.",
        "4.1.2",
        "Letters go over TCP through the adversaries' tap; the texts are compared.",
        judgements.checks(lambda e: e.regular.delivered),
    ),
    Requirement(
        "R5",
        "The receiver is disconnected from every network when it decrypts.",
        "4.1.2",
        "The receiving process ends; another one, in a cage, decrypts.",
        judgements.checks(lambda e: e.regular.disconnected),
    ),
    Requirement(
        "R6",
        "Sender and receiver swap roles without any switching.",
        "4.1.2",
        "Batches of letters go to and fro, by the same commands.",
        judgements.swapped,
    ),
    Requirement(
        "R7",
        "Whoever records the channel reads no message.",
        "4.1.2",
        "The tap has every capsule, no piece of a text is in it, and the ciphertext-only attack reads none.",
        judgements.unread,
    ),
    Requirement(
        "R8",
        "Whoever knows keys, or parts of them, deduces no others, by any search made here.",
        "3 (information asymmetry)",
        "Searches for angular frequency, p1 and p2, in keys that were disclosed.",
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
        "A symbol that is repeated gets another encoding each time; so does a message.",
        "3 (dynamic encryption)",
        "Letters of one symbol, and equal letters, as they were on the line.",
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
        "The entropy of a key is 0 between the units, and 1 a bit for the eavesdropper, as far as attacks here show.",
        "3 (information asymmetry)",
        "What all adversaries together reach, and how even the bytes of a long key are.",
        judgements.entropy,
    ),
    Requirement(
        "R14",
        "A key may have 192,000,000 bits.",
        "table 2",
        "Both units give one, all of it or windows up to its end, and it is compared as it comes.",
        judgements.primal,
    ),
    Requirement(
        "R15",
        "Keys are those that their definition gives: deterministic and reproducible.",
        "3.2",
        "Keys of the units beside keys computed from the network file.",
        judgements.defined,
    ),
    Requirement(
        "R16",
        "A message that was altered, cut, rearranged or put together from others is refused.",
        "3 (integrity of what is encapsulated)",
        "Adversaries on the line.",
        judgements.withstood("A7a", "A7c", "A7d", "A7e"),
    ),
    Requirement(
        "R17",
        "A message is accepted once, and not by its sender.",
        "3 (sequential synchronization)",
        "Adversaries on the line send it again, and back.",
        judgements.withstood("A7b", "A7f"),
    ),
    Requirement(
        "R18",
        "Every message has a key of its own.",
        "4.1",
        "Numbers and keystreams of many messages, also after units were unplugged.",
        judgements.withstood("A7g"),
    ),
    Requirement(
        "R19",
        "A unit does not open for another laptop.",
        "4.1 (sync word)",
        "Bob's unit at laptops that it is not bound to.",
        judgements.withstood("A7h"),
    ),
    Requirement(
        "R20",
        "A stolen unit gives away no key.",
        "4.1 (sync word)",
        "All requests without a session, guessed proofs.",
        judgements.withstood("A7i"),
    ),
    Requirement(
        "R21",
        "What passes between laptop and unit is encrypted, under a sync word that is renewed in each transmission.",
        "4.1",
        "A tap on the cable, which looks for keys, alters frames and sends old ones again.",
        judgements.withstood("A7k", "A7l"),
    ),
    Requirement(
        "R22",
        "Whoever copies a unit's flash finds neither the network's secret nor what opens the unit.",
        "4.1 (built like a bomb)",
        "Every secret of the laboratory's network is looked for, in pieces.",
        judgements.withstood("A7j"),
    ),
    Requirement(
        "R23",
        "A unit can be erased.",
        "4.1 (built like a bomb)",
        "At the end; their flash is searched again.",
        judgements.erased,
    ),
)
