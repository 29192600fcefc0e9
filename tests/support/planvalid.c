/* SPDX-License-Identifier: Apache-2.0 */
/* planvalid - counts a plan through, slot by slot. */
#include "tests/support/planvalid.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "scheduler/base/mem.h"
#include "tests/support/planvalid_heat.h"

#define SLACK_S     1e-3
#define SLACK_RATIO 1e-6 /* sums of doubles, and powers kept in whole mW */
#define SLACK_W     0.1

struct job_of_id {
    uint64_t id;
    size_t job_idx;
    bool is_seen;
};

struct count {
    const struct planvalid_case *valid;
    struct planvalid_report *report;
    struct job_of_id *of_ids; /* [n_jobs] by id */
    int64_t *used_vcpus;      /* [n_hosts][n_slots] */
    int64_t *used_memory_mib; /* [n_hosts][n_slots] */
    double *rack_w;           /* [n_racks][n_slots] while the slot's jobs run, base load included */
    double *job_wh;           /* [n_racks][n_slots] */
};

__attribute__((format(printf, 2, 3))) static void blame(struct planvalid_report *report,
                                                        const char *format, ...)
{
    va_list args;

    if (report->is_feasible) {
        va_start(args, format);
        vsnprintf(report->why, sizeof(report->why), format, args);
        va_end(args);
    }
    report->is_feasible = false;
}

/* --- time and power --- */

static double starts_at_s(const struct planvalid_case *valid, size_t slot)
{
    double from_at_s =
        (double)valid->frame->from_at_s + (double)slot * (double)valid->estate->slot_s;

    return fmax(from_at_s, (double)valid->frame->now_at_s);
}

static double lasts_s(const struct planvalid_case *valid, size_t slot)
{
    double until_at_s =
        (double)valid->frame->from_at_s + (double)(slot + 1) * (double)valid->estate->slot_s;

    return until_at_s - starts_at_s(valid, slot);
}

static double vcpu_w(const struct hs_host *host)
{
    return (host->max_w - host->idle_w) / host->vcpus;
}

static bool runs(const struct hs_placement *placement, size_t slot)
{
    return placement->slots[slot / 64] >> slot % 64 & 1;
}

/** Quarters of its vCPUs' time that the job takes in @slot, at most. */
static double most_quarters(const struct hs_place_job *job)
{
    return job->share_max > 0 ? job->share_max : 4;
}

/** Quarters of its vCPUs' time that it does take there. */
static double quarters(const struct hs_place_job *job, const struct hs_placement *placement,
                       size_t slot)
{
    int low = placement->cut_low[slot / 64] >> slot % 64 & 1;
    int high = placement->cut_high[slot / 64] >> slot % 64 & 1;

    return most_quarters(job) - 2 * high - low;
}

/** Seconds of work, as remaining_s counts them, that it can do in @slot. */
static double works_s(const struct planvalid_case *valid, const struct hs_place_job *job,
                      const struct hs_placement *placement, size_t slot)
{
    return lasts_s(valid, slot) * quarters(job, placement, slot) / most_quarters(job);
}

/* --- one placement --- */

static bool is_whole(const struct hs_place_job *job)
{
    return job->freedom == HS_PLACE_FIXED || job->freedom == HS_PLACE_CONTIGUOUS
           || job->freedom == HS_PLACE_AT_ONCE;
}

/** First and last bits as said, and none beyond the horizon. @return false if it cannot be used */
static bool check_bits(struct count *count, const struct hs_placement *placement)
{
    size_t first = SIZE_MAX;
    size_t last = SIZE_MAX;

    for (size_t t = 0; t < HS_PLAN_SLOTS_MAX; t++) {
        if (runs(placement, t)) {
            first = first == SIZE_MAX ? t : first;
            last = t;
        }
    }
    if (first == SIZE_MAX || last >= count->valid->n_slots) {
        blame(count->report, "job %lu: on a host, and runs in no slot of the horizon",
              placement->job_id);
        return false;
    }
    if (first != placement->first_slot || last != placement->last_slot
        || placement->held_slot > first) {
        blame(count->report, "job %lu: says slots %zu..%zu, runs in %zu..%zu", placement->job_id,
              placement->first_slot, placement->last_slot, first, last);
    }
    return true;
}

static void check_where(struct count *count, const struct hs_place_job *job,
                        const struct hs_placement *placement)
{
    const struct hs_host *host = &count->valid->estate->hosts[placement->host_idx];

    if (job->site_allowed != NULL && !job->site_allowed[host->site_idx]) {
        blame(count->report, "job %lu: on %s, a site that it may not use", job->job_id, host->path);
    }
    if (job->host_idx != SIZE_MAX && job->host_idx != placement->host_idx && !job->is_movable) {
        blame(count->report, "job %lu: on %s, and bound to another host", job->job_id, host->path);
    }
    if (count->valid->barred != NULL && count->valid->barred[placement->host_idx]) {
        blame(count->report, "job %lu: on %s, which takes no jobs", job->job_id, host->path);
    }
}

/** Stretches between suspensions. */
static void check_stretches(struct count *count, const struct hs_place_job *job,
                            const struct hs_placement *placement)
{
    const struct planvalid_case *valid = count->valid;
    double ran_s = 0;

    for (size_t t = placement->first_slot; t <= placement->last_slot; t++) {
        if (runs(placement, t)) {
            ran_s += lasts_s(valid, t);
            continue;
        }
        if (is_whole(job)) {
            blame(count->report, "job %lu: must run through, and stops in slot %zu", job->job_id,
                  t);
        }
        bool goes_on = job->is_running && runs(placement, 0) && !job->must_run_now
                       && ran_s + SLACK_S > starts_at_s(valid, t) - starts_at_s(valid, 0);

        if (ran_s > 0 && !goes_on && ran_s + SLACK_S < (double)job->min_run_s) {
            blame(count->report, "job %lu: runs %.0f s up to slot %zu, its shortest run is %ld s",
                  job->job_id, ran_s, t, job->min_run_s);
        }
        ran_s = 0;
    }
}

/** @return when it ends, INFINITY if not within the horizon */
static double check_when(struct count *count, const struct hs_place_job *job,
                         const struct hs_placement *placement)
{
    const struct planvalid_case *valid = count->valid;
    double left_s = job->remaining_s;
    size_t first = placement->first_slot;

    if (starts_at_s(valid, first) + SLACK_S < (double)job->earliest_at_s) {
        blame(count->report, "job %lu: runs in slot %zu, before its release", job->job_id, first);
    }
    if ((job->freedom == HS_PLACE_FIXED || job->must_run_now) && !runs(placement, 0)) {
        blame(count->report, "job %lu: runs now and must go on, and does not", job->job_id);
    }
    for (size_t t = first; t < placement->last_slot; t++) {
        left_s -= runs(placement, t) ? works_s(valid, job, placement, t) : 0;
    }
    for (size_t t = first; t <= placement->last_slot; t++) {
        double least = job->share_min > 0 ? job->share_min : 4;

        if (runs(placement, t) && quarters(job, placement, t) < fmin(least, most_quarters(job))) {
            blame(count->report, "job %lu: throttled in slot %zu below what it bears", job->job_id,
                  t);
        }
    }
    if (left_s <= SLACK_S) {
        blame(count->report, "job %lu: more slots than it has work for", job->job_id);
    }
    double last_s = works_s(valid, job, placement, placement->last_slot);

    if (left_s > last_s + SLACK_S) {
        if (placement->last_slot + 1 < valid->n_slots) {
            blame(count->report, "job %lu: %.0f s of its work are in no slot", job->job_id,
                  left_s - last_s);
        }
        return INFINITY;
    }
    return starts_at_s(valid, placement->last_slot)
           + left_s * lasts_s(valid, placement->last_slot) / last_s;
}

/* --- what it takes --- */

static void take(struct count *count, const struct hs_place_job *job,
                 const struct hs_placement *placement)
{
    const struct planvalid_case *valid = count->valid;
    const struct hs_host *host = &valid->estate->hosts[placement->host_idx];
    size_t n = valid->n_slots;
    double left_s = job->remaining_s;
    size_t held = job->host_idx == placement->host_idx ? 0 : placement->first_slot;

    for (size_t t = held; t <= placement->last_slot; t++) {
        count->used_memory_mib[placement->host_idx * n + t] += job->size.memory_mib;
    }
    for (size_t t = placement->first_slot; t <= placement->last_slot; t++) {
        if (runs(placement, t)) {
            double work_s = fmin(left_s, works_s(valid, job, placement, t));
            double elec_w = vcpu_w(host) * job->size.vcpus * most_quarters(job) / 4;

            left_s -= work_s;
            count->used_vcpus[placement->host_idx * n + t] += job->size.vcpus;
            count->rack_w[host->rack_idx * n + t] +=
                elec_w * quarters(job, placement, t) / most_quarters(job);
            count->job_wh[host->rack_idx * n + t] += elec_w * work_s / 3600;
        }
    }
}

/** Work of @vcpus for @left_s that no slot has, at the dearest electricity that there is. */
static void charge_missing(struct count *count, double vcpus, double left_s)
{
    const struct planvalid_case *valid = count->valid;
    double most_w = 0;
    double most_cur_per_mwh = 0;

    for (size_t h = 0; h < valid->estate->n_hosts; h++) {
        most_w = fmax(most_w, vcpu_w(&valid->estate->hosts[h]));
    }
    for (size_t i = 0; i < valid->estate->n_sites * valid->n_slots; i++) {
        most_cur_per_mwh = fmax(most_cur_per_mwh, valid->frame->elec_cur_per_mwh[i]);
    }
    count->report->missing_cur += vcpus * most_w * left_s / 3600 * most_cur_per_mwh * 1e-6;
}

/** Work that goes on later costs its stop, at the price of the slot in which it stands still. */
static void charge_stops(struct count *count, const struct hs_place_job *job,
                         const struct hs_placement *placement)
{
    const struct planvalid_case *valid = count->valid;
    const struct hs_host *host = &valid->estate->hosts[placement->host_idx];
    double stop_s = fmax(PLANVALID_STOP_S, valid->frame->suspend_s);
    double stop_wh = vcpu_w(host) * job->size.vcpus * stop_s / 3600;
    bool has_run = job->is_running;

    for (size_t t = 0; t < placement->last_slot; t++) {
        if (has_run && !runs(placement, t)) {
            count->report->stop_cur +=
                stop_wh * 1e-6
                * valid->frame->elec_cur_per_mwh[host->site_idx * valid->n_slots + t];
        }
        has_run = runs(placement, t);
    }
}

static void miss(struct count *count, const struct hs_place_job *job,
                 const struct hs_placement *placement)
{
    double left_s = job->remaining_s;

    count->report->n_missed++;
    for (size_t t = 0; t < count->valid->n_slots && placement->host_idx != SIZE_MAX; t++) {
        left_s -= runs(placement, t) ? works_s(count->valid, job, placement, t) : 0;
    }
    if (left_s > SLACK_S) {
        charge_missing(count, job->size.vcpus, left_s);
    }
}

static void check_placement(struct count *count, const struct hs_place_job *job,
                            const struct hs_placement *placement)
{
    double ends_at_s = INFINITY;

    if (placement->host_idx != SIZE_MAX) {
        if (placement->host_idx >= count->valid->estate->n_hosts) {
            blame(count->report, "job %lu: on a host that there is not", job->job_id);
            return;
        }
        if (!check_bits(count, placement)) {
            return;
        }
        check_where(count, job, placement);
        check_stretches(count, job, placement);
        ends_at_s = check_when(count, job, placement);
        take(count, job, placement);
        charge_stops(count, job, placement);
    } else if (job->freedom == HS_PLACE_FILLER) {
        return; /* it need not run */
    }
    bool is_missed = ends_at_s > (double)job->due_at_s + SLACK_S;

    if (is_missed) {
        miss(count, job, placement);
    }
    if (!job->is_hopeless && is_missed != placement->is_late) {
        blame(count->report, "job %lu: %s, and the plan says otherwise", job->job_id,
              is_missed ? "late" : "in time");
    }
}

/* --- all of them --- */

static int compare_ids(const void *a, const void *b)
{
    const struct job_of_id *left = a;
    const struct job_of_id *right = b;

    return (left->id > right->id) - (left->id < right->id);
}

static void check_placements(struct count *count, const struct hs_placement *placements,
                             size_t n_placements)
{
    size_t n_jobs = count->valid->n_jobs;

    for (size_t j = 0; j < n_jobs; j++) {
        count->of_ids[j] = (struct job_of_id){.id = count->valid->jobs[j].job_id, .job_idx = j};
    }
    qsort(count->of_ids, n_jobs, sizeof(*count->of_ids), compare_ids);
    for (size_t i = 0; i < n_placements; i++) {
        struct job_of_id key = {.id = placements[i].job_id};
        struct job_of_id *found =
            bsearch(&key, count->of_ids, n_jobs, sizeof(*count->of_ids), compare_ids);

        if (found == NULL || found->is_seen) {
            blame(count->report, "job %lu: %s", key.id,
                  found == NULL ? "placed, and nobody asked for it" : "in two places");
            continue;
        }
        found->is_seen = true;
        check_placement(count, &count->valid->jobs[found->job_idx], &placements[i]);
    }
    for (size_t j = 0; j < n_jobs; j++) {
        if (!count->of_ids[j].is_seen) {
            blame(count->report, "job %lu: the plan says nothing of it", count->of_ids[j].id);
        }
    }
}

static void check_room(struct count *count)
{
    const struct hs_estate *estate = count->valid->estate;
    size_t n = count->valid->n_slots;

    for (size_t h = 0; h < estate->n_hosts; h++) {
        const struct hs_host *host = &estate->hosts[h];

        for (size_t t = 0; t < n; t++) {
            if (count->used_vcpus[h * n + t] > (int64_t)host->vcpus - host->pinned_vcpus) {
                blame(count->report, "%s: %ld vCPUs wanted in slot %zu, there are %u", host->path,
                      count->used_vcpus[h * n + t], t, host->vcpus - host->pinned_vcpus);
            }
            if (count->used_memory_mib[h * n + t] > (int64_t)host->memory_mib) {
                blame(count->report, "%s: %ld MiB wanted in slot %zu, there are %lu", host->path,
                      count->used_memory_mib[h * n + t], t, host->memory_mib);
            }
        }
    }
}

static void check_power(struct count *count)
{
    const struct hs_estate *estate = count->valid->estate;
    size_t n = count->valid->n_slots;
    HS_AUTO_MEM double *site_w = hs_xcalloc(estate->n_sites * n, sizeof(*site_w));

    for (size_t i = 0; i < estate->n_racks * n; i++) {
        const struct hs_rack *rack = &estate->racks[i / n];

        site_w[rack->site_idx * n + i % n] += count->rack_w[i];
        if (count->rack_w[i] > rack->limit_w * (1 + SLACK_RATIO) + SLACK_W) {
            blame(count->report, "%s: %.1f W in slot %zu, its limit is %.1f W", rack->path,
                  count->rack_w[i], i % n, rack->limit_w);
        }
    }
    for (size_t i = 0; i < estate->n_sites * n; i++) {
        const struct hs_site *site = &estate->sites[i / n];

        if (site_w[i] > site->limit_w * (1 + SLACK_RATIO) + SLACK_W) {
            blame(count->report, "site %s: %.1f W in slot %zu, its limit is %.1f W", site->name,
                  site_w[i], i % n, site->limit_w);
        }
    }
}

/* --- electricity and heat --- */

static void begin_power(struct count *count)
{
    const struct planvalid_case *valid = count->valid;
    size_t n = valid->n_slots;

    for (size_t h = 0; h < valid->estate->n_hosts; h++) {
        const struct hs_host *host = &valid->estate->hosts[h];
        double base_w = host->idle_w + vcpu_w(host) * host->pinned_vcpus;

        for (size_t t = 0; t < n; t++) {
            count->rack_w[host->rack_idx * n + t] += base_w;
            count->report->base_elec_cur +=
                base_w * lasts_s(valid, t) / 3600 * 1e-6
                * valid->frame->elec_cur_per_mwh[host->site_idx * n + t];
        }
    }
}

/** @param ret_tank_wh [n_loops][n_slots] at slot end, or NULL */
static void run_loops(struct count *count, double *ret_tank_wh)
{
    const struct planvalid_case *valid = count->valid;
    size_t n = valid->n_slots;
    HS_AUTO_MEM double *captured_wh = hs_xcalloc(valid->estate->n_loops * n, sizeof(*captured_wh));

    for (size_t i = 0; i < valid->estate->n_racks * n; i++) {
        const struct hs_rack *rack = &valid->estate->racks[i / n];

        captured_wh[rack->loop_idx * n + i % n] += count->job_wh[i] * rack->capture_ratio;
        count->report->job_elec_cur +=
            count->job_wh[i] * 1e-6 * valid->frame->elec_cur_per_mwh[rack->site_idx * n + i % n];
    }
    for (size_t l = 0; l < valid->estate->n_loops; l++) {
        const struct hs_thermal_input *input = &valid->frame->thermal[l];
        double stored_wh = input->tank_wh;

        for (size_t t = 0; t < n; t++) {
            planvalid_heat_run(valid, l, t, lasts_s(valid, t),
                               captured_wh[l * n + t] + input->captured_wh[t], &stored_wh,
                               count->report);
            if (ret_tank_wh != NULL) {
                ret_tank_wh[l * n + t] = stored_wh;
            }
        }
        count->report->left_cur += stored_wh * input->end_cur_per_wh;
    }
}

/* --- the two entrances --- */

static void count_through(const struct planvalid_case *valid, const struct hs_placement *placements,
                          size_t n_placements, struct planvalid_report *report, double *ret_tank_wh)
{
    size_t n_host_slots = valid->estate->n_hosts * valid->n_slots;
    size_t n_rack_slots = valid->estate->n_racks * valid->n_slots;
    HS_AUTO_MEM struct job_of_id *of_ids = hs_xcalloc(valid->n_jobs, sizeof(*of_ids));
    HS_AUTO_MEM int64_t *used_vcpus = hs_xcalloc(n_host_slots, sizeof(*used_vcpus));
    HS_AUTO_MEM int64_t *used_memory_mib = hs_xcalloc(n_host_slots, sizeof(*used_memory_mib));
    HS_AUTO_MEM double *rack_w = hs_xcalloc(n_rack_slots, sizeof(*rack_w));
    HS_AUTO_MEM double *job_wh = hs_xcalloc(n_rack_slots, sizeof(*job_wh));
    struct count count = {.valid = valid,
                          .report = report,
                          .of_ids = of_ids,
                          .used_vcpus = used_vcpus,
                          .used_memory_mib = used_memory_mib,
                          .rack_w = rack_w,
                          .job_wh = job_wh};

    *report = (struct planvalid_report){.is_feasible = true};
    begin_power(&count);
    check_placements(&count, placements, n_placements);
    check_room(&count);
    check_power(&count);
    run_loops(&count, ret_tank_wh);
    report->cost_cur = report->job_elec_cur + report->backup_cur + report->reject_cur
                       + report->floor_cur - report->left_cur + report->stop_cur
                       + report->missing_cur;
}

void planvalid_check(const struct planvalid_case *valid, const struct hs_placement *placements,
                     size_t n_placements, struct planvalid_report *ret_report)
{
    count_through(valid, placements, n_placements, ret_report, NULL);
}

/** The plan's sums. It counts base load as well, and leaves out stops and what has no place. */
static void check_sums(const struct planvalid_case *valid, const struct hs_plan *plan,
                       struct planvalid_report *report)
{
    double said_cur = plan->cost_cur - report->base_elec_cur;
    double cost_cur = report->cost_cur - report->missing_cur - report->stop_cur;
    size_t n_hopeless = 0;

    for (size_t j = 0; j < valid->n_jobs; j++) {
        n_hopeless += valid->jobs[j].is_hopeless;
    }
    if (!(fabs(said_cur - cost_cur) <= 1e-6 * (fabs(cost_cur) + report->base_elec_cur))) {
        blame(report, "costs %.6f without base load and stops, the plan says %.6f", cost_cur,
              said_cur);
    }
    if (n_hopeless == 0 && plan->n_late != report->n_missed) {
        blame(report, "%zu jobs are late, the plan says %zu", report->n_missed, plan->n_late);
    }
}

void planvalid_check_plan(const struct planvalid_case *valid, const struct hs_plan *plan,
                          struct planvalid_report *ret_report)
{
    size_t n = valid->estate->n_loops * valid->n_slots;
    HS_AUTO_MEM double *tank_wh = hs_xcalloc(n, sizeof(*tank_wh));

    count_through(valid, plan->placements, plan->n_placements, ret_report, tank_wh);
    for (size_t i = 0; i < n; i++) {
        const struct hs_heatloop *loop = &valid->estate->loops[i / valid->n_slots];

        if (fabs(plan->tank_wh[i] - tank_wh[i]) > 1 + 1e-6 * hs_tank_max_wh(&loop->tank)) {
            blame(ret_report, "%s: %.0f Wh in the tank after slot %zu, the plan says %.0f Wh",
                  loop->path, tank_wh[i], i % valid->n_slots, plan->tank_wh[i]);
        }
    }
    check_sums(valid, plan, ret_report);
}
