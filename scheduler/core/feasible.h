/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * feasible - how late work may end so that all of it, and what is expected, still finds room.
 *
 * Latest start is a question of capacity: if everything waits until due time less run time, the
 * hosts do not suffice. Work is laid as late as it can be, from the end of time backwards: at each
 * instant what is released last goes first (earliest due first, mirrored, which is optimal for a
 * pool), at most its own vCPUs at a time. Where a run ends in that layout is how late it may end.
 * A pool of vCPUs; what a large machine leaves unused of a host counts as taken. Pure.
 */

#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"

struct hs_feasible;

/** Work: a job, or a share of what is expected. Plain value. */
struct hs_feasible_work {
    int64_t release_at_s; /* cannot run before */
    int64_t due_at_s;
    double vcpus;
    double run_s; /* > 0, at that many vCPUs */
};

/** Steps of @step_s until @reach_s ahead; work due later is as if due then. Owned by the caller. */
struct hs_feasible *hs_feasible_new(int64_t step_s, int64_t reach_s);

/** Empty room of @vcpus from @from_at_s on. */
void hs_feasible_set(struct hs_feasible *feasible, int64_t from_at_s, double vcpus);

/** Take @vcpus from @at_s until @until_at_s: what runs and cannot wait. Room may fall below 0. */
void hs_feasible_take(struct hs_feasible *feasible, int64_t at_s, int64_t until_at_s, double vcpus);

/**
 * Lay all of @works [n_works] as late as possible and take their room.
 *
 * @param ret_end_at_s  [n_works] how late each may end: never after its due time, and before
 *                      release + run where there is no room for it in time
 */
void hs_feasible_lay(struct hs_feasible *feasible, const struct hs_feasible_work *works,
                     size_t n_works, int64_t *ret_end_at_s);

/** How late @work may end beside what was laid; its room is taken. */
int64_t hs_feasible_add(struct hs_feasible *feasible, const struct hs_feasible_work *work);

/** Accepts NULL. */
void hs_feasible_free(struct hs_feasible *feasible);
HS_DEFINE_AUTO(hs_feasible);
