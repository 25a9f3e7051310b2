/* SPDX-FileCopyrightText: 2026 The NDKS project
 * SPDX-License-Identifier: MIT
 *
 * Branches, high registers, and what changes the state of the system (ARM, A5.2.3 to A5.3). */
#ifndef NDKS_BRANCHES_H
#define NDKS_BRANCHES_H
#include "memory.h"

INLINE void go(Core *core, Flow *flow, uint32_t target) {
    flow->next = target & ~1u;
    if (core->watching) watch_jump(core, flow->next, flow->now);
}

/* The state as other files see it, when one of them is called from within the loop. */
INLINE void hand_over(Core *core, const Flow *flow) {
    core->n = flow->n; core->z = flow->z; core->c = flow->c; core->v = flow->v;
}

INLINE void take_back(const Core *core, Flow *flow) {
    flow->n = core->n; flow->z = core->z; flow->c = core->c; flow->v = core->v;
}

INLINE void exception_return(Core *core, Flow *flow, uint32_t exc_return) {
    core->now = flow->now;
    return_from_exception(core, exc_return);
    core->busy -= core->now - flow->now; /* execute() counts them */
    flow->now = core->now;
    flow->next = core->r[15];
    take_back(core, flow);
    leave_loop(flow);
}

/* A branch to an address in a register. Bit 0 says Thumb, which is the only state there is: without it, the instruction
 * there faults (ARM, A4.1.1). */
INLINE void interwork(Core *core, Flow *flow, uint32_t target) {
    if (core->ipsr && target >> 28 == 0xF) exception_return(core, flow, target);
    else {
        go(core, flow, target);
        if (target & 1) return;
        core->fault = 1;
        leave_loop(flow);
    }
}

#define HIGH_D (field(op, 7, 1) << 3 | RD)
#define HIGH_M field(op, 3, 4)

INLINE uint32_t any_register(const Core *core, const Flow *flow, uint32_t index) {
    return index == 15 ? flow->pc + 4 : core->r[index];
}

INLINE void set_any_register(Core *core, Flow *flow, uint32_t index, uint32_t value) {
    if (index == 15) { go(core, flow, value); flow->now++; }
    else if (index == 13) set_sp(core, value);
    else core->r[index] = value;
}

OP(add_high) {
    uint32_t sum = any_register(core, flow, HIGH_D) + any_register(core, flow, HIGH_M);
    set_any_register(core, flow, HIGH_D, sum);
}

OP(cmp_high) { subtract(flow, any_register(core, flow, HIGH_D), any_register(core, flow, HIGH_M)); }
OP(mov_high) { set_any_register(core, flow, HIGH_D, any_register(core, flow, HIGH_M)); }
OP(bx) { flow->now++; interwork(core, flow, any_register(core, flow, HIGH_M)); }

OP(blx) {
    uint32_t target = any_register(core, flow, HIGH_M);
    core->r[14] = flow->next | 1;
    flow->now++;
    interwork(core, flow, target);
}

OP(pop) {
    uint32_t end = load_list(core, flow, core->r[13], IMM8), target;
    if (core->fault) return;
    if (!(op & 0x100)) { core->r[13] = end; return; }
    if (!load(core, flow, end, 4, &target)) return;
    core->r[13] = end + 4;
    flow->now += 2;
    interwork(core, flow, target);
}

INLINE void branch_if(Flow *flow, uint32_t op, uint32_t condition) {
    if (!condition) return;
    flow->next = flow->pc + 4 + 2 * sign_extend(IMM8, 8);
    flow->now++;
}

#define NEGATIVE (flow->n >> 31)
OP(beq) { UNUSED; branch_if(flow, op, flow->z == 0); }
OP(bne) { UNUSED; branch_if(flow, op, flow->z != 0); }
OP(bcs) { UNUSED; branch_if(flow, op, flow->c); }
OP(bcc) { UNUSED; branch_if(flow, op, !flow->c); }
OP(bmi) { UNUSED; branch_if(flow, op, NEGATIVE); }
OP(bpl) { UNUSED; branch_if(flow, op, !NEGATIVE); }
OP(bvs) { UNUSED; branch_if(flow, op, flow->v); }
OP(bvc) { UNUSED; branch_if(flow, op, !flow->v); }
OP(bhi) { UNUSED; branch_if(flow, op, flow->c && flow->z); }
OP(bls) { UNUSED; branch_if(flow, op, !flow->c || !flow->z); }
OP(bge) { UNUSED; branch_if(flow, op, NEGATIVE == flow->v); }
OP(blt) { UNUSED; branch_if(flow, op, NEGATIVE != flow->v); }
OP(bgt) { UNUSED; branch_if(flow, op, flow->z && NEGATIVE == flow->v); }
OP(ble) { UNUSED; branch_if(flow, op, !flow->z || NEGATIVE != flow->v); }

OP(b) {
    flow->now++;
    go(core, flow, flow->pc + 4 + 2 * sign_extend(field(op, 0, 11), 11));
}

OP(undefined) { UNUSED; fault(core, flow); }

OP(svc) {
    UNUSED;
    if (!can_preempt(core, SVCALL)) { fault(core, flow); return; } /* escalated (ARM, B1.5.6) */
    pend(core, SVCALL);
    leave_loop(flow);
}

OP(cps) {
    core->primask = op >> 4 & 1;
    if (core->candidate) leave_loop(flow);
}

OP(hint) { /* NOP, YIELD, WFE, WFI, SEV */
    switch (field(op, 4, 4)) {
    case 2:
        if (core->event) core->event = 0;
        else core->sleeping = SLEEP_WFE;
        break;
    case 3: core->sleeping = SLEEP_WFI; break;
    case 4: core->event = 1; break;
    default: break;
    }
    if (core->sleeping) leave_loop(flow);
}

enum { APSR = 0, XPSR = 3, IPSR = 5, MSP = 8, PSP = 9, PRIMASK = 16, CONTROL = 20 };

INLINE uint32_t *stack_pointer(Core *core, uint32_t process) {
    return (core->control & 2) == (process ? 2 : 0) ? &core->r[13] : &core->other_sp;
}

INLINE uint32_t read_special(Core *core, const Flow *flow, uint32_t number) { /* ARM, B5.2.2 */
    uint32_t psr, mask = (number & 1 ? 0x3Fu : 0) | (number & 4 ? 0 : 0xF0000000u);
    hand_over(core, flow);
    psr = read_psr(core);
    switch (number) {
    case MSP: case PSP: return *stack_pointer(core, number == PSP);
    case PRIMASK: return core->primask;
    case CONTROL: return core->control;
    default: return number < 8 ? psr & mask : 0;
    }
}

INLINE void write_special(Core *core, Flow *flow, uint32_t number, uint32_t value) { /* ARM, B5.2.3 */
    switch (number) {
    case MSP: case PSP: *stack_pointer(core, number == PSP) = value & ~3u; break;
    case PRIMASK: core->primask = value & 1; break;
    case CONTROL: write_control(core, value); break;
    default:
        if (number >= 4) break;
        write_flags(core, value);
        take_back(core, flow);
    }
    if (core->candidate) leave_loop(flow);
}

INLINE void branch_and_link(Core *core, Flow *flow, uint32_t op, uint32_t second) { /* ARM, A6.7.13 */
    uint32_t sign = field(op, 10, 1), i1 = 1 ^ sign ^ field(second, 13, 1), i2 = 1 ^ sign ^ field(second, 11, 1);
    uint32_t offset = sign << 24 | i1 << 23 | i2 << 22 | field(op, 0, 10) << 12 | field(second, 0, 11) << 1;
    core->r[14] = (flow->pc + 4) | 1;
    flow->now += 2;
    go(core, flow, flow->pc + 4 + sign_extend(offset, 25));
}

/* The 32-bit instructions: BL, MSR, MRS, DSB, DMB, ISB; the rest is undefined (ARM, A5.3). */
OP(wide) {
    uint32_t second = bus_load(core, flow->next, 2);
    if (core->fault) { fault(core, flow); return; }
    flow->next += 2;
    if ((second & 0xD000) == 0xD000) { branch_and_link(core, flow, op, second); return; }
    flow->now += 2;
    if ((op & 0xFFF0) == 0xF3B0 && (second & 0xFF00) == 0x8F00) return;
    if ((op & 0xFFE0) == 0xF3E0 && (second & 0xF000) == 0x8000)
        core->r[field(second, 8, 4)] = read_special(core, flow, second & 0xFF);
    else if ((op & 0xFFF0) == 0xF380 && (second & 0xFF00) == 0x8800)
        write_special(core, flow, second & 0xFF, any_register(core, flow, op & 15));
    else fault(core, flow);
}
#endif
