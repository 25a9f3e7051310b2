# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The demo: both stages with two emulated units on pseudo-terminals; each part runs in a process of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import ndks
from ndks.network.network_file import Network

from .entropy import looks_random
from .outcome import HELD, Check, Outcome, worst_of
from .stages.cage import find_cage
from .stages.kept_keys import KeptKeys, run_with_keys
from .stages.letters import Letter
from .stages.members import NewMember, admit, introduce
from .stages.no_channel import Cages
from .stages.plugging import PTY
from .stages.regular_channel import RegularChannel, run_regular_channel
from .stages.sides import NAMES, Side

_BEFORE = (128, 256, 1000, 8192)  # sizes of the first keys in bits
_CUT_OFF = 100_000_000  # bits: minutes of work, so that the cable is always pulled during the key
_AFTER = (2048, 192, 65537)

_THERE, _BACK = (NAMES[0], NAMES[1]), (NAMES[1], NAMES[0])
_MESSAGES = ((0, _THERE, "vernam", "ba"), (0, _THERE, "vernam", "ab"), (1, _BACK, "aes", "ba"), (1, _BACK, "aes", "ab"))


@dataclass(frozen=True)
class Demonstration:
    """The results of both stages."""

    network: Network
    members: tuple[NewMember, ...]
    keys: KeptKeys
    messages: RegularChannel

    @property
    def key_checks(self) -> tuple[Check, ...]:
        """The checks of the first stage."""
        return (*_cage_checks(self.keys.cages), *self.keys.checks)

    @property
    def message_checks(self) -> tuple[Check, ...]:
        """The checks of the second stage."""
        even = all(looks_random(each.capsule) for each in self.messages.carried)
        return (*self.messages.checks, Check("the record is as even as random bytes", Outcome.of(even)))

    @property
    def word(self) -> str:
        """The outcome of all checks together."""
        return worst_of((*self.key_checks, *self.message_checks))


def demonstrate(
    directory: Path, *, alter_p1: bool = False, tamper: bool = False, tell: Callable[[str], object]
) -> Demonstration:
    """Run both stages in an empty directory. CheckFailed if a side fails."""
    sides = [Side(name, f"{PTY}{directory / name / 'unit'}", directory / name) for name in NAMES]
    network, members = _provision(sides, alter_p1=alter_p1)
    tell(f"units provisioned; separating them: {' '.join(find_cage()) or 'this system has no cages'}")
    keys = run_with_keys(sides, _BEFORE, _CUT_OFF, _AFTER)
    tell("both sides have ended; comparing")

    def tell_of(batch: Sequence[Letter]) -> None:
        for letter in batch:
            tell(f"message {letter.number}: {letter.sender} to {letter.receiver}, cipher {letter.cipher}")

    messages = run_regular_channel(sides, _letters(), tamper=tamper, tell=tell_of)
    return Demonstration(network, members, keys, messages)


def _provision(sides: Sequence[Side], *, alter_p1: bool) -> tuple[Network, tuple[NewMember, ...]]:
    network, members = Network.new("demo"), list[NewMember]()
    for side in sides:
        side.make()
        with _opened(side) as unit:
            network, member = admit(unit, network, side.name, alter=alter_p1 and bool(members))
        members.append(member)
    introduce(sides, members, _opened)
    return network, tuple(members)


def _opened(side: Side) -> ndks.Unit:
    return ndks.open(f"emulator:{side.port.removeprefix(PTY)}", create=True, bindings=side.bindings)


def _letters() -> list[Letter]:
    """Return the letters of both sides: a greeting, and one symbol 3000 times."""
    return [
        Letter(number, batch, way, cipher, modes, _text(number, way))
        for number, (batch, way, cipher, modes) in enumerate(_MESSAGES, start=1)
    ]


def _text(number: int, way: tuple[str, str]) -> bytes:
    sender, receiver = (name.title() for name in way)
    greeting = f"Dear {receiver}, this is my message number {number}. One symbol, over and over:"
    return f"{greeting}\n{'A' * 3000}\nYours, {sender}\n".encode()


def _cage_checks(cages: Cages) -> tuple[Check, ...]:
    """Return the checks of the cages; the first one includes the probe."""
    apart, *others = cages.apart
    missed = [check for check in cages.probed if check.outcome.word != HELD]
    words = "; ".join(f"{check.name}: {check.outcome.word} ({check.outcome.reason})" for check in missed)
    return (Check(apart.name, Outcome.failed(words)) if missed else apart, *others)
