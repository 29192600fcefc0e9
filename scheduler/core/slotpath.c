/* SPDX-License-Identifier: Apache-2.0 */
/* slotpath - see slotpath.h. */
#include "scheduler/core/slotpath.h"

#include <math.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/mem.h"

static bool block_fits(const bool *fits, const struct hs_slotpath_block *block)
{
    for (size_t t = block->first; t < block->first + block->n; t++) {
        if (!fits[t]) {
            return false;
        }
    }
    return true;
}

/* Fill @taken [n_blocks] with @n_need blocks; the cost, INFINITY if they do not fit. */
static double find_path(const struct hs_slotpath *path, size_t n_need, bool *taken)
{
    static const double never = INFINITY;
    size_t n_blocks = path->n_blocks;
    size_t width = n_need + 1;
    HS_AUTO_MEM double *idle = hs_xcalloc((n_blocks + 1) * width, sizeof(double));
    HS_AUTO_MEM double *busy = hs_xcalloc((n_blocks + 1) * width, sizeof(double));

    /* Cost to go from block b with k still to take, standing still (idle) or running (busy). */
    for (size_t k = 0; k < width; k++) {
        idle[n_blocks * width + k] = busy[n_blocks * width + k] = k == 0 ? 0.0 : never;
    }
    for (size_t b = n_blocks; b-- > 0;) {
        bool fits = block_fits(path->fits, &path->blocks[b]);

        for (size_t k = 0; k < width; k++) {
            size_t at = b * width + k;
            double run_cur =
                fits && k > 0 ? path->blocks[b].cost_cur + busy[at + width - 1] : never;
            double rest_cur = idle[at + width];
            bool is_forced = b == 0 && path->must_run_first && k > 0 && fits;

            idle[at] = is_forced ? run_cur : fmin(rest_cur, run_cur);
            /* A stop costs only while there is work left to stop. */
            busy[at] = is_forced ? run_cur : fmin(rest_cur + (k > 0 ? path->stop_cur : 0), run_cur);
        }
    }
    bool running = path->is_running;
    size_t k = n_need;
    double cost_cur = running ? busy[n_need] : idle[n_need];

    for (size_t b = 0; b < n_blocks && isfinite(cost_cur); b++) {
        size_t at = b * width + k;
        double here_cur = running ? busy[at] : idle[at];
        bool fits = block_fits(path->fits, &path->blocks[b]);

        taken[b] = fits && k > 0 && here_cur == path->blocks[b].cost_cur + busy[at + width - 1];
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
