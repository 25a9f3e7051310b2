# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""State of an older firmware, from an image in images/, and the fields in a member's record."""

import json
from pathlib import Path

import pytest
from hosts.memory import Host
from hosts.network import SECRET, membership, named
from hosts.sessions import SHARE

from firmware.life import Life
from ndks_protocol import commands, errors
from ndks_protocol.flash import NVM_SIZE
from ndks_protocol.generator import F1, F2

IMAGE = json.loads((Path(__file__).parent / "images/format_1.json").read_text())


def of_before() -> Life:
    life = Life()
    life.unit.flash.nvm.write(0, bytes.fromhex(IMAGE["nvm"]))
    life.start()
    return life


def test_a_member_of_format_1_is_left_alone() -> None:
    """Its secret is in the clear; a session could not protect it."""
    life = of_before()
    before = life.flash.images
    for _ in range(2):
        hello = named(commands.HELLO.answer, life.ask(commands.HELLO))
        assert (hello["state_format"], hello["flags"], hello["binding_id"]) == (1, commands.NOT_SEALED, bytes(16))
        assert named(commands.STATUS.answer, life.ask(commands.STATUS))["network"] == ""
        for command, values in (
            (commands.PROVISION, membership()),
            (commands.OPEN_SESSION, SHARE),
            (commands.NEXT_INDEX, ()),
            (commands.KEY_CHUNK, (0, 7, 0, 32)),
        ):
            with pytest.raises(errors.UnitError, match="STATE_FORMAT"):
                life.ask(command, *values)
        life.start()
    assert life.flash.images == before


def test_a_member_of_format_1_can_begin_again() -> None:
    life = of_before()
    assert SECRET in life.flash.images[0]
    life.ask(commands.ZEROIZE, commands.CONFIRMATION, life.unit.board.uid)
    life.start()
    life.host.provision()
    assert life.look().next_index == 1
    assert all(SECRET not in image for image in life.flash.images)


@pytest.mark.parametrize("f1", range(len(F1)))
@pytest.mark.parametrize("f2", range(len(F2)))
def test_operators_survive_a_restart_and_the_loss_of_nvm(f1: int, f2: int) -> None:
    host = Host()
    host.provision(f1=f1, f2=f2)
    assert operators(host) == (f1, f2)
    host.firmware.state.log.compact()
    host.unit.flash.nvm.content[:] = b"\xff" * NVM_SIZE
    assert operators(host) == (f1, f2)


def operators(host: Host) -> tuple[int, int]:
    """Return the operators after a start."""
    host.restart()
    host.open()
    status = host.status()
    return status["f1"], status["f2"]
