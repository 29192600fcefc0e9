/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** sim_machine - one simulated machine: how long it ran, how long it will, kept in a file. */

#include <stdbool.h>

#include "scheduler/base/err.h"
#include "scheduler/base/executor.h"
#include "scheduler/model/machine.h"

struct hs_sim_machine {
    struct hs_machine shown;
    bool over;            /* gone from the host; kept for its log and its end */
    bool has_exit_status; /* of one that is over */
    int exit_status;      /* the one it will tell, or has told */
    double need_s;        /* running time in all, plan s */
    double share;         /* of its vCPUs' time: its running time counts for so much */
    double ran_s;         /* running time up to since_mono_s, plan s */
    double since_mono_s;  /* real; when ran_s was last brought up to date */
    struct hs_timer *timer;
    void *owner;
};

/** Bring ran_s up to @mono_s: it grows by @speed x share a real second while running. */
void hs_sim_machine_set_mono(struct hs_sim_machine *machine, double mono_s, double speed);

/** Write to `<dir>/sim-<job id>.json`. */
int hs_sim_machine_write(const struct hs_sim_machine *machine, const char *dir, struct hs_err *err);

/** @return 0, -HS_E_NOTFOUND or -HS_E_INVALID for a file that is not one of ours */
int hs_sim_machine_read(const char *path, struct hs_sim_machine *ret_machine, struct hs_err *err);

/** Name and uuid of a job's machine. */
void hs_sim_machine_set_job(struct hs_sim_machine *machine, uint64_t job_id, uint64_t epoch);
