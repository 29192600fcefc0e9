/* SPDX-License-Identifier: Apache-2.0 */
/*
 * controller_carbon - run when the grid is clean, whoever wants the heat.
 *
 * At submit a job gets the window of least carbon (carbonplan.h) that ends by its due time, with
 * the true future of carbon and of run times. If none has room, the window of least carbon that
 * ends at most two days after it is due; if none has room either, the first that has. A job that
 * a lost host threw off, or whose host is closed when its time comes, is planned anew.
 */
#include <math.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/vec.h"
#include "scheduler/sim/carbonplan.h"
#include "scheduler/sim/controller.h"
#include "scheduler/sim/simqueue.h"
#include "scheduler/sim/simroom.h"

#define AFTER_DUE_S 172800.0 /* how late a clean window may still be; as in the references */
#define AGAIN_S     86400.0  /* between two looks for a job that fits nowhere */

struct carbon {
    struct hs_simqueue queue;
    struct hs_carbonplan *plan;
    struct hs_carbonplan_window *windows; /* [n_jobs] host_idx SIZE_MAX: none, look at at_s */
    HS_VEC(size_t) planned;               /* waiting, the next to start last */
};

static void add_planned(struct carbon *carbon, size_t job_idx)
{
    double at_s = carbon->windows[job_idx].at_s;
    size_t i = carbon->planned.n, *items;

    HS_VEC_PUSH(&carbon->planned, job_idx);
    items = carbon->planned.items;
    for (; i > 0 && carbon->windows[items[i - 1]].at_s <= at_s; i--) {
        items[i] = items[i - 1];
    }
    items[i] = job_idx;
}

static void plan_job(struct carbon *carbon, size_t job_idx, double from_at_s)
{
    const struct hs_simrun *run = carbon->queue.run;
    const struct hs_simjob *job = &run->jobs->items[job_idx];
    double span_s = hs_simrun_get_need_s(run, job_idx, run->states[job_idx].host_idx);
    struct hs_carbonplan_window window =
        hs_carbonplan_find_cheapest(carbon->plan, job->vcpus, span_s, from_at_s, job->due_at_s);

    if (window.host_idx == SIZE_MAX) {
        window = hs_carbonplan_find_cheapest(carbon->plan, job->vcpus, span_s, from_at_s,
                                             job->due_at_s + AFTER_DUE_S);
    }
    if (window.host_idx == SIZE_MAX) {
        window = hs_carbonplan_find_first(carbon->plan, job->vcpus, span_s, from_at_s);
    }
    if (window.host_idx == SIZE_MAX) {
        window.at_s = from_at_s + AGAIN_S;
    } else {
        hs_carbonplan_reserve(carbon->plan, &window, job->vcpus);
    }
    carbon->windows[job_idx] = window;
    add_planned(carbon, job_idx);
}

static void carbon_submit(void *arg, size_t job_idx)
{
    struct carbon *carbon = arg;

    plan_job(carbon, job_idx, carbon->queue.run->at_s);
}

/** Its host was lost: what is left of its window is free for others when the host is back. */
static void carbon_take_back(void *arg, size_t job_idx)
{
    struct carbon *carbon = arg;

    hs_carbonplan_release(carbon->plan, &carbon->windows[job_idx],
                          carbon->queue.run->jobs->items[job_idx].vcpus);
    plan_job(carbon, job_idx, carbon->queue.run->at_s);
}

static void carbon_schedule(void *arg, bool is_slot_end)
{
    struct carbon *carbon = arg;
    const struct hs_simrun *run = carbon->queue.run;

    (void)is_slot_end;
    while (carbon->planned.n > 0) {
        size_t job_idx = carbon->planned.items[carbon->planned.n - 1];
        struct hs_carbonplan_window *window = &carbon->windows[job_idx];
        uint32_t vcpus = run->jobs->items[job_idx].vcpus;

        if (window->at_s > run->at_s) {
            break;
        }
        carbon->planned.n--;
        if (window->host_idx == SIZE_MAX) {
            plan_job(carbon, job_idx, run->at_s);
        } else if (hs_simroom_check(run, window->host_idx, vcpus)) {
            hs_simqueue_start(&carbon->queue, job_idx, window->host_idx);
        } else {
            hs_carbonplan_release(carbon->plan, window, vcpus);
            plan_job(carbon, job_idx, hs_simrun_slot_end_at_s(run));
        }
    }
}

static double carbon_get_next_at_s(void *arg)
{
    const struct carbon *carbon = arg;

    return carbon->planned.n > 0
               ? carbon->windows[carbon->planned.items[carbon->planned.n - 1]].at_s
               : (double)INFINITY;
}

static int carbon_drive(struct hs_simrun *run, const struct hs_controller_options *options,
                        struct hs_controller_stats *ret_stats, struct hs_err *err)
{
    static const struct hs_simqueue_ops ops = {.submit = carbon_submit,
                                               .take_back = carbon_take_back,
                                               .schedule = carbon_schedule,
                                               .get_next_at_s = carbon_get_next_at_s};
    struct carbon carbon = {.plan = hs_carbonplan_new(run),
                            .windows = hs_xcalloc(run->jobs->n, sizeof(*carbon.windows))};

    (void)err;
    hs_simqueue_init(&carbon.queue, run);
    hs_simqueue_drive(&carbon.queue, &ops, &carbon, options);
    hs_simqueue_fini(&carbon.queue);
    HS_VEC_FINI(&carbon.planned);
    free(carbon.windows);
    hs_carbonplan_free(carbon.plan);
    *ret_stats = (struct hs_controller_stats){(double)NAN, (double)NAN, (double)NAN};
    return 0;
}

const struct hs_controller_ops hs_controller_carbon_ops = {
    .name = "carbon",
    .summary = "each job in the window of least carbon before it is due, with true foresight",
    .drive = carbon_drive,
};
