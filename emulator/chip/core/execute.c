/* SPDX-FileCopyrightText: 2026 The NDKS project
 * SPDX-License-Identifier: MIT
 *
 * The loop that executes instructions. No decoded code is kept, only a table of the 65536 halfwords: so nothing has to
 * be invalidated when RAM or flash changes. */
#include "core.h"
#include "flow.h"
#include "arithmetic.h"
#include "memory.h"
#include "branches.h"

#define INSTRUCTIONS(each) \
    each(undefined) each(lsl_imm) each(lsr_imm) each(asr_imm) \
    each(add_reg) each(sub_reg) each(add_imm3) each(sub_imm3) \
    each(mov_imm) each(cmp_imm) each(add_imm8) each(sub_imm8) \
    each(and) each(eor) each(lsl) each(lsr) each(asr) each(adc) each(sbc) each(ror) \
    each(tst) each(rsb) each(cmp) each(cmn) each(orr) each(mul) each(bic) each(mvn) \
    each(add_high) each(cmp_high) each(mov_high) each(bx) each(blx) each(ldr_literal) \
    each(str) each(strh) each(strb) each(ldrsb) each(ldr) each(ldrh) each(ldrb) each(ldrsh) \
    each(str_imm) each(ldr_imm) each(strb_imm) each(ldrb_imm) each(strh_imm) each(ldrh_imm) each(str_sp) each(ldr_sp) \
    each(adr) each(add_sp_imm) each(add_sp) each(sub_sp) each(sxth) each(sxtb) each(uxth) each(uxtb) \
    each(push) each(pop) each(cps) each(rev) each(rev16) each(revsh) each(hint) each(stm) each(ldm) \
    each(beq) each(bne) each(bcs) each(bcc) each(bmi) each(bpl) each(bvs) each(bvc) \
    each(bhi) each(bls) each(bge) each(blt) each(bgt) each(ble) each(svc) each(b) each(wide)

#define NUMBER(name) OP_##name,
enum { INSTRUCTIONS(NUMBER) OP_COUNT };
#undef NUMBER

/* ARM, A5.2.5: miscellaneous 16-bit instructions. */
static uint8_t decode_miscellaneous(uint32_t op) {
    static const uint8_t extensions[] = {OP_sxth, OP_sxtb, OP_uxth, OP_uxtb};
    static const uint8_t reversals[] = {OP_rev, OP_rev16, OP_undefined, OP_revsh};
    switch (op >> 8 & 15) {
    case 0: return op & 0x80 ? OP_sub_sp : OP_add_sp;
    case 2: return extensions[op >> 6 & 3];
    case 4: case 5: return OP_push;
    case 6: return (op & 0xFFEF) == 0xB662 ? OP_cps : OP_undefined;
    case 10: return reversals[op >> 6 & 3];
    case 12: case 13: return OP_pop;
    case 15: return op & 15 ? OP_undefined : OP_hint;
    default: return OP_undefined; /* BKPT too: without a debugger it is a fault (ARM, C1.3) */
    }
}

static uint8_t decode_special(uint32_t op) { /* ARM, A5.2.3 */
    static const uint8_t operations[] = {OP_add_high, OP_cmp_high, OP_mov_high};
    uint32_t which = op >> 8 & 3;
    return which < 3 ? operations[which] : op & 0x80 ? OP_blx : OP_bx;
}

static uint8_t decode_conditional(uint32_t op) { /* ARM, A5.2.6 */
    uint32_t condition = op >> 8 & 15;
    return condition < 14 ? (uint8_t) (OP_beq + condition) : condition == 15 ? OP_svc : OP_undefined;
}

static uint8_t decode(uint32_t op) { /* ARM, A5.2 */
    static const uint8_t by_five_bits[] = {
        OP_lsl_imm, OP_lsr_imm, OP_asr_imm, 0, OP_mov_imm, OP_cmp_imm, OP_add_imm8, OP_sub_imm8,
        0, OP_ldr_literal, 0, 0, OP_str_imm, OP_ldr_imm, OP_strb_imm, OP_ldrb_imm,
        OP_strh_imm, OP_ldrh_imm, OP_str_sp, OP_ldr_sp, OP_adr, OP_add_sp_imm, 0, 0,
        OP_stm, OP_ldm, 0, 0, OP_b, OP_undefined, OP_wide, OP_undefined};
    uint32_t group = op >> 11;
    if (group == 3) return (uint8_t) (OP_add_reg + (op >> 9 & 3));
    if (group == 8) return op & 0x400 ? decode_special(op) : (uint8_t) (OP_and + (op >> 6 & 15));
    if (group == 10 || group == 11) return (uint8_t) (OP_str + (op >> 9 & 7));
    if (group == 22 || group == 23) return decode_miscellaneous(op);
    if (group == 26 || group == 27) return decode_conditional(op);
    return by_five_bits[group];
}

static uint8_t decoded[65536];

void prepare_decoder(void) {
    for (uint32_t op = 0; op < 65536; op++) decoded[op] = decode(op);
}

/* Points the flow at the memory of its instruction; faults where there is none. */
static NOINLINE int find_code(Core *core, uint32_t pc, const uint8_t **code, uint32_t *size) {
    static const uint32_t regions[][2] = {
        {RAM_BASE, RAM_SIZE}, {0, ROM_SIZE}, {DPRAM_BASE, DPRAM_SIZE}, {XIP_RAM_BASE, XIP_RAM_SIZE}};
    *code = bus_memory(core, pc, 2, 0);
    if (!*code) return 0;
    *size = core->flash_mask + 1 - (pc & core->flash_mask);
    for (uint32_t i = 0; i < sizeof regions / sizeof *regions; i++)
        if (pc - regions[i][0] < regions[i][1]) *size = regions[i][1] - (pc - regions[i][0]);
    return 1;
}

static void begin(const Core *core, Flow *flow, uint64_t limit) {
    flow->next = core->r[15];
    flow->n = core->n; flow->z = core->z; flow->c = core->c; flow->v = core->v;
    flow->now = core->now;
    flow->limit = limit;
}

static void end(Core *core, const Flow *flow) {
    core->r[15] = flow->next;
    core->n = flow->n; core->z = flow->z; core->c = flow->c; core->v = flow->v;
    core->busy += flow->now - core->now;
    core->now = flow->now;
}

void execute(Core *core, uint64_t limit) {
    Flow flow;
    const uint8_t *code = 0;
    uint32_t start = 0, size = 0, instructions = 0;
    uint64_t before = core->now;
    begin(core, &flow, limit);
    while (LIKELY(flow.now < flow.limit)) {
        uint32_t offset = flow.next - start, op;
        if (!LIKELY(offset < size)) {
            start = flow.next, offset = 0;
            if (!find_code(core, start, &code, &size)) { core->fault = 1; break; }
        }
        op = get16(code + offset);
        flow.pc = flow.next;
        flow.next += 2;
        flow.now++;
        instructions++;
#define RUN(name) case OP_##name: op_##name(core, &flow, op); break;
        switch (decoded[op]) { INSTRUCTIONS(RUN) }
#undef RUN
    }
    core->now = before;
    end(core, &flow);
    core->instructions += instructions;
}
