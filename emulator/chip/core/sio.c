/* SPDX-FileCopyrightText: 2026 The NDKS project
 * SPDX-License-Identifier: MIT
 *
 * SIO, the single-cycle I/O block (RP2040, 2.3.1): divider, spinlocks, output registers of the pins. All of it is here
 * and nowhere else. */
#include "core.h"

enum { CPUID = 0x000, GPIO_OUT = 0x010, QSPI_OE_XOR = 0x04C, FIFO_ST = 0x050, SPINLOCK_ST = 0x05C };
enum { DIV_UDIVIDEND = 0x060, DIV_UDIVISOR = 0x064, DIV_SDIVIDEND = 0x068, DIV_SDIVISOR = 0x06C };
enum { DIV_QUOTIENT = 0x070, DIV_REMAINDER = 0x074, DIV_CSR = 0x078, SPINLOCK0 = 0x100, SPINLOCK31 = 0x17C };
enum { READY = 1, DIRTY = 2, FIFO_HAS_ROOM = 2 };
static const uint32_t BANK0_PINS = 0x3FFFFFFF, QSPI_PINS = 0x3F;

/* RP2040, 2.3.1.5: what a division by 0 gives. */
static void divide_by_zero(Sio *sio, int is_signed) {
    int negative = is_signed && (int32_t) sio->dividend < 0;
    sio->quotient = negative ? 1 : 0xFFFFFFFF;
    sio->remainder = sio->dividend;
}

static void divide(Sio *sio, int is_signed) {
    int64_t dividend = is_signed ? (int64_t) (int32_t) sio->dividend : (int64_t) sio->dividend;
    int64_t divisor = is_signed ? (int64_t) (int32_t) sio->divisor : (int64_t) sio->divisor;
    if (divisor == 0) divide_by_zero(sio, is_signed);
    else {
        sio->quotient = (uint32_t) (dividend / divisor);
        sio->remainder = (uint32_t) (dividend % divisor);
    }
    sio->csr = READY | DIRTY;
}

static uint32_t take_spinlock(Sio *sio, uint32_t bit) {
    uint32_t won = sio->spinlocks & bit ? 0 : bit;
    sio->spinlocks |= bit;
    return won;
}

static uint32_t *output_register(Sio *sio, uint32_t offset) {
    switch (offset & ~0xFu) {
    case 0x010: return &sio->gpio_out;
    case 0x020: return &sio->gpio_oe;
    case 0x030: return &sio->qspi_out;
    default: return &sio->qspi_oe;
    }
}

static void store_output(Sio *sio, uint32_t offset, uint32_t value) {
    uint32_t *out = output_register(sio, offset);
    value &= offset < 0x030 ? BANK0_PINS : QSPI_PINS;
    switch (offset & 0xF) {
    case 0x0: *out = value; break;
    case 0x4: *out |= value; break;
    case 0x8: *out &= ~value; break;
    default: *out ^= value; break;
    }
}

int sio_load(Core *core, uint32_t offset, uint32_t *value) {
    Sio *sio = &core->sio;
    if (offset >= SPINLOCK0 && offset <= SPINLOCK31) {
        *value = take_spinlock(sio, 1u << ((offset - SPINLOCK0) >> 2));
        return 1;
    }
    if (offset >= GPIO_OUT && offset <= QSPI_OE_XOR) {
        *value = *output_register(sio, offset);
        return 1;
    }
    switch (offset) {
    case CPUID: *value = 0; return 1;
    case FIFO_ST: *value = FIFO_HAS_ROOM; return 1;
    case SPINLOCK_ST: *value = sio->spinlocks; return 1;
    case DIV_UDIVIDEND: case DIV_SDIVIDEND: *value = sio->dividend; return 1;
    case DIV_UDIVISOR: case DIV_SDIVISOR: *value = sio->divisor; return 1;
    case DIV_QUOTIENT: sio->csr &= ~(uint32_t) DIRTY; *value = sio->quotient; return 1;
    case DIV_REMAINDER: *value = sio->remainder; return 1;
    case DIV_CSR: *value = sio->csr; return 1;
    default: return 0;
    }
}

static int store_divider(Sio *sio, uint32_t offset, uint32_t value) {
    switch (offset) {
    case DIV_UDIVIDEND: sio->dividend = value; divide(sio, 0); return 1;
    case DIV_UDIVISOR: sio->divisor = value; divide(sio, 0); return 1;
    case DIV_SDIVIDEND: sio->dividend = value; divide(sio, 1); return 1;
    case DIV_SDIVISOR: sio->divisor = value; divide(sio, 1); return 1;
    case DIV_QUOTIENT: sio->quotient = value; sio->csr = READY | DIRTY; return 1;
    case DIV_REMAINDER: sio->remainder = value; sio->csr = READY | DIRTY; return 1;
    default: return 0;
    }
}

int sio_store(Core *core, uint32_t offset, uint32_t value) {
    if (offset >= SPINLOCK0 && offset <= SPINLOCK31) {
        core->sio.spinlocks &= ~(1u << ((offset - SPINLOCK0) >> 2));
        return 1;
    }
    if (offset >= GPIO_OUT && offset <= QSPI_OE_XOR) {
        store_output(&core->sio, offset, value);
        return 0; /* the host looks at the pins */
    }
    return store_divider(&core->sio, offset, value);
}
