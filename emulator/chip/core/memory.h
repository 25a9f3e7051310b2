/* SPDX-FileCopyrightText: 2026 The NDKS project
 * SPDX-License-Identifier: MIT
 *
 * Loads and stores (ARM, A5.2.4, A6.7), with what they cost in cycles. */
#ifndef NDKS_MEMORY_H
#define NDKS_MEMORY_H
#include "arithmetic.h"

/* Cycles of an access beyond the one of its instruction: 0 for SIO, which is on the processor's own port. */
INLINE uint32_t access_cycles(uint32_t address, uint32_t peripheral) {
    uint32_t region = address >> 28;
    return region == 0xD ? 0 : region == 4 ? peripheral : 1;
}

/* After an access that bus.c made: it may have faulted, or given the host something to do. */
INLINE int settle(Core *core, Flow *flow) {
    if (core->fault) fault(core, flow);
    else if (core->leave || core->candidate) leave_loop(flow);
    return !core->fault;
}

INLINE int load(Core *core, Flow *flow, uint32_t address, uint32_t size, uint32_t *value) {
    const uint8_t *memory;
    if (LIKELY(address - RAM_BASE < RAM_SIZE)) memory = core->ram + (address - RAM_BASE);
    else if (LIKELY(address >> 26 == FLASH_BASE >> 26)) memory = core->flash + (address & core->flash_mask);
    else memory = 0;
    if (LIKELY(memory && !(address & (size - 1)))) {
        *value = size == 4 ? get32(memory) : size == 2 ? get16(memory) : *memory;
        flow->now++;
        return 1;
    }
    core->now = flow->now;
    *value = bus_load(core, address, size);
    flow->now += access_cycles(address, 3);
    return settle(core, flow);
}

INLINE void store(Core *core, Flow *flow, uint32_t address, uint32_t value, uint32_t size) {
    if (LIKELY(address - RAM_BASE < RAM_SIZE && !(address & (size - 1)))) {
        uint8_t *memory = core->ram + (address - RAM_BASE);
        if (size == 4) put32(memory, value);
        else if (size == 2) put16(memory, value);
        else *memory = (uint8_t) value;
        flow->now++;
        return;
    }
    core->now = flow->now;
    bus_store(core, address, value, size);
    flow->now += access_cycles(address, 4);
    settle(core, flow);
}

INLINE void load_to(Core *core, Flow *flow, uint32_t rt, uint32_t address, uint32_t size) {
    uint32_t value;
    if (load(core, flow, address, size, &value)) core->r[rt] = value;
}

INLINE void load_signed(Core *core, Flow *flow, uint32_t rt, uint32_t address, uint32_t size) {
    uint32_t value;
    if (load(core, flow, address, size, &value)) core->r[rt] = sign_extend(value, 8 * size);
}

#define BY_REGISTER (core->r[RN] + core->r[RM])
#define BY_IMMEDIATE(size) (core->r[RN] + (size) * IMM5)
OP(ldr_literal) { load_to(core, flow, R8, ((flow->pc + 4) & ~3u) + 4 * IMM8, 4); }
OP(ldr) { load_to(core, flow, RD, BY_REGISTER, 4); }
OP(ldrh) { load_to(core, flow, RD, BY_REGISTER, 2); }
OP(ldrb) { load_to(core, flow, RD, BY_REGISTER, 1); }
OP(ldrsh) { load_signed(core, flow, RD, BY_REGISTER, 2); }
OP(ldrsb) { load_signed(core, flow, RD, BY_REGISTER, 1); }
OP(ldr_imm) { load_to(core, flow, RD, BY_IMMEDIATE(4), 4); }
OP(ldrh_imm) { load_to(core, flow, RD, BY_IMMEDIATE(2), 2); }
OP(ldrb_imm) { load_to(core, flow, RD, BY_IMMEDIATE(1), 1); }
OP(ldr_sp) { load_to(core, flow, R8, core->r[13] + 4 * IMM8, 4); }
OP(str) { store(core, flow, BY_REGISTER, core->r[RD], 4); }
OP(strh) { store(core, flow, BY_REGISTER, core->r[RD], 2); }
OP(strb) { store(core, flow, BY_REGISTER, core->r[RD], 1); }
OP(str_imm) { store(core, flow, BY_IMMEDIATE(4), core->r[RD], 4); }
OP(strh_imm) { store(core, flow, BY_IMMEDIATE(2), core->r[RD], 2); }
OP(strb_imm) { store(core, flow, BY_IMMEDIATE(1), core->r[RD], 1); }
OP(str_sp) { store(core, flow, core->r[13] + 4 * IMM8, core->r[R8], 4); }

INLINE uint32_t count(uint32_t registers) {
    uint32_t number = 0;
    for (; registers; registers &= registers - 1) number++;
    return number;
}

/* Stores the registers of the list at ascending addresses; bit 8 is LR. */
INLINE void store_list(Core *core, Flow *flow, uint32_t address, uint32_t list) {
    for (; list && !core->fault; list &= list - 1, address += 4) {
        uint32_t i = lowest_bit(list);
        store(core, flow, address, core->r[i == 8 ? 14 : i], 4);
    }
}

OP(push) {
    uint32_t list = op & 0x1FF, address = core->r[13] - 4 * count(list);
    store_list(core, flow, address, list);
    if (!core->fault) set_sp(core, address);
}

OP(stm) {
    uint32_t base = core->r[R8], list = IMM8;
    store_list(core, flow, base, list);
    if (!core->fault) core->r[R8] = base + 4 * count(list);
}

/* Loads r0 to r7 of the list; returns the address after them. */
INLINE uint32_t load_list(Core *core, Flow *flow, uint32_t address, uint32_t list) {
    for (; list && !core->fault; list &= list - 1, address += 4) load_to(core, flow, lowest_bit(list), address, 4);
    return address;
}

OP(ldm) {
    uint32_t base_is_loaded = IMM8 >> R8 & 1, end = load_list(core, flow, core->r[R8], IMM8);
    if (!core->fault && !base_is_loaded) core->r[R8] = end;
}
#endif
