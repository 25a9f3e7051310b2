/* SPDX-FileCopyrightText: 2026 The NDKS project
 * SPDX-License-Identifier: MIT
 *
 * The system control space: SysTick, NVIC, SCB (ARM, B3; RP2040, 2.4.8). Each register is 32 bits wide. */
#include "core.h"

enum { SYST_CSR = 0x010, SYST_RVR = 0x014, SYST_CVR = 0x018, SYST_CALIB = 0x01C };
enum { NVIC_ISER = 0x100, NVIC_ICER = 0x180, NVIC_ISPR = 0x200, NVIC_ICPR = 0x280 };
enum { NVIC_IPR0 = 0x400, NVIC_IPR7 = 0x41C, CPUID = 0xD00, ICSR = 0xD04, VTOR = 0xD08, AIRCR = 0xD0C, SCR = 0xD10 };
enum { CCR = 0xD14, SHPR2 = 0xD1C, SHPR3 = 0xD20, MPU_TYPE = 0xD90, MPU_CTRL = 0xD94, MPU_RASR = 0xDA0 };
enum { ENABLE = 1, TICKINT = 2, CLKSOURCE = 4, CYCLES_PER_REFERENCE_TICK = 125 };
static const uint32_t COUNTER_BITS = 0xFFFFFF, CPUID_VALUE = 0x410CC601, CALIB_VALUE = 0x0000270F, CCR_VALUE = 0x208;
static const uint32_t MPU_TYPE_VALUE = 0x800, VECTKEY = 0x05FA0000, AIRCR_VALUE = 0xFA050000;

static uint32_t period(const SysTick *tick) { return tick->control & CLKSOURCE ? 1 : CYCLES_PER_REFERENCE_TICK; }

static uint32_t systick_counter(const Core *core) {
    const SysTick *tick = &core->systick;
    if (tick->zero_at == NEVER) return tick->standing;
    uint32_t left = (uint32_t) ((tick->zero_at - core->now + period(tick) - 1) / period(tick));
    return left > tick->reload ? 0 : left;
}

/* Counts from `from`; from 0 it takes the reload value first, and stands if that is 0 too. */
static void systick_start(Core *core, uint32_t from) {
    SysTick *tick = &core->systick;
    uint64_t ticks = from ? from : tick->reload ? tick->reload + 1 : 0;
    tick->standing = 0;
    tick->zero_at = ticks ? core->now + ticks * period(tick) : NEVER;
}

static void store_systick_control(Core *core, uint32_t value) {
    SysTick *tick = &core->systick;
    uint32_t counter = systick_counter(core);
    tick->control = value & (ENABLE | TICKINT | CLKSOURCE);
    if (value & ENABLE) systick_start(core, counter);
    else {
        tick->standing = counter;
        tick->zero_at = NEVER;
    }
}

static uint32_t load_systick_control(SysTick *tick) {
    uint32_t value = tick->control | tick->counted << 16;
    tick->counted = 0;
    return value;
}

static void clear_systick(Core *core) {
    core->systick.counted = core->systick.standing = 0;
    if (core->systick.control & ENABLE) systick_start(core, 0);
}

void systick_fire(Core *core) {
    SysTick *tick = &core->systick;
    tick->counted = 1;
    if (tick->control & TICKINT) pend(core, SYSTICK);
    tick->zero_at = tick->reload ? tick->zero_at + (uint64_t) (tick->reload + 1) * period(tick) : NEVER;
}

static uint32_t load_priorities(const Core *core, uint32_t first) {
    uint32_t value = 0;
    for (uint32_t i = 0; i < 4; i++) value |= (uint32_t) core->priority[first + i] << (8 * i + 6);
    return value;
}

static void store_priorities(Core *core, uint32_t first, uint32_t value) {
    for (uint32_t i = 0; i < 4; i++) core->priority[first + i] = value >> (8 * i + 6) & 3;
    update_candidate(core);
}

static uint32_t load_icsr(const Core *core) {
    uint64_t pending = core->pending;
    return (uint32_t) (pending >> NMI & 1) << 31 | (uint32_t) (pending >> PENDSV & 1) << 28
           | (uint32_t) (pending >> SYSTICK & 1) << 26 | (uint32_t) (pending >> FIRST_IRQ != 0) << 22
           | core->candidate << 12 | core->ipsr;
}

static void store_icsr(Core *core, uint32_t value) {
    if (value & 1u << 31) pend(core, NMI);
    if (value & 1u << 28) pend(core, PENDSV);
    if (value & 1u << 27) core->pending &= ~((uint64_t) 1 << PENDSV);
    if (value & 1u << 26) pend(core, SYSTICK);
    if (value & 1u << 25) core->pending &= ~((uint64_t) 1 << SYSTICK);
    update_candidate(core);
}

static void store_aircr(Core *core, uint32_t value) {
    if ((value & 0xFFFF0000) == VECTKEY && value & 4) core->reset_requested = core->leave = 1;
}

/* The pending state of an interrupt that a peripheral holds asserted cannot be cleared (ARM, B3.4.1). */
static void store_irqs(Core *core, uint32_t offset, uint32_t value) {
    uint64_t bits = (uint64_t) value << FIRST_IRQ;
    switch (offset) {
    case NVIC_ISER: core->enabled |= bits; break;
    case NVIC_ICER: core->enabled &= ~bits; break;
    case NVIC_ISPR: core->pending |= bits; break;
    default: core->pending &= ~((uint64_t) (value & ~core->lines) << FIRST_IRQ);
    }
    update_candidate(core);
}

uint32_t system_load(Core *core, uint32_t offset) {
    if (offset >= NVIC_IPR0 && offset <= NVIC_IPR7) return load_priorities(core, FIRST_IRQ + (offset - NVIC_IPR0));
    if (offset >= MPU_CTRL && offset <= MPU_RASR) return core->mpu[(offset - MPU_CTRL) >> 2];
    switch (offset) {
    case SYST_CSR: return load_systick_control(&core->systick);
    case SYST_RVR: return core->systick.reload;
    case SYST_CVR: return systick_counter(core);
    case SYST_CALIB: return CALIB_VALUE;
    case NVIC_ISER: case NVIC_ICER: return (uint32_t) (core->enabled >> FIRST_IRQ);
    case NVIC_ISPR: case NVIC_ICPR: return (uint32_t) (core->pending >> FIRST_IRQ);
    case CPUID: return CPUID_VALUE;
    case ICSR: return load_icsr(core);
    case VTOR: return core->vtor;
    case AIRCR: return AIRCR_VALUE;
    case SCR: return core->scr;
    case CCR: return CCR_VALUE;
    case SHPR2: return (uint32_t) core->priority[SVCALL] << 30;
    case SHPR3: return (uint32_t) core->priority[PENDSV] << 22 | (uint32_t) core->priority[SYSTICK] << 30;
    case MPU_TYPE: return MPU_TYPE_VALUE;
    default: return 0;
    }
}

void system_store(Core *core, uint32_t offset, uint32_t value) {
    if (offset >= NVIC_IPR0 && offset <= NVIC_IPR7) store_priorities(core, FIRST_IRQ + (offset - NVIC_IPR0), value);
    else if (offset >= MPU_CTRL && offset <= MPU_RASR) core->mpu[(offset - MPU_CTRL) >> 2] = value;
    else switch (offset) {
    case SYST_CSR: store_systick_control(core, value); core->leave = 1; break;
    case SYST_RVR: core->systick.reload = value & COUNTER_BITS; break;
    case SYST_CVR: clear_systick(core); core->leave = 1; break;
    case NVIC_ISER: case NVIC_ICER: case NVIC_ISPR: case NVIC_ICPR: store_irqs(core, offset, value); break;
    case ICSR: store_icsr(core, value); break;
    case VTOR: core->vtor = value & ~0xFFu; break;
    case AIRCR: store_aircr(core, value); break;
    case SCR: core->scr = value; break;
    case SHPR2: core->priority[SVCALL] = value >> 30; break;
    case SHPR3: core->priority[PENDSV] = value >> 22 & 3; core->priority[SYSTICK] = value >> 30; break;
    default: break;
    }
}
