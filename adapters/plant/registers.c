/* SPDX-License-Identifier: Apache-2.0 */
/* registers - words in, numbers out: by way of the number's 64 bits, big end first. */
#include "adapters/plant/registers.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"

static const struct {
    int width; /* registers */
    bool is_signed;
    bool is_float;
} types[] = {
    [HS_POINTMAP_INT16] = {1, true, false},   [HS_POINTMAP_UINT16] = {1, false, false},
    [HS_POINTMAP_INT32] = {2, true, false},   [HS_POINTMAP_UINT32] = {2, false, false},
    [HS_POINTMAP_INT64] = {4, true, false},   [HS_POINTMAP_UINT64] = {4, false, false},
    [HS_POINTMAP_FLOAT32] = {2, false, true}, [HS_POINTMAP_FLOAT64] = {4, false, true},
    [HS_POINTMAP_BOOL] = {1, false, false},
};

int hs_registers_get_width(enum hs_pointmap_type type)
{
    return types[type].width;
}

struct hs_pointmap_register hs_registers_resolve(const struct hs_pointmap_register *reg,
                                                 const struct hs_registers_defaults *defaults)
{
    struct hs_pointmap_register resolved = *reg;

    resolved.unit = reg->unit >= 0 ? reg->unit : defaults->unit;
    resolved.order = reg->order >= 0 ? reg->order : (int)defaults->order;
    resolved.address -= reg->base >= 0 ? reg->base : defaults->base;
    resolved.base = 0;
    return resolved;
}

static uint16_t swap_bytes(uint16_t word)
{
    return (uint16_t)((unsigned)word << 8 | (unsigned)word >> 8);
}

/* Words in @order to words big end first, or back: the same turn undoes itself. */
static void turn(const uint16_t *words, int width, enum hs_pointmap_order order,
                 uint16_t *ret_words)
{
    bool is_low_first = order == HS_POINTMAP_CDAB || order == HS_POINTMAP_DCBA;
    bool is_swapped = order == HS_POINTMAP_BADC || order == HS_POINTMAP_DCBA;

    for (int i = 0; i < width; i++) {
        uint16_t word = words[is_low_first ? width - 1 - i : i];

        ret_words[i] = is_swapped ? swap_bytes(word) : word;
    }
}

double hs_registers_decode_raw(const uint16_t *words, enum hs_pointmap_type type,
                               enum hs_pointmap_order order)
{
    int width = types[type].width;
    uint16_t big[HS_REGISTERS_WIDTH_MAX];
    uint64_t bits = 0;

    turn(words, width, order, big);
    for (int i = 0; i < width; i++) {
        bits = bits << 16 | big[i];
    }
    if (type == HS_POINTMAP_BOOL) {
        return bits != 0;
    }
    if (types[type].is_float && width == 2) {
        uint32_t half = (uint32_t)bits;
        float number;

        memcpy(&number, &half, sizeof(number));
        return (double)number;
    }
    if (types[type].is_float) {
        double number;

        memcpy(&number, &bits, sizeof(number));
        return number;
    }
    if (types[type].is_signed) {
        uint64_t sign = UINT64_C(1) << (16 * width - 1);

        return (double)(int64_t)((bits ^ sign) - sign); /* the sign goes up to bit 63 */
    }
    return (double)bits;
}

double hs_registers_decode(const struct hs_pointmap_register *reg, const uint16_t *words)
{
    double raw = hs_registers_decode_raw(words, reg->type, (enum hs_pointmap_order)reg->order);

    for (size_t i = 0; i < reg->n_sentinels; i++) {
        if (raw == reg->sentinels[i]) {
            return NAN;
        }
    }
    return isfinite(raw) ? raw * reg->scale + reg->offset : (double)NAN;
}

static int refuse(const struct hs_pointmap_register *reg, double value, struct hs_err *err)
{
    return hs_err_set(err, HS_E_INVALID, NULL, "%.10g does not fit in %s with a scale of %.10g",
                      value, hs_pointmap_type_words[reg->type], reg->scale);
}

/* The 64 bits of @raw, right-aligned. @return false if the type cannot hold it */
static bool pack(enum hs_pointmap_type type, double raw, uint64_t *ret_bits)
{
    int n_bits = 16 * types[type].width;
    double least = types[type].is_signed ? -ldexp(1, n_bits - 1) : 0;
    double over = types[type].is_signed ? ldexp(1, n_bits - 1) : ldexp(1, n_bits);

    if (types[type].is_float && n_bits == 32) {
        float number = (float)raw;
        uint32_t half;

        memcpy(&half, &number, sizeof(half));
        *ret_bits = half;
        return isnan(raw) || isfinite(number);
    }
    if (types[type].is_float) {
        memcpy(ret_bits, &raw, sizeof(*ret_bits));
        return true;
    }
    raw = round(raw);
    if (!(raw >= least && raw < over)) {
        return false;
    }
    *ret_bits = raw < 0 ? (uint64_t)(int64_t)raw : (uint64_t)raw;
    return true;
}

int hs_registers_encode(const struct hs_pointmap_register *reg, double value, uint16_t *ret_words,
                        struct hs_err *err)
{
    int width = types[reg->type].width;
    double raw = (value - reg->offset) / reg->scale;
    uint16_t big[HS_REGISTERS_WIDTH_MAX];
    uint64_t bits;

    if (isnan(value) && reg->n_sentinels > 0) {
        raw = reg->sentinels[0];
    }
    if (reg->type == HS_POINTMAP_BOOL) {
        raw = raw != 0;
    }
    if ((isnan(raw) && !types[reg->type].is_float) || !pack(reg->type, raw, &bits)) {
        return refuse(reg, value, err);
    }
    for (int i = 0; i < width; i++) {
        big[i] = (uint16_t)(bits >> (16 * (width - 1 - i)));
    }
    turn(big, width, (enum hs_pointmap_order)reg->order, ret_words);
    return 0;
}

/* Where a register lies, in the order in which blocks are made. */
struct place {
    const struct hs_pointmap_register *reg;
    size_t idx;
};

static int compare_places(const void *a, const void *b)
{
    const struct hs_pointmap_register *x = ((const struct place *)a)->reg;
    const struct hs_pointmap_register *y = ((const struct place *)b)->reg;

    if (x->unit != y->unit) {
        return x->unit < y->unit ? -1 : 1;
    }
    if (x->table != y->table) {
        return x->table < y->table ? -1 : 1;
    }
    return x->address < y->address ? -1 : x->address > y->address;
}

size_t hs_registers_group(const struct hs_pointmap_register *regs, size_t n_regs, int gap,
                          struct hs_registers_block *ret_blocks, size_t *ret_idx)
{
    HS_AUTO_MEM struct place *places = hs_xcalloc(n_regs, sizeof(*places));
    size_t n_blocks = 0;

    for (size_t i = 0; i < n_regs; i++) {
        places[i] = (struct place){&regs[i], i};
    }
    qsort(places, n_regs, sizeof(*places), compare_places);
    for (size_t i = 0; i < n_regs; i++) {
        const struct hs_pointmap_register *reg = places[i].reg;
        struct hs_registers_block *block = n_blocks > 0 ? &ret_blocks[n_blocks - 1] : NULL;
        int end = reg->address + types[reg->type].width;
        bool is_near = block != NULL && block->unit == reg->unit && block->table == reg->table
                       && reg->address <= block->first + block->count + gap
                       && end - block->first <= HS_REGISTERS_READ_MAX;

        if (!is_near) {
            block = &ret_blocks[n_blocks++];
            *block = (struct hs_registers_block){
                .unit = reg->unit, .table = reg->table, .first = reg->address};
        }
        if (end > block->first + block->count) {
            block->count = end - block->first;
        }
        ret_idx[places[i].idx] = n_blocks - 1;
    }
    return n_blocks;
}
