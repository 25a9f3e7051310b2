# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What the world needs of the units, hosts and administrators in it: those of the model, or those of the product."""

from random import Random
from typing import Any, NamedTuple, Protocol

Packet = Any  # what hosts publish: symbolic in the model, bytes of the product
Digest = Any


class Sight(NamedTuple):
    """What only the simulator knows of a capsule."""

    kind: str  # beacon, message, report, voucher, ask
    generation: bytes  # its header key
    key: bytes  # what its body is sealed under
    lane: int
    n: int
    number: int  # of its epoch
    s: int  # of a message
    content: Any  # equal for equal texts
    digest: Digest


class Kept(NamedTuple):
    """A generation that a unit holds."""

    g: int
    generation: bytes
    number: int
    low: int


class View(NamedTuple):
    """The state of a unit that is in a generation."""

    here: Kept
    past: tuple[Kept, ...]
    revoked: frozenset[int]
    term: int
    master: int
    is_master: bool

    def keeps(self, sight: Sight) -> bool:
        """Return whether the unit has the key of a capsule's epoch."""
        return any(kept.generation == sight.generation and sight.number >= kept.low for kept in (self.here, *self.past))


class Sent(NamedTuple):
    """A message in a host's outbox; no sight: not sealed yet."""

    s: int
    sight: Sight | None


class Account(NamedTuple):
    """What a host knows of one sender's numbers."""

    delivered: frozenset[int]
    unreadable: frozenset[int]
    missing: tuple[int, ...]
    named: frozenset[int] | None = None  # as lost; the model's host does not note it


class Delivered(Protocol):
    """What an application got."""

    lane: int
    s: int
    data: bytes


class Haul(NamedTuple):
    """What a thief has of one generation."""

    g: int
    generation: bytes
    keys: Any  # header and control keys, in the form of its side
    secret: bytes  # E of epoch `low`
    low: int


class Machine(Protocol):
    """A unit with its host. Every operation may raise one of the side's `interruptions`."""

    lane: int
    mode: str

    def receive(self, packet: Packet) -> list[Packet]: ...
    def tick(self, ticks: int) -> list[Packet]: ...
    def send(self, payload: bytes) -> list[Packet]: ...
    def renew(self) -> list[Packet]: ...
    def set_mode(self, mode: str) -> list[Packet]: ...

    def recover(self, interruption: BaseException) -> list[Packet]:
        """Start what has stopped; return what had been published before."""
        ...

    def restart_unit(self) -> None:
        """Start the unit, again if the power goes meanwhile."""
        ...

    def start_unit(self) -> None:
        """Start the unit once."""
        ...

    def whole(self) -> Any:
        """Return a copy of the flash as it is."""
        ...

    def put_whole(self, flash: Any) -> None: ...
    def restart_host(self) -> None: ...
    def cut_power_in(self, steps: int | None) -> None: ...
    def crash_in(self, steps: int | None) -> None: ...
    def erase(self) -> None: ...

    @property
    def wear(self) -> int:
        """How often flash was changed by moves."""
        ...

    @property
    def notices(self) -> int:
        """How often the unit was given a notice."""
        ...

    def tick_unit(self, ticks: int) -> list[Packet]:
        """Tell the unit alone of time."""
        ...

    def hint(self, g: int) -> bytes: ...
    def keeps(self, bundle: Packet) -> bool: ...
    def sealed_data(self, payload: bytes) -> Packet: ...
    def accept(self, packet: Packet, *, allow_jump: bool = False) -> str:
        """Open and accept a capsule by the plain commands; return the name of the refusal, or ""."""
        ...

    def image(self) -> Any: ...
    def put_back(self, image: Any) -> None: ...
    def backup(self) -> Any: ...
    def restore(self, backup: Any) -> None:
        """Put an old copy of the store back; None: a new store."""
        ...

    @property
    def view(self) -> View | None: ...
    @property
    def log(self) -> list[Delivered]: ...
    @property
    def last_sent(self) -> int:
        """The number s of the last own message."""
        ...

    def outbox(self) -> list[Sent]: ...
    def account(self, lane: int) -> Account: ...


class Issued(NamedTuple):
    """What an administrator has made."""

    bundle: Packet
    g: int
    generation: bytes
    revoked: frozenset[int]
    members: frozenset[int]


class Administrator(Protocol):
    """An administrator's file, and its host on the channel."""

    number: int
    issued: list[Issued]
    """All generations that it has made."""

    def has(self, lane: int) -> bool: ...
    def new_member(self, mode: str) -> Any:
        """Return a member of the next generation."""
        ...

    def lane_of(self, member: Any) -> int: ...
    def revoke(self, lane: int) -> bool:
        """Revoke a member; False: it has revoked as many as it may."""
        ...

    def retire(self, lane: int) -> None: ...
    def new_operators(self, random: Random) -> None: ...
    def set_operators(self, operators: tuple[int, int, int]) -> None:
        """Use these operators from the next generation on."""
        ...

    def with_hint(self, bundle: Packet, hint: bytes) -> Packet:
        """Return a bundle whose notices all have this hint, signed."""
        ...

    def skip_to(self, g: int) -> None:
        """Go on as if so many generations had been made."""
        ...

    def issue(self) -> None: ...
    def bundles(self) -> list[Packet]:
        """The bundles that it has, in order."""
        ...

    def tick(self, ticks: int) -> list[Packet]: ...
    def receive(self, packet: Packet) -> list[Packet]: ...

    @property
    def revoked(self) -> set[int]: ...


class Side(Protocol):
    """The model, or the product."""

    interruptions: tuple[type[BaseException], ...]
    steps_of_power: int  # of flash, within which power cuts are drawn
    pause: int  # ticks between two moves
    wear_of_a_move: int
    moves: int  # after which an epoch is gone
    past: int  # generations that a unit keeps
    stride: int  # between the steps at which `every_cut` cuts

    def administrator(self, number: int, of: int, root: bytes, random: Random) -> Administrator: ...
    def machine(self, member: Any, watch: Any, random: Random) -> Machine: ...
    def machine_of_before(self, random: Random) -> Machine:
        """Return a member of a network without administrators."""
        ...

    # Packets

    def kind_of(self, packet: Packet) -> str:
        """Return capsule, bundle, ask or other."""
        ...

    def size_of(self, packet: Packet) -> int: ...
    def sight_of(self, packet: Packet) -> Sight | None:
        """Return what an honest unit sealed here; None: it is no such capsule."""
        ...

    def g_of(self, packet: Packet) -> int:
        """Return the generation of a bundle or an ask."""
        ...

    def ask(self, g: int) -> Packet: ...
    def damaged(self, packet: Packet, random: Random) -> Packet | None:
        """Return a packet that somebody without any key has altered; None: this side has no bytes to alter."""
        ...

    # Thieves

    def loot(self, machine: Machine) -> tuple[list[Haul], list[tuple[int, bytes]]]:
        """Return all that is in flash, of generations, and member keys with their generations."""
        ...

    def open_notice(self, bundle: Packet, g: int, key: bytes) -> list[Haul]:
        """Return what a bundle says to who has M of generation g; the bundle's own generation first."""
        ...

    def reads(self, haul: Haul, packet: Packet, sight: Sight) -> bool: ...
    def forge_bundle(self, bundle: Packet, g: int) -> Packet: ...
    def with_hint(self, bundle: Packet, hint: bytes) -> Packet:
        """Return a forged bundle whose notices all have this hint."""
        ...

    def altered(self, bundle: Packet) -> list[Packet]: ...
    def forge_beacon(self, haul: Haul, lane: int, n: int, number: int, term: int) -> Packet: ...
    def forge(self, haul: Haul, lane: int, n: int, number: int, word: tuple[Any, ...]) -> Packet: ...
    def some_digest(self, random: Random) -> Digest: ...
