# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Bundles that reach an administrator in a file: another administrator's, a package, or one from a folder."""

from collections.abc import Iterable
from pathlib import Path

from ...carriers.packet_file import unpacked
from ...exceptions import CheckFailed
from ...network import administrator_file
from ...network.administration import Administration
from ...network.administrator import Administrator
from ...network.administrator_keys import AdministratorKeys
from ...network.any_file import begins_as_administrators
from ...network.bundle import BUNDLE, BadBundle, Bundle
from ...network.joining_file import content_of
from ...network.member_package import MemberPackage

_ADVICE = "give another administrator's file, a package for a member, or a file that a dir: carrier wrote"


def bundles_in(path: Path) -> list[bytes]:
    """Return the bundles in a file. FileError, NetworkFileError, JoiningFileError; CheckFailed: there is none."""
    found = list(_bundles_in(path))
    if not found:
        raise CheckFailed(f"{path} has no bundle of a network", _ADVICE)
    return found


def _bundles_in(path: Path) -> Iterable[bytes]:
    content = content_of(path, administrator_file.LARGEST)
    if begins_as_administrators(path, content):
        return [bundle.content for bundle in administrator_file.parsed(path, content).bundles]
    if content[:1] == b"{":
        return [MemberPackage.parsed(content, str(path)).bundle]
    try:
        packets = unpacked(content)
    except ValueError:
        packets = [content]
    return [packet for packet in packets if packet[:1] == bytes([BUNDLE])]


def checked(state: Administration, contents: Iterable[bytes]) -> list[Bundle]:
    """Return bundles of a network. CheckFailed: one is damaged, or of another network."""
    public = AdministratorKeys(state.root).public
    return [_checked(public, content) for content in contents]


def learn(administrator: Administrator, bundles: Iterable[Bundle]) -> bool:
    """Learn from bundles, the newest first, which may know of all others; return whether a merge was made."""
    in_order = sorted(bundles, key=lambda bundle: -bundle.g)
    made = [administrator.on_bundle(bundle.content) for bundle in in_order]
    return any(made)


def _checked(public: bytes, content: bytes) -> Bundle:
    try:
        bundle = Bundle.parse(content)
    except BadBundle as error:
        raise CheckFailed(f"a bundle is damaged: {error}", "have it sent again") from None
    if not bundle.is_signed_by(public):
        what = "a bundle is damaged, or of another network: its signature is not that of this network's administrators"
        raise CheckFailed(what, _ADVICE)
    return bundle
