/* SPDX-License-Identifier: Apache-2.0 */
/* sparselp - growable arrays of rows, columns and entries. */
#include "scheduler/sim/sparselp.h"

#include <assert.h>
#include <limits.h>

struct hs_sparselp *hs_sparselp_new(void)
{
    return hs_xcalloc(1, sizeof(struct hs_sparselp));
}

size_t hs_sparselp_add_column(struct hs_sparselp *lp, double lower, double upper, double cost)
{
    struct hs_sparselp_column column = {.lower = lower, .upper = upper, .cost = cost};

    assert(lower <= upper && lp->columns.n < INT_MAX);
    HS_VEC_PUSH(&lp->columns, column);
    return lp->columns.n - 1;
}

size_t hs_sparselp_add_row(struct hs_sparselp *lp, double lower, double upper)
{
    struct hs_sparselp_row row = {.lower = lower, .upper = upper};

    assert(lower <= upper && lp->rows.n < INT_MAX);
    HS_VEC_PUSH(&lp->rows, row);
    return lp->rows.n - 1;
}

void hs_sparselp_set(struct hs_sparselp *lp, size_t row, size_t column, double value)
{
    struct hs_sparselp_entry entry = {.row = (int)row, .column = (int)column, .value = value};

    assert(row < lp->rows.n && column < lp->columns.n && lp->entries.n < INT_MAX);
    if (value != 0) {
        HS_VEC_PUSH(&lp->entries, entry);
    }
}

void hs_sparselp_free(struct hs_sparselp *lp)
{
    if (lp == NULL) {
        return;
    }
    HS_VEC_FINI(&lp->entries);
    HS_VEC_FINI(&lp->rows);
    HS_VEC_FINI(&lp->columns);
    free(lp);
}
