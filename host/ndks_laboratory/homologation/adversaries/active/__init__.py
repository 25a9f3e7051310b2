# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Active adversaries: they alter, replay and divert messages, and have access to units, cables and flash."""

from .cable_attacks import CableReplay, EqualFrames
from .forgeries import BitFlips, Reordering, Splicing, Truncation
from .possession import FlashDump, UnitThief, WrongLaptop
from .recordings import RecordingAndFlash
from .repeats import Reflection, RepeatedNumbers, Replay
from .trial import ActiveAdversary

ADVERSARIES: tuple[ActiveAdversary, ...] = (
    BitFlips("A7a", "bit flips"),
    Replay("A7b", "replay"),
    Truncation("A7c", "truncation"),
    Reordering("A7d", "reordering"),
    Splicing("A7e", "splicing"),
    Reflection("A7f", "reflection"),
    RepeatedNumbers("A7g", "repeated numbers"),
    WrongLaptop("A7h", "wrong laptop"),
    UnitThief("A7i", "stolen unit"),
    FlashDump("A7j", "flash dump"),
    CableReplay("A7k", "replay on the cable"),
    EqualFrames("A7l", "equal frames on the cable"),
    RecordingAndFlash("A7m", "recording plus flash copy"),
)

__all__ = ("ADVERSARIES", "ActiveAdversary")
