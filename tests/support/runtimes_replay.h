/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * runtimes_replay - predict every job of a log as it comes, knowing of a run only after its end.
 */

#include <stddef.h>
#include <stdint.h>

/** A job that ran. */
struct runtimes_job {
    double submit_s;
    double wait_s;
    double run_s;
    double requested_s;
    uint32_t vcpus;
    uint64_t memory_mib;
    char team[16];
};

/** When the prediction is made that counts. */
enum runtimes_when { RUNTIMES_AT_SUBMIT, RUNTIMES_AT_START };

/** Figures of a stretch of jobs. */
struct runtimes_score {
    size_t n;
    double mean_abs_log_error;
    double of_requested; /* the same, of what was asked for */
    double ratio;
    double share_above_quantile;
};

/** First and second half of the jobs by submit, and all. */
struct runtimes_scores {
    struct runtimes_score halves[2];
    struct runtimes_score all;
    double us_per_prediction;
    double us_per_end;
    size_t n_saved_bytes;
};

/** @param jobs  [n] by submit */
void runtimes_replay(const struct runtimes_job *jobs, size_t n, enum runtimes_when when,
                     struct runtimes_scores *ret_scores);

/** Jobs of a log in the Standard Workload Format with run and requested time; owned, by submit. */
struct runtimes_job *runtimes_replay_read(const char *path, size_t *ret_n);

/** Made up: teams that ask for 2 to 60 times what they run, some jobs of each fail at once. */
struct runtimes_job *runtimes_replay_make(size_t n);
