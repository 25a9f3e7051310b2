# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""All figures of one version of the firmware, by name and d."""

from collections.abc import Callable

from .chance import same_chance
from .chip_unit import ChipUnit
from .erases import erases
from .figures import Figures
from .functions import shares
from .generations import generations
from .host import Host
from .member import Member
from .memory import allocations, collection, memory, stacks
from .stacks import StackMarks
from .symbols import Symbols
from .times import bits, handshakes, keys, modes, rare, session, starts, waits

Part = Callable[[Member], Figures]
Say = Callable[[str], object]

_AT_EACH: tuple[Part, ...] = (bits,)
_AT_LENGTH: dict[int, tuple[Part, ...]] = {
    3: (starts, memory, collection, session, handshakes, waits, rare, keys, bits, modes, allocations, shares, erases),
    6: (memory, keys, bits, modes, allocations, shares),
}
_DIGITS = (1, 2, 3, 4, 6, 9, 12)


def measure(flash: bytes, symbols: Symbols, say: Say) -> Figures:
    """Run units whose flash is this at first. `say` is told what is being measured."""
    figures: Figures = {}
    for digits in _DIGITS:
        say(f"d = {digits}: start")
        with same_chance():
            found = _of_member(Host(ChipUnit(bytearray(flash), symbols)), digits, say)
        figures |= {f"{name}, {digits}": figure for name, figure in found.items()}
    say("generations")
    with same_chance():
        return figures | generations(flash, symbols)


def _of_member(host: Host, digits: int, say: Say) -> Figures:
    marks = StackMarks(host.unit.chip, host.unit.symbols)
    host.provision(digits)
    member, figures = Member(host), Figures()
    for part in _AT_LENGTH.get(digits, _AT_EACH):
        say(f"d = {digits}: {part.__name__}")
        host.renew_session()
        figures |= part(member)
    say(f"d = {digits}: every request")
    member.everything()
    return figures | stacks(marks)
