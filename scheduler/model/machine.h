/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** machine - a libvirt domain as seen on a host, ours or not. Plain value. */

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/model/site.h"

enum hs_machine_state {
    HS_MACHINE_RUNNING,
    HS_MACHINE_PAUSED,
    HS_MACHINE_SHUT_OFF, /* defined but not active, or gone */
    HS_MACHINE_CRASHED,
    HS_MACHINE_UNKNOWN,
};

struct hs_machine {
    char name[HS_NAME_MAX];
    char uuid[40];
    enum hs_machine_state state;
    uint32_t vcpus;
    uint64_t memory_mib;
    double cpu_s;    /* CPU time used so far; NAN if the driver cannot tell */
    uint64_t job_id; /* from our metadata element; 0: not ours, therefore pinned */
    uint64_t epoch;  /* of our metadata element */
};

/** "running", "paused", "shut-off", "crashed", "unknown". */
const char *hs_machine_state_word(enum hs_machine_state state);
