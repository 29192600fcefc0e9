/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * sparselp - a linear program as rows, columns and the few entries that are not zero.
 *
 * minimise Σ cost·x subject to row.lower <= Σ value·x <= row.upper, column.lower <= x <=
 * column.upper; INFINITY where there is no limit. Plain data, knows no solver; sparselp_clp.h
 * solves it.
 */

#include <stddef.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/vec.h"

struct hs_sparselp_column {
    double lower;
    double upper;
    double cost;
};

struct hs_sparselp_row {
    double lower;
    double upper;
};

struct hs_sparselp_entry {
    int row;
    int column;
    double value;
};

struct hs_sparselp {
    HS_VEC(struct hs_sparselp_column) columns;
    HS_VEC(struct hs_sparselp_row) rows;
    HS_VEC(struct hs_sparselp_entry) entries; /* at most one for a row and column */
};

/** Empty. Owned by the caller. */
struct hs_sparselp *hs_sparselp_new(void);

/** @return index of the new column */
size_t hs_sparselp_add_column(struct hs_sparselp *lp, double lower, double upper, double cost);

/** @return index of the new row, without entries yet */
size_t hs_sparselp_add_row(struct hs_sparselp *lp, double lower, double upper);

/** Put @value where @row and @column meet; a 0 is left out. */
void hs_sparselp_set(struct hs_sparselp *lp, size_t row, size_t column, double value);

/** Accepts NULL. */
void hs_sparselp_free(struct hs_sparselp *lp);
HS_DEFINE_AUTO(hs_sparselp);
