/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * writelist - writes that wait for their commit, with texts of their own. A vec (vec.h).
 */

#include "adapters/store/store.h"
#include "scheduler/base/vec.h"

struct hs_written {
    enum hs_store_op_kind kind;
    char table[16];
    char *key;  /* owned */
    char *text; /* owned, NULL for a delete */
};

typedef HS_VEC(struct hs_written) hs_writelist;

/** Texts are copied. */
void hs_writelist_add(hs_writelist *list, const struct hs_store_op *op);

/** The i-th goes to @to; what is left of it here is empty. */
void hs_writelist_hand_over(hs_writelist *list, size_t i, hs_writelist *to);

/** As the store takes them. [list->n] owned by the caller, the texts borrowed. */
struct hs_store_op *hs_writelist_get_ops(const hs_writelist *list);

void hs_writelist_fini(hs_writelist *list);
