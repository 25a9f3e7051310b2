# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A model of a unit and its laptops in a few attributes: what README, SECURITY and PROTOCOL promise.

Methods have the names of those of `ndks.Unit`. They return the expected result, or raise `Refused`.
"""

import copy
from dataclasses import dataclass, field
from typing import Self

BLOCK = 64  # own numbers reserved at a time
WINDOW = 256
JUMP = 1 << 20
SENDERS = 10
ATTEMPTS_SIZE = 32  # bytes of a record of wrong attempts


# What is not yet as it should be; tests/life/test_found.py says when that has changed.
ATTEMPTS_OUTLIVE_ERASURE = False  # in Session, until the power goes


class Refused(Exception):
    """The command is refused with the error of this name."""


@dataclass
class Window:
    """The accepted numbers of one sender."""

    top: int = 0
    accepted: set[int] = field(default_factory=set)

    def check_new(self, number: int) -> None:
        if number <= self.top - WINDOW:
            raise Refused("TOO_OLD")
        if number in self.accepted:
            raise Refused("DUPLICATE")

    def check_near(self, number: int) -> None:
        if number > self.top + JUMP:
            raise Refused("TOO_FAR")

    def accept(self, number: int) -> None:
        self.accepted.add(number)
        self.top = max(self.top, number)
        self.accepted = {number for number in self.accepted if number > self.top - WINDOW}

    def packed(self) -> tuple[int, int]:
        return self.top, sum(1 << self.top - number for number in self.accepted)


@dataclass
class Flash:
    """The state that survives a power cut."""

    lane: int = 0  # 0: blank
    binding: bytes = b""  # B
    joining_key: bytes = b""  # the public key
    is_tampered: bool = False
    next_index: int = 1
    reserved: int = 1  # the first own number that is not
    windows: dict[int, Window] = field(default_factory=dict)
    trusted: dict[int, bytes] = field(default_factory=dict)
    wrong_attempts: int = 0


@dataclass
class Own:
    """Own numbers in RAM: the next one, and the first that is not reserved."""

    next: int
    end: int


@dataclass
class Capsule:
    """A capsule of another member, and how it was altered."""

    lane: int
    number: int
    data: bytes
    sender: bytes  # the id of its sender's binding
    fault: str = ""  # the error that it must end with, wherever it is sent

    def is_of(self, trusted: dict[int, bytes]) -> bool:
        return trusted.get(self.lane, self.sender) == self.sender


@dataclass
class Laptop:
    """The files of one laptop, and its characteristics."""

    known: list[bytes] = field(default_factory=list)  # bindings of the unit
    looks: dict[bytes, str] = field(default_factory=dict)  # by binding: what it was known by when that was made
    lane: int = 0  # which the numbers are of
    minimum: int = 0  # of own numbers
    exported: int = 0  # of exported keys
    look: str = "board one"


@dataclass
class Model:
    flash: Flash = field(default_factory=Flash)
    own: Own | None = None  # None: no session since the start
    wrong_attempts: int = 0  # in RAM; flash has others where the log was full
    has_counted: bool = False  # since the start
    is_in_session: bool = False
    is_opened: bool = False  # the case, at some time since the start
    delayed_until: int = 0
    laptops: dict[str, Laptop] = field(default_factory=lambda: {"A": Laptop(), "B": Laptop()})
    here: str = "A"
    clock: int = 0
    room: int = 4064  # in the log
    refuses_itself: bool = False  # whether the host said no without asking the unit

    def copy(self) -> Self:
        return copy.deepcopy(self)

    @property
    def laptop(self) -> Laptop:
        return self.laptops[self.here]

    # What happens to a unit

    def start(self) -> None:
        self.own = None
        self.wrong_attempts = self.flash.wrong_attempts
        self.is_in_session = self.is_opened = self.has_counted = False
        self._delay()

    def disconnect(self) -> None:
        self.is_in_session = False

    def open_case(self, *, has_remains: bool) -> None:
        """Open the case; `has_remains`: flash of the blank unit has what a power cut has left there."""
        self.is_opened = True
        if self.flash.lane or self.flash.joining_key or has_remains:
            self._erase(is_tampered=True)

    # What hosts do

    @property
    def is_tampered(self) -> bool:
        """Return whether the unit reports tampering."""
        return self.flash.is_tampered or self.is_opened

    def provision(self, lane: int, binding: bytes) -> bytes:
        self._check_blank()
        self.flash = Flash(lane, binding)
        self.own = None
        return binding

    def make_joining_key(self, public: bytes) -> bytes:
        self._check_blank()
        self.flash.joining_key = public
        return public

    def join(self, lane: int, binding: bytes, sealed_for: bytes) -> None:
        """Open a package, which was sealed for this joining key, or altered: b""."""
        self._check_blank()
        if not self.flash.joining_key:
            raise Refused("NO_JOINING_KEY")
        if sealed_for != self.flash.joining_key:
            raise Refused("PACKAGE")
        self.provision(lane, binding)

    def open_anonymously(self) -> None:
        self.refuses_itself = False
        self.is_in_session = False
        if self.is_tampered:
            raise Refused("TAMPERED")
        self._check_delay()
        if self.flash.lane:
            self._refuse_at_home()  # it is not a blank unit that answers

    def send_low_order(self) -> None:
        self.refuses_itself = False
        self.is_in_session = False
        if self.is_tampered:
            raise Refused("TAMPERED")
        self._check_delay()
        raise Refused("PUBLIC_KEY")

    def _check_blank(self) -> None:
        self.refuses_itself = False
        if self.flash.lane:
            raise Refused("PROVISIONED")
        if self.is_tampered:
            raise Refused("TAMPERED")

    def bind(self, code: bytes, new: bytes) -> None:
        self.refuses_itself = False
        if not self.flash.lane:
            raise Refused("TAMPERED" if self.is_tampered else "BLANK")
        if code:
            self._open_with(code)
        else:
            self.enter()
        laptop = self.laptop
        old = self.flash.binding
        is_known = old in laptop.known
        laptop.known = [new, *([old] if is_known and old != new else [])]
        laptop.looks[new] = laptop.look
        self.flash.binding = new
        self.is_in_session = False
        self.enter()

    def finish_binding(self) -> None:
        self.laptop.known = [self.flash.binding]

    def enter(self) -> None:
        """Open a session, unless one is open."""
        self.refuses_itself = False
        if not self.is_in_session:
            self.unlock()

    def unlock(self) -> None:
        """End an open session, and open a new one."""
        self.refuses_itself = False
        if not self.flash.lane:
            raise Refused("TAMPERED" if self.is_tampered else "BLANK")
        known = self._known_binding()
        if not known or self.laptop.looks[known] != self.laptop.look:
            self._refuse_at_home()
        self.is_in_session = False
        self._prove()
        self._unlock()

    def wrong_proof(self) -> None:
        self.refuses_itself = False
        self.is_in_session = False
        if not self.flash.lane:
            raise Refused("TAMPERED" if self.is_tampered else "BLANK")
        self._check_delay()
        self._note_attempts(self.wrong_attempts + 1)
        raise Refused("LOCKED")

    def zeroize(self) -> None:
        self.refuses_itself = False
        self._erase(is_tampered=False)
        self.laptop.known, self.laptop.lane, self.laptop.minimum, self.laptop.exported = [], 0, 0, 0

    def close(self, *, unplug: bool) -> None:
        self.refuses_itself = False
        if unplug and self.flash.lane and self._known_binding():
            self.enter()
        if unplug and self.is_in_session and self.own and self.own.next != self.own.end:
            self.flash.reserved = self.own.end = self.own.next
        self.is_in_session = False

    def next_index(self) -> int:
        self.enter()
        return self.flash.next_index

    def next_key(self) -> int:
        self.enter()
        self.flash.next_index += 1
        self._note_exported(self.flash.next_index - 1, allow_jump=False)
        return self.flash.next_index - 1

    def acknowledge(self, index: int, *, allow_jump: bool) -> int:
        self.enter()
        if index == 0:
            raise Refused("RANGE")
        if index > self.flash.next_index + JUMP and not allow_jump:
            raise Refused("TOO_FAR")
        self.flash.next_index = max(self.flash.next_index, index + 1)
        self._note_exported(index, allow_jump=allow_jump)
        return self.flash.next_index

    def seal(self) -> tuple[int, int]:
        """Return lane and number of the next message."""
        self.enter()
        assert self.own
        if self.own.next == self.own.end:
            self.flash.reserved = self.own.end = self.own.next + BLOCK
        self.own.next += 1
        self._note_number()
        return self.flash.lane, self.own.next - 1

    def open(self, capsule: Capsule, *, again: bool, allow_jump: bool) -> bytes:
        if capsule.fault == "VERSION":  # the host sees that
            raise Refused("VERSION")
        self.enter()
        if capsule.fault == "HEADER":
            raise Refused("HEADER")
        window = self._window(capsule, check_room=not again)
        if not again:
            window.check_new(capsule.number)
        if not allow_jump:
            window.check_near(capsule.number)
        if capsule.fault:
            raise Refused(capsule.fault)
        if not capsule.is_of(self.flash.trusted):
            raise Refused("BINDING")
        if not again:
            self._accept(capsule, window)
        return capsule.data

    def accept(self, capsule: Capsule, *, allow_jump: bool) -> None:
        self.enter()
        if capsule.fault in ("HEADER", "VERSION"):
            raise Refused(capsule.fault)
        window = self._window(capsule, check_room=True)
        if capsule.number in window.accepted:
            return
        window.check_new(capsule.number)
        if not allow_jump:
            window.check_near(capsule.number)
        self._accept(capsule, window)

    def trust(self, lane: int, binding_id: bytes) -> None:
        self.enter()
        if lane in (0, self.flash.lane):
            raise Refused("RANGE")
        trusted = {other: known for other, known in self.flash.trusted.items() if other != lane}
        if any(binding_id):
            if len(trusted) == SENDERS:
                raise Refused("SENDERS")
            trusted[lane] = binding_id
        self.flash.trusted = trusted

    # Parts of these

    def _note_number(self) -> None:
        assert self.own
        self.laptop.minimum = max(self.laptop.minimum, min(self.own.next - 1, self.laptop.minimum + JUMP))

    def _note_exported(self, index: int, *, allow_jump: bool) -> None:
        step = index if allow_jump else JUMP
        self.laptop.exported = max(self.laptop.exported, min(index, self.laptop.exported + step))

    def _known_binding(self) -> bytes:
        return self.flash.binding if self.flash.binding in self.laptop.known else b""

    def _open_with(self, code: bytes) -> None:
        self.is_in_session = False
        self._check_delay()
        if code != self.flash.binding:
            self._refuse_at_home()
        self._prove()
        self._unlock()

    def _refuse_at_home(self) -> None:
        self.refuses_itself = True
        raise Refused("LOCKED")

    def _check_delay(self) -> None:
        if self.clock < self.delayed_until:
            raise Refused("DELAYED")

    def _prove(self) -> None:
        self._check_delay()
        if self.wrong_attempts:
            self._note_attempts(0)

    def _note_attempts(self, attempts: int) -> None:
        self.wrong_attempts, self.has_counted = attempts, True
        if self.room >= ATTEMPTS_SIZE:  # a full log is not compacted without the host's key
            self.flash.wrong_attempts = attempts
        self._delay()

    def _delay(self) -> None:
        attempts = self.wrong_attempts
        self.delayed_until = self.clock + min(100 << attempts, 60_000) if attempts else self.clock

    def _unlock(self) -> None:
        self.flash.wrong_attempts = self.wrong_attempts
        laptop = self.laptop
        if laptop.lane != self.flash.lane:  # numbers begin again with each provisioning
            laptop.lane, laptop.minimum, laptop.exported = self.flash.lane, 0, 0
        own = self.own or Own(self.flash.reserved, self.flash.reserved)
        if laptop.minimum >= own.end:
            own = Own(laptop.minimum + 1, laptop.minimum + 1)
            self.flash.reserved = laptop.minimum + 1
        self.own = Own(max(own.next, laptop.minimum + 1), own.end)
        if laptop.exported > self.flash.next_index + JUMP:
            raise Refused("TOO_FAR")
        self.flash.next_index = max(self.flash.next_index, laptop.exported + 1)
        self._note_number()
        self.is_in_session = True

    def _erase(self, *, is_tampered: bool) -> None:
        self.flash = Flash(is_tampered=is_tampered)
        if not (ATTEMPTS_OUTLIVE_ERASURE and self.has_counted):
            self.wrong_attempts = 0
            self._delay()
        self.own = None
        self.is_in_session = False

    def _window(self, capsule: Capsule, *, check_room: bool) -> Window:
        if capsule.lane == self.flash.lane:
            raise Refused("REFLECTED")
        if check_room and capsule.lane not in self.flash.windows and len(self.flash.windows) == SENDERS:
            raise Refused("SENDERS")
        return copy.deepcopy(self.flash.windows.get(capsule.lane, Window()))

    def _accept(self, capsule: Capsule, window: Window) -> None:
        window.accept(capsule.number)
        self.flash.windows[capsule.lane] = window
