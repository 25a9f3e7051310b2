# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Carriers by their URLs."""

from collections.abc import Callable
from pathlib import Path

from ..exceptions import UsageError
from .carrier import Carrier


def open_carrier(url: str, identity: str, memory: Path) -> Carrier:
    """Return the carrier that a URL names; it does nothing before `start`. UsageError, FileError.

    `identity` names this member's agent to the carrier, and never changes. `memory` is a directory of the agent, where
    a carrier keeps what it needs to know after a restart.
    """
    scheme, colon, _ = url.partition(":")
    if not colon or scheme not in _SCHEMES:
        known = "mqtt://, mqtts://, udp://, dir:FOLDER and tunnel:NAME"
        raise UsageError(f"no carrier has a URL like {url}", f"carriers are {known}")
    return _SCHEMES[scheme](url, identity, memory)


def _mqtt(url: str, identity: str, memory: Path) -> Carrier:  # noqa: ARG001
    from .mqtt import MqttCarrier  # here, because its library is slow to import

    return MqttCarrier(url, identity)


def _udp(url: str, identity: str, memory: Path) -> Carrier:  # noqa: ARG001
    from .udp import UdpCarrier

    return UdpCarrier(url)


def _folder(url: str, identity: str, memory: Path) -> Carrier:
    from .folder import FolderCarrier

    return FolderCarrier(url, identity, memory)


def _tunnel(url: str, identity: str, memory: Path) -> Carrier:  # noqa: ARG001
    from .tunnel import TunnelCarrier

    return TunnelCarrier(url)


_SCHEMES: dict[str, Callable[[str, str, Path], Carrier]] = {
    "mqtt": _mqtt,
    "mqtts": _mqtt,
    "udp": _udp,
    "dir": _folder,
    "tunnel": _tunnel,
}
