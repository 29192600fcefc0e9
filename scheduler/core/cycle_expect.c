/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cycle_expect - work that is not submitted yet, from the requests that came, into the horizon.
 *
 * What was learned changes slowly, so it is laid out once an hour of plan time and whenever a plan
 * begins anew; plans in between take the same heat at the same instants.
 */
#include <math.h>
#include <string.h>

#include "scheduler/base/units.h"
#include "scheduler/core/cycle_priv.h"
#include "scheduler/core/jobstate.h"

#define EXPECT_BUCKET_S INT64_C(10800)
#define EXPECT_EVERY_S  HS_S_PER_H

/*
 * Work to come will itself be put off to where heat is wanted, so only this part of the heat that
 * it would give as it comes is counted upon. See docs/adr/0014.
 */
#define HEAT_COUNTED_RATIO 0.2

/* --- learning --- */

void hs_cycle_learn_request(struct hs_cycle *cycle, const struct hs_cycle_entry *entry)
{
    const struct hs_job *job = entry->job;
    bool is_at_once =
        job->now || job->base_class == HS_CLASS_PINNED || job->base_class == HS_CLASS_MOVABLE;

    if (job->base_class == HS_CLASS_FILLER) {
        return; /* it takes what is left over, and nobody waits for it */
    }
    hs_arrivals_observe(&cycle->arrivals,
                        &(struct hs_arrivals_request){
                            .kind = is_at_once ? HS_ARRIVALS_AT_ONCE : HS_ARRIVALS_DEFERRABLE,
                            .at_s = job->submitted_at_s,
                            .vcpus = (double)job->vcpus,
                            .run_s = (double)job->duration_s,
                            .due_at_s = entry->due_at_s,
                        });
}

void hs_cycle_learn_end(struct hs_cycle *cycle, const struct hs_cycle_entry *entry)
{
    const struct hs_job *job = entry->job;

    if (job->base_class != HS_CLASS_FILLER) {
        hs_arrivals_observe_end(&cycle->arrivals, (double)job->vcpus, (double)job->duration_s,
                                hs_jobstate_get_ran_s(job, cycle->now_at_s));
    }
}

/* --- what stands already --- */

/* Room of each loop's hosts that answer, less what is not ours. */
static void fill_free(const struct hs_cycle *cycle, double *free_vcpus)
{
    const struct hs_estate *estate = cycle->estate;
    size_t n = cycle->n_slots;

    for (size_t h = 0; h < estate->n_hosts; h++) {
        const struct hs_host *host = &estate->hosts[h];
        double vcpus = (double)host->vcpus - (double)hs_cycle_get_base_vcpus(cycle, h);

        for (size_t t = 0; cycle->hosts[h].is_up && t < n; t++) {
            free_vcpus[host->loop_idx * n + t] += vcpus;
        }
    }
}

/* Take what the last plan gives to jobs out of the room. */
static void take_placed(const struct hs_cycle *cycle, int64_t last_from_at_s, double *free_vcpus)
{
    size_t moved = (size_t)((cycle->plan_from_at_s - last_from_at_s) / cycle->estate->slot_s);

    for (size_t i = 0; i < cycle->live.n; i++) {
        const struct hs_cycle_entry *entry = hs_cycle_get_live(cycle, i);
        const struct hs_placement *placement = &entry->placement;

        if (!entry->is_placed || placement->host_idx == SIZE_MAX || hs_job_is_over(entry->job)) {
            continue;
        }
        double *row =
            &free_vcpus[cycle->estate->hosts[placement->host_idx].loop_idx * cycle->n_slots];

        for (size_t t = 0; t + moved <= placement->last_slot && t < cycle->n_slots; t++) {
            row[t] -= hs_plan_runs(placement, t + moved) ? (double)entry->job->vcpus : 0.0;
        }
    }
}

/* --- how full the next day is --- */

/* Part of the room of the next day that jobs and expected work will take. */
static double measure_load(const struct hs_cycle *cycle, const double *room_vcpus,
                           const double *free_vcpus)
{
    const struct hs_estate *estate = cycle->estate;
    size_t n = cycle->n_slots;
    size_t n_day = (size_t)(HS_S_PER_DAY / estate->slot_s);
    double room = 0.0;
    double busy = 0.0;

    for (size_t l = 0; l < estate->n_loops; l++) {
        for (size_t t = 0; t < n_day && t < n; t++) {
            int64_t at_s = cycle->plan_from_at_s + (int64_t)t * estate->slot_s;

            room += room_vcpus[l * n + t];
            busy += room_vcpus[l * n + t] - free_vcpus[l * n + t]
                    + hs_expected_get_vcpus(cycle->expected, l, at_s);
        }
    }
    return room > 0 ? fmin(fmax(busy / room, 0.0), 1.0) : 1.0;
}

/* --- the layout --- */

static void lay(struct hs_cycle *cycle, int64_t last_from_at_s)
{
    const struct hs_estate *estate = cycle->estate;
    size_t n = cycle->n_slots;
    int64_t horizon_s = (int64_t)n * estate->slot_s;
    size_t n_buckets = (size_t)((horizon_s + EXPECT_BUCKET_S - 1) / EXPECT_BUCKET_S);
    HS_AUTO_MEM double *free_vcpus = hs_xcalloc(estate->n_loops * n, sizeof(double));
    HS_AUTO_MEM double *room_vcpus = hs_xcalloc(estate->n_loops * n, sizeof(double));
    HS_AUTO_MEM struct hs_arrivals_bucket *buckets =
        hs_xcalloc(n_buckets * HS_ARRIVALS_N_KINDS, sizeof(*buckets));

    fill_free(cycle, room_vcpus);
    memcpy(free_vcpus, room_vcpus, estate->n_loops * n * sizeof(double));
    take_placed(cycle, last_from_at_s, free_vcpus);
    /* what starts at once has no choice, so it chooses first */
    hs_arrivals_expect(&cycle->arrivals, HS_ARRIVALS_AT_ONCE, cycle->now_at_s, EXPECT_BUCKET_S,
                       n_buckets, buckets);
    hs_arrivals_expect(&cycle->arrivals, HS_ARRIVALS_DEFERRABLE, cycle->now_at_s, EXPECT_BUCKET_S,
                       n_buckets, &buckets[n_buckets]);
    hs_expected_lay(cycle->expected, cycle->plan_from_at_s, free_vcpus, buckets,
                    n_buckets * HS_ARRIVALS_N_KINDS);
    cycle->expected_at_s = cycle->now_at_s;
    cycle->load_ratio = measure_load(cycle, room_vcpus, free_vcpus);
}

void hs_cycle_add_expected(struct hs_cycle *cycle, int64_t last_from_at_s)
{
    const struct hs_estate *estate = cycle->estate;
    int64_t laid_at_s = hs_expected_get_from_at_s(cycle->expected);

    if (cycle->options.is_told_ahead) {
        return;
    }
    if (laid_at_s == INT64_MIN || cycle->now_at_s - cycle->expected_at_s >= EXPECT_EVERY_S) {
        lay(cycle, last_from_at_s);
    }
    for (size_t l = 0; l < estate->n_loops; l++) {
        for (size_t t = 0; t < cycle->n_slots; t++) {
            int64_t at_s = cycle->plan_from_at_s + (int64_t)t * estate->slot_s;

            cycle->frame_captured_wh[l * cycle->n_slots + t] +=
                hs_wh_from_w(HEAT_COUNTED_RATIO * hs_expected_get_heat_w(cycle->expected, l, at_s),
                             (double)estate->slot_s * hs_cycle_get_slot_share(cycle, t));
        }
    }
}
