# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The flash chip of a Pico, a Winbond W25Q16JV of 2 MiB: the commands that the boot ROM and CircuitPython send it."""

from collections.abc import Callable

SIZE = 2 << 20
PAGE, SECTOR, BLOCK = 256, 4096, 65536
_READ, _PROGRAM, _READ_STATUS_1, _READ_STATUS_2 = 0x03, 0x02, 0x05, 0x35
_WRITE_ENABLE, _WRITE_DISABLE = 0x06, 0x04
_ERASE_SECTOR, _ERASE_BLOCK = 0x20, 0xD8
_JEDEC_ID, _UNIQUE_ID = 0x9F, 0x4B
_MANUFACTURER = bytes((0xEF, 0x40, 0x15))  # Winbond, W25Q16
_WRITE_ENABLED, _QUAD_ENABLED = 0x02, 0x02  # in status 1, and in status 2
_IDLE = 0xFF


class Flash:
    """The chip on the SPI bus. A command is what passes between select() and deselect()."""

    def __init__(self, memory: bytearray, uid: bytes, on_change: Callable[[int, int], None] | None) -> None:
        if len(memory) != SIZE:
            raise ValueError(f"flash has {SIZE} bytes, not {len(memory)}")
        if len(uid) != 8:
            raise ValueError(f"the unique id of a flash chip has 8 bytes, not {len(uid)}")
        self._memory, self._on_change = memory, on_change
        self._may_write = False
        self._command = bytearray()
        self._answers: dict[int, Callable[[int], int]] = {  # by command: what comes out with byte number n
            _READ: self._read,
            _READ_STATUS_1: lambda _: _WRITE_ENABLED if self._may_write else 0,
            _READ_STATUS_2: lambda _: _QUAD_ENABLED,
            _JEDEC_ID: lambda n: _byte(_MANUFACTURER, n - 1),
            _UNIQUE_ID: lambda n: _byte(uid, n - 5),  # after four dummy bytes
        }

    def reset(self) -> None:
        """A reset of the RP2040 does not reset the flash chip, but ends the command."""
        self._command.clear()

    def select(self) -> None:
        self._command.clear()

    def exchange(self, value: int) -> int:
        """Shift a byte in; return the byte that comes out at the same time."""
        self._command.append(value)
        answer = self._answers.get(self._command[0])
        index = len(self._command) - 1
        if answer is None or index == 0:
            return _IDLE
        return answer(index)

    def deselect(self) -> None:
        """End the command: a program or erase takes place now."""
        command = bytes(self._command)
        self._command.clear()
        code = command[0] if command else _READ
        if code in (_WRITE_ENABLE, _WRITE_DISABLE):
            self._may_write = code == _WRITE_ENABLE
        elif code in (_PROGRAM, _ERASE_SECTOR, _ERASE_BLOCK) and len(command) >= 4 and self._may_write:
            self._may_write = False
            self._change(code, int.from_bytes(command[1:4], "big") % SIZE, command[4:])

    def _read(self, index: int) -> int:
        start = int.from_bytes(self._command[1:4], "big")
        return self._memory[(start + index - 4) % SIZE] if index >= 4 else _IDLE

    def _change(self, code: int, address: int, data: bytes) -> None:
        if code == _PROGRAM:
            self._program(address, data)
            address, size = address // PAGE * PAGE, PAGE
        else:
            size = SECTOR if code == _ERASE_SECTOR else BLOCK
            address = address // size * size
            self._memory[address : address + size] = b"\xff" * size
        if self._on_change:
            self._on_change(address, size)

    def _program(self, address: int, data: bytes) -> None:
        """Bits can only be cleared; past the end of a page, addresses go on at its start."""
        page = address // PAGE * PAGE
        for i, byte in enumerate(data):
            self._memory[page + (address + i) % PAGE] &= byte


def _byte(data: bytes, index: int) -> int:
    return data[index] if 0 <= index < len(data) else _IDLE
