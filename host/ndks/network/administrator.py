# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Administrators: who may join and who is revoked. Each change is a new generation, for everybody (section 13)."""

import secrets
import struct
from collections.abc import Callable, Iterable
from dataclasses import replace

from ndks_protocol.control.limits import MAX_REVOKED, PAST
from ndks_protocol.control.notice import Notice

from ..exceptions import CheckFailed, UsageError
from .administration import Administration
from .administrator_keys import AdministratorKeys
from .administrator_record import KNOWN, BadRecord, Record
from .bundle import BadBundle, Bundle
from .generation import Admission, AdmittedMember, Generation, Operators, State

_SECRET_SIZE, _SALT_SIZE = 32, 8
_TWICE = "use one of them only; with it, revoke whom the other revoked, and all units that were admitted since the copy"

Save = Callable[[Administration], None]
RandomBytes = Callable[[int], bytes]


def _keep_nothing(_: Administration) -> None: ...


class Administrator:
    """One of at most four, each with a file of its own, who need not know each other's changes at once.

    `save` writes the file: it is called before a bundle is returned. Changes before `issue` are in memory only. `made`
    is the last generation that is known to have been made with the file: until it has learned that one, it makes none.
    """

    def __init__(
        self, state: Administration, save: Save = _keep_nothing, random_bytes: RandomBytes = secrets.token_bytes
    ) -> None:
        self.state = state
        self.keys = AdministratorKeys(state.root)
        self.made = -1
        self._save = save
        self._random_bytes = random_bytes

    def admit(self, serial_number: str, admission: Admission | None = None) -> int:
        """Give a unit a lane, from the next generation on. UsageError: it is a member, or there is no lane."""
        lane = self.state.free_lane()
        member = AdmittedMember(lane, serial_number, admission=admission or Admission())
        self.state = self.state.admitted(member)
        return lane

    def admit_awaited(self, member: AdmittedMember, admission: Admission) -> Bundle:
        """Note why a unit of an earlier network enters on its lane; return the bundle that has its notice."""
        self.state = self.state.with_members((replace(member, admission=admission),))
        if not self.state.bundles:
            return self.issue()
        self._commit(self.state)
        return self.state.bundles[-1]

    def another(self) -> Administration:
        """Return the state of a new administrator, after the own file was written. UsageError, errors of `save`."""
        kept, other = self.state.another()
        self._commit(kept)
        return other

    def revoke(self, lanes: Iterable[int]) -> None:
        """Shut out units that were lost or stolen. UsageError: no such lane, or too many."""
        self.state = self.state.with_state(lanes, State.REVOKED)

    def retire(self, lanes: Iterable[int]) -> None:
        """Retire units that were seen erased; others are revoked. UsageError: no such lane."""
        self.state = self.state.with_state(lanes, State.RETIRED)

    def issue(self, *, merge: bool = False, operators: Operators | None = None) -> Bundle:
        """Make the next generation of the members as they stand, write the file, and return the bundle to publish.

        `merge`: generations were made unaware of each other, and each member also gets those that it was a member of.
        UsageError: all generations are used up. Errors of `save`: nothing has changed.
        """
        before, g = self.state, self.state.next_g()
        if before.g < self.made:
            what = f"this is an old copy of the file, which made generation {self.made} since"
            raise UsageError(what, "let it learn that first: ndks network merge FILE --carrier URL")
        state = self._joined(before, g)
        secret = self._random_bytes(_SECRET_SIZE) if g else state.network.secret
        if len(state.revoked) > MAX_REVOKED:
            what = f"a network has at most {MAX_REVOKED} revoked units: a file was used that was restored from a copy"
            raise UsageError(what, "found the network anew: ndks network new")
        generation = Generation(g, operators or state.operators, secret, state.revoked, state.present)
        notices = [self._notice(generation, lane, merge=merge) for lane in state.present]
        known = tuple(each.g for each in state.generations)[-KNOWN:]
        record = Record(g, generation.operators, secret, known, state.members).sealed(state.root)
        bundle = Bundle.signed(self.keys.signing, g, before.g, notices, record)
        self._commit(state.with_generation(generation, bundle))
        return bundle

    def on_bundle(self, content: bytes) -> Bundle | None:
        """Learn what another administrator did; return the merge that is to be published, if this one has to make it.

        Whatever is not a valid bundle is ignored. CheckFailed: two copies of a file made it; errors as `issue`.
        """
        try:
            bundle = Bundle.parse(content)
            if not self.is_new(bundle) or not bundle.is_signed_by(self.keys.public):
                return None
            if self.state.generation(bundle.g):
                what = f"generation {bundle.g} was made twice, with two copies of an administrator's file"
                raise CheckFailed(what, _TWICE)
            record = Record.unsealed(self.state.root, bundle.record)
        except (BadBundle, BadRecord):
            return None
        return self._learn(bundle, record) if record.g == bundle.g else None

    def is_new(self, bundle: Bundle) -> bool:
        """Return whether a bundle is of a generation that is not known, or differs from the one that is kept for it."""
        kept = next((each for each in self.state.bundles if each.g == bundle.g), None)
        return kept.content != bundle.content if kept else self.state.generation(bundle.g) is None

    def later(self, g: int) -> list[Bundle]:
        """Return the kept bundles that are later than a generation, in order."""
        return [bundle for bundle in self.state.bundles if bundle.g > g]

    def _learn(self, bundle: Bundle, record: Record) -> Bundle | None:
        before, theirs = self.state, _states(record.members)
        present = tuple(member.lane for member in record.members if member.state == State.IN)
        revoked = tuple(member.lane for member in record.members if member.state == State.REVOKED)
        generation = Generation(record.g, record.operators, record.secret, revoked, present)
        state = before.united_with(record.members).with_generation(generation, bundle)
        if bundle.g > before.g:  # theirs passes over ours if it lacks something or does not know our number
            is_merge = _states(state.members) != theirs or before.g not in {-1, *record.known}
        else:
            is_merge = _states(state.members) != _states(before.members)
        if not is_merge:
            self._commit(state)
            return None
        self.state = state
        try:
            return self.issue(merge=True)
        except BaseException:
            self.state = before  # none of it is in the file: the bundle is learned again
            raise

    def _commit(self, state: Administration) -> None:
        self._save(state)
        self.state = state

    @staticmethod
    def _joined(state: Administration, g: int) -> Administration:
        """Return the state with new members in their first generation."""
        return state.with_members(replace(member, joined=g) for member in state.members if member.joined < 0)

    def _notice(self, generation: Generation, lane: int, *, merge: bool) -> tuple[bytes, bytes]:
        others = [_side(each) for each in self.state.generations if merge and lane in each.members][-PAST:]
        revoked = struct.pack(f">{len(generation.revoked)}H", *generation.revoked)
        content = Notice(generation.g, generation.operators, generation.secret, revoked, others)
        return self.keys.notice(lane, content, self._random_bytes(_SALT_SIZE))


def _side(generation: Generation) -> tuple[int, int, Operators, bytes]:
    return generation.g, len(generation.revoked), generation.operators, generation.secret


def _states(members: Iterable[AdmittedMember]) -> dict[int, State]:
    return {member.lane: member.state for member in members}
