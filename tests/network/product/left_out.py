# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Rules that are left out of the product: each is a patch of its code in memory."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from functools import partial
from typing import Any
from unittest.mock import patch

from ndks.agent.generations import Generations
from ndks.agent.kept import Kept
from ndks.agent.outbox import Outbox
from ndks.agent.packets import parse_message
from ndks.agent.receiving import Receiving
from ndks.agent.sending import Sending
from ndks.network import administrator_keys
from ndks.network.administration import Administration
from ndks.network.administrator import Administrator
from ndks.network.bundle import Bundle
from ndks_protocol import errors
from ndks_protocol.control.ladder import NEXT_MEMBER_KEY, ratchet
from ndks_protocol.control.limits import AHEAD, LAST_NUMBER, MAX_REVOKED
from ndks_protocol.wire import MESSAGE
from ndks_unit.flash.counters import MessageCounter
from ndks_unit.network import beacons, entering, epochs, held, interrupted, number_at, seldom
from ndks_unit.network.held import Network
from ndks_unit.network.layout import AT_MODE, AT_NUMBER, AT_OPERATORS

from . import product_side

Without = Callable[[], AbstractContextManager[Any]]

_rank = beacons._rank


def _together(*patches: Any) -> Without:
    def enter() -> AbstractContextManager[Any]:
        stack = ExitStack()
        for each in patches:
            stack.enter_context(each())
        return stack

    return enter


def _no_member_steps(crypto: Any, key: bytes, label: str, steps: int, feed: Any = None) -> bytes:
    return bytes(key) if label == NEXT_MEMBER_KEY else ratchet(crypto, key, label, steps, feed)


def _not_reserved(self: MessageCounter, end: int) -> None:
    self._end = end


def _rank_of_laggards(network: Network, lane: int, n: int, _: int, term: int) -> bool:
    return _rank(network, lane, n, LAST_NUMBER, term)


def _rank_of_repeated(network: Network, lane: int, n: int, number: int, term: int) -> bool:
    network.last = -1
    return _rank(network, lane, n, number, term)


def _only_settled(network: Network) -> None:
    """Do of `complete` what concerns the present generation."""
    if network.body:
        epochs.settle(network)


def _gone_at_once(_: bytearray, number: int) -> list[int]:
    return [number] * 8


def _any_kind_leads(self: Network, _: int) -> None:
    if self.body and self.body[AT_MODE] == 1 and not self.is_master:
        self.lead()


def _not_stored(self: Kept, bundle: Bundle) -> None:
    self.candidates[bundle.digest] = bundle


def _from_one(self: Outbox, _: int) -> None:
    self._store.write("DELETE FROM outbox")
    self._store.note("last s", 0)


def _sealed_again(self: Sending, ask: Any) -> None:
    for s in ask.numbers:
        sealed = self.outbox.sealed(s)
        if sealed:
            data = _texts[sealed.capsule]
            assert parse_message(data).s == s
            capsule = self._station.unit.seal(MESSAGE, data).capsule
            _texts[capsule] = data
            self._station.publish(capsule)


_texts: dict[bytes, bytes] = {}
_seal = Outbox.seal


def _seal_and_remember(self: Outbox, s: int, capsule: bytes, epoch: int) -> None:
    ((content, data),) = self._store.read("SELECT content, data FROM outbox WHERE s = ?", s)
    _texts[capsule] = s.to_bytes(6) + bytes((content,)) + data
    _seal(self, s, capsule, epoch)


def _revoked(self: Administrator, lanes: Any) -> None:
    self.revoke(lanes)


_issue = Administrator.issue


def _unmerged(self: Administrator, *, merge: bool = False, operators: Any = None) -> Bundle:
    return _issue(self, merge=False, operators=operators)


_with_state = Administration.with_state


def _with_all(self: Administration, lanes: Any, state: Any) -> Administration:
    return _with_state(replace(self, revocations=MAX_REVOKED), lanes, state)


_member_key = entering._member_key


def _near_member_key(network: Network, generation: int) -> bytes:
    if network.body and generation - number_at(network.body, 0) > AHEAD:
        raise errors.UnitError(errors.RANGE)
    return _member_key(network, generation)


_membership = epochs._membership


def _with_present_operators(network: Network, place: Any, *rest: Any) -> bytes:
    present = bytes(network.body[AT_OPERATORS:AT_NUMBER])
    return _membership(network, bytes(place[:AT_OPERATORS]) + present + bytes(place[AT_NUMBER:]), *rest)


_notices_for = Bundle.notices_for


def _first_notice(self: Bundle, hint: bytes) -> list[bytes]:
    return _notices_for(self, hint)[:1]


def _nothing(*_: Any) -> None: ...


def _of(target: Any, name: str, value: Any) -> Without:
    return partial(patch.object, target, name, value)


OF_UNITS: dict[str, Without] = {
    "no generation forgets a revocation": _of(entering, "lanes_in", lambda _: []),
    "what is of before a revocation is cut": _of(Network, "is_cut", lambda *_: False),
    "member key steps": _together(
        *(_of(module, "ratchet", _no_member_steps) for module in (entering, administrator_keys, product_side))
    ),
    "what is superseded is purged": _together(*(_of(module, "settle", _nothing) for module in (epochs, interrupted))),
    "record 21 is written anew at UNLOCK": _of(interrupted, "complete", _only_settled),
    "numbers are reserved before use": _of(MessageCounter, "_reserve_up_to", _not_reserved),
    "one move in 64 ticks": _together(*(_of(module, "MOVE_PAUSE", 0) for module in (held, seldom))),
    "windows are emptied when the list grew": _of(epochs, "GREW", 99),
    "a master that lags is silent": _of(beacons, "_rank", _rank_of_laggards),
    "a repeated beacon is no sign of life": _of(beacons, "_rank", _rank_of_repeated),
    "a TICK counts 16 at most": _of(held, "LONGEST_TICK", 0xFFFF),
    "capsules of revoked lanes are refused": _of(Network, "revokes", lambda *_: False),
    "retention by own moves": _of(epochs, "_with_move", _gone_at_once),
    "M steps however far": _of(entering, "_member_key", _near_member_key),
    "operators belong to a generation": _of(epochs, "_membership", _with_present_operators),
    "only messages lead a relay": _of(Network, "seals", _any_kind_leads),
}
OF_HOSTS: dict[str, Without] = {
    "bundles are signed": _of(Bundle, "is_signed_by", lambda *_: True),
    "a bundle is stored before NOTICE": _of(Kept, "add_candidate", _not_stored),
    "a new store begins above the unit's numbers": _of(Outbox, "begin", _from_one),
    "claims are forgotten when the list grew": _of(Receiving, "forget_claims", _nothing),
    "hosts show the bundle of their side": _of(Generations, "_show", _nothing),
    "late messages are vouched for, not sealed again": _together(
        _of(Sending, "send_again", _sealed_again), _of(Outbox, "seal", _seal_and_remember)
    ),
    "who was seen zeroized is not listed": _of(Administrator, "retire", _revoked),
    "each administrator revokes its part at most": _of(Administration, "with_state", _with_all),
    "a bundle waits for the one before it": _of(Generations, "_has_waited", lambda *_: True),
    "of equal hints all are tried": _of(Bundle, "notices_for", _first_notice),
    "a merge carries both sides": _of(Administrator, "issue", _unmerged),
}
