# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A network of hosts that generations come to, and packets about generations."""

from support.agents import Host, administrator, joined

from ndks.agent import Limits
from ndks.agent.packets import Ask, Report, Voucher
from ndks.network.administrator import Administrator
from ndks.network.bundle import Bundle
from ndks_protocol.wire import HOUSEKEEPING


def network(count: int = 2, limits: Limits | None = None) -> tuple[Administrator, list[Host]]:
    admin = administrator()
    return admin, joined(admin, count, limits)


def say(sender: Host, body: Report | Voucher | Ask) -> bytes:
    return sender.unit.seal(HOUSEKEEPING, body.packed())[0]


def bundles_in(packets: list[bytes]) -> list[int]:
    return [Bundle.parse(packet).g for packet in packets if packet[0] == 0x42]


def asks_in(packets: list[bytes]) -> list[bytes]:
    return [packet for packet in packets if packet[0] == 0x3F]
