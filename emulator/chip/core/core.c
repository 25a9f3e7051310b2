/* SPDX-FileCopyrightText: 2026 The NDKS project
 * SPDX-License-Identifier: MIT */
#include "core.h"

static const uint64_t ALWAYS_ENABLED = (1 << FIRST_IRQ) - 1;

static void reset_exceptions(Core *core) {
    core->pending = core->active = 0;
    core->enabled = ALWAYS_ENABLED;
    core->lines = core->nmi_mask = core->candidate = core->vtor = core->scr = 0;
    core->reset_requested = core->locked_up = 0;
    memset(core->priority, 0, sizeof core->priority);
    memset(core->mpu, 0, sizeof core->mpu);
    core->systick = (SysTick) {0, 0, NEVER, 0, 0};
}

void core_reset(Core *core) {
    memset(core->r, 0, sizeof core->r);
    core->n = core->z = core->c = core->v = core->primask = core->control = core->ipsr = core->other_sp = 0;
    core->fault = core->sleeping = core->event = 0;
    core->sio = (Sio) {0, 1, 0, 0, 0, 0, 0, 0, 0, 0};
    reset_exceptions(core);
    core->r[13] = get32(core->rom) & ~3u;
    core->r[15] = get32(core->rom + 4) & ~1u;
    core->r[14] = 0xFFFFFFFF;
}

/* Sleeps until something wakes it (ARM, B1.5.18 and B1.5.19), but no later than `until`. */
static void sleep_on(Core *core, uint64_t until) {
    int by_event = core->sleeping == SLEEP_WFE;
    int wakes = by_event ? core->event || (core->candidate && !core->primask) : core->candidate != 0;
    if (!wakes) { core->now = until; return; }
    core->sleeping = 0;
    if (by_event) core->event = 0;
}

static int takes_exception(const Core *core) {
    return core->candidate && (!core->primask || core->candidate == NMI);
}

static void hard_fault(Core *core) {
    int nested = core->ipsr == NMI || core->ipsr == HARD_FAULT;
    core->fault = 0;
    if (nested) core->locked_up = 1;
    else enter_exception(core, HARD_FAULT, core->r[15]);
}

void core_run(Core *core, uint64_t deadline) {
    core->leave = 0;
    while (core->now < deadline && !core->leave) {
        uint64_t until = core->systick.zero_at < deadline ? core->systick.zero_at : deadline;
        if (core->locked_up) core->now = until;
        else if (core->fault) hard_fault(core);
        else if (takes_exception(core)) enter_exception(core, core->candidate, core->r[15]);
        else if (core->sleeping) sleep_on(core, until);
        else execute(core, until);
        while (core->systick.zero_at <= core->now) systick_fire(core);
    }
}
