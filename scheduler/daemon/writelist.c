/* SPDX-License-Identifier: Apache-2.0 */
/* writelist - see writelist.h. */
#include "scheduler/daemon/writelist.h"

#include <stdio.h>

#include "scheduler/base/mem.h"

void hs_writelist_add(hs_writelist *list, const struct hs_store_op *op)
{
    struct hs_written write = {.kind = op->kind,
                               .key = hs_xstrdup(op->key != NULL ? op->key : ""),
                               .text = hs_xstrdup(op->text)};

    snprintf(write.table, sizeof(write.table), "%s", op->table);
    HS_VEC_PUSH(list, write);
}

void hs_writelist_hand_over(hs_writelist *list, size_t i, hs_writelist *to)
{
    HS_VEC_PUSH(to, list->items[i]);
    list->items[i] = (struct hs_written){0};
}

struct hs_store_op *hs_writelist_get_ops(const hs_writelist *list)
{
    struct hs_store_op *ops = hs_xcalloc(list->n, sizeof(*ops));

    for (size_t i = 0; i < list->n; i++) {
        const struct hs_written *write = &list->items[i];

        ops[i] = (struct hs_store_op){write->kind, write->table, write->key, write->text};
    }
    return ops;
}

void hs_writelist_fini(hs_writelist *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->items[i].key);
        free(list->items[i].text);
    }
    HS_VEC_FINI(list);
}
