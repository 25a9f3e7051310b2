# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Packages for members of an administered network (PROTOCOL.md section 13): a lane and its first member key.

fields  lane u16 | g u16 | M(lane, g) 32 | suite u8 | cipher u8 | digits u8 | name, p1, p2 text | f1 u8 | f2 u8
        | mode u8

They are sealed to the joining key of one unit. The bundle of g beside them is not secret: the unit reads its notice in
it.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Self

from ndks_protocol import commands
from ndks_protocol.fields import pack
from ndks_protocol.sealed_package import seal
from ndks_protocol.wire import ELECTED

from ..crypto import CRYPTO, EphemeralKey
from .administrator import Administrator
from .bundle import Bundle
from .join_package import JoinPackage, check_public_key
from .join_request import JoinRequest
from .joining_file import LARGEST, checked_bytes, encoded

MEMBERSHIP = ">HH32sBBBtttBBB"
TICK = 1  # seconds

_KEY_SIZE = 32


@dataclass(frozen=True)
class MemberPackage(JoinPackage):
    """What makes a unit a member; it tells nobody else a secret.

    `tick` is in seconds; `signing_key` is the administrators', by which its host knows their bundles.
    """

    tick: int = TICK
    signing_key: bytes = b""
    bundle: bytes = field(default=b"", repr=False)

    VERSION = 2
    LARGEST = LARGEST
    FIELDS = JoinPackage.FIELDS | {"tick", "signing_key", "bundle"}

    @classmethod
    def _from_values(cls, values: dict[str, Any], content: bytes) -> Self:
        base = super()._from_values(values, content)
        tick, signing_key = values["tick"], checked_bytes(values["signing_key"])
        bundle = checked_bytes(values["bundle"])
        if type(tick) is not int or not 1 <= tick <= commands.MAX_LANE or len(signing_key) != _KEY_SIZE:
            raise ValueError
        if not Bundle.parse(bundle).is_signed_by(signing_key):
            raise ValueError
        found = cls(base.serial_number, base.date, base.network, content, base.lane, base.sealed)
        return replace(found, tick=tick, signing_key=signing_key, bundle=bundle)


def seal_member(
    administrator: Administrator, request: JoinRequest, lane: int, bundle: Bundle, mode: int = ELECTED
) -> MemberPackage:
    """Return the package for the unit of a request, whose key has been checked, with the bundle of its generation.

    Compare the words of the request first: whoever made it can read what the package brings.
    """
    check_public_key(request.public_key)
    ephemeral = EphemeralKey()
    fields = membership(administrator, lane, bundle.g, mode)
    sealed = seal(CRYPTO, ephemeral.shared(request.public_key), ephemeral.public, request.public_key, fields)
    values: dict[str, object] = {MemberPackage.MARK: MemberPackage.VERSION, "network": administrator.state.network.name}
    values |= {"uid": request.serial_number, "lane": lane, "tick": TICK, "signing_key": administrator.keys.public.hex()}
    return MemberPackage.parsed(
        encoded(values | {"bundle": bundle.content.hex(), "sealed": sealed.hex()}), "the package"
    )


def membership(administrator: Administrator, lane: int, g: int, mode: int) -> bytes:
    """Return the fields of a member, secret ones among them."""
    network, (digits, f1, f2) = administrator.state.network, administrator.state.operators
    suite, cipher = commands.SUITES.index(network.suite), commands.CIPHERS.index(network.cipher)
    key = administrator.keys.member_key(lane, g)
    return pack(MEMBERSHIP, lane, g, key, suite, cipher, digits, network.name, network.p1, network.p2, f1, f2, mode)
