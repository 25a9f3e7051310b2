# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Check of records.json: the writes of a unit to nvm, and its state after a restart."""

from conversation import PredictableBoard
from harness import expect, run
from memory_board import MemoryBoard
from memory_host import Host

from ndks_protocol import fields, wire
from ndks_protocol.flash import NVM_SIZE


def check_written(case: dict) -> None:
    board = PredictableBoard(case)
    _live(board, case)
    image = bytes.fromhex(case["nvm"])
    expect(board.nvm_read(0, len(image)), image)
    expect(board.nvm_read(len(image), NVM_SIZE).rstrip(b"\xff"), b"")
    expect(board.erasures, 0)


def check_read(case: dict) -> None:
    board = PredictableBoard(case)
    board.nvm_write(0, bytes.fromhex(case["nvm"]))
    _restart(board, case)


def check_compacted(case: dict) -> None:
    board = PredictableBoard(case)
    _live(board, case)
    expect(board.erasures, case["erasures"])
    _restart(board, case)


def _live(board: MemoryBoard, case: dict) -> None:
    host = Host(board)
    host.call(wire.PROVISION, *fields.unpack(wire.COMMANDS[wire.PROVISION][1], bytes.fromhex(case["provision"])))
    for index in case["acknowledged"]:
        expect(host.call(wire.ACKNOWLEDGE, 0, index, 0), (index + 1,))


def _restart(board: MemoryBoard, case: dict) -> None:
    host = Host(board)
    before = board.sha256_of_nvm()
    expect(host.call(wire.NEXT_INDEX), (0, case["next_index"]))
    expect(board.sha256_of_nvm(), before)


run({"written": check_written, "read": check_read, "compacted": check_compacted})
