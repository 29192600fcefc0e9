/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/daemon/rowprogress.h"

#include <inttypes.h>
#include <stdio.h>

#include "scheduler/base/clock.h"
#include "scheduler/base/mem.h"

#define EVERY_S 2.0 /* short work says nothing */

struct hs_rowprogress {
    struct hs_clock *clock;
    const char *what;
    uint64_t n_rows;
    uint64_t n_total;
    double next_mono_s;
};

struct hs_rowprogress *hs_rowprogress_new(const char *what)
{
    struct hs_rowprogress *progress = hs_xcalloc(1, sizeof(*progress));

    progress->clock = hs_clock_new_real();
    progress->what = what;
    progress->next_mono_s = hs_clock_mono_s(progress->clock) + EVERY_S;
    return progress;
}

void hs_rowprogress_set_total(struct hs_rowprogress *progress, uint64_t n_rows)
{
    progress->n_rows = 0;
    progress->n_total = n_rows;
}

void hs_rowprogress_add(struct hs_rowprogress *progress, uint64_t n_rows)
{
    double mono_s = hs_clock_mono_s(progress->clock);

    progress->n_rows += n_rows;
    if (mono_s < progress->next_mono_s) {
        return;
    }
    progress->next_mono_s = mono_s + EVERY_S;
    if (progress->n_total > 0) {
        fprintf(stderr, "%s: %" PRIu64 " of %" PRIu64 " rows\n", progress->what, progress->n_rows,
                progress->n_total);
    } else {
        fprintf(stderr, "%s: %" PRIu64 " rows\n", progress->what, progress->n_rows);
    }
}

void hs_rowprogress_free(struct hs_rowprogress *progress)
{
    if (progress != NULL) {
        hs_clock_free(progress->clock);
        free(progress);
    }
}
