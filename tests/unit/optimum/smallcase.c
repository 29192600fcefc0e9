/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/optimum/smallcase.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/units.h"
#include "tests/unit/optimum/smallcase_priv.h"

#define PATTERNS_MAX 80.0 /* of an interruptible job on one host, in exact cases */
#define FROM_AT_S    INT64_C(1700006400)
#define SPREAD_K     25.0 /* of the tanks */

double smallcase_draw(struct smallcase *c)
{
    uint64_t z = c->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

double smallcase_slot_s(const struct smallcase *c, size_t t)
{
    int64_t gone_s = c->frame.now_at_s - c->frame.from_at_s;

    return (double)(c->estate.slot_s - (t == 0 ? gone_s : 0));
}

double smallcase_start_at_s(const struct smallcase *c, size_t t)
{
    return t == 0 ? (double)c->frame.now_at_s
                  : (double)(c->frame.from_at_s + (int64_t)t * c->estate.slot_s);
}

double smallcase_work_s(const struct smallcase *c, const struct hs_place_job *job,
                        const struct hs_placement *placement, size_t t)
{
    double most = job->share_max > 0 ? job->share_max : 4;
    int low = (int)(placement->cut_low[t / 64] >> (t % 64) & 1);
    int high = (int)(placement->cut_high[t / 64] >> (t % 64) & 1);

    return smallcase_slot_s(c, t) * (most - 2 * high - low) / most;
}

bool smallcase_is_closed(const struct smallcase *c, size_t h, size_t t)
{
    bool is_closed = false;

    for (size_t i = 0; i < c->n_closed; i++) {
        const struct smallcase_closed *closed = &c->closed[i];

        is_closed |= closed->host_idx == h && t >= closed->first && t <= closed->last;
    }
    return is_closed;
}

double smallcase_count_patterns(size_t n, size_t need, size_t min_run)
{
    double row[SMALLCASE_SLOTS_MAX + 2][SMALLCASE_SLOTS_MAX + 2] = {0};

    if (need > n || n > SMALLCASE_SLOTS_MAX) {
        return 0.0;
    }
    /* row[i][k]: ways to place k slots from slot i on, slot i - 1 being left out */
    for (size_t i = 0; i <= n + 1; i++) {
        row[i][0] = 1.0;
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = 1; k <= need; k++) {
            row[i][k] = row[i + 1][k];
            for (size_t run = 1; run <= k && i + run <= n; run++) {
                if (run >= min_run || run == k) {
                    row[i][k] += k == run ? 1.0 : row[i + run + 1][k - run];
                }
            }
        }
    }
    return row[0][need];
}

/* --- the estate --- */

static void fill_tank(struct smallcase *c, size_t l, double demand_w)
{
    struct hs_tank *tank = &c->loops[l].tank;
    double slot_h = (double)c->estate.slot_s / HS_S_PER_H;
    double full_wh = demand_w * between(c, 1.0, 5.0);

    *tank = (struct hs_tank){.charge_limit_w = INFINITY, .draw_limit_w = INFINITY};
    if (toss(c, 0.15)) {
        return;
    }
    tank->present = true;
    tank->nodes = 1;
    tank->min_c = 35.0;
    tank->max_c = tank->min_c + SPREAD_K;
    tank->volume_l = full_wh / (HS_WATER_WH_PER_L_K * SPREAD_K);
    tank->loss_w_per_k = between(c, 0.002, 0.006) * tank->volume_l * HS_WATER_WH_PER_L_K / slot_h;
    tank->ambient_c = toss(c, 0.6) ? tank->min_c : 18.0;
    if (toss(c, 0.25)) {
        tank->charge_limit_w = demand_w * between(c, 0.4, 1.2);
    }
    if (toss(c, 0.25)) {
        tank->draw_limit_w = demand_w * between(c, 0.4, 1.2);
    }
}

static void add_sinks(struct smallcase *c, size_t l)
{
    struct hs_heatloop *loop = &c->loops[l];
    double worth = between(c, 90.0, 210.0);

    loop->first_sink_idx = c->estate.n_sinks;
    loop->n_sinks = toss(c, 0.2) ? 2 : 1;
    for (size_t k = 0; k < loop->n_sinks; k++) {
        size_t i = c->estate.n_sinks++;

        c->sinks[i] = (struct hs_sink){.loop_idx = l, .heat_limit_w = INFINITY};
        (void)snprintf(c->sinks[i].path, sizeof(c->sinks[i].path), "s%zu/main/sink%zu", l, k);
        c->worth_cur_per_mwh[i] = k == 0 || toss(c, 0.7) ? worth : worth * between(c, 0.5, 1.0);
    }
}

static void add_hosts(struct smallcase *c, size_t l, double demand_w)
{
    struct hs_rack *rack = &c->racks[l];
    double capacity_w = demand_w * between(c, 1.4, 2.6);
    uint32_t vcpus = (uint32_t)pick(c, 8, 16);

    *rack = (struct hs_rack){.site_idx = l,
                             .loop_idx = l,
                             .capture_ratio = between(c, 0.6, 0.95),
                             .first_host_idx = c->estate.n_hosts,
                             .n_hosts = c->style == SMALLCASE_ANYHOW ? pick(c, 1, 3)
                                        : toss(c, 0.3)               ? 2
                                                                     : 1};
    (void)snprintf(rack->path, sizeof(rack->path), "s%zu/r1", l);
    for (size_t i = 0; i < rack->n_hosts; i++) {
        size_t h = c->estate.n_hosts++;
        double max_w = capacity_w / (double)rack->n_hosts;

        c->hosts[h] = (struct hs_host){
            .uri = "sim:",
            .site_idx = l,
            .rack_idx = l,
            .loop_idx = l,
            .vcpus = vcpus,
            .memory_mib = (uint64_t)vcpus * 1024 * pick(c, 2, 4),
            .idle_w = round(max_w * between(c, 0.1, 0.4)),
            .max_w = round(max_w),
            .pinned_vcpus = toss(c, 0.2) ? (uint32_t)pick(c, 1, 2) : 0,
        };
        (void)snprintf(c->hosts[h].path, sizeof(c->hosts[h].path), "s%zu/h%zu", l, i);
    }
    rack->limit_w = toss(c, 0.25) ? round(capacity_w * between(c, 0.8, 1.0)) : INFINITY;
    c->sites[l].limit_w = toss(c, 0.15) ? round(capacity_w * between(c, 0.8, 1.0)) : INFINITY;
}

static void fill_loop(struct smallcase *c, size_t l)
{
    double demand_w = between(c, 20e3, 80e3);
    size_t n = c->n_slots;
    double slot_h = (double)c->estate.slot_s / HS_S_PER_H;
    double shift_h = between(c, 0.0, 24.0);
    double base_w = 0.0;
    struct hs_heatloop *loop = &c->loops[l];

    c->sites[l] =
        (struct hs_site){.first_loop_idx = l, .n_loops = 1, .first_rack_idx = l, .n_racks = 1};
    (void)snprintf(c->sites[l].name, sizeof(c->sites[l].name), "s%zu", l);
    *loop = (struct hs_heatloop){.site_idx = l, .supply_c = 60.0, .rejection_limit_w = INFINITY};
    (void)snprintf(loop->path, sizeof(loop->path), "s%zu/main", l);
    fill_tank(c, l, demand_w);
    add_sinks(c, l);
    add_hosts(c, l, demand_w);
    base_w = demand_w * between(c, 0.04, 0.4);

    double elec = between(c, 80.0, 180.0);
    double reject_ratio = toss(c, 0.5) ? 0.0 : 0.03;
    double least = INFINITY;

    for (size_t t = 0; t < n; t++) {
        double hour = fmod((double)t * slot_h + shift_h, 24.0);
        double peaks =
            0.6 + 0.8 * exp(-pow((hour - 7.5) / 2.0, 2)) + 0.7 * exp(-pow((hour - 19.0) / 2.5, 2));
        double price = elec
                       * (1.0 + 0.4 * exp(-pow((hour - 19.0) / 2.0, 2))
                          - 0.3 * exp(-pow((hour - 13.0) / 2.5, 2)));

        for (size_t k = 0; k < loop->n_sinks; k++) {
            c->demand_wh[(loop->first_sink_idx + k) * n + t] =
                demand_w * peaks * between(c, 0.9, 1.1) * slot_h / (double)loop->n_sinks;
        }
        c->elec_cur_per_mwh[l * n + t] = price * between(c, 0.95, 1.05);
        c->captured_wh[l * n + t] = base_w * slot_h;
        c->reject_cur_per_wh[l * n + t] = reject_ratio * price * 1e-6;
    }
    for (size_t k = 0; k < loop->n_sinks; k++) {
        least = fmin(least, c->worth_cur_per_mwh[loop->first_sink_idx + k]);
    }
    c->thermal[l] = (struct hs_thermal_input){
        .slot_s = (double)c->estate.slot_s,
        .tank_wh = hs_tank_max_wh(&loop->tank) * smallcase_draw(c),
        .captured_wh = &c->captured_wh[l * n],
        .sink_demand_wh = &c->demand_wh[loop->first_sink_idx * n],
        .sink_cur_per_mwh = &c->worth_cur_per_mwh[loop->first_sink_idx],
        .reject_cur_per_wh = &c->reject_cur_per_wh[l * n],
        .end_cur_per_wh = least * 1e-6 * between(c, 0.3, 0.9),
    };
}

static void fill_estate(struct smallcase *c)
{
    struct hs_estate *estate = &c->estate;
    bool is_exact = c->style == SMALLCASE_EXACT;
    size_t n_loops = is_exact ? pick(c, 2, 3) : pick(c, 1, SMALLCASE_LOOPS_MAX);

    *estate = (struct hs_estate){.name = "small",
                                 .slot_s = toss(c, 0.5) ? 1800 : 3600,
                                 .sites = c->sites,
                                 .n_sites = n_loops,
                                 .loops = c->loops,
                                 .n_loops = n_loops,
                                 .sinks = c->sinks,
                                 .racks = c->racks,
                                 .n_racks = n_loops,
                                 .hosts = c->hosts};
    c->n_slots = is_exact ? pick(c, 16, 32) : pick(c, 4, SMALLCASE_SLOTS_MAX);
    for (size_t l = 0; l < n_loops; l++) {
        fill_loop(c, l);
    }
    c->frame = (struct hs_place_frame){
        .now_at_s = FROM_AT_S,
        .from_at_s = FROM_AT_S,
        .elec_cur_per_mwh = c->elec_cur_per_mwh,
        .thermal = c->thermal,
        .waiting_weight = between(c, 0.0, 0.1),
        .suspend_s = between(c, 300.0, 900.0),
    };
    if (!is_exact && toss(c, 0.5)) {
        c->frame.now_at_s += (int64_t)pick(c, 0, (size_t)estate->slot_s - 60);
    }
}

/* --- jobs --- */

/* Where it may run: some sites, at least one. */
static void allow_sites(struct smallcase *c, size_t j)
{
    size_t n = c->estate.n_sites;

    if (toss(c, 0.4)) {
        return;
    }
    for (size_t s = 0; s < n; s++) {
        c->site_allowed[j][s] = toss(c, 0.6);
    }
    c->site_allowed[j][pick(c, 0, n - 1)] = true;
    c->jobs[j].site_allowed = c->site_allowed[j];
}

/* vCPUs and memory that what is there already leaves on host @h. */
static struct hs_fit_size room_now(const struct smallcase *c, size_t h)
{
    struct hs_fit_size room = {
        .vcpus = (int32_t)(c->hosts[h].vcpus - c->hosts[h].pinned_vcpus),
        .memory_mib = (int64_t)c->hosts[h].memory_mib,
    };

    for (size_t j = 0; j < c->n_jobs; j++) {
        if (c->jobs[j].host_idx == h) {
            room.vcpus -= c->jobs[j].size.vcpus;
            room.memory_mib -= c->jobs[j].size.memory_mib;
        }
    }
    for (size_t i = 0; i < c->n_reserved; i++) {
        if (c->reserved[i].host_idx == h) {
            room.vcpus -= c->reserved[i].size.vcpus;
            room.memory_mib -= c->reserved[i].size.memory_mib;
        }
    }
    return room;
}

/* What is on a host may leave it, for any site or some. */
static void make_movable(struct smallcase *c, size_t j)
{
    struct hs_place_job *job = &c->jobs[j];

    if (!c->has_moves || job->must_run_now || job->freedom == HS_PLACE_CONTIGUOUS || toss(c, 0.4)) {
        return;
    }
    job->is_movable = true;
    job->move_s = toss(c, 0.4) ? 0.0 : between(c, 1.0, 1800.0);
    allow_sites(c, j);
    c->site_allowed[j][c->hosts[job->host_idx].site_idx] = true;
}

/* It is on a host already, where there is room beside the others that are. */
static void bind(struct smallcase *c, struct hs_place_job *job)
{
    size_t h = pick(c, 0, c->estate.n_hosts - 1);
    struct hs_fit_size room = room_now(c, h);

    if (room.vcpus < job->size.vcpus || room.memory_mib < job->size.memory_mib || c->barred[h]) {
        return;
    }
    job->host_idx = h;
    job->site_allowed = NULL;
    if (job->freedom == HS_PLACE_CONTIGUOUS) {
        return;
    }
    job->is_running = toss(c, 0.7);
    job->must_run_now = job->is_running && toss(c, 0.3);
    if (toss(c, 0.15) && c->racks[c->hosts[h].rack_idx].limit_w == INFINITY
        && c->sites[c->hosts[h].site_idx].limit_w == INFINITY) {
        job->freedom = HS_PLACE_FIXED;
        job->is_running = true;
        job->must_run_now = false;
        job->site_allowed = NULL;
    }
}

static size_t min_run_slots(const struct smallcase *c, const struct hs_place_job *job)
{
    size_t n = (size_t)((job->min_run_s + c->estate.slot_s - 1) / c->estate.slot_s);

    return n > 0 ? n : 1;
}

static void add_job_exact(struct smallcase *c)
{
    size_t n = c->n_slots;
    size_t j = c->n_jobs;
    struct hs_place_job *job = &c->jobs[j];
    int64_t slot_s = c->estate.slot_s;
    size_t need = pick(c, 2, n / 4);
    size_t release = toss(c, 0.4) ? 0 : pick(c, 0, n / 2);
    size_t slack = pick(c, 1, n);
    int32_t vcpus = (int32_t)pick(c, 1, 6);

    *job = (struct hs_place_job){
        .job_id = 100 + j,
        .freedom = toss(c, 0.4) ? HS_PLACE_CONTIGUOUS : HS_PLACE_INTERRUPTIBLE,
        .size = {.vcpus = vcpus, .memory_mib = vcpus * 1024 * (int64_t)pick(c, 1, 2)},
        .min_run_s = toss(c, 0.7) ? slot_s : 2 * slot_s,
        .host_idx = SIZE_MAX,
    };
    allow_sites(c, j);
    if (toss(c, 0.15)) {
        bind(c, job);
        release = job->host_idx != SIZE_MAX ? 0 : release;
    }
    release = release + need + 1 > n ? n - need - 1 : release;
    /* one slot of slack is the planner's own margin */
    slack = release + need + slack > n ? n - need - release : slack;
    while (slack > 1 && job->freedom == HS_PLACE_INTERRUPTIBLE
           && smallcase_count_patterns(need + slack, need, min_run_slots(c, job)) > PATTERNS_MAX) {
        slack--;
    }
    job->remaining_s = (double)((int64_t)need * slot_s);
    job->earliest_at_s = release > 0 ? FROM_AT_S + (int64_t)release * slot_s : 0;
    job->due_at_s = FROM_AT_S + (int64_t)(release + need + slack) * slot_s;
    c->n_jobs++;
}

/* Anything that may come: any length, any freedom, due times that cannot be met. */
static void add_job_anyhow(struct smallcase *c)
{
    static const enum hs_place_freedom freedoms[] = {HS_PLACE_AT_ONCE,       HS_PLACE_CONTIGUOUS,
                                                     HS_PLACE_CONTIGUOUS,    HS_PLACE_INTERRUPTIBLE,
                                                     HS_PLACE_INTERRUPTIBLE, HS_PLACE_FILLER};
    size_t j = c->n_jobs;
    struct hs_place_job *job = &c->jobs[j];
    double horizon_s = (double)c->estate.slot_s * (double)c->n_slots;
    double now_s = (double)c->frame.now_at_s;
    int32_t vcpus = (int32_t)pick(c, 1, 8);
    bool may_be_there;

    *job = (struct hs_place_job){
        .job_id = 100 + j,
        .freedom = freedoms[pick(c, 0, 5)],
        .size = {.vcpus = vcpus, .memory_mib = vcpus * 512 * (int64_t)pick(c, 1, 6)},
        .remaining_s = round(between(c, 60.0, horizon_s * (toss(c, 0.1) ? 1.5 : 0.3))),
        .min_run_s = toss(c, 0.5) ? 0 : (int64_t)pick(c, 1, 3 * (size_t)c->estate.slot_s),
        .host_idx = SIZE_MAX,
        .priority = (int)pick(c, 0, 3),
    };
    if (toss(c, 0.5)) {
        job->earliest_at_s = (int64_t)(now_s + between(c, 0.0, horizon_s * 0.8));
    }
    job->due_at_s = (int64_t)(fmax(now_s, (double)job->earliest_at_s) + job->remaining_s
                              + between(c, toss(c, 0.1) ? -horizon_s * 0.1 : 0.0, horizon_s));
    if (job->freedom == HS_PLACE_FILLER && toss(c, 0.5)) {
        job->ceiling_cur_per_mwh = between(c, -40.0, 60.0);
    }
    allow_sites(c, j);
    may_be_there = job->freedom != HS_PLACE_AT_ONCE;
    if (may_be_there && toss(c, c->has_moves ? 0.5 : 0.25)) {
        bind(c, job);
    }
    if (job->host_idx != SIZE_MAX) {
        job->earliest_at_s = 0;
        make_movable(c, j);
    }
    if (c->has_shares && job->freedom != HS_PLACE_FILLER && toss(c, 0.5)) {
        job->share_max = (uint8_t)pick(c, 1, 4);
        job->share_min = (uint8_t)pick(c, 1, job->share_max);
    }
    c->n_jobs++;
}

void smallcase_fill(struct smallcase *c, uint64_t seed, enum smallcase_style style)
{
    size_t n_jobs;

    memset(c, 0, sizeof(*c));
    c->seed = seed;
    c->style = style;
    c->random = seed * UINT64_C(0x2545f4914f6cdd1d) + (uint64_t)style;
    fill_estate(c);
    if (style == SMALLCASE_EXACT) {
        n_jobs = pick(c, 4, pick(c, 4, 12));
    } else {
        smallcase_take_hosts(c);
        smallcase_add_rules(c);
        n_jobs = pick(c, 0, pick(c, 4, SMALLCASE_JOBS_MAX));
    }
    for (size_t j = 0; j < n_jobs; j++) {
        if (style == SMALLCASE_EXACT) {
            add_job_exact(c);
        } else {
            add_job_anyhow(c);
        }
    }
}

struct hs_place *smallcase_open(const struct smallcase *c)
{
    struct hs_place *place = hs_place_new(&c->estate, c->n_slots);

    hs_place_set(place, &c->frame);
    for (size_t i = 0; i < c->n_reserved; i++) {
        hs_place_reserve_slots(place, c->reserved[i].host_idx, &c->reserved[i].size,
                               c->reserved[i].first, c->reserved[i].last);
    }
    for (size_t i = 0; i < c->n_closed; i++) {
        hs_place_close_slots(place, c->closed[i].host_idx, c->closed[i].first, c->closed[i].last);
    }
    for (size_t i = 0; i < c->n_caps; i++) {
        hs_place_cap_slots(place, c->caps[i].scope, c->caps[i].idx, c->caps[i].elec_w,
                           c->caps[i].first, c->caps[i].last);
    }
    for (size_t h = 0; h < c->estate.n_hosts; h++) {
        if (c->barred[h]) {
            hs_place_bar(place, h);
        }
    }
    return place;
}
