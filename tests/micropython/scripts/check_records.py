# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""records.json: what a unit writes to its nvm, and what it makes of it after a restart."""

from harness import expect, run
from memory_board import MemoryBoard
from memory_host import Host

from ndks_protocol import commands
from ndks_protocol.flash import NVM_SIZE


def check_written(case: dict) -> None:
    board = MemoryBoard()
    _live(board, case)
    image = bytes.fromhex(case["nvm"])
    expect(board.nvm_read(0, NVM_SIZE), image + b"\xff" * (NVM_SIZE - len(image)))
    expect(board.erasures, 0)
    _restart(board, case)


def check_read(case: dict) -> None:
    _restart(MemoryBoard(nvm=bytes.fromhex(case["nvm"])), case)


def check_compacted(case: dict) -> None:
    board = MemoryBoard()
    _live(board, case)
    expect(board.erasures, case["erasures"])
    _restart(board, case)


def _live(board: MemoryBoard, case: dict) -> None:
    host = Host(board)
    host.exchange(commands.PROVISION.code, bytes.fromhex(case["provision"]))
    for index in case["acknowledged"]:
        expect(host.call(commands.ACKNOWLEDGE, 0, index, 0), (index + 1,))


def _restart(board: MemoryBoard, case: dict) -> None:
    before = board.nvm_read(0, NVM_SIZE)
    expect(Host(board).call(commands.NEXT_INDEX), (0, case["next_index"]))
    expect(board.nvm_read(0, NVM_SIZE), before)


run({"written": check_written, "read": check_read, "compacted": check_compacted})
