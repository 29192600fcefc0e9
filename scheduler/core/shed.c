/* SPDX-License-Identifier: Apache-2.0 */
/* shed - see shed.h. */
#include "scheduler/core/shed.h"

#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    const struct hs_shed_item *a = left;
    const struct hs_shed_item *b = right;

    if (a->elec_w != b->elec_w) {
        return a->elec_w > b->elec_w ? -1 : 1;
    }
    return (a->of > b->of) - (a->of < b->of);
}

static int compare_ranks(const void *left, const void *right)
{
    const struct hs_shed_item *a = left;
    const struct hs_shed_item *b = right;

    return a->rank != b->rank ? a->rank - b->rank : compare(left, right);
}

/* How many come first that are of the lowest ranks which suffice. */
static size_t count_candidates(const struct hs_shed_item *items, size_t n, double excess_w)
{
    double sum_w = 0.0;
    size_t i = 0;

    while (i < n && sum_w < excess_w) {
        int rank = items[i].rank;

        for (; i < n && items[i].rank == rank; i++) {
            sum_w += items[i].elec_w;
        }
    }
    return i;
}

size_t hs_shed_pick(struct hs_shed_item *io_items, size_t n, double excess_w)
{
    double sum_w = 0.0;
    size_t n_picked = 0;

    qsort(io_items, n, sizeof(*io_items), compare_ranks);
    n = count_candidates(io_items, n, excess_w);
    qsort(io_items, n, sizeof(*io_items), compare);
    while (n_picked < n && sum_w < excess_w) {
        sum_w += io_items[n_picked++].elec_w;
    }
    if (n_picked == 0) {
        return 0;
    }
    /* what the others hold leaves so much for the last */
    double rest_w = excess_w - (sum_w - io_items[n_picked - 1].elec_w);
    size_t last = n_picked - 1;

    while (last + 1 < n && io_items[last + 1].elec_w >= rest_w) {
        last++;
    }
    struct hs_shed_item smallest = io_items[last];

    io_items[last] = io_items[n_picked - 1];
    io_items[n_picked - 1] = smallest;
    return n_picked;
}
