/* SPDX-FileCopyrightText: 2026 The NDKS project
 * SPDX-License-Identifier: MIT
 *
 * What the loop keeps in the processor's registers while it executes, and the fields of instructions. Everything in
 * this file and those that include it is inlined into execute(). */
#ifndef NDKS_FLOW_H
#define NDKS_FLOW_H
#include "core.h"

typedef struct {
    uint32_t pc, next;   /* addresses of this instruction, and of the one to follow */
    uint32_t n, z, c, v; /* as in Core */
    uint64_t now, limit;
} Flow;

#define OP(name) INLINE void op_##name(Core *core, Flow *flow, uint32_t op)
#define UNUSED (void) core, (void) flow, (void) op

INLINE uint32_t field(uint32_t op, uint32_t shift, uint32_t bits) { return op >> shift & ((1u << bits) - 1); }
#define RD field(op, 0, 3)
#define RN field(op, 3, 3)
#define RM field(op, 6, 3)
#define R8 field(op, 8, 3)
#define IMM3 field(op, 6, 3)
#define IMM5 field(op, 6, 5)
#define IMM7 field(op, 0, 7)
#define IMM8 field(op, 0, 8)

INLINE uint32_t sign_extend(uint32_t value, uint32_t bits) {
    return (uint32_t) ((int32_t) (value << (32 - bits)) >> (32 - bits));
}

INLINE void set_nz(Flow *flow, uint32_t result) { flow->n = flow->z = result; }

INLINE void leave_loop(Flow *flow) { flow->limit = 0; }

/* The instruction has no effect but a fault; its address is that to return to. */
INLINE void fault(Core *core, Flow *flow) {
    core->fault = 1;
    flow->next = flow->pc;
    leave_loop(flow);
}
#endif
