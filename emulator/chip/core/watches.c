/* SPDX-FileCopyrightText: 2026 The NDKS project
 * SPDX-License-Identifier: MIT */
#include "core.h"

static void enter(Core *core, uint32_t index, uint64_t now) {
    Watch *watch = &core->watches[index];
    watch->return_address = core->r[14] & ~1u;
    watch->sp = core->r[13];
    watch->entered_at = now;
    watch->calls++;
    watch->first_arguments += core->r[0];
    core->now = now; /* for the hook; execute() sets it again */
    if (watch->has_hook) core->called(core->owner, index);
}

static void leave(Watch *watch, uint64_t now) {
    uint64_t spent = now - watch->entered_at;
    watch->return_address = 0;
    watch->cycles += spent;
    if (spent > watch->longest) watch->longest = spent;
}

void watch_jump(Core *core, uint32_t target, uint64_t now) {
    for (uint32_t i = 0; i < core->watching; i++) {
        Watch *watch = &core->watches[i];
        if (watch->return_address) {
            if (target == watch->return_address && core->r[13] == watch->sp) leave(watch, now);
        } else if (target == watch->address) enter(core, i, now);
    }
}
