# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a handshake asks of its caller, who does all I/O: a generator yields a step and is sent its result.

The caller throws into the generator what goes wrong in a step; all but `Behind` and `Ahead` come out again. When the
generator raises, the caller closes the link and sends nothing more.
"""

from dataclasses import dataclass, field

from .bundles import Bundle
from .doors import Door


@dataclass(frozen=True, slots=True)
class Read:
    """-> bytes: exactly `size`. A closed link is the caller's own error, which is thrown."""

    size: int


@dataclass(frozen=True, slots=True)
class Send:
    """-> None."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Seal:
    """-> MessageKeys of a new message of this end's unit, in its present epoch, never given before."""


@dataclass(frozen=True, slots=True)
class Open:
    """-> OpenedKeys of the other unit's message.

    To be thrown: `Behind` if the unit does not know the header's generation (HEADER), `Ahead` if it is cut (CUT),
    `Reflected` for REFLECTED, any NdksError else.
    """

    header: bytes


@dataclass(frozen=True, slots=True)
class Doors:
    """-> Sequence[Door]: the kept pair doors, and those of the present and kept epochs. From RAM: no unit is asked."""


@dataclass(frozen=True, slots=True)
class Admit:
    """-> bool: whether this door may have another full handshake now (`Buckets.admit`)."""

    door: Door


@dataclass(frozen=True, slots=True)
class Bundles:
    """-> Sequence[Bundle] for the other gateway's agent: of all generations above `since`, or all that are kept."""

    since: int | None


Step = Read | Send | Seal | Open | Doors | Admit | Bundles
__all__ = ["Admit", "Ahead", "Behind", "Bundle", "Bundles", "Doors", "MessageKeys", "Open", "OpenedKeys"]
__all__ += ["Read", "Seal", "Send", "Step"]


@dataclass(frozen=True, slots=True)
class MessageKeys:
    """Keys of a message of this end's unit, cipher aes: header 37 bytes, the keys 32 each."""

    header: bytes
    tag_key: bytes = field(repr=False)
    aes_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenedKeys:
    """Keys of a message of the unit of `lane`."""

    lane: int
    tag_key: bytes = field(repr=False)
    aes_key: bytes = field(repr=False)


class Behind(Exception):
    """This end's unit does not know the generation of a header; it is in `generation` itself (u16)."""

    def __init__(self, generation: int) -> None:
        super().__init__(generation)
        self.generation = generation


class Ahead(Exception):
    """The header is of a generation that this end's unit has left."""
