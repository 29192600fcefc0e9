/* SPDX-License-Identifier: Apache-2.0 */
/* certificate - life, the horizon, jobs and prices; see certificate.h. */
#include "scheduler/core/certificate.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/core/certificate_priv.h"

#define STOP_COST_S 300.0 /* as the planner reckons: see search.c */

/* How much of what a price was off by counts a horizon later: it may go further again. */
#define FORGET 0.25

/* --- life --- */

static double *new_rows(size_t n_rows, size_t n)
{
    return hs_xcalloc(n_rows * n, sizeof(double));
}

static void set_scratch(struct hs_certificate *cert)
{
    size_t n = cert->n_slots;
    size_t n_sinks_max = 0;

    for (size_t l = 0; l < cert->n_loops; l++) {
        size_t n_sinks = cert->estate->loops[l].n_sinks;

        n_sinks_max = n_sinks > n_sinks_max ? n_sinks : n_sinks_max;
    }
    size_t n_more = 6 * n_sinks_max + 24; /* segments that one slot can add */

    cert->segments = hs_xcalloc((n + 1) * 2 + n_more * n * (n + 1) / 2, sizeof(*cert->segments));
    cert->merged = hs_xcalloc(n_more * (n + 2), sizeof(*cert->merged));
    cert->n_draws_max = n_more;
    cert->draws = hs_xcalloc(2 * n_more, sizeof(*cert->draws));
    cert->levels_wh = hs_xcalloc(n * HS_CERTIFICATE_LEVELS, sizeof(*cert->levels_wh));
    cert->path_run = new_rows(n + 1, n + 2);
    cert->path_idle = new_rows(n + 1, n + 2);
}

struct hs_certificate *hs_certificate_new(const struct hs_estate *estate, size_t n_slots)
{
    struct hs_certificate *cert = hs_xcalloc(1, sizeof(*cert));
    size_t n_loops = estate->n_loops;

    assert(n_slots > 0 && n_slots <= HS_PLAN_SLOTS_MAX);
    cert->estate = estate;
    cert->n_slots = n_slots;
    cert->n_loops = n_loops;
    cert->inputs = hs_xcalloc(n_loops, sizeof(*cert->inputs));
    cert->elec_cur_per_mwh = new_rows(estate->n_sites, n_slots);
    cert->captured_wh = new_rows(n_loops, n_slots);
    cert->floor_wh = new_rows(n_loops, n_slots);
    cert->reject_cur_per_wh = new_rows(n_loops, n_slots);
    cert->sink_demand_wh = new_rows(estate->n_sinks, n_slots);
    cert->sink_cur_per_mwh = new_rows(estate->n_sinks, 1);
    cert->barred = hs_xcalloc(estate->n_hosts, sizeof(*cert->barred));
    cert->free_vcpus = hs_xcalloc(estate->n_hosts * n_slots, sizeof(*cert->free_vcpus));
    cert->held_vcpus = new_rows(estate->n_hosts, 1);
    cert->rack_left_w = new_rows(estate->n_racks, n_slots);
    hs_certificate_set_kinds(cert);
    cert->elec_cur = new_rows(cert->n_kinds, n_slots);
    cert->heat_wh = new_rows(cert->n_kinds, n_slots);
    cert->stop_cur = new_rows(cert->n_kinds, n_slots);
    cert->elec_sum = new_rows(cert->n_kinds, n_slots + 1);
    cert->price_cur = new_rows(cert->n_kinds, n_slots);
    cert->price_sum = new_rows(cert->n_kinds, n_slots + 1);
    cert->order = hs_xcalloc(cert->n_kinds * n_slots, sizeof(*cert->order));
    for (size_t i = 0; i < cert->n_kinds * n_slots; i++) {
        cert->order[i] = (uint16_t)(i % n_slots);
    }
    cert->room_vcpus = new_rows(n_loops, n_slots);
    cert->heat_max_wh = new_rows(n_loops, n_slots);
    cert->heat_cur_per_wh = new_rows(n_loops, n_slots);
    cert->room_cur = new_rows(n_loops, n_slots);
    cert->best_heat = new_rows(n_loops, n_slots);
    cert->best_room = new_rows(n_loops, n_slots);
    cert->calm_heat = new_rows(n_loops, n_slots);
    cert->calm_room = new_rows(n_loops, n_slots);
    cert->bought_wh = new_rows(n_loops, n_slots);
    cert->given_wh = new_rows(n_loops, n_slots);
    cert->used_vcpus = new_rows(n_loops, n_slots);
    cert->mean_given_wh = new_rows(n_loops, n_slots);
    cert->mean_used_vcpus = new_rows(n_loops, n_slots);
    cert->steep = new_rows(n_loops, n_slots);
    cert->heat_tally = new_rows(n_loops, n_slots);
    cert->room_tally = new_rows(n_loops, n_slots);
    cert->heat_side = new_rows(n_loops, n_slots);
    cert->room_side = new_rows(n_loops, n_slots);
    cert->heat_max_cur = new_rows(n_loops, 1);
    cert->heat_scale_wh = new_rows(n_loops, 1);
    cert->room_scale = new_rows(n_loops, 1);
    cert->thermals = hs_xcalloc(n_loops, sizeof(struct hs_thermal *));
    for (size_t l = 0; l < n_loops; l++) {
        cert->thermals[l] = hs_thermal_new(&estate->loops[l], estate->loops[l].n_sinks, n_slots);
    }
    set_scratch(cert);
    return cert;
}

void hs_certificate_free(struct hs_certificate *cert)
{
    if (cert == NULL) {
        return;
    }
    free(cert->levels_wh);
    free(cert->path_idle);
    free(cert->path_run);
    free(cert->draws);
    free(cert->merged);
    free(cert->segments);
    for (size_t l = 0; l < cert->n_loops; l++) {
        hs_thermal_free(cert->thermals[l]);
    }
    free(cert->thermals);
    free(cert->room_scale);
    free(cert->heat_scale_wh);
    free(cert->heat_max_cur);
    free(cert->room_side);
    free(cert->heat_side);
    free(cert->room_tally);
    free(cert->heat_tally);
    free(cert->steep);
    free(cert->mean_used_vcpus);
    free(cert->mean_given_wh);
    free(cert->used_vcpus);
    free(cert->given_wh);
    free(cert->bought_wh);
    free(cert->calm_room);
    free(cert->calm_heat);
    free(cert->best_room);
    free(cert->best_heat);
    free(cert->room_cur);
    free(cert->heat_cur_per_wh);
    free(cert->heat_max_wh);
    free(cert->room_vcpus);
    HS_VEC_FINI(&cert->sets);
    free(cert->jobs);
    free(cert->order);
    free(cert->price_sum);
    free(cert->price_cur);
    free(cert->elec_sum);
    free(cert->stop_cur);
    free(cert->heat_wh);
    free(cert->elec_cur);
    free(cert->kind_of_host);
    free(cert->kinds);
    free(cert->rack_left_w);
    free(cert->held_vcpus);
    free(cert->free_vcpus);
    free(cert->barred);
    free(cert->sink_cur_per_mwh);
    free(cert->sink_demand_wh);
    free(cert->reject_cur_per_wh);
    free(cert->floor_wh);
    free(cert->captured_wh);
    free(cert->elec_cur_per_mwh);
    free(cert->inputs);
    free(cert);
}

/* --- the horizon --- */

static void copy_loop(struct hs_certificate *cert, size_t l, const struct hs_thermal_input *from)
{
    const struct hs_heatloop *loop = &cert->estate->loops[l];
    size_t n = cert->n_slots;
    struct hs_thermal_input *to = &cert->inputs[l];
    double most_cur_per_wh = from->end_cur_per_wh;

    *to = *from;
    to->captured_wh = &cert->captured_wh[l * n];
    to->reject_cur_per_wh = &cert->reject_cur_per_wh[l * n];
    to->sink_demand_wh = &cert->sink_demand_wh[loop->first_sink_idx * n];
    to->sink_cur_per_mwh = &cert->sink_cur_per_mwh[loop->first_sink_idx];
    memcpy(&cert->captured_wh[l * n], from->captured_wh, n * sizeof(double));
    memcpy(&cert->reject_cur_per_wh[l * n], from->reject_cur_per_wh, n * sizeof(double));
    memcpy(&cert->sink_demand_wh[loop->first_sink_idx * n], from->sink_demand_wh,
           loop->n_sinks * n * sizeof(double));
    memcpy(&cert->sink_cur_per_mwh[loop->first_sink_idx], from->sink_cur_per_mwh,
           loop->n_sinks * sizeof(double));
    if (from->floor_wh != NULL) {
        to->floor_wh = &cert->floor_wh[l * n];
        for (size_t t = 0; t < n; t++) {
            cert->floor_wh[l * n + t] = fmin(from->floor_wh[t], hs_tank_max_wh(&loop->tank));
        }
    }
    for (size_t k = 0; k < loop->n_sinks; k++) {
        most_cur_per_wh = fmax(most_cur_per_wh, from->sink_cur_per_mwh[k] * 1e-6);
    }
    cert->heat_max_cur[l] = most_cur_per_wh;
}

/* Slots that are gone are dropped, the last one goes on. */
static void move_row(double *restrict to, const double *restrict from, size_t gone, size_t n)
{
    for (size_t t = 0; t < n; t++) {
        to[t] = from[t + gone < n ? t + gone : n - 1];
    }
}

static void move_tally(double *io_row, size_t gone, size_t n)
{
    for (size_t t = 0; t < n; t++) {
        io_row[t] = FORGET * io_row[t + gone < n ? t + gone : n - 1];
    }
}

static void forget_tallies(struct hs_certificate *cert)
{
    size_t n = cert->n_loops * cert->n_slots;

    memset(cert->heat_tally, 0, n * sizeof(double));
    memset(cert->room_tally, 0, n * sizeof(double));
}

/* Prices go on from the best ones of the last horizon, and so does how settled they are. */
static void move_prices(struct hs_certificate *cert, int64_t from_at_s)
{
    size_t n = cert->n_slots;
    int64_t slot_s = cert->estate->slot_s;
    int64_t gone = cert->has_prices ? (from_at_s - cert->from_at_s) / slot_s : 0;

    if (!cert->has_prices || gone < 0 || gone >= (int64_t)n) {
        cert->has_prices = false;
        forget_tallies(cert);
        return;
    }
    for (size_t l = 0; l < cert->n_loops; l++) {
        size_t at = l * n;

        move_row(&cert->heat_cur_per_wh[at], &cert->best_heat[at], (size_t)gone, n);
        move_row(&cert->room_cur[at], &cert->best_room[at], (size_t)gone, n);
        move_tally(&cert->heat_tally[at], (size_t)gone, n);
        move_tally(&cert->room_tally[at], (size_t)gone, n);
    }
}

void hs_certificate_set(struct hs_certificate *cert, const struct hs_place_frame *frame)
{
    size_t n = cert->n_slots;
    double slot_s = (double)cert->estate->slot_s;

    move_prices(cert, frame->from_at_s);
    cert->from_at_s = frame->from_at_s;
    cert->now_at_s = frame->now_at_s;
    cert->slot_s = slot_s;
    cert->waiting_weight = frame->waiting_weight;
    cert->stop_s = fmax(STOP_COST_S, frame->suspend_s);
    for (size_t t = 0; t < n; t++) {
        cert->len[t] = 1.0;
    }
    cert->len[0] = 1.0 - (double)(frame->now_at_s - frame->from_at_s) / slot_s;
    cert->n_len = (double)(n - 1) + cert->len[0];
    memcpy(cert->elec_cur_per_mwh, frame->elec_cur_per_mwh,
           cert->estate->n_sites * n * sizeof(double));
    for (size_t l = 0; l < cert->n_loops; l++) {
        copy_loop(cert, l, &frame->thermal[l]);
    }
    hs_certificate_set_hosts(cert);
    cert->n_jobs = 0;
    cert->n_given = 0;
    cert->bound_cur = -INFINITY;
}

void hs_certificate_close_slots(struct hs_certificate *cert, size_t host_idx, size_t first,
                                size_t last)
{
    for (size_t t = first; t <= last && t < cert->n_slots; t++) {
        cert->free_vcpus[host_idx * cert->n_slots + t] = -(1 << 20); /* whatever is given back */
    }
}

void hs_certificate_bar(struct hs_certificate *cert, size_t host_idx)
{
    cert->barred[host_idx] = true;
}

/* No heat is worth more than the worthiest sink pays, and none costs more than dumping it. */
static void clip_prices(struct hs_certificate *cert)
{
    size_t n = cert->n_slots;

    for (size_t i = 0; i < cert->n_loops * n; i++) {
        double price = fmin(cert->heat_cur_per_wh[i], cert->heat_max_cur[i / n]);

        cert->heat_cur_per_wh[i] = fmax(price, -cert->reject_cur_per_wh[i]);
        cert->room_cur[i] = fmax(cert->room_cur[i], 0.0);
    }
}

void hs_certificate_set_jobs(struct hs_certificate *cert, const struct hs_place_job *jobs,
                             size_t n_jobs)
{
    size_t n = cert->n_slots;

    cert->given = jobs;
    cert->n_given = n_jobs;
    cert->jobs = hs_xrealloc(cert->jobs, n_jobs + 1, sizeof(*cert->jobs));
    hs_certificate_add_jobs(cert);
    hs_certificate_set_room(cert);
    for (size_t l = 0; l < cert->n_loops; l++) {
        double room = 0.0;
        double heat_wh = 0.0;

        for (size_t t = 0; t < n; t++) {
            room += cert->room_vcpus[l * n + t] / (double)n;
            heat_wh += cert->heat_max_wh[l * n + t] / (double)n;
        }
        cert->room_scale[l] = fmax(room, 1.0);
        cert->heat_scale_wh[l] = fmax(heat_wh, 1.0);
    }
    memset(cert->mean_given_wh, 0, cert->n_loops * n * sizeof(double));
    memset(cert->mean_used_vcpus, 0, cert->n_loops * n * sizeof(double));
    clip_prices(cert);
    memcpy(cert->best_heat, cert->heat_cur_per_wh, cert->n_loops * n * sizeof(double));
    memcpy(cert->best_room, cert->room_cur, cert->n_loops * n * sizeof(double));
    memset(cert->heat_side, 0, cert->n_loops * n * sizeof(double));
    memset(cert->room_side, 0, cert->n_loops * n * sizeof(double));
    cert->has_plan = false;
    cert->bound_cur = -INFINITY;
}

void hs_certificate_set_prices(struct hs_certificate *cert, const double *heat_cur_per_mwh)
{
    size_t n = cert->n_slots;

    if (cert->has_prices) {
        return;
    }
    for (size_t i = 0; i < cert->n_loops * n; i++) {
        cert->heat_cur_per_wh[i] = heat_cur_per_mwh[i] * 1e-6;
        cert->room_cur[i] = 0.0;
    }
    clip_prices(cert);
    memcpy(cert->best_heat, cert->heat_cur_per_wh, cert->n_loops * n * sizeof(double));
    memcpy(cert->best_room, cert->room_cur, cert->n_loops * n * sizeof(double));
}

/* --- what came out --- */

const double *hs_certificate_get_heat_prices(const struct hs_certificate *cert)
{
    return cert->best_heat;
}

const double *hs_certificate_get_room_prices(const struct hs_certificate *cert)
{
    return cert->best_room;
}

double hs_certificate_get_gap_ratio(double cost_cur, double bound_cur)
{
    return bound_cur > 1e-9 ? (cost_cur - bound_cur) / bound_cur : (double)NAN;
}
