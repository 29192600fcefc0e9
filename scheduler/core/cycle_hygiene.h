/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * cycle_hygiene - when a tank was hot, and when it is to be again; for the cycle's own files only.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/jsonx.h"

struct hs_cycle;

/** A tank that has to be hot once in its interval. */
struct hs_cycle_hygiene {
    int64_t from_at_s; /* hours are counted from here: when it was last seen hot, or the start */
    bool is_seen;      /* from_at_s is the former */
    int64_t hot_at_s;  /* hot since; 0: it is not */
    int64_t
        planned_at_s;  /* start of the slot that the plan has it in; 0: none within the horizon */
    double compute_wh; /* of the tank's heat then, what compute can give; the rest is backup's */
    double backup_wh;
    bool is_told; /* that it is overdue */
};

/** Look at the tank: is it hot, has it been, is it overdue? */
void hs_cycle_hygiene_watch(struct hs_cycle *cycle, size_t loop_idx);

/** Choose the slot of the next hygiene and put its heat into the frame. */
void hs_cycle_hygiene_fill_frame(struct hs_cycle *cycle, size_t loop_idx);

/** When it is due; INT64_MAX for a loop that has none. */
int64_t hs_cycle_hygiene_get_due(const struct hs_cycle *cycle, size_t loop_idx);

/** Set `hygiene` in the Loop @object, null for a loop that has none. */
void hs_cycle_hygiene_format(const struct hs_cycle *cycle, size_t loop_idx, json_t *object);

/** Set when tanks were hot in @object; take it back. */
void hs_cycle_hygiene_save(const struct hs_cycle *cycle, json_t *object);
void hs_cycle_hygiene_restore(struct hs_cycle *cycle, const json_t *saved);
