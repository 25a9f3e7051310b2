# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The functions of the image in which a unit spends the time of a request: samples of its program counter."""

from collections import Counter
from collections.abc import Callable

from ndks_protocol.commands import AES, VERNAM

from .chip_unit import ChipUnit
from .figures import Figures
from .host import Host
from .member import Member
from .rows import KINDS, kind_of
from .symbols import Symbols

_PERIOD = 20_000  # nanoseconds between two samples
_SHOWN = 16
_PC = 15


def shares(member: Member) -> Figures:
    """Percent of the time of requests that is spent for AES, SHA-256, big integers, the heap, and all else."""
    if not member.unit.symbols:
        return {}
    figures: Figures = {}
    for name, operation in _operations(member).items():
        found = _samples(member.unit, operation)
        counts = dict.fromkeys(KINDS, 0)
        for function, count in found.items():
            counts[kind_of(function)] += count
        figures |= {f"{name}, {kind}": 100 * count / found.total() for kind, count in counts.items()}
    return figures


def functions_text(flash: bytes, symbols: Symbols) -> str:
    """Return the functions with the largest shares for some requests, at d = 3 and 6."""
    parts: list[str] = []
    for digits in (3, 6):
        host = Host(ChipUnit(bytearray(flash), symbols))
        host.provision(digits)
        host.start_session()
        member = Member(host)
        for name, operation in _operations(member).items():
            found = _samples(host.unit, operation)
            parts.append(f"{name}, d = {digits}\n" + _text(found))
    return "\n".join(parts)


def _operations(member: Member) -> dict[str, Callable[[], object]]:
    return {
        "KEY_CHUNK": lambda: member.key_stream(4),
        "next key": lambda: [member.next_key() for _ in range(10)],
        "SEAL_CHUNK aes": lambda: member.seal_stream(AES, 10),
        "SEAL_CHUNK vernam": lambda: member.seal_stream(VERNAM, 2),
    }


def _samples(unit: ChipUnit, operation: Callable[[], object]) -> Counter[str]:
    found: Counter[str] = Counter()

    def sample() -> None:
        found[unit.symbols.function_at(unit.chip.registers[_PC]) or "(no symbol)"] += 1

    with unit.sampled(_PERIOD, sample):
        operation()
    return found


def _text(found: Counter[str]) -> str:
    return "".join(f"{100 * count / found.total():6.1f} %  {name}\n" for name, count in found.most_common(_SHOWN))
