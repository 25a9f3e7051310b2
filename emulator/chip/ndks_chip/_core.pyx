# cython: language_level=3, boundscheck=False, wraparound=False
# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The processor core in C (folder core of the source), and its memories. `_core.pyi` describes this module."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset


cdef extern from "core.h":
    enum: ROM_SIZE, RAM_SIZE, DPRAM_SIZE, XIP_RAM_SIZE, WATCHES
    ctypedef struct CWatch "Watch":
        uint32_t address, return_address, has_hook
        uint64_t calls, cycles, longest, first_arguments
    ctypedef struct CSio "Sio":
        uint32_t gpio_out, gpio_oe, qspi_out, qspi_oe
    ctypedef struct State "Core":
        uint32_t r[16]
        uint32_t primask, control, ipsr, other_sp
        uint64_t now, busy, instructions, timer_epoch
        uint32_t leave, fault, sleeping, reset_requested, locked_up, nmi_mask
        CSio sio
        uint8_t *rom
        uint8_t *ram
        uint8_t *flash
        uint8_t *dpram
        uint8_t *xip_ram
        uint32_t flash_mask
        void *owner
        uint32_t (*load)(void *, uint32_t) noexcept
        void (*store)(void *, uint32_t, uint32_t) noexcept
        void (*called)(void *, uint32_t) noexcept
        uint32_t watching, lowest_sp
        CWatch watches[16]
    void prepare_decoder()
    void core_reset(State *)
    void core_run(State *, uint64_t)
    uint32_t bus_load(State *, uint32_t, uint32_t)
    void bus_store(State *, uint32_t, uint32_t, uint32_t)
    uint8_t *bus_memory(State *, uint32_t, uint32_t, int)
    void set_line(State *, uint32_t, uint32_t)
    uint32_t read_psr(State *)
    void write_flags(State *, uint32_t)


cdef uint32_t _load(void *owner, uint32_t address) noexcept:
    return (<Core> owner).load_register(address)


cdef void _store(void *owner, uint32_t address, uint32_t value) noexcept:
    (<Core> owner).store_register(address, value)


cdef void _called(void *owner, uint32_t watch) noexcept:
    (<Core> owner).call_hook(watch)


prepare_decoder()


cdef class Core:
    cdef State state
    cdef readonly bytearray rom, ram, flash, dpram, xip_ram
    cdef uint8_t[::1] _rom, _ram, _flash, _dpram, _xip_ram  # while these exist, no buffer changes its size
    cdef object _registers
    cdef list _hooks
    cdef object _error

    def __init__(self, rom, bytearray flash not None, registers):
        size = len(flash)
        if size < 65536 or size & (size - 1):
            raise ValueError("the size of flash is a power of two, and 64 KiB or more")
        self.rom = self._rom = bytearray(rom).ljust(ROM_SIZE, b"\0")
        self.ram = self._ram = bytearray(RAM_SIZE)
        self.flash = self._flash = flash
        self.dpram = self._dpram = bytearray(DPRAM_SIZE)
        self.xip_ram = self._xip_ram = bytearray(XIP_RAM_SIZE)
        self._registers = registers
        self._hooks = []
        memset(&self.state, 0, sizeof(State))
        self.state.rom, self.state.ram, self.state.flash = &self._rom[0], &self._ram[0], &self._flash[0]
        self.state.dpram, self.state.xip_ram = &self._dpram[0], &self._xip_ram[0]
        self.state.flash_mask = size - 1
        self.state.owner = <void *> self
        self.state.load, self.state.store, self.state.called = _load, _store, _called
        self.state.lowest_sp = 0xFFFFFFFF
        core_reset(&self.state)

    # What the core calls. An exception ends the run, which then raises it.

    cdef uint32_t load_register(self, uint32_t address) noexcept:
        try:
            return <uint32_t> (self._registers.load(address) & 0xFFFFFFFF)
        except BaseException as error:
            self._keep(error)
            return 0

    cdef void store_register(self, uint32_t address, uint32_t value) noexcept:
        try:
            if self._registers.store(address, value):
                self.state.leave = 1
        except BaseException as error:
            self._keep(error)

    cdef void call_hook(self, uint32_t watch) noexcept:
        try:
            self._hooks[watch]()
        except BaseException as error:
            self._keep(error)

    cdef _keep(self, error):
        self._error = self._error or error
        self.state.leave = 1

    # Control

    def reset(self):
        core_reset(&self.state)

    def run(self, uint64_t deadline):
        core_run(&self.state, deadline)
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def leave(self):
        self.state.leave = 1

    def set_line(self, uint32_t irq, bint asserted):
        set_line(&self.state, irq & 31, asserted)

    @property
    def interrupt_nmi_mask(self):
        return self.state.nmi_mask

    @interrupt_nmi_mask.setter
    def interrupt_nmi_mask(self, uint32_t value):
        self.state.nmi_mask = value

    def restart_timer(self):
        self.state.timer_epoch = self.state.now

    @property
    def now(self):
        return self.state.now

    @property
    def busy(self):
        return self.state.busy

    @property
    def instructions(self):
        return self.state.instructions

    @property
    def is_sleeping(self):
        return self.state.sleeping != 0

    @property
    def is_locked_up(self):
        return self.state.locked_up != 0

    @property
    def wants_reset(self):
        return self.state.reset_requested != 0

    # Registers

    @property
    def registers(self):
        return tuple(self.state.r[i] for i in range(16))

    def set_register(self, uint32_t index, uint32_t value):
        self.state.r[index & 15] = value

    @property
    def psr(self):
        return read_psr(&self.state)

    def set_flags(self, uint32_t value):
        write_flags(&self.state, value)

    @property
    def primask(self):
        return self.state.primask

    @property
    def gpio_out(self):
        return self.state.sio.gpio_out

    @property
    def gpio_oe(self):
        return self.state.sio.gpio_oe

    @property
    def qspi_out(self):
        return self.state.sio.qspi_out

    @property
    def qspi_oe(self):
        return self.state.sio.qspi_oe

    # The bus, as DMA and instruments see it

    def load(self, uint32_t address, uint32_t size):
        value = bus_load(&self.state, address, size)
        self._raise_fault(address)
        return value

    def store(self, uint32_t address, uint32_t value, uint32_t size):
        bus_store(&self.state, address, value, size)
        self._raise_fault(address)

    cdef _raise_fault(self, uint32_t address):
        if self.state.fault:
            self.state.fault = 0
            raise ValueError(f"no memory or register at 0x{address:08x}")

    def read(self, uint32_t address, uint32_t size):
        return bytes(<uint8_t[:size]> self._memory(address, size, False)) if size else b""

    def write(self, uint32_t address, data):
        if data:
            (<uint8_t[:len(data)]> self._memory(address, len(data), True))[:] = bytearray(data)

    cdef uint8_t *_memory(self, uint32_t address, uint32_t size, int for_writing) except NULL:
        cdef uint8_t *memory = bus_memory(&self.state, address, size, for_writing)
        if memory == NULL:
            raise ValueError(f"no memory of {size} bytes at 0x{address:08x}")
        return memory

    # Watches

    def watch(self, uint32_t address, hook=None):
        cdef uint32_t index = self.state.watching
        if index == WATCHES:
            raise ValueError(f"at most {WATCHES} functions can be watched")
        memset(&self.state.watches[index], 0, sizeof(CWatch))
        self.state.watches[index].address = address & ~<uint32_t> 1
        self.state.watches[index].has_hook = hook is not None
        self._hooks.append(hook)
        self.state.watching += 1
        return index

    def unwatch_all(self):
        self.state.watching = 0
        self._hooks.clear()

    def watched(self, uint32_t index):
        if index >= self.state.watching:
            raise IndexError(index)
        watch = self.state.watches[index]
        return watch.calls, watch.cycles, watch.longest, watch.first_arguments

    @property
    def lowest_sp(self):
        return self.state.lowest_sp

    def forget_lowest_sp(self):
        self.state.lowest_sp = self.state.r[13]
