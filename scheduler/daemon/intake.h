/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * intake - jobs that were asked for, on their way into the store.
 *
 * What comes while a commit is on its way goes together in the next one: so a crowd of requests
 * costs few fsyncs, and a single one waits for its own only. All jobs of a request land in one
 * commit, with the key that makes it repeatable: all or none. Loop thread only.
 */

#include <stddef.h>
#include <stdint.h>

#include "adapters/store/store.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/vec.h"
#include "scheduler/model/job.h"

#define HS_INTAKE_JOBS_MAX 10000 /* of one request */

struct hs_intake;
struct hs_intake_request;

/**
 * A request has landed or not.
 *
 * @param rc       0, -HS_E_UNAVAILABLE or -HS_E_TIMEOUT (it may have landed after all)
 * @param request  taken
 */
typedef void hs_intake_done_fn(int rc, const struct hs_err *err, struct hs_intake_request *request,
                               void *arg);

/** Jobs that are to be taken in together; their ids are set. */
struct hs_intake_request {
    HS_VEC(struct hs_job *) jobs; /* owned */
    char repeat_key[24];          /* row of table "repeats", "" for none */
    char *repeat_text;            /* owned; NULL without one */
    hs_intake_done_fn *done;
    void *arg;
};

/** Owned by the caller. @param store  kept */
struct hs_intake *hs_intake_new(struct hs_store *store);

/**
 * Write @request down; its done is called once, never from inside.
 *
 * @param request  taken
 * @param next_id  first id that no job has
 */
void hs_intake_add(struct hs_intake *intake, struct hs_intake_request *request, uint64_t next_id);

/** Accepts NULL. */
void hs_intake_request_free(struct hs_intake_request *request);
HS_DEFINE_AUTO(hs_intake_request);

/** Nothing more is written: before the store goes. Accepts NULL. */
void hs_intake_stop(struct hs_intake *intake);

/** What waits ends with -HS_E_UNAVAILABLE. Accepts NULL. After the store, whose calls end here. */
void hs_intake_free(struct hs_intake *intake);
HS_DEFINE_AUTO(hs_intake);
