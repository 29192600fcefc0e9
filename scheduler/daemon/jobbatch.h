/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * jobbatch - the jobs that the body of one request asks for: one, a list of them, or an array's
 * tasks.
 *
 * Every job is checked before any is taken: a batch is whole or an error that names each bad item.
 * Loop thread only.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/vec.h"
#include "scheduler/core/cycle.h"
#include "scheduler/daemon/config.h"

#define HS_JOBBATCH_REASON_MAX 192

struct hs_jobbatch_job {
    struct hs_job *job;                       /* owned, class defaults filled in, id as to come */
    char cannot_meet[HS_JOBBATCH_REASON_MAX]; /* "" if it can */
};

struct hs_jobbatch {
    bool is_list; /* the answer is a list, too */
    HS_VEC(struct hs_jobbatch_job) jobs;
};

struct hs_jobbatch_options {
    const struct hs_cycle *cycle;   /* kept */
    const struct hs_config *config; /* kept */
    int64_t now_at_s;
    uint64_t first_id; /* of the first job: tasks of an array wait for one another */
};

/**
 * Read a body: a job request, an array of them, or {"items": [...]}; each of them may be an array.
 *
 * @param text        [n_bytes] NUL-terminated
 * @param ret_batch   owned by the caller on success
 * @param ret_where   where the error is; [64]
 * @param ret_errors  one error a line, owned by the caller (free); set on failure only
 * @return 0 or -HS_E_INVALID
 */
int hs_jobbatch_parse(const struct hs_jobbatch_options *options, const char *text, size_t n_bytes,
                      struct hs_jobbatch **ret_batch, char *ret_where, char **ret_errors);

/** Accepts NULL. */
void hs_jobbatch_free(struct hs_jobbatch *batch);
HS_DEFINE_AUTO(hs_jobbatch);
