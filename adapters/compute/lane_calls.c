/* SPDX-License-Identifier: Apache-2.0 */
/* lane_calls - a list of what is pending on a lane. */
#include "adapters/compute/lane_calls.h"

#include "scheduler/base/mem.h"

struct hs_lane_call {
    TAILQ_ENTRY(hs_lane_call) link;
    struct hs_lane_calls *calls; /* NULL once answered */
    hs_lane_call_work_fn *work;
    hs_lane_call_done_fn *done;
    hs_executor_fn *release;
    void *arg;
    int rc;
    struct hs_err err;
};

static void call_work(void *arg)
{
    struct hs_lane_call *call = arg;

    call->rc = call->work(call->arg, &call->err);
}

static void call_answer(struct hs_lane_call *call, int rc, const struct hs_err *err)
{
    TAILQ_REMOVE(&call->calls->pending, call, link);
    call->calls = NULL;
    call->done(rc, rc < 0 ? err : NULL, call->arg);
}

static void call_done(int rc, void *arg)
{
    struct hs_lane_call *call = arg;
    struct hs_err err = {0};

    if (call->calls == NULL) {
        return;
    }
    if (rc == 0) {
        call_answer(call, call->rc, &call->err);
    } else if (rc == -HS_E_TIMEOUT) {
        rc = hs_err_set(&err, HS_E_TIMEOUT, NULL, "no answer within %.3g s",
                        call->calls->deadline_s);
        call_answer(call, rc, &err);
    } else {
        rc = hs_err_set(&err, HS_E_UNAVAILABLE, NULL, "the host was closed");
        call_answer(call, rc, &err);
    }
}

static void call_release(void *arg)
{
    struct hs_lane_call *call = arg;

    if (call->release != NULL) {
        call->release(call->arg);
    }
    free(call);
}

void hs_lane_calls_init(struct hs_lane_calls *calls, struct hs_executor *executor, const char *name,
                        double deadline_s)
{
    calls->executor = executor;
    calls->lane = hs_executor_lane_add(executor, name);
    calls->deadline_s = deadline_s;
    TAILQ_INIT(&calls->pending);
}

void hs_lane_calls_add(struct hs_lane_calls *calls, hs_lane_call_work_fn *work,
                       hs_lane_call_done_fn *done, hs_executor_fn *release, void *arg)
{
    struct hs_lane_call *call = hs_xcalloc(1, sizeof(*call));

    call->calls = calls;
    call->work = work;
    call->done = done;
    call->release = release;
    call->arg = arg;
    TAILQ_INSERT_TAIL(&calls->pending, call, link);
    hs_executor_run(calls->executor, calls->lane, calls->deadline_s, call_work, call_done,
                    call_release, call);
}

void hs_lane_calls_fini(struct hs_lane_calls *calls)
{
    struct hs_lane_call *call;
    struct hs_err err = {0};
    int rc = hs_err_set(&err, HS_E_UNAVAILABLE, NULL, "the host was closed");

    while ((call = TAILQ_FIRST(&calls->pending)) != NULL) {
        call_answer(call, rc, &err);
    }
    hs_executor_lane_remove(calls->executor, calls->lane);
    calls->lane = NULL;
}
