# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Membership of a unit in a network: secret, parameters and lane (PROTOCOL.md section 2)."""

from ndks_protocol import errors, wire
from ndks_protocol.fields import unpack
from ndks_protocol.kdf import Crypto, wipe
from ndks_protocol.network_id import network_id
from ndks_protocol.parameters import F1, F2, check_parameters

from .board import Board

try:
    from .board import KeyGenerator
except ImportError:  # on the board, where annotations are not evaluated
    pass


class Membership:
    """The fields of PROVISION except the binding. UnitError(RANGE): a field is out of range."""

    epoch: int
    lane: int
    suite: int
    cipher: int
    digits: int
    network: str
    f1: int
    f2: int
    generator: "KeyGenerator"  # of an open member only

    def __init__(self, crypto: Crypto, record: "bytes | bytearray"):
        self.epoch, self.lane, self.suite, self.cipher, *rest = unpack(wire.MEMBERSHIP, record)
        self.digits, secret, self.network, p1, p2, self.f1, self.f2 = rest
        self.secret = bytearray(secret)
        if self.suite >= len(wire.SUITES) or self.cipher >= len(wire.CIPHERS):
            raise errors.UnitError(errors.RANGE)
        if self.f1 >= len(F1) or self.f2 >= len(F2) or self.lane == wire.COMMON_LANE:
            raise errors.UnitError(errors.RANGE)
        if len(self.network.encode()) > wire.MAX_NAME:
            raise errors.UnitError(errors.RANGE)
        self.masked = wire.SUITES[self.suite] == "hybrid"
        self._parameters = p1, p2, self.digits
        try:
            check_parameters(*self._parameters, F1[self.f1], F2[self.f2])
        except ValueError:
            raise errors.UnitError(errors.RANGE) from None
        self.network_id = network_id(crypto, self.secret, self.suite, self.digits, p1, p2, self.f1, self.f2)

    def wipe(self) -> None:
        """Overwrite the secret."""
        wipe(self.secret)

    def make_generator(self, board: Board) -> "KeyGenerator":
        """Return the board's fast generator for equation 7 if the heap has room for it, else the exact generator."""
        if self.f1 == self.f2 == 0:
            try:
                fast = board.generator(*self._parameters)
            except MemoryError:
                fast = None  # after PROVISION, or with damaged tables; after the next start there is more room
            if fast:
                return fast
        from ndks_protocol.generator import Generator  # 8 KB of heap, which most units never need

        return Generator(*self._parameters, F1[self.f1], F2[self.f2])
