/* SPDX-License-Identifier: Apache-2.0 */
/* slotpath - see slotpath.h. */
#include "scheduler/core/slotpath.h"

#include <math.h>
#include <stdint.h>

#include "scheduler/model/plan.h"

#define ROW (HS_PLAN_SLOTS_MAX + 4)

/* Cost to go from each block, by blocks still to take: standing still before it, or running. */
struct stages {
    float idle[HS_PLAN_SLOTS_MAX + 1][ROW];
    float busy[HS_PLAN_SLOTS_MAX + 1][ROW];
};

/*
 * One block back, for work left @low..@high (>= 1). Written so that a compiler makes vectors of it:
 * this is where a plan of long jobs spends its time.
 */
static void step_back(const float *restrict idle, const float *restrict busy,
                      float *restrict idle_before, float *restrict busy_before, float cost_cur,
                      float stop_cur, size_t low, size_t high)
{
    for (size_t k = low; k <= high; k++) {
        float run_cur = cost_cur + busy[k - 1];
        float rest_cur = idle[k];
        float stopped_cur = rest_cur + stop_cur;

        idle_before[k] = run_cur < rest_cur ? run_cur : rest_cur;
        busy_before[k] = run_cur < stopped_cur ? run_cur : stopped_cur;
    }
}

/* Which blocks the costs to go came from: forward from the first. */
static void trace(const struct hs_slotpath *path, const struct stages *stages, size_t n_need,
                  bool is_forced, bool *taken)
{
    bool running = path->is_running;
    size_t k = n_need;

    for (size_t b = 0; b < path->n_blocks; b++) {
        bool takes = false;

        if (k > 0) {
            float run_cur = path->cost_cur[b] + stages->busy[b + 1][k - 1];
            float rest_cur = stages->idle[b + 1][k] + (running ? path->stop_cur : 0.0F);

            takes = (b == 0 && is_forced) || run_cur <= rest_cur;
        }
        taken[b] = takes;
        k -= takes;
        running = takes;
    }
}

/* Fill @taken [n_blocks] with @n_need blocks; the cost, INFINITY if they do not fit. */
static double find_path(const struct hs_slotpath *path, size_t n_need, bool *taken)
{
    struct stages stages; /* only what is reached is ever written or read */
    size_t n_blocks = path->n_blocks;

    for (size_t b = 0; b <= n_blocks; b++) {
        stages.idle[b][0] = stages.busy[b][0] = 0.0F;
    }
    for (size_t k = 1; k <= n_need; k++) {
        stages.idle[n_blocks][k] = stages.busy[n_blocks][k] = INFINITY;
    }
    for (size_t b = n_blocks; b-- > 0;) {
        /* What is left can be no more than the blocks to come, no less than those gone allow. */
        size_t high = n_blocks - b < n_need ? n_blocks - b : n_need;
        size_t low = n_need > b ? n_need - b : 1;

        step_back(stages.idle[b + 1], stages.busy[b + 1], stages.idle[b], stages.busy[b],
                  path->cost_cur[b], path->stop_cur, low, high);
        if (high < n_need) {
            stages.idle[b][high + 1] = stages.busy[b][high + 1] = INFINITY;
        }
    }
    bool is_forced = path->must_run_first && n_need > 0 && isfinite(path->cost_cur[0]);
    float cost_cur = path->is_running ? stages.busy[0][n_need] : stages.idle[0][n_need];

    if (is_forced) {
        cost_cur = path->cost_cur[0] + stages.busy[1][n_need - 1];
    }
    if (isfinite(cost_cur)) {
        trace(path, &stages, n_need, is_forced, taken);
    }
    return (double)cost_cur;
}

static size_t count_needed(const struct hs_slotpath *path, double remaining_s)
{
    double whole_s = (double)path->run_s[path->n_blocks > 1 ? 1 : 0];

    return (size_t)ceil(remaining_s / whole_s - 1e-6);
}

static double sum_taken_s(const struct hs_slotpath *path, const bool *taken)
{
    double sum_s = 0.0;

    for (size_t b = 0; b < path->n_blocks; b++) {
        sum_s += taken[b] ? (double)path->run_s[b] : 0.0;
    }
    return sum_s;
}

/* As find_path(), once more with one block more where a short first or last block was taken. */
double hs_slotpath_find(const struct hs_slotpath *path, double remaining_s, bool *taken)
{
    size_t n_need = count_needed(path, remaining_s);
    double cost_cur = INFINITY;

    for (size_t more = 0; more < 3 && n_need + more <= path->n_blocks; more++) {
        cost_cur = find_path(path, n_need + more, taken);
        if (!isfinite(cost_cur) || sum_taken_s(path, taken) >= remaining_s - 1e-2) {
            return cost_cur;
        }
    }
    return INFINITY;
}
