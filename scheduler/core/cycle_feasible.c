/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cycle_feasible - how far work may be put off: not to its own latest start, but so far that it,
 * all others and what is expected to come still find room. See feasible.h.
 */
#include <math.h>

#include "scheduler/base/units.h"
#include "scheduler/core/cycle_priv.h"
#include "scheduler/core/jobstate.h"

#define BUCKET_S     INT64_C(10800)
#define BUCKET_REACH (7 * HS_S_PER_DAY) /* as far as arrivals have a pattern */
/*
 * Standard deviations that more may come than is expected, of all that comes by then: what is too
 * much in one hour is often too little in the next, so that variances add up, not deviations.
 */
#define SPREADS 1.0
/* Part of the room that is there to be filled: hosts do not come full to the last vCPU. */
#define FILLED 0.9

/* vCPUs of a host that a job makes useless for others of its size. */
static double get_share_vcpus(const struct hs_cycle *cycle, double vcpus)
{
    const struct hs_estate *estate = cycle->estate;
    double room_vcpus = 0.0;

    for (size_t h = 0; h < estate->n_hosts; h++) {
        room_vcpus = fmax(room_vcpus, (double)estate->hosts[h].vcpus
                                          - (double)hs_cycle_get_base_vcpus(cycle, h));
    }
    double n = vcpus > 0 ? floor(room_vcpus / vcpus) : 0.0;

    return n >= 1 && n <= 3 ? room_vcpus / n : vcpus;
}

static void set_room(struct hs_cycle *cycle)
{
    const struct hs_estate *estate = cycle->estate;
    double room_vcpus = 0.0;

    for (size_t h = 0; h < estate->n_hosts; h++) {
        if (cycle->hosts[h].is_up) {
            room_vcpus += fmax(0.0, (double)estate->hosts[h].vcpus
                                        - (double)hs_cycle_get_base_vcpus(cycle, h));
        }
    }
    hs_feasible_set(cycle->feasible, cycle->plan_from_at_s, FILLED * room_vcpus);
}

static struct hs_feasible_work work_of(const struct hs_cycle *cycle,
                                       const struct hs_cycle_entry *entry)
{
    const struct hs_job *job = entry->job;

    return (struct hs_feasible_work){
        .release_at_s =
            job->earliest_at_s > cycle->now_at_s ? job->earliest_at_s : cycle->plan_from_at_s,
        .due_at_s = entry->due_at_s,
        .vcpus = get_share_vcpus(cycle, (double)job->vcpus),
        .run_s = hs_cycle_get_safe_left_s(cycle, entry),
    };
}

static void set_margin(struct hs_cycle_entry *entry, int64_t end_at_s)
{
    entry->margin_s = fmax(0.0, (double)(entry->due_at_s - end_at_s));
}

/* What comes, with some more than is expected. @return how many of @works were written */
static size_t fill_expected(const struct hs_cycle *cycle, enum hs_arrivals_kind kind,
                            struct hs_feasible_work *works)
{
    struct hs_arrivals_bucket buckets[BUCKET_REACH / BUCKET_S];
    size_t n_buckets = sizeof(buckets) / sizeof(buckets[0]);
    double variance = 0.0; /* of all that comes until then, vCPU s squared */
    double more_vcpu_s = 0.0;
    size_t n = 0;

    hs_arrivals_expect(&cycle->arrivals, kind, cycle->now_at_s, BUCKET_S, n_buckets, buckets);
    for (size_t i = 0; i < n_buckets; i++) {
        double before_vcpu_s = more_vcpu_s;

        variance += buckets[i].spread_vcpu_s * buckets[i].spread_vcpu_s;
        more_vcpu_s = SPREADS * sqrt(variance);

        double work_vcpu_s = buckets[i].work_vcpu_s + more_vcpu_s - before_vcpu_s;

        if (work_vcpu_s > 0 && buckets[i].run_s > 0) {
            works[n++] = (struct hs_feasible_work){.release_at_s = buckets[i].release_at_s,
                                                   .due_at_s = buckets[i].due_at_s,
                                                   .vcpus = work_vcpu_s / buckets[i].run_s,
                                                   .run_s = buckets[i].run_s};
        }
    }
    return n;
}

void hs_cycle_lay_margins(struct hs_cycle *cycle)
{
    size_t n_live = cycle->live.n;
    size_t n_expected = HS_ARRIVALS_N_KINDS * (BUCKET_REACH / BUCKET_S);
    HS_AUTO_MEM struct hs_feasible_work *works = hs_xcalloc(n_live + n_expected, sizeof(*works));
    HS_AUTO_MEM int64_t *end_at_s = hs_xcalloc(n_live + n_expected, sizeof(*end_at_s));
    HS_AUTO_MEM struct hs_cycle_entry **entries =
        hs_xcalloc(n_live, sizeof(struct hs_cycle_entry *));
    size_t n = 0;

    cycle->are_margins_laid = false;
    set_room(cycle);
    for (size_t i = 0; i < n_live; i++) {
        struct hs_cycle_entry *entry = hs_cycle_get_live(cycle, i);
        struct hs_feasible_work work = work_of(cycle, entry);

        entry->margin_s = 0.0;
        if (hs_job_is_over(entry->job) || entry->job->state == HS_JOB_HELD
            || entry->job->base_class == HS_CLASS_FILLER) {
            continue;
        }
        if (!hs_cycle_may_wait(cycle, entry)) {
            hs_feasible_take(cycle->feasible, cycle->now_at_s,
                             cycle->now_at_s + (int64_t)work.run_s, work.vcpus);
            continue;
        }
        entries[n] = entry;
        works[n++] = work;
    }
    size_t n_works = n;

    if (cycle->options.is_told_ahead) {
        return; /* all that will come is known, and the planner itself finds room for it */
    }
    for (size_t kind = 0; kind < HS_ARRIVALS_N_KINDS; kind++) {
        n_works += fill_expected(cycle, (enum hs_arrivals_kind)kind, &works[n_works]);
    }
    if (n_works == n) {
        return; /* nothing more is expected */
    }
    hs_feasible_lay(cycle->feasible, works, n_works, end_at_s);
    cycle->are_margins_laid = true;
    for (size_t i = 0; i < n; i++) {
        set_margin(entries[i], end_at_s[i]);
    }
}

void hs_cycle_lay_margin(struct hs_cycle *cycle, struct hs_cycle_entry *entry)
{
    struct hs_feasible_work work = work_of(cycle, entry);

    if (cycle->are_margins_laid && hs_cycle_may_wait(cycle, entry)) {
        set_margin(entry, hs_feasible_add(cycle->feasible, &work));
    }
}
