# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Faults of units, agents and administrators in a network, each a patch of the product in memory."""

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any
from unittest.mock import patch

from network.product.left_out import OF_HOSTS, OF_UNITS

from ndks import Symbols
from ndks.agent.sending import Sending
from ndks.network.agreement import Agreement
from ndks_laboratory.homologation.networks import case, symbols
from ndks_protocol import errors
from ndks_unit.flash import records
from ndks_unit.network import entering, number_at
from ndks_unit.network.held import Network
from ndks_unit.network.layout import AT_NUMBER, PAST_SIZE
from ndks_unit.paper_bits import KeyReader

Fault = Callable[[], AbstractContextManager[Any]]

_EQUATION_7 = 3, 0, 0

_lead, _new_generation, _read_into = Network.lead, entering.new_generation, KeyReader.read_into


def _lead_only_at_first(self: Network) -> None:
    """Lead a network in which nobody has led yet, and no other."""
    if not self.master:
        _lead(self)


def _same_operators(state: Any, generation: int, _: tuple[int, int, int], *rest: Any) -> bytearray:
    return _new_generation(state, generation, _EQUATION_7, *rest)


class _WithZeros(Symbols):
    """Symbols that have 256 zeros in place of nothings."""

    @classmethod
    def of_runs(cls, runs: Any) -> Symbols:
        return Symbols.parse("".join(("0" * 256 if nothings else "") + bits for nothings, bits in runs))


def _only_present(self: Network, number: int, place: bytes, _: int) -> None:
    if number < number_at(self.body, AT_NUMBER) or len(place) == PAST_SIZE:
        raise errors.UnitError(errors.TOO_OLD)


def _one_bit_wrong(self: KeyReader, view: memoryview, index: int, offset: int) -> None:
    """Give all keys with another first bit than the defined one: equal at all units that have this fault."""
    _read_into(self, view, index, offset)
    if not offset:
        view[0] ^= 0x80


def _left_out(*_: object) -> None: ...


def _no_switch(_: object, command: str) -> None:
    """Have a case without a switch."""


def _of(target: Any, name: str, value: Any) -> Fault:
    return partial(patch.object, target, name, value)


def _together(*faults: Fault) -> Fault:
    @contextlib.contextmanager
    def enter() -> Any:
        with contextlib.ExitStack() as stack:
            for fault in faults:
                stack.enter_context(fault())
            yield

    return enter


# Fault: what it is called, how it is made, and what it fails.
FAULTS: dict[str, tuple[Fault, set[str]]] = {
    "a slave never leads": (_of(Network, "lead", _lead_only_at_first), {"R26"}),
    "agreements are not signed": (_of(Agreement, "check_signature", _left_out), {"R27"}),
    "operators stay": (_of(entering, "new_generation", _same_operators), {"R28"}),
    "epochs are not followed": (_of(Network, "move_on", lambda _: False), {"R28"}),
    "who is revoked is taken": (
        _together(_of(Network, "is_cut", lambda *_: False), _of(Network, "revokes", lambda *_: False)),
        {"R29"},
    ),
    "former epochs are not opened": (_of(Network, "check_epoch", _only_present), {"R30"}),
    "nothing is sent again": (_of(Sending, "send_again", _left_out), {"R30"}),
    "nothings are sent as zeros": (_of(symbols, "Symbols", _WithZeros), {"R31"}),
    "one key bit is wrong": (_of(KeyReader, "read_into", _one_bit_wrong), {"R36"}),
    "repeated beacons count": (OF_UNITS["a repeated beacon is no sign of life"], {"R32"}),
    "bundles are not signed": (OF_HOSTS["bundles are signed"], {"R32"}),
    "a unit moves at once": (OF_UNITS["one move in 64 ticks"], {"R33"}),
    "flash is not sealed": (_of(records, "xor_keystream", _left_out), {"R34"}),
    "the case has no switch": (_of(case, "_tell", _no_switch), {"R35"}),
}
