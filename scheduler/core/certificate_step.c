/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate_step - steps towards better prices.
 *
 * The bound is concave in the prices: a part of the loops, which bends sharply, and one of the
 * jobs, which is nearly smooth where there are many. So a step takes the jobs as the mean of what
 * they chose lately and looks for the prices at which each loop would buy just that, held near the
 * present ones by a quadratic term (a proximal step). How far a price may go falls with what it
 * was off by so far (AdaGrad), less so while it is off to the same side: prices of slots that few
 * jobs care for settle at once, those of a full loop have a long way to go.
 * Prices swing about the best ones, so that their mean is better than any of them: every few steps
 * it is tried, and nothing else is. At first a step looks at a sample of the jobs and moves loops
 * nearly; where that gains little more, at twice as many jobs, and in the end exactly.
 */
#include <math.h>
#include <string.h>

#include "scheduler/core/certificate_priv.h"

/* Found by trying on made-up cases of 1,000 and 10,000 jobs; docs/planner.md tells of others. */
#define HEAT_REACH    0.15 /* of the worthiest sink's price: the way of a first step */
#define ROOM_REACH    0.22 /* the same of room, by what it costs in heat */
#define SAME_SIDE     0.3  /* of an error to the same side as before that counts */
#define OFFER_SHARE   0.2  /* of the last choices in the mean offer */
#define CALM_SHARE    0.15 /* of the last prices in the mean ones */
#define STEPS_TO_CALM 25   /* the mean prices are tried so often */
#define CALM_LEAST    3    /* fewer prices are no mean */
#define SAMPLE        15   /* jobs for each loop that are enough for a first step */
#define COARSE_RATIO  2e-3 /* of the bound: gained by less in STEPS_TO_CALM, steps get finer */

/* --- what the present prices give --- */

/* Let each @stride-th job choose, and count it so often. @return what they pay, cur */
static double ask_jobs(struct hs_certificate *cert, size_t first, size_t stride)
{
    size_t n = cert->n_loops * cert->n_slots;
    double paid_cur;

    memset(cert->given_wh, 0, n * sizeof(double));
    memset(cert->used_vcpus, 0, n * sizeof(double));
    hs_certificate_set_rows(cert);
    paid_cur = hs_certificate_choose_jobs(cert, first, stride);
    if (stride > 1) {
        for (size_t i = 0; i < n; i++) {
            cert->given_wh[i] *= (double)stride;
            cert->used_vcpus[i] *= (double)stride;
        }
    }
    return paid_cur;
}

static double sum_room(const struct hs_certificate *cert)
{
    double sum_cur = 0.0;

    for (size_t i = 0; i < cert->n_loops * cert->n_slots; i++) {
        sum_cur += cert->room_cur[i] * cert->room_vcpus[i] * cert->len[i % cert->n_slots];
    }
    return sum_cur;
}

static void keep_if_better(struct hs_certificate *cert, double bound_cur)
{
    size_t n = cert->n_loops * cert->n_slots;

    if (bound_cur > cert->bound_cur) {
        cert->bound_cur = bound_cur;
        memcpy(cert->best_heat, cert->heat_cur_per_wh, n * sizeof(double));
        memcpy(cert->best_room, cert->room_cur, n * sizeof(double));
    }
}

/* The bound at the present prices, nothing assumed of them. */
static void ask_all(struct hs_certificate *cert)
{
    double bound_cur = ask_jobs(cert, 0, 1) - sum_room(cert);

    for (size_t l = 0; l < cert->n_loops; l++) {
        bound_cur += hs_certificate_solve_loop(cert, l);
    }
    keep_if_better(cert, bound_cur);
}

/* --- a step --- */

static void blend(double *restrict mean, const double *restrict last, double share, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        mean[i] += share * (last[i] - mean[i]);
    }
}

/* Add @off to a price's @io_tally, and remember its @side. @return what it is divided by */
static double tally(double off, double side, double *io_side, double *io_tally)
{
    double counts = side * *io_side > 0 ? SAME_SIDE * off : off;

    *io_side = side;
    *io_tally += counts * counts;
    return sqrt(*io_tally);
}

static void move_prices(struct hs_certificate *cert, size_t l)
{
    size_t n = cert->n_slots;
    double most_cur_per_wh = fmax(cert->heat_max_cur[l], 1e-9);
    double heat_unit = 1.0 / cert->heat_scale_wh[l];
    double room_unit = 1.0 / cert->room_scale[l];
    double heat_reach = HEAT_REACH * most_cur_per_wh * heat_unit;
    /* as much money for the room of a Wh as for the Wh */
    double room_reach = ROOM_REACH * most_cur_per_wh * room_unit * room_unit / heat_unit;

    for (size_t i = l * n; i < (l + 1) * n; i++) {
        double room_vcpus = cert->room_vcpus[i] * cert->len[i % n];
        double over = cert->used_vcpus[i] - room_vcpus;
        double mean_over = cert->mean_used_vcpus[i] - room_vcpus;
        bool is_free = !(cert->room_cur[i] > 0);
        double heat_tally = tally((cert->bought_wh[i] - cert->given_wh[i]) * heat_unit,
                                  cert->bought_wh[i] - cert->mean_given_wh[i], &cert->heat_side[i],
                                  &cert->heat_tally[i]);
        double room_tally = tally(is_free && over < 0 ? 0.0 : over * room_unit,
                                  is_free && mean_over < 0 ? 0.0 : mean_over, &cert->room_side[i],
                                  &cert->room_tally[i]);

        cert->steep[i] = heat_reach / (heat_tally + 1e-3);
        cert->room_cur[i] =
            fmax(0.0, cert->room_cur[i] + room_reach / (room_tally + 1e-2) * mean_over);
    }
}

static void step(struct hs_certificate *cert)
{
    for (size_t l = 0; l < cert->n_loops; l++) {
        move_prices(cert, l);
        if (cert->is_fine) {
            hs_certificate_move_loop(cert, l);
        } else {
            hs_certificate_slide_loop(cert, l);
        }
    }
}

static void refine(struct hs_certificate *cert)
{
    cert->is_fine = cert->stride == 1;
    cert->stride = (cert->stride + 1) / 2;
}

/* Where prices have swung about. */
static void try_calm(struct hs_certificate *cert)
{
    size_t n = cert->n_loops * cert->n_slots;

    memcpy(cert->heat_cur_per_wh, cert->calm_heat, n * sizeof(double));
    memcpy(cert->room_cur, cert->calm_room, n * sizeof(double));
    ask_all(cert);
    cert->n_since_calm = 0;
    if (cert->n_since_check >= STEPS_TO_CALM) {
        if (cert->bound_cur - cert->checked_cur < COARSE_RATIO * fabs(cert->bound_cur)) {
            refine(cert);
        }
        cert->checked_cur = cert->bound_cur;
        cert->n_since_check = 0;
    }
}

/* What the jobs' mean offer and the mean prices begin with. */
static void begin(struct hs_certificate *cert)
{
    size_t n = cert->n_loops * cert->n_slots;

    cert->has_prices = true;
    cert->stride = cert->n_jobs / (SAMPLE * cert->n_loops + 1) + 1;
    cert->is_fine = false;
    cert->n_since_calm = 0;
    cert->n_since_check = 0;
    cert->checked_cur = cert->bound_cur;
    memcpy(cert->calm_heat, cert->heat_cur_per_wh, n * sizeof(double));
    memcpy(cert->calm_room, cert->room_cur, n * sizeof(double));
    if (!cert->has_plan) {
        (void)ask_jobs(cert, 0, cert->stride);
        memcpy(cert->mean_given_wh, cert->given_wh, n * sizeof(double));
        memcpy(cert->mean_used_vcpus, cert->used_vcpus, n * sizeof(double));
    }
}

static void go_on(struct hs_certificate *cert)
{
    size_t n = cert->n_loops * cert->n_slots;
    double share = cert->n_since_calm == 0 ? 0.5 : CALM_SHARE;

    blend(cert->mean_given_wh, cert->given_wh, OFFER_SHARE, n);
    blend(cert->mean_used_vcpus, cert->used_vcpus, OFFER_SHARE, n);
    step(cert);
    cert->n_steps++;
    (void)ask_jobs(cert, cert->n_steps % cert->stride, cert->stride);
    cert->n_since_calm++;
    cert->n_since_check++;
    blend(cert->calm_heat, cert->heat_cur_per_wh, share, n);
    blend(cert->calm_room, cert->room_cur, share, n);
}

double hs_certificate_improve(struct hs_certificate *cert, double cost_cur, size_t n_iterations)
{
    for (size_t i = 0; i < n_iterations && !(cost_cur - cert->bound_cur < 1e-6 * cost_cur); i++) {
        bool is_last = i + 1 == n_iterations;

        if (isinf(cert->bound_cur)) {
            ask_all(cert);
            begin(cert);
        } else if (cert->n_since_calm >= STEPS_TO_CALM
                   || (is_last && cert->n_since_calm >= CALM_LEAST)) {
            try_calm(cert);
        } else {
            go_on(cert);
        }
    }
    return cert->bound_cur;
}
