# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Sessions of protocol 2.0, without key agreement, for the earlier version of the firmware."""

import hashlib
import os

from ndks.crypto import CRYPTO
from ndks.line.link import Link
from ndks.line.session import unlock
from ndks_protocol import commands
from ndks_protocol.binding import BindingKeys
from ndks_protocol.commands import Command
from ndks_protocol.layout import Layout
from ndks_protocol.session import HOST, RANDOM_SIZE, SecureChannel, proof

MAJOR = 2


class _OpenSession(Command):
    """The command of 2.0, which is not in the table."""

    name = "OPEN_SESSION"

    def __init__(self) -> None:
        self.code = commands.OPEN_SESSION.code
        self.needs = commands.NOTHING
        self.request = Layout(">16s", "random")
        self.answer = Layout(">16s16s", "random proof")


def open_session(link: Link, hello: bytes, keys: BindingKeys) -> None:
    """Do what `ndks.line.session.open_session` did."""
    host_random = os.urandom(RANDOM_SIZE)
    unit_random = link.call(_OpenSession(), host_random).random
    about = b"ndks session 1\0" + len(hello).to_bytes(2) + hello
    transcript_hash = hashlib.sha256(about + host_random + unit_random).digest()
    link.call(commands.PROVE, proof(CRYPTO, keys.auth, HOST, transcript_hash))
    link.secure(SecureChannel(CRYPTO, keys.auth, transcript_hash, HOST))
    unlock(link, keys, 0)
