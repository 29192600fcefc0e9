/* SPDX-License-Identifier: Apache-2.0 */
/* reals - see reals.h. */
#include "scheduler/base/reals.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

void hs_reals_sort(double *values, size_t n)
{
    if (n > 0) {
        qsort(values, n, sizeof(*values), compare);
    }
}
