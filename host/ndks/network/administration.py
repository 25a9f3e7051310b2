# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Everything that an administrator knows: the content of the file NAME.ndksadmin (PROTOCOL.md section 13)."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

from ndks_protocol.control.limits import ADMINISTRATORS, LAST_GENERATION, LAST_MEMBER_LANE, MAX_REVOKED

from ..exceptions import UsageError
from .bundle import Bundle
from .generation import Admission, AdmittedMember, Generation, Operators, State, united
from .network_file import Network

REMEMBERED = 8  # generations whose members are known, for merges
BUNDLES = 7  # kept for those who ask

ROOT_SIZE = 32
_MEMBER_BEFORE = "a member before"  # why a unit of an earlier network has its lane
_ANEW = "found the network anew: ndks network new"


@dataclass(frozen=True)
class Administration:
    """The state of an administrator. `network` has the fields of generation 0; `g` is -1 before the first one.

    `numbers` is the next number for another administrator's file, which number 0 alone gives; `authority` is an
    OpenSSH public key that must sign agreements, "": none. `revocations` is how many lanes it may still revoke: all
    administrators of a network have 96 between them; otherwise they could not be merged.
    """

    network: Network
    root: bytes = field(repr=False)
    number: int = 0
    numbers: int = 1
    next_lane: int = 0
    revocations: int = MAX_REVOKED
    g: int = -1
    authority: str = ""
    members: tuple[AdmittedMember, ...] = ()
    generations: tuple[Generation, ...] = field(default=(), repr=False)
    bundles: tuple[Bundle, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        """Check what the code relies on. UsageError."""
        lanes = [member.lane for member in self.members]
        known = [generation.g for generation in self.generations]
        if len(self.root) != ROOT_SIZE or not 0 <= self.number < ADMINISTRATORS:
            raise UsageError("root or number is out of range")
        if not 0 <= self.numbers <= ADMINISTRATORS:
            raise UsageError("numbers is out of range")
        if not 0 <= self.revocations <= MAX_REVOKED or not 0 <= self.next_lane <= LAST_MEMBER_LANE + ADMINISTRATORS:
            raise UsageError("revocations or next_lane is out of range")
        if self.next_lane and self.next_lane % ADMINISTRATORS != self.number:
            raise UsageError("next_lane is another administrator's")
        if lanes != sorted(set(lanes)) or not all(1 <= lane <= LAST_MEMBER_LANE for lane in lanes):
            raise UsageError("lanes of members must ascend, and be below FFF0")
        if known != sorted(set(known)) or self.g not in {-1, *known} or not -1 <= self.g <= LAST_GENERATION:
            raise UsageError("generations must ascend, and the present one be among them")

    @classmethod
    def founded(cls, network: Network, root: bytes) -> Self:
        """Return administrator 0 of a network. Units that it already has get new lanes, in generation 0.

        They are erased, and enrolled on these: then nobody needs the secret of the network file any longer.
        """
        state = cls(network, root)
        for member in network.members:
            admission = Admission(member.label, why=_MEMBER_BEFORE)
            state = state.admitted(AdmittedMember(state.free_lane(), member.serial_number, admission=admission))
        return state

    def another(self) -> tuple[Self, Self]:
        """Return this state, and that of a new administrator. UsageError: this one may make none, or there are four."""
        # A file from a backup may not know whom it has numbered; what they did shows it.
        seen = {member.lane for member in self.members} | {each.g for each in self.generations}
        number = max(self.numbers, *(1 + each % ADMINISTRATORS for each in seen), 0)
        if self.number or number >= ADMINISTRATORS:
            what = f"only administrator 0 numbers others, and a network has at most {ADMINISTRATORS}"
            raise UsageError(what, "use the file of administrator 0, or one of those that there are")
        share = min(MAX_REVOKED // ADMINISTRATORS, self.revocations)
        kept = replace(self, numbers=number + 1, revocations=self.revocations - share)
        return kept, replace(self, number=number, numbers=0, next_lane=0, revocations=share)

    @property
    def operators(self) -> Operators:
        """The operators of the present generation."""
        generation = self.generation(self.g)
        return generation.operators if generation else (self.network.digits, *self.network.operators)

    @property
    def revoked(self) -> tuple[int, ...]:
        return tuple(member.lane for member in self.members if member.state == State.REVOKED)

    @property
    def progress(self) -> tuple[int, int]:
        """Return what each change of the file raises: the generation, and the count of changes that begin none."""
        return self.g, self.numbers + sum(bool(member.admission.request) for member in self.members)

    @property
    def present(self) -> tuple[int, ...]:
        """The lanes that get a notice."""
        return tuple(member.lane for member in self.members if member.state == State.IN)

    def generation(self, g: int) -> Generation | None:
        return next((generation for generation in self.generations if generation.g == g), None)

    def find(self, lane: int) -> AdmittedMember | None:
        """Return the unit that was given a lane."""
        return next((member for member in self.members if member.lane == lane), None)

    def member(self, lane: int) -> AdmittedMember:
        """UsageError: the lane was never given."""
        if member := self.find(lane):
            return member
        raise UsageError(f"no unit has lane {lane}", "see all units: ndks network show FILE")

    def awaited(self, serial_number: str) -> AdmittedMember | None:
        """Return the lane that a unit of an earlier network has until its first request is approved."""
        for member in self.members:
            is_awaited = (member.admission.why, member.admission.request) == (_MEMBER_BEFORE, "")
            if member.serial_number == serial_number and member.state == State.IN and is_awaited:
                return member
        return None

    def next_g(self) -> int:
        """Return the next generation of this administrator. UsageError: all are used up."""
        g = self.g + 1 + (self.number - self.g - 1) % ADMINISTRATORS
        if g > LAST_GENERATION:
            raise UsageError("all generations of this network are used up", _ANEW)
        return g

    def admitted(self, member: AdmittedMember) -> Self:
        """Return the state with a unit on the next lane of this administrator: `free_lane`."""
        self.refuse_member(member.serial_number)
        lane = member.lane + ADMINISTRATORS
        return replace(self.with_members((member,)), next_lane=lane)

    def refuse_member(self, serial_number: str) -> None:
        """Raise UsageError if a unit has a lane."""
        lanes = [
            other.lane for other in self.members if other.state == State.IN and other.serial_number == serial_number
        ]
        if lanes:
            what = f"unit {serial_number} is a member already, on lane {lanes[0]}"
            raise UsageError(what, f"if it was erased: ndks network retire FILE {lanes[0]}, or revoke")

    def free_lane(self) -> int:
        """Return the next lane of this administrator. UsageError: all are taken."""
        first = max(self.network.next_lane, 1)  # above the lanes from before the network had administrators
        lane = self.next_lane or first + (self.number - first) % ADMINISTRATORS
        if lane > LAST_MEMBER_LANE:
            raise UsageError("all lanes of this administrator are taken", _ANEW)
        return lane

    def with_state(self, lanes: Iterable[int], state: State) -> Self:
        """Return the state with members revoked or retired. UsageError: no such lane, or this file revokes no more."""
        members = [self.member(lane) for lane in set(lanes)]  # each counts once
        changed = [replace(member, state=state) for member in members if member.state < state]
        left = self.revocations - (len(changed) if state == State.REVOKED else 0)
        if left < 0:
            what = f"this administrator may revoke {self.revocations} more units"
            raise UsageError(what, f"retire units that were seen erased, use another administrator's file, or {_ANEW}")
        return replace(self.with_members(changed), revocations=left)

    def with_members(self, changed: Iterable[AdmittedMember]) -> Self:
        """Return the state with these members in place of those on the same lanes."""
        members = {member.lane: member for member in self.members} | {member.lane: member for member in changed}
        return replace(self, members=tuple(member for _, member in sorted(members.items())))

    def united_with(self, others: Iterable[AdmittedMember]) -> Self:
        """Return the state with what another administrator knows added; lanes of this one that it names are taken."""
        known = {member.lane: member for member in self.members}
        state = self.with_members(united(known.get(other.lane, other), other) for other in others)
        own = [member.lane + ADMINISTRATORS for member in state.members if member.lane % ADMINISTRATORS == self.number]
        return replace(state, next_lane=max(self.next_lane, *own, 0))

    def with_generation(self, generation: Generation, bundle: Bundle) -> Self:
        """Return the state with a generation, older or newer than the present one, and its bundle."""
        known = sorted((*self.generations, generation), key=lambda each: each.g)
        old = (replace(each, members=()) for each in known[:-REMEMBERED])
        bundles = sorted((*self.bundles, bundle), key=lambda each: each.g)[-BUNDLES:]
        g = max(self.g, generation.g)
        return replace(self, g=g, generations=(*old, *known[-REMEMBERED:]), bundles=tuple(bundles))
