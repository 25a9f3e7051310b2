# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The interface of a system under attack, in the roles of section 4.1.2 of the paper.

Alice's unit seals and Bob's opens, or vice versa. Adversaries are on the line between them and on the cable between a
laptop and its unit. They may plug a unit into another laptop, or have a unit without its laptop or a copy of its flash.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from ndks_protocol.framing import Frame

ALICE, BOB = "Alice", "Bob"
CLOSE, EJECT, PULL = REPLUGGINGS = (
    "close",
    "eject",
    "pull",
)  # ways to unplug: after CLOSE, after eject, without either
TO_UNIT, TO_LAPTOP = "to the unit", "to the laptop"


class Refusal(Exception):
    """A request was refused; `code` is the error code's name in the protocol."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class CapsuleLayout:
    """The public layout of a capsule, in bytes."""

    header: int  # size of the header
    first_chunk: int  # offset of the first chunk
    chunk: int  # size of a whole chunk; only the last may be shorter
    tag: int  # size of the tag at the end of each chunk, 0 if there is none
    text: int  # offset of the first byte of text


@dataclass(frozen=True)
class Exchange:
    """A request for a piece of key and its answer on the cable, and the `key` that the laptop got.

    `frame` is the whole frame of the request, for a replay; `request` and `answer` are the payloads of both frames.
    """

    frame: bytes = field(repr=False)
    request: bytes = field(repr=False)
    answer: bytes = field(repr=False)
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class RecordedSession:
    """A session on the cable, from its beginning on, and the `key` that the laptop got in it.

    `hello` is the answer to HELLO; `opening` and `opened` are request and answer of OPEN_SESSION; `answers` are those
    of the unit to all later requests.
    """

    hello: bytes = field(repr=False)
    opening: bytes = field(repr=False)
    opened: bytes = field(repr=False)
    answers: tuple[Frame, ...] = field(repr=False)
    key: bytes = field(repr=False)


class TappedCable(ABC):
    """The tapped cable between Alice's laptop and her unit."""

    @abstractmethod
    def ask(self) -> Exchange:
        """Make the laptop request the same piece of key, in the same session if possible."""

    @abstractmethod
    def ask_altered(self, direction: str) -> bytes:
        """Do the same, flip a bit of the frame in one direction, and return the key that the laptop got. Refusal."""

    @abstractmethod
    def send(self, frame: bytes) -> bytes:
        """Send a frame while the laptop is silent, and return the answer. Refusal."""

    @abstractmethod
    def record_session(self) -> RecordedSession:
        """Record a new session of the laptop. Refusal."""

    @abstractmethod
    def replay_session(self) -> bytes:
        """Record a session of the laptop, close it, replay all its frames, and return the last answer. Refusal."""


class StolenUnit(ABC):
    """Bob's unit without his laptop."""

    requests: tuple[str, ...]  # must be refused; the most harmless first
    guesses: tuple[str, ...]  # ways to guess a proof

    @abstractmethod
    def public(self) -> Mapping[str, bytes]:
        """Return the unit's public answers by request."""

    @abstractmethod
    def ask(self, request: str) -> bytes:
        """Send one of `requests` without a session, and return the answer. Refusal."""

    @abstractmethod
    def guess(self, how: str) -> None:
        """Send one of `guesses`. Refusal unless the unit accepts it."""


@dataclass(frozen=True)
class Dump:
    """A copy of the flash of a unit."""

    owner: str
    content: tuple[bytes, ...] = field(repr=False)


class System(ABC):
    """Two laptops with a unit each. Failures other than refusals raise NdksError."""

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
        """Return the message number of a capsule, which its receiver can read. Refusal."""

    @abstractmethod
    def replug(self, how: str) -> None:
        """Unplug both units in one of the ways of REPLUGGINGS; they are opened again when needed."""

    @abstractmethod
    def ask_as(self, stranger: str) -> bytes:
        """Plug Bob's unit into one of `strangers` and return the key that it gives. Refusal."""

    @abstractmethod
    def stolen(self) -> AbstractContextManager[StolenUnit]: ...

    @abstractmethod
    def cable(self) -> AbstractContextManager[TappedCable]: ...

    @abstractmethod
    def dumps(self) -> tuple[Dump, ...]:
        """Return copies of flash; none if they cannot be made."""

    @abstractmethod
    def marks(self) -> Mapping[str, bytes]:
        """Return, by owner, a public value that the unit keeps in flash: a copy without it is of another unit."""

    @abstractmethod
    def secrets(self) -> Mapping[str, bytes]:
        """Return the secrets of the test network by name; "p1" and "p2" are decimals in ASCII."""

    def close(self) -> None:  # noqa: B027 (a control has nothing to close)
        """Close the units."""
