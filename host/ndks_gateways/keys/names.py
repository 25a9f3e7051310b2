# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""For whom a key is: a master SAE, and a slave SAE or a group of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from . import refusals
from .refusals import BadRequest

Groups = Mapping[str, Collection[str]]  # the slave SAEs of each group by its name

_ONE, _GROUP = 0, 1
_LONGEST = 255  # bytes


@dataclass(frozen=True, slots=True)
class Names:
    """`packed` is kind u8, then the size u8 and bytes of the master, and of the slave or group."""

    packed: bytes


def is_name(text: str) -> bool:
    """Return whether an SAE or a group may have this name: 1 to 255 bytes of UTF-8."""
    try:
        return 1 <= len(text.encode()) <= _LONGEST
    except UnicodeEncodeError:  # a lone surrogate, which JSON may have
        return False


def one(master: str, slave: str) -> Names:
    return _packed(_ONE, master, slave)


def group(master: str, name: str) -> Names:
    return _packed(_GROUP, master, name)


def of_request(master: str, slaves: Sequence[str], groups: Groups) -> Names:
    """Return whom new keys are for. BadRequest: several slaves that together are not a group."""
    if len(slaves) == 1:
        return one(master, slaves[0])
    wanted = frozenset(slaves)
    for name, members in groups.items():
        if wanted == frozenset(members) and len(slaves) == len(wanted):
            return group(master, name)
    raise BadRequest(refusals.GROUP)


def for_slave(master: str, sae: str, groups: Groups) -> list[Names]:
    """Return whom the keys that an SAE asks for may be for: itself, or a group that it is in."""
    return [one(master, sae), *(group(master, name) for name, members in groups.items() if sae in members)]


@lru_cache(maxsize=1024)
def _packed(kind: int, master: str, slave: str) -> Names:
    """Return the names. BadRequest: a name that no SAE can have."""
    if not (is_name(master) and is_name(slave)):
        raise BadRequest(refusals.FORMAT)
    texts = master.encode(), slave.encode()
    return Names(bytes([kind]) + b"".join(bytes([len(text)]) + text for text in texts))
