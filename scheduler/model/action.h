/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** action - one step that the core wants done to one machine. Plain value. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hs_action_kind {
    HS_ACTION_START, /* create and boot the job's machine on host_idx */
    HS_ACTION_SUSPEND,
    HS_ACTION_RESUME,
    HS_ACTION_SHUTDOWN, /* ask the guest to power off */
    HS_ACTION_DESTROY,  /* pull the plug: cancelled, or over its limit */
    HS_ACTION_MOVE,     /* to to_host_idx: live if it runs, else as it lies there, suspended */
    HS_ACTION_THROTTLE, /* give it this share of its vCPUs' time */
};

struct hs_action {
    uint64_t op_id; /* unique within an epoch; names the intent */
    enum hs_action_kind kind;
    uint64_t job_id;
    size_t host_idx;     /* where the machine is, or is to be made */
    size_t to_host_idx;  /* of a move */
    bool is_live;        /* of a move: it runs, and is to run there */
    double share;        /* of a throttle: 1 is all */
    bool is_safety;      /* a suspend or throttle that cools a loop: also while the store is away */
    int64_t wanted_at_s; /* plan UTC */
    char why[160];       /* one clause for the journal */
};

/** "start", "suspend", "resume", "shutdown", "destroy", "move", "throttle". */
const char *hs_action_word(enum hs_action_kind kind);
