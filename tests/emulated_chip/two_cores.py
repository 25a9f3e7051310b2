# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Our core and rp2040py's, to execute one instruction in the same state."""

from typing import Any, NamedTuple

from emulated_chip.random_instructions import CODE, DATA, DATA_SIZE, State
from rp2040py.rp2040 import RP2040
from rp2040py.utils.logging import ConsoleLogger, LogLevel

from ndks_chip._core import Core

_RAM = 0x20000000


class Result(NamedTuple):
    registers: tuple[int, ...]
    flags: int
    data: bytes
    primask: int
    cycles: int


class NoRegisters:
    def load(self, address: int) -> int:
        raise AssertionError(f"read of 0x{address:08x}")

    def store(self, address: int, value: int) -> bool:
        raise AssertionError(f"write of {value} to 0x{address:08x}")


class Ours:
    def __init__(self) -> None:
        rom = (0x20040000).to_bytes(4, "little") + (CODE | 1).to_bytes(4, "little") * 15
        self.core = Core(rom, bytearray(1 << 16), NoRegisters())

    def execute(self, state: State) -> Result:
        core = self.core
        core.reset()
        core.write(CODE, state.code)
        core.write(DATA, state.data)
        for i, value in enumerate(state.registers):
            core.set_register(i, value)
        core.set_register(15, CODE)
        core.set_flags(state.flags)
        before = core.busy
        core.run(core.now + 1)
        data = core.read(DATA, DATA_SIZE)
        return Result(core.registers, core.psr & 0xF0000000, data, core.primask, core.busy - before)

    @property
    def has_faulted(self) -> bool:
        """A fault is taken with the next instruction."""
        self.core.run(self.core.now + 1)
        return self.core.psr & 0x3F == 3


class Theirs:
    def __init__(self) -> None:
        self.chip: Any = RP2040()
        self.chip.logger = ConsoleLogger(LogLevel.ERROR)

    def execute(self, state: State) -> Result:
        core, ram = self.chip.core, self.chip.sram
        core.reset()
        ram[CODE - _RAM : CODE - _RAM + len(state.code)] = state.code
        ram[DATA - _RAM : DATA - _RAM + DATA_SIZE] = state.data
        for i, value in enumerate(state.registers):
            core.registers[i] = value
        core.registers[15] = CODE
        core.apsr = state.flags
        cycles = core.execute_instruction()
        registers = tuple(core.registers[i] for i in range(16))
        data = bytes(ram[DATA - _RAM : DATA - _RAM + DATA_SIZE])
        return Result(registers, core.apsr, data, int(core.pm), cycles)
