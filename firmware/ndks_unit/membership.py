# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What makes a unit a member of a network: its secret, parameters and lane (PROTOCOL.md section 2)."""

from ndks_protocol import commands, errors
from ndks_protocol.generator import F1, F2, Generator
from ndks_protocol.kdf import Crypto, wipe
from ndks_protocol.layout import Layout
from ndks_protocol.network_id import network_id

LAYOUT = Layout(commands.MEMBERSHIP)


class Membership:
    """The fields of PROVISION but the binding, checked. UnitError(RANGE) when one is out of range."""

    def __init__(self, crypto: Crypto, record: bytes):
        values = LAYOUT.unpack(record)
        self.epoch, self.lane, suite, cipher, digits, secret, self.network, p1, p2, f1, f2 = values
        self.secret = bytearray(secret)
        if suite >= len(commands.SUITES) or cipher >= len(commands.CIPHERS) or self.lane == commands.COMMON_LANE:
            raise errors.UnitError(errors.RANGE)
        if f1 >= len(F1) or f2 >= len(F2):
            raise errors.UnitError(errors.RANGE)
        if len(self.network.encode()) > commands.MAX_NAME:
            raise errors.UnitError(errors.RANGE)
        self.suite = suite
        self.cipher = cipher
        self.digits = digits
        self.f1 = f1
        self.f2 = f2
        self.masked = commands.SUITES[suite] == "hybrid"
        try:
            self.generator = Generator(p1, p2, digits, F1[f1], F2[f2])
        except ValueError:
            raise errors.UnitError(errors.RANGE) from None
        self._parameters = p1, p2, digits
        self.network_id = network_id(crypto, self.secret, suite, digits, p1, p2, f1, f2)

    def wipe(self) -> None:
        """Overwrite the secret."""
        wipe(self.secret)

    def speed_up(self, board) -> None:
        """Take the board's own generator of equation 7, if it has one and room for it: the same bits, faster."""
        if self.f1 == self.f2 == 0:
            try:
                self.generator = board.generator(*self._parameters) or self.generator
            except MemoryError:
                pass  # as after a live provisioning, or where the tables are damaged: the next start has more room
