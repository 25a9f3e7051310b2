# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What active adversaries can lay hands on, in the roles of section 4.1.2 of the paper.

Alice's unit seals and Bob's opens, or the other way round. Adversaries are on the line between them, and on the cable
between a laptop and its unit; they take a unit to another laptop, have one with no laptop at all, or a copy of a flash.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

ALICE, BOB = "Alice", "Bob"
CLOSE, EJECT, PULL = REPLUGGINGS = ("close", "eject", "pull")  # how a unit was left: with a word, for good, without one
TO_UNIT, TO_LAPTOP = "to the unit", "to the laptop"


class Refusal(Exception):
    """What was asked for was not given; `code` says why, as the protocol names it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class CapsuleLayout:
    """Where what is in a capsule, in bytes: the format is public."""

    header: int  # size of what comes first of all
    first_chunk: int  # where the first chunk begins
    chunk: int  # size of a whole one; only the last may be shorter
    tag: int  # size of the tag that ends each chunk, 0 if there is none
    text: int  # where the first byte of text is


@dataclass(frozen=True)
class Exchange:
    """A request for a piece of key and its answer, as they passed over the cable; `key` is what the laptop made of it.

    `frame` is the whole request, fit to be sent once more; `request` and `answer` are what the two frames carry.
    """

    frame: bytes = field(repr=False)
    request: bytes = field(repr=False)
    answer: bytes = field(repr=False)
    key: bytes = field(repr=False)


class TappedCable(ABC):
    """The cable between Alice's laptop and her unit, tapped."""

    @abstractmethod
    def ask(self) -> Exchange:
        """Let the laptop ask for a piece of key, each time the same, in a session that goes on while it can."""

    @abstractmethod
    def ask_altered(self, direction: str) -> bytes:
        """Do the same, alter one bit of what goes TO_UNIT or TO_LAPTOP, and return the key that came out. Refusal."""

    @abstractmethod
    def send(self, frame: bytes) -> bytes:
        """Put a frame onto the cable while the laptop is silent, and return what it is answered. Refusal."""

    @abstractmethod
    def replay_session(self) -> bytes:
        """Ask, let the laptop leave, send all that it has sent, and return the answer to the last of it. Refusal."""


class StolenUnit(ABC):
    """Bob's unit in the hands of somebody who has nothing of his laptop."""

    requests: tuple[str, ...]  # those that must not be answered, the most harmless first
    guesses: tuple[str, ...]  # ways to guess a proof

    @abstractmethod
    def public(self) -> Mapping[str, bytes]:
        """Return what the unit tells anybody, by request."""

    @abstractmethod
    def ask(self, request: str) -> bytes:
        """Send one of `requests` without a session, and return what it is answered. Refusal."""

    @abstractmethod
    def guess(self, how: str) -> None:
        """Make one of `guesses`; Refusal unless the unit takes it."""


@dataclass(frozen=True)
class Dump:
    """A copy of the flash of a unit."""

    owner: str
    content: tuple[bytes, ...] = field(repr=False)


class System(ABC):
    """Two laptops with a unit each. What fails for another reason than a refusal is an NdksError."""

    layout: CapsuleLayout
    strangers: tuple[str, ...]  # laptops that Bob's unit is not bound to

    @abstractmethod
    def seal(self, text: bytes, *, by: str = ALICE, cipher: str = "vernam", mode: str = "b") -> bytes:
        """Return a capsule. Refusal."""

    @abstractmethod
    def unseal(self, capsule: bytes, *, at: str = BOB, mode: str = "b") -> bytes:
        """Return the text of a capsule and accept it. Refusal."""

    @abstractmethod
    def number(self, capsule: bytes, *, at: str = BOB) -> int:
        """Return the number of a capsule, which its receiver can see. Refusal."""

    @abstractmethod
    def replug(self, how: str) -> None:
        """Leave both units, in one of REPLUGGINGS, and open them again."""

    @abstractmethod
    def ask_as(self, stranger: str) -> bytes:
        """Plug Bob's unit into one of the laptops of `strangers` and return the key that it gives. Refusal."""

    @abstractmethod
    def stolen(self) -> AbstractContextManager[StolenUnit]: ...

    @abstractmethod
    def cable(self) -> AbstractContextManager[TappedCable]: ...

    @abstractmethod
    def dumps(self) -> tuple[Dump, ...]:
        """Return copies of flash, none where there is no way to make one."""

    @abstractmethod
    def marks(self) -> Mapping[str, bytes]:
        """Return for each owner what his unit tells everybody and has in its flash: a copy without it is another's."""

    @abstractmethod
    def secrets(self) -> Mapping[str, bytes]:
        """Return what must not be found: the laboratory made it. p1 and p2, by these names, are decimals in ASCII."""

    def close(self) -> None:  # noqa: B027 (a control has nothing to leave)
        """Leave the units."""
