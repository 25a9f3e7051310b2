/* SPDX-FileCopyrightText: 2026 The NDKS project
 * SPDX-License-Identifier: MIT
 *
 * The address map (RP2040, 2.2), for every access that execute.c does not make by itself. */
#include "core.h"

enum { SIO_PAGE = 0xD0000, SYSTEM_PAGE = 0xE000E, TIMERAWH = 0x40054024, TIMERAWL = 0x40054028, CYCLES_PER_US = 125 };
enum { BUFFER_CONTROL = 0x80, BUFFER_CONTROL_END = 0x100 };

static int is_within(uint32_t offset, uint32_t size, uint32_t region_size) {
    return offset < region_size && size <= region_size - offset;
}

uint8_t *bus_memory(Core *core, uint32_t address, uint32_t size, int for_writing) {
    uint32_t in_flash = address & core->flash_mask;
    if (is_within(address - RAM_BASE, size, RAM_SIZE)) return core->ram + (address - RAM_BASE);
    if (is_within(address - DPRAM_BASE, size, DPRAM_SIZE)) return core->dpram + (address - DPRAM_BASE);
    if (is_within(address - XIP_RAM_BASE, size, XIP_RAM_SIZE)) return core->xip_ram + (address - XIP_RAM_BASE);
    if (for_writing) return 0;
    if (is_within(address, size, ROM_SIZE)) return core->rom + address;
    if (address >> 26 != FLASH_BASE >> 26) return 0;
    return is_within(in_flash, size, core->flash_mask + 1) ? core->flash + in_flash : 0;
}

/* Regions where something answers; elsewhere an access is a fault. */
static int is_peripheral(uint32_t address) {
    uint32_t page = address >> 24;
    return page == 0x14 || page == 0x18 || page == 0x40 || page == 0x50;
}

static uint64_t microseconds(const Core *core) { return (core->now - core->timer_epoch) / CYCLES_PER_US; }

static uint32_t load_register(Core *core, uint32_t address) {
    uint32_t value;
    if (address >> 12 == SIO_PAGE && sio_load(core, address & 0xFFF, &value)) return value;
    if (address >> 12 == SYSTEM_PAGE) return system_load(core, address & 0xFFF);
    if (address == TIMERAWL) return (uint32_t) microseconds(core);
    if (address == TIMERAWH) return (uint32_t) (microseconds(core) >> 32);
    if (address >> 12 == SIO_PAGE || is_peripheral(address)) return core->load(core->owner, address);
    core->fault = 1;
    return 0;
}

uint32_t bus_load(Core *core, uint32_t address, uint32_t size) {
    const uint8_t *memory;
    uint32_t word;
    if (address & (size - 1)) { core->fault = 1; return 0; } /* ARM, A3.2.1: all accesses are aligned */
    if ((memory = bus_memory(core, address, size, 0)))
        return size == 4 ? get32(memory) : size == 2 ? get16(memory) : *memory;
    word = load_register(core, address & ~3u) >> 8 * (address & 3);
    return size == 4 ? word : size == 2 ? word & 0xFFFF : word & 0xFF;
}

static void store_memory(uint8_t *memory, uint32_t value, uint32_t size) {
    if (size == 4) put32(memory, value);
    else if (size == 2) put16(memory, value);
    else *memory = (uint8_t) value;
}

static void store_register(Core *core, uint32_t address, uint32_t value) {
    if (address >> 12 == SIO_PAGE && sio_store(core, address & 0xFFF, value)) return;
    if (address >> 12 == SYSTEM_PAGE) system_store(core, address & 0xFFF, value);
    else if (address >> 12 == SIO_PAGE || is_peripheral(address)) core->store(core->owner, address, value);
    else if (address >> 24 != FLASH_BASE >> 24 && address >= ROM_SIZE) core->fault = 1; /* these ignore it */
}

void bus_store(Core *core, uint32_t address, uint32_t value, uint32_t size) {
    uint8_t *memory;
    uint32_t offset = address - DPRAM_BASE;
    if (address & (size - 1)) { core->fault = 1; return; }
    if ((memory = bus_memory(core, address, size, 1))) {
        store_memory(memory, value, size);
        if (offset >= BUFFER_CONTROL && offset < BUFFER_CONTROL_END) /* the USB controller looks at it */
            core->store(core->owner, address & ~3u, get32(core->dpram + (offset & ~3u)));
        return;
    }
    if (size == 1) value = (value & 0xFF) * 0x01010101u; /* RP2040, 2.1.4: peripherals see it on all lanes */
    if (size == 2) value = (value & 0xFFFF) * 0x00010001u;
    store_register(core, address & ~3u, value);
}
