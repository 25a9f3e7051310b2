/* SPDX-FileCopyrightText: 2026 The NDKS project
 * SPDX-License-Identifier: MIT
 *
 * Arithmetic and logic (ARM, A6.7). */
#ifndef NDKS_ARITHMETIC_H
#define NDKS_ARITHMETIC_H
#include "flow.h"

INLINE uint32_t add(Flow *flow, uint32_t x, uint32_t y, uint32_t carry) {
    uint64_t sum = (uint64_t) x + y + carry;
    uint32_t result = (uint32_t) sum;
    flow->c = (uint32_t) (sum >> 32);
    flow->v = (~(x ^ y) & (x ^ result)) >> 31;
    set_nz(flow, result);
    return result;
}

INLINE uint32_t subtract(Flow *flow, uint32_t x, uint32_t y) { return add(flow, x, ~y, 1); }

INLINE void logic(Core *core, Flow *flow, uint32_t rd, uint32_t result) {
    core->r[rd] = result;
    set_nz(flow, result);
}

/* Shifts by 0 keep the carry; those by 32 and more are asked for by registers and by lsr_imm and asr_imm. */
INLINE uint32_t shift_left(Flow *flow, uint32_t value, uint32_t by) {
    if (by == 0) return value;
    flow->c = by > 32 ? 0 : (by == 32 ? value : value >> (32 - by)) & 1;
    return by < 32 ? value << by : 0;
}

INLINE uint32_t shift_right(Flow *flow, uint32_t value, uint32_t by) {
    if (by == 0) return value;
    flow->c = by > 32 ? 0 : value >> (by - 1) & 1;
    return by < 32 ? value >> by : 0;
}

INLINE uint32_t shift_right_signed(Flow *flow, uint32_t value, uint32_t by) {
    if (by == 0) return value;
    if (by > 32) by = 32;
    flow->c = value >> (by - 1) & 1;
    return (uint32_t) ((int32_t) value >> (by < 32 ? by : 31));
}

INLINE uint32_t rotate_right(Flow *flow, uint32_t value, uint32_t by) {
    uint32_t turn = by & 31, result = turn ? value >> turn | value << (32 - turn) : value;
    if (by) flow->c = result >> 31;
    return result;
}

OP(lsl_imm) { logic(core, flow, RD, shift_left(flow, core->r[RN], IMM5)); }
OP(lsr_imm) { logic(core, flow, RD, shift_right(flow, core->r[RN], IMM5 ? IMM5 : 32)); }
OP(asr_imm) { logic(core, flow, RD, shift_right_signed(flow, core->r[RN], IMM5 ? IMM5 : 32)); }
OP(add_reg) { core->r[RD] = add(flow, core->r[RN], core->r[RM], 0); }
OP(sub_reg) { core->r[RD] = subtract(flow, core->r[RN], core->r[RM]); }
OP(add_imm3) { core->r[RD] = add(flow, core->r[RN], IMM3, 0); }
OP(sub_imm3) { core->r[RD] = subtract(flow, core->r[RN], IMM3); }
OP(mov_imm) { logic(core, flow, R8, IMM8); }
OP(cmp_imm) { subtract(flow, core->r[R8], IMM8); }
OP(add_imm8) { core->r[R8] = add(flow, core->r[R8], IMM8, 0); }
OP(sub_imm8) { core->r[R8] = subtract(flow, core->r[R8], IMM8); }
OP(and) { logic(core, flow, RD, core->r[RD] & core->r[RN]); }
OP(eor) { logic(core, flow, RD, core->r[RD] ^ core->r[RN]); }
OP(lsl) { logic(core, flow, RD, shift_left(flow, core->r[RD], core->r[RN] & 0xFF)); }
OP(lsr) { logic(core, flow, RD, shift_right(flow, core->r[RD], core->r[RN] & 0xFF)); }
OP(asr) { logic(core, flow, RD, shift_right_signed(flow, core->r[RD], core->r[RN] & 0xFF)); }
OP(ror) { logic(core, flow, RD, rotate_right(flow, core->r[RD], core->r[RN] & 0xFF)); }
OP(adc) { core->r[RD] = add(flow, core->r[RD], core->r[RN], flow->c); }
OP(sbc) { core->r[RD] = add(flow, core->r[RD], ~core->r[RN], flow->c); }
OP(tst) { set_nz(flow, core->r[RD] & core->r[RN]); }
OP(rsb) { core->r[RD] = subtract(flow, 0, core->r[RN]); }
OP(cmp) { subtract(flow, core->r[RD], core->r[RN]); }
OP(cmn) { add(flow, core->r[RD], core->r[RN], 0); }
OP(orr) { logic(core, flow, RD, core->r[RD] | core->r[RN]); }
OP(mul) { logic(core, flow, RD, core->r[RD] * core->r[RN]); }
OP(bic) { logic(core, flow, RD, core->r[RD] & ~core->r[RN]); }
OP(mvn) { logic(core, flow, RD, ~core->r[RN]); }
OP(sxth) { UNUSED; core->r[RD] = sign_extend(core->r[RN], 16); }
OP(sxtb) { UNUSED; core->r[RD] = sign_extend(core->r[RN], 8); }
OP(uxth) { UNUSED; core->r[RD] = core->r[RN] & 0xFFFF; }
OP(uxtb) { UNUSED; core->r[RD] = core->r[RN] & 0xFF; }

INLINE uint32_t swap_halves(uint32_t value) { return value << 16 | value >> 16; }
INLINE uint32_t swap_in_halves(uint32_t value) { return (value & 0xFF00FF00u) >> 8 | (value & 0x00FF00FFu) << 8; }

OP(rev) { UNUSED; core->r[RD] = swap_halves(swap_in_halves(core->r[RN])); }
OP(rev16) { UNUSED; core->r[RD] = swap_in_halves(core->r[RN]); }
OP(revsh) { UNUSED; core->r[RD] = sign_extend(swap_in_halves(core->r[RN]) & 0xFFFF, 16); }

INLINE void set_sp(Core *core, uint32_t value) {
    core->r[13] = value & ~3u;
    if (core->r[13] < core->lowest_sp) core->lowest_sp = core->r[13];
}

OP(adr) { core->r[R8] = ((flow->pc + 4) & ~3u) + 4 * IMM8; }
OP(add_sp_imm) { UNUSED; core->r[R8] = core->r[13] + 4 * IMM8; }
OP(add_sp) { UNUSED; core->r[13] += 4 * IMM7; }
OP(sub_sp) { UNUSED; set_sp(core, core->r[13] - 4 * IMM7); }
#endif
