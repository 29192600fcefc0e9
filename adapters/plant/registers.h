/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * registers - numbers as Modbus devices keep them: types, word orders, and which reads to make.
 *
 * Pure. Source: MODBUS Application Protocol V1.1b3 (registers are 16 bit, big end first; how longer
 * numbers lie is each maker's choice).
 */

#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/model/pointmap.h"

#define HS_REGISTERS_WIDTH_MAX 4   /* of the widest type */
#define HS_REGISTERS_READ_MAX  125 /* registers that one read returns at most (same source, 6.3) */

/** One read: consecutive registers (or bits) of one table of one unit. */
struct hs_registers_block {
    int unit;
    enum hs_pointmap_table table;
    int first; /* as it goes over the wire, from 0 */
    int count;
};

/** What a device assumes where a point says nothing. */
struct hs_registers_defaults {
    int unit;
    int base;
    enum hs_pointmap_order order;
};

/** Registers (or bits) that a number of @type takes. */
int hs_registers_get_width(enum hs_pointmap_type type);

/** @reg with what it leaves open filled in, its address as it goes over the wire, base 0. */
struct hs_pointmap_register hs_registers_resolve(const struct hs_pointmap_register *reg,
                                                 const struct hs_registers_defaults *defaults);

/** The raw number of @type in @words [width]. */
double hs_registers_decode_raw(const uint16_t *words, enum hs_pointmap_type type,
                               enum hs_pointmap_order order);

/** The value of a resolved @reg in @words [width]; NAN for a sentinel and for what is no number. */
double hs_registers_decode(const struct hs_pointmap_register *reg, const uint16_t *words);

/**
 * The words of @value in a resolved @reg.
 *
 * @param ret_words  [width]; of NAN the first sentinel or, without one, a float's own NAN
 * @return 0 or -HS_E_INVALID where the type cannot hold it (NAN included)
 */
int hs_registers_encode(const struct hs_pointmap_register *reg, double value, uint16_t *ret_words,
                        struct hs_err *err);

/**
 * The fewest reads that cover resolved @regs where numbers at most @gap registers apart share one.
 *
 * @param regs        [n_regs]
 * @param ret_blocks  [n_regs] filled from the front
 * @param ret_idx     [n_regs] the block of each register
 * @return number of blocks
 */
size_t hs_registers_group(const struct hs_pointmap_register *regs, size_t n_regs, int gap,
                          struct hs_registers_block *ret_blocks, size_t *ret_idx);
