/* SPDX-FileCopyrightText: 2026 The NDKS project
 * SPDX-License-Identifier: MIT
 *
 * A Cortex-M0+ with the memories, SIO, NVIC and SysTick of an RP2040. "ARM" in comments is the ARMv6-M Architecture
 * Reference Manual, DDI 0419; "RP2040" is the RP2040 datasheet. Times are in cycles of 8 ns, since power-on. */
#ifndef NDKS_CORE_H
#define NDKS_CORE_H
#include <stdint.h>
#include <string.h>

#if defined(_MSC_VER)
#include <intrin.h>
#define INLINE static __forceinline
#define NOINLINE __declspec(noinline)
#define LIKELY(condition) (condition)
static __forceinline unsigned lowest_bit(uint32_t bits) {
    unsigned long index;
    _BitScanForward(&index, bits);
    return index;
}
#else
#define INLINE static inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))
#define LIKELY(condition) __builtin_expect(!!(condition), 1)
static inline unsigned lowest_bit(uint32_t bits) { return (unsigned) __builtin_ctz(bits); }
#endif

enum { ROM_SIZE = 16 << 10, RAM_SIZE = 264 << 10, DPRAM_SIZE = 4 << 10, XIP_RAM_SIZE = 16 << 10 };
enum { RAM_BASE = 0x20000000, FLASH_BASE = 0x10000000, XIP_RAM_BASE = 0x15000000, DPRAM_BASE = 0x50100000 };
enum { THREAD = 0, NMI = 2, HARD_FAULT = 3, SVCALL = 11, PENDSV = 14, SYSTICK = 15, FIRST_IRQ = 16, EXCEPTIONS = 48 };
enum { IDLE_PRIORITY = 4 }; /* lower than that of any exception */
enum { WATCHES = 16 };
static const uint64_t NEVER = UINT64_MAX;

typedef struct {
    uint32_t dividend, divisor, quotient, remainder, csr;
    uint32_t spinlocks;
    uint32_t gpio_out, gpio_oe, qspi_out, qspi_oe;
} Sio;

typedef struct {
    uint32_t control, reload;
    uint64_t zero_at; /* when the counter reaches 0; NEVER when it stands */
    uint32_t standing; /* the counter while it stands */
    uint32_t counted;  /* COUNTFLAG */
} SysTick;

/* A function whose calls are counted. A call within a call of the same function belongs to the outer one. */
typedef struct {
    uint32_t address, return_address, sp, has_hook;
    uint64_t entered_at, calls, cycles, longest, first_arguments;
} Watch;

typedef struct Core Core;
struct Core {
    uint32_t r[16];         /* r[15] is the address of the next instruction */
    uint32_t n, z, c, v;    /* N is bit 31 of n; Z says that z is 0; C and V are 0 or 1 */
    uint32_t primask, control, ipsr, other_sp; /* other_sp: MSP or PSP, that which r[13] is not */

    uint64_t now, busy, instructions; /* time; cycles and instructions executed */
    uint32_t leave;         /* ends the run after this instruction: the host has something to do */
    uint32_t fault;         /* this instruction has faulted */
    uint32_t sleeping, event; /* sleeping: 0, SLEEP_WFI or SLEEP_WFE; event: the event register */

    uint64_t pending, active, enabled; /* a bit per exception number; enabled has those of the system always */
    uint32_t lines;         /* interrupts that a peripheral holds asserted */
    uint32_t nmi_mask;      /* interrupts that are non-maskable (SYSCFG, RP2040, 2.3.2) */
    uint8_t priority[EXCEPTIONS]; /* 0 to 3, for exceptions of configurable priority */
    uint32_t candidate;     /* the exception that would be taken if PRIMASK were 0; or 0 */
    uint32_t vtor, scr;
    uint32_t mpu[4];        /* the registers of the MPU are there; the MPU is not */
    uint32_t reset_requested; /* AIRCR.SYSRESETREQ */
    uint32_t locked_up;     /* a fault within a fault; only a reset ends it */
    SysTick systick;
    Sio sio;
    uint64_t timer_epoch;   /* when the TIMER was 0 */

    uint8_t *rom, *ram, *flash, *dpram, *xip_ram;
    uint32_t flash_mask;

    void *owner;            /* of these functions, which reach what is not in this file */
    uint32_t (*load)(void *owner, uint32_t address);
    void (*store)(void *owner, uint32_t address, uint32_t value);
    void (*called)(void *owner, uint32_t watch);

    uint32_t watching;      /* how many of watches are in use */
    uint32_t lowest_sp;     /* high-water mark of the stack */
    Watch watches[WATCHES];
};
enum { SLEEP_WFI = 1, SLEEP_WFE = 2 };

void core_reset(Core *core);
/* Runs until `deadline` or until core->leave. Time spent in sleep passes at once. */
void core_run(Core *core, uint64_t deadline);

/* bus.c: any address; size is 1, 2 or 4. Sets core->fault. */
uint32_t bus_load(Core *core, uint32_t address, uint32_t size);
void bus_store(Core *core, uint32_t address, uint32_t value, uint32_t size);
uint8_t *bus_memory(Core *core, uint32_t address, uint32_t size, int for_writing);

/* execute.c */
void prepare_decoder(void);
void execute(Core *core, uint64_t limit);

/* exceptions.c */
void update_candidate(Core *core);
void set_line(Core *core, uint32_t irq, uint32_t asserted);
void pend(Core *core, uint32_t exception);
int can_preempt(const Core *core, uint32_t exception);
void enter_exception(Core *core, uint32_t exception, uint32_t return_address);
void return_from_exception(Core *core, uint32_t exc_return);
void write_control(Core *core, uint32_t value);
uint32_t read_psr(const Core *core);
void write_flags(Core *core, uint32_t value);

/* system.c */
uint32_t system_load(Core *core, uint32_t offset);
void system_store(Core *core, uint32_t offset, uint32_t value);
void systick_fire(Core *core);

/* sio.c: 1 if the register is there, and the host need not be asked */
int sio_load(Core *core, uint32_t offset, uint32_t *value);
int sio_store(Core *core, uint32_t offset, uint32_t value);

/* watches.c */
void watch_jump(Core *core, uint32_t target, uint64_t now);

static inline uint32_t get32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return v; }
static inline uint32_t get16(const uint8_t *p) { uint16_t v; memcpy(&v, p, 2); return v; }
static inline void put32(uint8_t *p, uint32_t v) { memcpy(p, &v, 4); }
static inline void put16(uint8_t *p, uint32_t v) { uint16_t w = (uint16_t) v; memcpy(p, &w, 2); }
#endif
