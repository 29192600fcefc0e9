/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** history_priv - what history.c and history_find.c share. */

#include <stdbool.h>

#include "scheduler/base/vec.h"
#include "scheduler/daemon/history.h"

#define HS_HISTORY_KEY_MAX 24

struct hs_history {
    struct hs_history_options options;
    uint64_t first; /* numbers of ends: oldest kept, next */
    uint64_t next;
    HS_VEC(uint64_t) recent; /* ids of ends that the cycle still knows, oldest first */
    size_t n_needed;         /* of them could not be let go of when that was last tried */
    bool is_evicting;
    int64_t aged_at_s; /* when the oldest was last looked at for its age */
};
