/* SPDX-License-Identifier: Apache-2.0 */
/* certcase - see certcase.h. */
#include "tests/unit/core/certcase.h"

#include <math.h>
#include <stdlib.h>

#include "scheduler/model/estate.h"

size_t certcase_count(size_t n)
{
    return getenv("HSCHED_TEST_SHORT") != NULL ? n / 10 : n;
}

double certcase_draw(struct certcase *f, double min, double max)
{
    f->random = f->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return min + (max - min) * (double)(f->random >> 11) * 0x1p-53;
}

size_t certcase_draw_whole(struct certcase *f, size_t min, size_t max)
{
    return min + (size_t)(certcase_draw(f, 0, 1) * (double)(max - min + 1));
}

bool certcase_toss(struct certcase *f, double chance)
{
    return certcase_draw(f, 0, 1) < chance;
}

static void draw_loop(struct certcase *f, size_t l)
{
    bool has_tank = certcase_toss(f, 0.8);

    f->sites[l] = (struct hs_site){
        .limit_w = INFINITY, .first_loop_idx = l, .n_loops = 1, .first_rack_idx = l, .n_racks = 1};
    f->loops[l] = (struct hs_heatloop){.site_idx = l,
                                       .first_sink_idx = l * CERTCASE_SINKS,
                                       .n_sinks = certcase_toss(f, 0.5) ? 1 : CERTCASE_SINKS,
                                       .rejection_limit_w = INFINITY};
    f->loops[l].tank = (struct hs_tank){
        .present = has_tank,
        .volume_l = certcase_draw(f, 20, 400),
        .nodes = 1,
        .min_c = 35,
        .max_c = 60,
        .loss_w_per_k = certcase_draw(f, 0, 8),
        .ambient_c = certcase_toss(f, 0.3) ? 35 : certcase_draw(f, 10, 45),
        .charge_limit_w = certcase_toss(f, 0.3) ? certcase_draw(f, 200, 2000) : (double)INFINITY,
        .draw_limit_w = certcase_toss(f, 0.3) ? certcase_draw(f, 200, 2000) : (double)INFINITY};
    f->racks[l] = (struct hs_rack){.site_idx = l,
                                   .loop_idx = l,
                                   .limit_w = certcase_draw(f, 900, 2500),
                                   .capture_ratio = certcase_draw(f, 0.5, 0.95),
                                   .first_host_idx = l == 0 ? 0 : l + 1,
                                   .n_hosts = l == 0 ? 2 : 1};
    for (size_t t = 0; t < CERTCASE_SLOTS; t++) {
        f->elec[l * CERTCASE_SLOTS + t] = certcase_draw(f, certcase_toss(f, 0.05) ? -20 : 20, 200);
        f->captured_wh[l][t] = certcase_draw(f, 0, 100);
        f->reject[l][t] = certcase_toss(f, 0.5) ? 0 : certcase_draw(f, 0, 1e-5);
        for (size_t k = 0; k < CERTCASE_SINKS; k++) {
            f->demand_wh[l][k * CERTCASE_SLOTS + t] =
                certcase_toss(f, 0.3) ? 0 : certcase_draw(f, 0, 300);
        }
    }
    for (size_t k = 0; k < CERTCASE_SINKS; k++) {
        f->worth[l][k] = certcase_draw(f, 30, 250);
    }
    f->inputs[l] = (struct hs_thermal_input){.slot_s = (double)CERTCASE_SLOT_S,
                                             .tank_wh = has_tank ? certcase_draw(f, 0, 2000) : 0,
                                             .captured_wh = f->captured_wh[l],
                                             .sink_demand_wh = f->demand_wh[l],
                                             .sink_cur_per_mwh = f->worth[l],
                                             .reject_cur_per_wh = f->reject[l],
                                             .end_cur_per_wh = certcase_draw(f, 0, 1e-4)};
}

static void draw_host(struct certcase *f, size_t h)
{
    size_t l = h < 2 ? 0 : h - 1;
    double idle_w = certcase_draw(f, 50, 150);

    f->hosts[h] = (struct hs_host){.site_idx = l,
                                   .rack_idx = l,
                                   .loop_idx = l,
                                   .vcpus = 8,
                                   .memory_mib = 16384,
                                   .idle_w = idle_w,
                                   .max_w = idle_w + certcase_draw(f, 300, 900)};
}

static void draw_job(struct certcase *f, size_t j, size_t run_max)
{
    struct hs_place_job *job = &f->jobs[j];
    double run_s = (double)CERTCASE_SLOT_S
                   * (certcase_toss(f, 0.7) ? (double)certcase_draw_whole(f, 1, run_max)
                                            : certcase_draw(f, 0.2, (double)run_max));
    int64_t earliest_at_s = certcase_toss(f, 0.5)
                                ? 0
                                : CERTCASE_FROM + (int64_t)certcase_draw(f, 0, 6 * CERTCASE_SLOT_S);
    int64_t slack_s = (int64_t)certcase_draw(f, certcase_toss(f, 0.1) ? -900 : 0,
                                             (CERTCASE_SLOTS - 2) * CERTCASE_SLOT_S);

    for (size_t l = 0; l < CERTCASE_LOOPS; l++) {
        f->allowed[j][l] = certcase_toss(f, 0.7);
    }
    *job = (struct hs_place_job){
        .job_id = j + 1,
        .freedom = (enum hs_place_freedom)certcase_draw_whole(f, HS_PLACE_AT_ONCE, HS_PLACE_FILLER),
        .size = {.vcpus = (int32_t)certcase_draw_whole(f, 1, 6),
                 .memory_mib = (int64_t)certcase_draw_whole(f, 512, 8000)},
        .remaining_s = run_s,
        .earliest_at_s = earliest_at_s,
        .due_at_s = (earliest_at_s > f->frame.now_at_s ? earliest_at_s : f->frame.now_at_s)
                    + (int64_t)run_s + slack_s,
        .host_idx = SIZE_MAX,
        .site_allowed = certcase_toss(f, 0.3) ? NULL : f->allowed[j],
    };
    if (certcase_toss(f, 0.15) && earliest_at_s == 0) { /* there already */
        job->host_idx = certcase_draw_whole(f, 0, CERTCASE_HOSTS - 1);
        job->is_running = certcase_toss(f, 0.7);
        if (job->is_running && certcase_toss(f, 0.5)) {
            job->freedom = HS_PLACE_FIXED;
        }
    }
}

void certcase_fill(struct certcase *f, uint64_t seed, size_t n_jobs, size_t run_max)
{
    *f = (struct certcase){.random = seed * 7919 + 13, .n_jobs = n_jobs};
    for (int i = 0; i < 4; i++) {
        (void)certcase_draw(f, 0, 1);
    }
    f->estate = (struct hs_estate){.slot_s = CERTCASE_SLOT_S,
                                   .sites = f->sites,
                                   .n_sites = CERTCASE_LOOPS,
                                   .loops = f->loops,
                                   .n_loops = CERTCASE_LOOPS,
                                   .sinks = f->sinks,
                                   .n_sinks = CERTCASE_LOOPS * CERTCASE_SINKS,
                                   .racks = f->racks,
                                   .n_racks = CERTCASE_LOOPS,
                                   .hosts = f->hosts,
                                   .n_hosts = CERTCASE_HOSTS};
    for (size_t l = 0; l < CERTCASE_LOOPS; l++) {
        draw_loop(f, l);
    }
    for (size_t h = 0; h < CERTCASE_HOSTS; h++) {
        draw_host(f, h);
    }
    f->frame = (struct hs_place_frame){
        .now_at_s = CERTCASE_FROM + (certcase_toss(f, 0.5) ? 0 : (int64_t)certcase_draw(f, 0, 899)),
        .from_at_s = CERTCASE_FROM,
        .elec_cur_per_mwh = f->elec,
        .thermal = f->inputs,
        .waiting_weight = certcase_toss(f, 0.5) ? 0 : certcase_draw(f, 0, 0.5),
        .suspend_s = certcase_toss(f, 0.5) ? 0 : certcase_draw(f, 0, 900),
    };
    for (size_t j = 0; j < n_jobs; j++) {
        draw_job(f, j, run_max);
    }
}

struct hs_certificate *certcase_start(struct certcase *f)
{
    struct hs_certificate *cert = hs_certificate_new(&f->estate, CERTCASE_SLOTS);

    hs_certificate_set(cert, &f->frame);
    hs_certificate_set_jobs(cert, f->jobs, f->n_jobs);
    return cert;
}
