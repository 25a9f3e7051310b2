# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Capsules of a chip, with CircuitPython's AES, entropy and line, equal those of any other unit."""

import pytest
from hosts.capsules import chunks_of, pieces_of

from firmware.peer import RANDOM, Peer, clear, new_token
from firmware.stand_ins import Chip, Host, Script
from ndks_protocol import commands
from ndks_protocol.commands import AES, VERNAM, WIRE_HEADER_SIZE

DATA = bytes(range(256)) * 5


@pytest.mark.parametrize("cipher", [VERNAM, AES], ids=commands.CIPHERS)
def test_units_of_both_kinds_open_each_others_capsules(chip: Chip, cipher: int) -> None:
    other = Peer(lane=2)
    received = other.seal(DATA, cipher)
    sent: list[bytes] = []
    opened: list[bytes] = []

    def script(host: Host) -> Script:
        host.open()
        yield from host.provision()
        token = new_token()
        sent.append((yield from host.ask(commands.SEAL_BEGIN, token, cipher, 0, RANDOM))[0])
        for piece in pieces_of(DATA):
            sent.extend((yield from host.ask(commands.SEAL_CHUNK, token, *piece)))
        handle, *_ = yield from host.ask(commands.OPEN_BEGIN, received[:WIRE_HEADER_SIZE], 0)
        for chunk in chunks_of(received):
            opened.extend((yield from host.ask(commands.OPEN_CHUNK, handle, *chunk)))

    chip.run(script)
    assert b"".join(opened) == other.open(b"".join(sent)) == DATA


def test_numbers_go_on_and_salts_differ_after_a_restart(chip: Chip) -> None:
    sent: list[bytes] = []

    def seal_and_unplug(host: Host) -> Script:
        sent.append((yield from host.ask(commands.SEAL_BEGIN, new_token(), AES, 0, RANDOM))[0])
        yield from host.ask(commands.CLOSE, 1)

    def first(host: Host) -> Script:
        host.open()
        yield from host.provision()
        yield from seal_and_unplug(host)

    def second(host: Host) -> Script:
        host.open()
        yield from seal_and_unplug(host)

    chip.run(first)
    chip.boot()
    chip.run(second)
    headers = [clear(header) for header in sent]
    assert [header.number for header in headers] == [1, 2]
    assert headers[0].salt != headers[1].salt
