/* SPDX-License-Identifier: Apache-2.0 */
/* controller_asap - first come first served with EASY backfill (easy.h): the yardstick. */
#include <math.h>

#include "scheduler/sim/controller.h"
#include "scheduler/sim/easy.h"

static void asap_submit(void *arg, size_t job_idx)
{
    hs_easy_add(arg, job_idx);
}

static void asap_schedule(void *arg, bool is_slot_end)
{
    (void)is_slot_end;
    hs_easy_apply(arg);
}

static int asap_drive(struct hs_simrun *run, const struct hs_controller_options *options,
                      struct hs_controller_stats *ret_stats, struct hs_err *err)
{
    static const struct hs_simqueue_ops ops = {
        .submit = asap_submit, .take_back = asap_submit, .schedule = asap_schedule};
    struct hs_simqueue queue;
    struct hs_easy easy = {.queue = &queue};

    (void)err;
    hs_simqueue_init(&queue, run);
    hs_simqueue_drive(&queue, &ops, &easy, options);
    hs_easy_fini(&easy);
    hs_simqueue_fini(&queue);
    *ret_stats = (struct hs_controller_stats){(double)NAN, (double)NAN, (double)NAN};
    return 0;
}

const struct hs_controller_ops hs_controller_asap_ops = {
    .name = "asap",
    .summary = "as soon as possible: first come first served with EASY backfill",
    .drive = asap_drive,
};
