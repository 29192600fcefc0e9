/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * seed - the NoCloud disk (ISO 9660, label cidata) that brings a job's script into its guest.
 *
 * Holds meta-data and user-data for cloud-init, and beside them what user-data runs: job.sh
 * (the script as it was submitted) and env.sh. The contract is docs/guest.md.
 */

#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/err.h"

struct hs_seed {
    uint64_t job_id;
    uint64_t epoch;
    const char *script;     /* borrowed, nullable: does nothing, successfully */
    const char *const *env; /* borrowed, [n_env] "KEY=value" */
    size_t n_env;
};

/**
 * Write the ISO to @fd.
 *
 * @return 0, -HS_E_INVALID (a name in env that a shell cannot export), -HS_E_SYSTEM
 */
int hs_seed_write(const struct hs_seed *seed, int fd, struct hs_err *err);

/** The exports as a shell reads them. @param ret_text  owned by the caller on success */
int hs_seed_format_env(const struct hs_seed *seed, char **ret_text, struct hs_err *err);
