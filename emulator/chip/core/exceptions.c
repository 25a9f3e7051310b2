/* SPDX-FileCopyrightText: 2026 The NDKS project
 * SPDX-License-Identifier: MIT
 *
 * The exception model: priorities, entry, return (ARM, B1.5). */
#include "core.h"

enum { ENTRY_CYCLES = 15, RETURN_CYCLES = 13 }; /* Cortex-M0+ technical reference manual, 3.3 */
enum { FRAME = 0x20, CONTROL_SPSEL = 2, PSR_ALIGNED = 1 << 9, PSR_THUMB = 1 << 24 };

static int priority_of(const Core *core, uint32_t exception) {
    return exception == NMI ? -2 : exception == HARD_FAULT ? -1 : core->priority[exception];
}

static int execution_priority(const Core *core) {
    int lowest = IDLE_PRIORITY;
    for (uint32_t i = NMI; i < EXCEPTIONS; i++)
        if (core->active >> i & 1 && priority_of(core, i) < lowest) lowest = priority_of(core, i);
    return lowest;
}

void update_candidate(Core *core) {
    uint64_t ready = core->pending & core->enabled;
    int best = ready ? execution_priority(core) : 0;
    core->candidate = 0;
    for (uint32_t i = NMI; ready && i < EXCEPTIONS; i++)
        if (ready >> i & 1 && priority_of(core, i) < best) {
            best = priority_of(core, i);
            core->candidate = i;
        }
}

int can_preempt(const Core *core, uint32_t exception) {
    return !core->primask && priority_of(core, exception) < execution_priority(core);
}

void pend(Core *core, uint32_t exception) {
    uint64_t bit = (uint64_t) 1 << exception;
    if (core->scr & 1 << 4 && !(core->pending & bit)) core->event = 1; /* SEVONPEND */
    core->pending |= bit;
    update_candidate(core);
}

void set_line(Core *core, uint32_t irq, uint32_t asserted) {
    uint32_t bit = 1u << irq, rises = asserted && !(core->lines & bit);
    core->lines = asserted ? core->lines | bit : core->lines & ~bit;
    if (rises) pend(core, core->nmi_mask & bit ? NMI : FIRST_IRQ + irq);
}

uint32_t read_psr(const Core *core) {
    uint32_t flags = (core->n & 1u << 31) | (uint32_t) (core->z == 0) << 30 | core->c << 29 | core->v << 28;
    return flags | PSR_THUMB | core->ipsr;
}

void write_flags(Core *core, uint32_t value) {
    core->n = value;
    core->z = ~value & 1u << 30;
    core->c = value >> 29 & 1;
    core->v = value >> 28 & 1;
}

static void switch_stack(Core *core, uint32_t to_process) {
    if ((core->control & CONTROL_SPSEL) == (to_process ? CONTROL_SPSEL : 0)) return;
    uint32_t sp = core->r[13];
    core->r[13] = core->other_sp;
    core->other_sp = sp;
    core->control ^= CONTROL_SPSEL;
}

void write_control(Core *core, uint32_t value) { /* ARM, B5.2.3: SPSEL is changed in thread mode only */
    if (!core->ipsr) switch_stack(core, value & CONTROL_SPSEL);
    core->control = (core->control & CONTROL_SPSEL) | (value & 1);
}

static void push_frame(Core *core, uint32_t return_address) {
    uint32_t psr = read_psr(core) | (core->r[13] & 4 ? PSR_ALIGNED : 0);
    uint32_t frame[8] = {core->r[0], core->r[1], core->r[2], core->r[3], core->r[12], core->r[14], return_address, psr};
    core->r[13] = (core->r[13] - FRAME) & ~7u;
    for (uint32_t i = 0; i < 8; i++) bus_store(core, core->r[13] + 4 * i, frame[i], 4);
    if (core->r[13] < core->lowest_sp) core->lowest_sp = core->r[13];
}

void enter_exception(Core *core, uint32_t exception, uint32_t return_address) {
    uint64_t bit = (uint64_t) 1 << exception;
    uint32_t exc_return = core->ipsr ? 0xFFFFFFF1u : core->control & CONTROL_SPSEL ? 0xFFFFFFFDu : 0xFFFFFFF9u;
    core->fault = 0;
    push_frame(core, return_address);
    switch_stack(core, 0);
    core->r[14] = exc_return;
    core->ipsr = exception;
    core->pending &= ~bit;
    core->active |= bit;
    core->event = 1;
    core->sleeping = 0;
    core->r[15] = bus_load(core, core->vtor + 4 * exception, 4);
    if (core->fault) core->locked_up = 1; /* ARM, B1.5.15 */
    core->r[15] &= ~1u;
    core->now += ENTRY_CYCLES;
    core->busy += ENTRY_CYCLES;
    update_candidate(core);
}

static void pop_frame(Core *core) {
    static const uint8_t registers[] = {0, 1, 2, 3, 12, 14, 15};
    uint32_t frame = core->r[13], psr;
    for (uint32_t i = 0; i < sizeof registers; i++) core->r[registers[i]] = bus_load(core, frame + 4 * i, 4);
    psr = bus_load(core, frame + 0x1C, 4);
    core->r[15] &= ~1u;
    core->r[13] = (frame + FRAME) | (psr & PSR_ALIGNED ? 4 : 0);
    core->ipsr = psr & 0x3F;
    write_flags(core, psr);
}

void return_from_exception(Core *core, uint32_t exc_return) {
    uint64_t bit = (uint64_t) 1 << core->ipsr;
    core->active &= ~bit;
    core->pending |= bit & (uint64_t) core->lines << FIRST_IRQ; /* a line that is still asserted */
    core->ipsr = 0;
    switch_stack(core, exc_return & 4);
    pop_frame(core);
    core->event = 1;
    if (core->scr & 2 && !core->ipsr) core->sleeping = SLEEP_WFI; /* SLEEPONEXIT */
    core->now += RETURN_CYCLES;
    core->busy += RETURN_CYCLES;
    update_candidate(core);
}
