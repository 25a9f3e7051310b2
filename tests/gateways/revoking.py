# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit that knows who was revoked."""

from gateways.ends import FakeGate
from ndks.exceptions import NdksError
from ndks_gateways.tunnel.steps import OpenedKeys


class Revoked(NdksError):
    code = "REVOKED"


class RevokingGate(FakeGate):
    """A unit that knows who was revoked."""

    async def open(self, header: bytes) -> OpenedKeys:
        if self.network.made[header][0] in self.network.revoked:
            raise Revoked("the lane was revoked")
        return await super().open(header)
