/* SPDX-License-Identifier: Apache-2.0 */
/* slotpath - see slotpath.h. */
#include "scheduler/core/slotpath.h"

#include <math.h>
#include <stdint.h>

#include "scheduler/model/plan.h"

static bool block_fits(const bool *fits, const struct hs_slotpath_block *block)
{
    for (size_t t = block->first; t < block->first + block->n; t++) {
        if (!fits[t]) {
            return false;
        }
    }
    return true;
}

/* What to do at a block with some work left: bit set for taking it. */
#define TAKE_IF_IDLE 1U
#define TAKE_IF_BUSY 2U

/* Cost to go from one block, by blocks still to take: standing still before it, or running. */
struct stage {
    double idle[HS_PLAN_SLOTS_MAX + 1];
    double busy[HS_PLAN_SLOTS_MAX + 1];
};

/*
 * One block back, for work left @low..@high (>= 1). Written so that a compiler makes vectors of it:
 * this is where a plan of long jobs spends its time.
 */
static void step_back(const struct stage *restrict after, struct stage *restrict before,
                      uint8_t *restrict take, double cost_cur, double stop_cur, size_t low,
                      size_t high)
{
    const double *idle = after->idle;
    const double *busy = after->busy;

    for (size_t k = low; k <= high; k++) {
        double run_cur = cost_cur + busy[k - 1];
        double rest_cur = idle[k];
        double stopped_cur = rest_cur + stop_cur;

        before->idle[k] = run_cur <= rest_cur ? run_cur : rest_cur;
        before->busy[k] = run_cur <= stopped_cur ? run_cur : stopped_cur;
        take[k] = (uint8_t)((run_cur <= rest_cur ? TAKE_IF_IDLE : 0U)
                            | (run_cur <= stopped_cur ? TAKE_IF_BUSY : 0U));
    }
}

/* Fill @taken [n_blocks] with @n_need blocks; the cost, INFINITY if they do not fit. */
static double find_path(const struct hs_slotpath *path, size_t n_need, bool *taken)
{
    uint8_t take[HS_PLAN_SLOTS_MAX][HS_PLAN_SLOTS_MAX + 1];
    struct stage stages[2];
    size_t n_blocks = path->n_blocks;

    for (size_t k = 0; k <= n_need; k++) {
        double cur = k == 0 ? 0.0 : (double)INFINITY;

        stages[0].idle[k] = stages[0].busy[k] = stages[1].idle[k] = stages[1].busy[k] = cur;
    }
    for (size_t b = n_blocks; b-- > 0;) {
        /* What is left can be no more than the blocks to come, no less than those gone allow. */
        size_t high = n_blocks - b < n_need ? n_blocks - b : n_need;
        size_t low = n_need > b ? n_need - b : 1;
        bool fits = block_fits(path->fits, &path->blocks[b]);

        take[b][0] = 0;
        step_back(&stages[(b + 1) % 2], &stages[b % 2], take[b],
                  fits ? path->blocks[b].cost_cur : (double)INFINITY, path->stop_cur,
                  low > 0 ? low : 1, high);
    }
    bool fits_first = block_fits(path->fits, &path->blocks[0]);
    bool is_forced = path->must_run_first && n_need > 0 && fits_first;
    const struct stage *first = &stages[0];
    double cost_cur = path->is_running ? first->busy[n_need] : first->idle[n_need];
    bool running = path->is_running;
    size_t k = n_need;

    if (is_forced) {
        cost_cur = path->blocks[0].cost_cur + stages[1].busy[n_need - 1];
    }
    for (size_t b = 0; b < n_blocks && isfinite(cost_cur); b++) {
        taken[b] = k > 0
                   && ((b == 0 && is_forced)
                       || (take[b][k] & (running ? TAKE_IF_BUSY : TAKE_IF_IDLE)) != 0);
        k -= taken[b];
        running = taken[b];
    }
    return cost_cur;
}

static size_t count_needed(const struct hs_slotpath_block *blocks, size_t n_blocks,
                           double remaining_s)
{
    double whole_s = n_blocks > 1 ? blocks[1].run_s : blocks[0].run_s;

    return (size_t)ceil(remaining_s / whole_s - 1e-9);
}

static double sum_taken_s(const struct hs_slotpath_block *blocks, size_t n_blocks,
                          const bool *taken)
{
    double sum_s = 0.0;

    for (size_t b = 0; b < n_blocks; b++) {
        sum_s += taken[b] ? blocks[b].run_s : 0.0;
    }
    return sum_s;
}

/* As find_path(), once more with one block more where a short first or last block was taken. */
double hs_slotpath_find(const struct hs_slotpath *path, double remaining_s, bool *taken)
{
    size_t n_need = count_needed(path->blocks, path->n_blocks, remaining_s);
    double cost_cur = INFINITY;

    for (size_t more = 0; more < 3 && n_need + more <= path->n_blocks; more++) {
        cost_cur = find_path(path, n_need + more, taken);
        if (!isfinite(cost_cur)
            || sum_taken_s(path->blocks, path->n_blocks, taken) >= remaining_s - 1e-6) {
            return cost_cur;
        }
    }
    return INFINITY;
}
