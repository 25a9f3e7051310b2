# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""State that an older firmware wrote: flash images kept in images/, read by the firmware of today."""

import json
from pathlib import Path

import pytest

from firmware.exchange import ask
from firmware.member import membership, named
from firmware.memory_board import MemoryBoard
from firmware.peer import Peer, PluggableBoard
from ndks_protocol import commands, errors
from ndks_protocol.flash import NVM_SIZE
from ndks_protocol.generator import F1, F2
from ndks_unit import records
from ndks_unit.record_log import RecordLog
from ndks_unit.records import MEMBERSHIP, STATE_FORMAT
from ndks_unit.unit import Unit

IMAGE = json.loads((Path(__file__).parent / "images/format_1.json").read_text())


def board_of_before(*, in_snapshot: bool = False) -> PluggableBoard:
    board = PluggableBoard()
    image = bytearray(bytes.fromhex(IMAGE["nvm"]).ljust(NVM_SIZE, b"\xff"))
    if in_snapshot:
        board.snapshots[0] = image
    else:
        board.nvm.content = image
    return board


def test_a_member_of_format_1_has_equation_7_and_all_it_had() -> None:
    board = board_of_before()
    before = bytes(board.nvm.content)
    peer = Peer(board=board)
    status = named(commands.STATUS.answer, peer.ask(commands.STATUS))
    assert (status["network_id"].hex(), status["f1"], status["f2"]) == (IMAGE["network_id"], 0, 0)
    assert named(commands.HELLO.answer, peer.ask(commands.HELLO))["state_format"] == 1
    assert peer.ask(commands.NEXT_INDEX) == (0, IMAGE["next_index"])
    assert bytes(peer.ask(commands.KEY_CHUNK, 0, 7, 0, 32)[0]).hex() == IMAGE["key_7"]
    assert board.nvm.content == before


def test_a_member_of_format_1_goes_on() -> None:
    board = board_of_before()
    peer, other = Peer(board=board), Peer(2)
    assert peer.code(commands.PROVISION, *membership()) == errors.PROVISIONED
    assert peer.open_code(bytes.fromhex(IMAGE["accepted"])) == errors.DUPLICATE
    capsule = bytes.fromhex(IMAGE["to_open"])
    assert peer.open(capsule) == b"opened in format 2"
    peer.accept(capsule)
    assert other.open(bytes.fromhex(IMAGE["sealed"])) == b"from format 1"
    assert other.open(peer.seal(b"back")) == b"back"
    for index in range(IMAGE["next_index"], 400, 2):  # until the log has been compacted
        peer.ask(commands.ACKNOWLEDGE, 0, index, 0)
    assert board.nvm.erases
    restarted = Peer(board=board)
    assert restarted.open_code(capsule) == errors.DUPLICATE
    assert RecordLog(board).format == 1  # the firmware of before still reads it
    assert bytes(restarted.ask(commands.KEY_CHUNK, 0, 7, 0, 32)[0]).hex() == IMAGE["key_7"]


def test_format_1_in_a_snapshot_alone() -> None:
    peer = Peer(board=board_of_before(in_snapshot=True))
    assert named(commands.STATUS.answer, peer.ask(commands.STATUS))["network_id"].hex() == IMAGE["network_id"]


def test_format_1_whose_format_record_was_damaged() -> None:
    board = board_of_before()
    board.nvm.content[24] ^= 1
    assert RecordLog(board).body(STATE_FORMAT) is None
    peer = Peer(board=board)
    assert named(commands.STATUS.answer, peer.ask(commands.STATUS))["network_id"].hex() == IMAGE["network_id"]


@pytest.mark.parametrize("f1", range(len(F1)))
@pytest.mark.parametrize("f2", range(len(F2)))
def test_operators_survive_a_restart_in_a_state_that_the_firmware_of_before_refuses(f1: int, f2: int) -> None:
    board = MemoryBoard()
    fields = membership(f1=f1, f2=f2)
    ask(board, Unit(board), commands.PROVISION, *fields)
    status = named(commands.STATUS.answer, ask(board, Unit(board), commands.STATUS))
    assert (status["f1"], status["f2"]) == (f1, f2)
    log = RecordLog(board)
    assert log.body(STATE_FORMAT) == bytes([records.CURRENT_FORMAT]) == b"\2"
    assert log.body(MEMBERSHIP) == commands.PROVISION.request.pack(*fields)


def test_operators_are_in_the_snapshot_too() -> None:
    board = MemoryBoard()
    unit = Unit(board)
    ask(board, unit, commands.PROVISION, *membership(f1=2, f2=1))
    for index in range(1, 400, 2):
        ask(board, unit, commands.ACKNOWLEDGE, 0, index, 0)
    board.nvm.content = bytearray(b"\xff" * NVM_SIZE)
    status = named(commands.STATUS.answer, ask(board, Unit(board), commands.STATUS))
    assert (status["f1"], status["f2"]) == (2, 1)
