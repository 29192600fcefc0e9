/* SPDX-License-Identifier: Apache-2.0 */
/* plan_cases - draws a case and goes on by a slot. */
#include "tests/bench/plan_cases.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"

#define FROM_AT_S         (INT64_C(20000) * HS_S_PER_DAY)
#define VCPUS_MAX         16    /* of a job */
#define HOST_ROOM_RATIO   1.25  /* vCPUs of a loop's hosts / what its rack can feed */
#define MIB_PER_VCPU      4096  /* of a host; a job has a quarter to all of that */
#define REJECT_RATIO      0.03  /* electricity / rejected heat */
#define LEFT_RATIO        0.5   /* worth of heat left / the backup's, as the daemon plans */
#define ALLOWED_MAX       65536 /* different sets of three loops */
#define JOBS_PER_LOOP_MIN 20    /* so that the largest job fits the smallest loop */
#define SLOTS_MIN         96
#define FRESH_RATIO       0.1 /* of the noise's variance is drawn anew in a step */

/* --- chance: splitmix64, so that a seed means the same everywhere --- */

static uint64_t draw_bits(struct plan_cases *cases)
{
    uint64_t z = cases->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static double draw_real(struct plan_cases *cases, double min, double max)
{
    return min + (max - min) * (double)(draw_bits(cases) >> 11) * 0x1p-53;
}

/** @min..@max, both included. */
static size_t draw_whole(struct plan_cases *cases, size_t min, size_t max)
{
    return min + (size_t)(draw_bits(cases) % (max - min + 1));
}

static double draw_normal(struct plan_cases *cases)
{
    double u = draw_real(cases, 0x1p-53, 1);

    return sqrt(-2 * log(u)) * cos(2 * M_PI * draw_real(cases, 0, 1));
}

/* --- the day --- */

/** 1 at @peak_hour, falling off within @width_h hours on both sides. */
static double get_peak(double hour, double peak_hour, double width_h)
{
    double away = fmod(fabs(hour - peak_hour), 24);

    away = fmin(away, 24 - away);
    return exp(-(away / width_h) * (away / width_h));
}

static double get_hour(int64_t at_s)
{
    return (double)(at_s % HS_S_PER_DAY) / HS_S_PER_H;
}

/** Demand over its mean; the peaks' means over a day are subtracted, so that the mean is 1. */
static double get_demand_shape(double hour)
{
    double morning = get_peak(hour, 7.5, 2) - 2 * sqrt(M_PI) / 24;
    double evening = get_peak(hour, 19, 2.5) - 2.5 * sqrt(M_PI) / 24;

    return 1 + 0.9 * morning + 0.7 * evening;
}

/** 0.8 at midday to 1.2 in the evening. */
static double get_price_shape(double hour)
{
    return 1 + 0.2 * get_peak(hour, 19, 2) - 0.2 * get_peak(hour, 13, 2.5);
}

/** Fill in the horizon that begins at frame.from_at_s. */
static void fill_frame(struct plan_cases *cases)
{
    size_t n = cases->setup.n_slots;

    for (size_t l = 0; l < cases->setup.n_loops; l++) {
        const struct hs_rack *rack = &cases->estate->racks[l];
        const struct hs_host *host = &cases->estate->hosts[rack->first_host_idx];
        double base_w = host->idle_w * (double)rack->n_hosts;

        for (size_t t = 0; t < n; t++) {
            size_t i = l * n + t;
            double hour = get_hour(cases->frame.from_at_s + (int64_t)t * PLAN_CASES_SLOT_S);
            double demand_w = cases->mean_demand_w[l] * get_demand_shape(hour)
                              * fmax(0, 1 + 0.1 * cases->noise[i]);

            cases->elec_cur_per_mwh[i] = cases->mean_cur_per_mwh[l] * get_price_shape(hour);
            cases->demand_wh[i] = hs_wh_from_w(demand_w, PLAN_CASES_SLOT_S);
            cases->captured_wh[i] = rack->capture_ratio * hs_wh_from_w(base_w, PLAN_CASES_SLOT_S);
            cases->reject_cur_per_wh[i] = hs_cur_from_wh(REJECT_RATIO, cases->elec_cur_per_mwh[i]);
        }
    }
}

/* --- the estate --- */

static void draw_loop(struct plan_cases *cases, size_t l)
{
    struct hs_estate *estate = cases->estate;
    struct hs_site *site = &estate->sites[l];
    struct hs_heatloop *loop = &estate->loops[l];
    struct hs_sink *sink = &estate->sinks[l];
    struct hs_rack *rack = &estate->racks[l];
    double mean_demand_w = draw_real(cases, 20e3, 80e3);
    double store_h = draw_real(cases, 1, 5);
    double loss_ratio = draw_real(cases, 0.002, 0.006); /* of what is in the tank, a slot */
    double volume_l = mean_demand_w * store_h / hs_wh_from_l_k(1, 25);

    cases->mean_demand_w[l] = mean_demand_w;
    *site = (struct hs_site){.limit_w = INFINITY, .first_loop_idx = l, .n_loops = 1};
    site->first_rack_idx = l;
    site->n_racks = 1;
    cases->mean_cur_per_mwh[l] = site->price_cur_per_mwh = draw_real(cases, 100, 150);
    snprintf(site->name, sizeof(site->name), "s%zu", l);
    *loop = (struct hs_heatloop){.name = "main",
                                 .site_idx = l,
                                 .capture_ratio = draw_real(cases, 0.6, 0.95),
                                 .supply_c = 60,
                                 .rejection_limit_w = INFINITY,
                                 .rejection_elec_ratio = REJECT_RATIO,
                                 .first_sink_idx = l,
                                 .n_sinks = 1};
    snprintf(loop->path, sizeof(loop->path), "s%zu/main", l);
    /* Air as warm as an empty tank: the loss is a share of what is in it. */
    loop->tank = (struct hs_tank){.present = true,
                                  .volume_l = volume_l,
                                  .nodes = 1,
                                  .min_c = 35,
                                  .max_c = 60,
                                  .ambient_c = 35,
                                  .charge_limit_w = INFINITY,
                                  .draw_limit_w = INFINITY};
    loop->tank.loss_w_per_k =
        loss_ratio * hs_w_from_wh(hs_wh_from_l_k(volume_l, 1), (double)PLAN_CASES_SLOT_S);
    *sink = (struct hs_sink){.name = "rooms",
                             .loop_idx = l,
                             .kind = "space-heating-radiator",
                             .lift = "none",
                             .supply_min_c = 35,
                             .heat_limit_w = INFINITY,
                             .backup_kind = "gas-boiler",
                             .backup_efficiency_ratio = 1,
                             .backup_price_cur_per_mwh = draw_real(cases, 90, 210)};
    snprintf(sink->path, sizeof(sink->path), "s%zu/main/rooms", l);
    cases->worth_cur_per_mwh[l] = sink->backup_price_cur_per_mwh;
    *rack = (struct hs_rack){.name = "r", .loop = "main", .site_idx = l, .loop_idx = l};
    snprintf(rack->path, sizeof(rack->path), "s%zu/r", l);
    rack->capture_ratio = loop->capture_ratio;
    rack->limit_w = mean_demand_w * draw_real(cases, 1.4, 2.2);
}

/** The estate but for the size of its hosts, which goes by that of the jobs. */
static void draw_estate(struct plan_cases *cases)
{
    size_t n_loops = cases->setup.n_loops;
    size_t n_hosts = cases->setup.n_hosts;
    struct hs_estate *estate = hs_xcalloc(1, sizeof(*estate));

    *estate = (struct hs_estate){.name = "made-up",
                                 .cell = "main",
                                 .currency = "EUR",
                                 .slot_s = PLAN_CASES_SLOT_S,
                                 .sites = hs_xcalloc(n_loops, sizeof(*estate->sites)),
                                 .n_sites = n_loops,
                                 .loops = hs_xcalloc(n_loops, sizeof(*estate->loops)),
                                 .n_loops = n_loops,
                                 .sinks = hs_xcalloc(n_loops, sizeof(*estate->sinks)),
                                 .n_sinks = n_loops,
                                 .racks = hs_xcalloc(n_loops, sizeof(*estate->racks)),
                                 .n_racks = n_loops,
                                 .hosts = hs_xcalloc(n_hosts, sizeof(*estate->hosts)),
                                 .n_hosts = n_hosts};
    cases->estate = estate;
    for (size_t l = 0; l < n_loops; l++) {
        struct hs_rack *rack = &estate->racks[l];

        draw_loop(cases, l);
        rack->first_host_idx = l * n_hosts / n_loops;
        rack->n_hosts = (l + 1) * n_hosts / n_loops - rack->first_host_idx;
        for (size_t i = 0; i < rack->n_hosts; i++) {
            struct hs_host *host = &estate->hosts[rack->first_host_idx + i];

            *host = (struct hs_host){.uri = "sim:", .site_idx = l, .rack_idx = l, .loop_idx = l};
            host->count = (uint32_t)rack->n_hosts;
            snprintf(host->name, sizeof(host->name), "h-%zu", i + 1);
            snprintf(host->path, sizeof(host->path), "s%zu/h-%zu", l, i + 1);
        }
        double base_w = rack->limit_w * draw_real(cases, 0.04, 0.20);

        for (size_t i = 0; i < rack->n_hosts; i++) {
            estate->hosts[rack->first_host_idx + i].idle_w = base_w / (double)rack->n_hosts;
        }
    }
}

static double get_free_w(const struct hs_estate *estate, size_t l)
{
    const struct hs_rack *rack = &estate->racks[l];

    return rack->limit_w - estate->hosts[rack->first_host_idx].idle_w * (double)rack->n_hosts;
}

/** Scale power so that all jobs take the wanted share of what base load leaves free. */
static void size_hosts(struct plan_cases *cases)
{
    struct hs_estate *estate = cases->estate;
    double vcpu_slots = 0;
    double free_w = 0;

    for (size_t j = 0; j < cases->n_jobs; j++) {
        vcpu_slots +=
            cases->jobs[j].size.vcpus * cases->jobs[j].remaining_s / (double)PLAN_CASES_SLOT_S;
    }
    for (size_t l = 0; l < estate->n_loops; l++) {
        free_w += get_free_w(estate, l);
    }
    double w_per_vcpu =
        cases->setup.utilisation * free_w * (double)cases->setup.n_slots / vcpu_slots;

    w_per_vcpu = ceil(w_per_vcpu * 1e3) * 1e-3; /* whole mW, as fit counts */
    for (size_t h = 0; h < estate->n_hosts; h++) {
        struct hs_host *host = &estate->hosts[h];
        double share_w =
            get_free_w(estate, host->loop_idx) / (double)estate->racks[host->rack_idx].n_hosts;

        host->vcpus = (uint32_t)fmax(VCPUS_MAX, ceil(HOST_ROOM_RATIO * share_w / w_per_vcpu));
        host->memory_mib = (uint64_t)host->vcpus * MIB_PER_VCPU;
        host->max_w = host->idle_w + w_per_vcpu * host->vcpus;
    }
}

/* --- jobs --- */

static void draw_allowed(struct plan_cases *cases)
{
    size_t n_loops = cases->setup.n_loops;
    size_t n_sets = cases->setup.n_jobs < ALLOWED_MAX ? cases->setup.n_jobs : ALLOWED_MAX;
    size_t n_groups = cases->setup.n_groups > 0 ? cases->setup.n_groups : 1;

    cases->allowed = hs_xcalloc(n_sets * n_loops, sizeof(bool));
    cases->n_allowed = n_sets;
    for (size_t i = 0; i < n_sets; i++) {
        bool *set = &cases->allowed[i * n_loops];
        size_t first = i % n_groups * n_loops / n_groups;
        size_t last = (i % n_groups + 1) * n_loops / n_groups - 1;

        for (size_t n = 0; n < 3 && n < last - first + 1;) {
            size_t l = draw_whole(cases, first, last);

            n += !set[l];
            set[l] = true;
        }
    }
}

struct hs_place_job plan_cases_draw_job(struct plan_cases *cases)
{
    size_t run = (draw_whole(cases, 2, 24) * cases->setup.n_slots + 48) / 96;
    size_t slack = draw_whole(cases, 4, 64);
    size_t last = cases->setup.n_slots - run - slack; /* release, so that it can end in time */
    bool is_now = draw_real(cases, 0, 1) < 1.0 / 3;
    size_t release = is_now || last == 0 ? 0 : draw_whole(cases, 1, last);
    bool is_contiguous = draw_real(cases, 0, 1) < 0.3;
    size_t vcpus = draw_whole(cases, 1, VCPUS_MAX);
    double memory_ratio = draw_real(cases, 0.25, 1);
    size_t set = draw_whole(cases, 0, cases->n_allowed - 1);

    return (struct hs_place_job){
        .job_id = ++cases->n_ids,
        .freedom = is_contiguous ? HS_PLACE_CONTIGUOUS : HS_PLACE_INTERRUPTIBLE,
        .size = {.vcpus = (int32_t)vcpus,
                 .memory_mib = (int64_t)((double)(vcpus * MIB_PER_VCPU) * memory_ratio)},
        .remaining_s = (double)((int64_t)run * PLAN_CASES_SLOT_S),
        .earliest_at_s = cases->frame.from_at_s + (int64_t)release * PLAN_CASES_SLOT_S,
        .due_at_s = cases->frame.from_at_s + (int64_t)(release + run + slack) * PLAN_CASES_SLOT_S,
        .host_idx = SIZE_MAX,
        .site_allowed = &cases->allowed[set * cases->setup.n_loops],
    };
}

bool plan_cases_read(char *const *words, int n, struct plan_cases_setup *ret_setup)
{
    struct plan_cases_setup setup;

    if (n < PLAN_CASES_WORDS) {
        fprintf(stderr, "wanted: JOBS LOOPS HOSTS SLOTS UTILISATION SEED\n");
        return false;
    }
    setup = (struct plan_cases_setup){.n_jobs = strtoul(words[0], NULL, 10),
                                      .n_loops = strtoul(words[1], NULL, 10),
                                      .n_hosts = strtoul(words[2], NULL, 10),
                                      .n_slots = strtoul(words[3], NULL, 10),
                                      .utilisation = strtod(words[4], NULL),
                                      .seed = strtoul(words[5], NULL, 10)};
    if (setup.n_loops == 0 || setup.n_jobs < JOBS_PER_LOOP_MIN * setup.n_loops
        || setup.n_hosts < setup.n_loops || setup.n_slots < SLOTS_MIN
        || setup.n_slots > HS_PLAN_SLOTS_MAX || !(setup.utilisation > 0)) {
        fprintf(stderr,
                "no such case: wanted are %d jobs and a host a loop at least, %d..%d slots, "
                "a utilisation above 0\n",
                JOBS_PER_LOOP_MIN, SLOTS_MIN, HS_PLAN_SLOTS_MAX);
        return false;
    }
    *ret_setup = setup;
    return true;
}

struct plan_cases *plan_cases_new(const struct plan_cases_setup *setup)
{
    struct plan_cases *cases = hs_xcalloc(1, sizeof(*cases));
    size_t n = setup->n_loops * setup->n_slots;

    assert(setup->n_slots >= SLOTS_MIN && setup->n_slots <= HS_PLAN_SLOTS_MAX);
    assert(setup->n_hosts >= setup->n_loops);
    cases->setup = *setup;
    cases->random = setup->seed * 1000003;
    cases->elec_cur_per_mwh = hs_xcalloc(n, sizeof(double));
    cases->captured_wh = hs_xcalloc(n, sizeof(double));
    cases->demand_wh = hs_xcalloc(n, sizeof(double));
    cases->reject_cur_per_wh = hs_xcalloc(n, sizeof(double));
    cases->noise = hs_xcalloc(n, sizeof(double));
    cases->worth_cur_per_mwh = hs_xcalloc(setup->n_loops, sizeof(double));
    cases->mean_demand_w = hs_xcalloc(setup->n_loops, sizeof(double));
    cases->mean_cur_per_mwh = hs_xcalloc(setup->n_loops, sizeof(double));
    cases->inputs = hs_xcalloc(setup->n_loops, sizeof(*cases->inputs));
    cases->n_jobs = setup->n_jobs;
    cases->n_jobs_max = setup->n_jobs + setup->n_jobs / 4 + 1;
    cases->jobs = hs_xcalloc(cases->n_jobs_max, sizeof(*cases->jobs));
    cases->last = hs_xcalloc(cases->n_jobs_max, sizeof(*cases->last));
    cases->frame = (struct hs_place_frame){.now_at_s = FROM_AT_S,
                                           .from_at_s = FROM_AT_S,
                                           .elec_cur_per_mwh = cases->elec_cur_per_mwh,
                                           .thermal = cases->inputs};
    draw_estate(cases);
    draw_allowed(cases);
    for (size_t j = 0; j < cases->n_jobs; j++) {
        cases->jobs[j] = plan_cases_draw_job(cases);
    }
    size_hosts(cases);
    for (size_t i = 0; i < n; i++) {
        cases->noise[i] = draw_normal(cases);
    }
    for (size_t l = 0; l < setup->n_loops; l++) {
        cases->inputs[l] = (struct hs_thermal_input){
            .slot_s = (double)PLAN_CASES_SLOT_S,
            .tank_wh = hs_tank_max_wh(&cases->estate->loops[l].tank) / 2,
            .captured_wh = &cases->captured_wh[l * setup->n_slots],
            .sink_demand_wh = &cases->demand_wh[l * setup->n_slots],
            .sink_cur_per_mwh = &cases->worth_cur_per_mwh[l],
            .reject_cur_per_wh = &cases->reject_cur_per_wh[l * setup->n_slots],
            .end_cur_per_wh = hs_cur_from_wh(LEFT_RATIO, cases->worth_cur_per_mwh[l]),
        };
    }
    fill_frame(cases);
    return cases;
}

double plan_cases_get_w_per_vcpu(const struct plan_cases *cases)
{
    return hs_host_elec_w_per_vcpu(&cases->estate->hosts[0]);
}

/* --- a slot later --- */

/** What the slot that is gone did to @job. @return whether anything of it is left */
static bool run_job(struct hs_place_job *job, const struct hs_placement *placement)
{
    bool has_run = placement->host_idx != SIZE_MAX && hs_plan_runs(placement, 0);

    job->is_running = has_run;
    if (!has_run) {
        return true; /* waits, or is suspended where it was */
    }
    job->remaining_s -= (double)PLAN_CASES_SLOT_S;
    job->host_idx = placement->host_idx;
    if (job->freedom == HS_PLACE_CONTIGUOUS) {
        job->freedom = HS_PLACE_FIXED;
    }
    return job->remaining_s > 0;
}

static void redraw_noise(struct plan_cases *cases)
{
    size_t n = cases->setup.n_slots;

    for (size_t l = 0; l < cases->setup.n_loops; l++) {
        double *noise = &cases->noise[l * n];

        memmove(noise, noise + 1, (n - 1) * sizeof(*noise));
        noise[n - 1] = draw_normal(cases);
        for (size_t t = 0; t < n - 1; t++) {
            noise[t] = sqrt(1 - FRESH_RATIO) * noise[t] + sqrt(FRESH_RATIO) * draw_normal(cases);
        }
    }
}

static void drop_job(struct plan_cases *cases, size_t j)
{
    cases->n_jobs--;
    cases->jobs[j] = cases->jobs[cases->n_jobs];
    cases->last[j] = cases->last[cases->n_jobs];
}

void plan_cases_step(struct plan_cases *cases, const struct hs_placement *placements,
                     size_t n_placements, const double *tank_wh)
{
    HS_AUTO_MEM const struct hs_placement **of_id =
        hs_xcalloc((size_t)cases->n_ids + 1, sizeof(*of_id));
    size_t n_new = (cases->n_jobs + 99) / 100;
    size_t n_before = cases->n_jobs;
    int64_t last_from_at_s = cases->frame.from_at_s;

    for (size_t i = 0; i < n_placements; i++) {
        of_id[placements[i].job_id] = &placements[i];
    }
    for (size_t j = cases->n_jobs; j-- > 0;) {
        cases->last[j] = *of_id[cases->jobs[j].job_id];
        if (!run_job(&cases->jobs[j], &cases->last[j])) {
            drop_job(cases, j);
        }
    }
    while (cases->n_jobs > 0 && n_before - cases->n_jobs < n_new) {
        drop_job(cases, draw_whole(cases, 0, cases->n_jobs - 1));
    }
    for (size_t j = 0; j < cases->n_jobs; j++) {
        cases->jobs[j].last = &cases->last[j];
        cases->jobs[j].last_from_at_s = last_from_at_s;
    }
    cases->frame.from_at_s = cases->frame.now_at_s = last_from_at_s + PLAN_CASES_SLOT_S;
    for (size_t i = 0; i < n_new && cases->n_jobs < cases->n_jobs_max; i++) {
        cases->jobs[cases->n_jobs++] = plan_cases_draw_job(cases);
    }
    for (size_t l = 0; l < cases->setup.n_loops; l++) {
        cases->inputs[l].tank_wh = tank_wh[l];
    }
    redraw_noise(cases);
    fill_frame(cases);
}

void plan_cases_free(struct plan_cases *cases)
{
    if (cases != NULL) {
        free(cases->last);
        free(cases->allowed);
        free(cases->inputs);
        free(cases->mean_cur_per_mwh);
        free(cases->mean_demand_w);
        free(cases->worth_cur_per_mwh);
        free(cases->noise);
        free(cases->reject_cur_per_wh);
        free(cases->demand_wh);
        free(cases->captured_wh);
        free(cases->elec_cur_per_mwh);
        free(cases->jobs);
        hs_estate_free(cases->estate);
        free(cases);
    }
}
