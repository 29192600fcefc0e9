/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * certcase - random estates, horizons and jobs, small ones, that bounds are tried on.
 *
 * Loops with one rack each, the first with two kinds of host.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/core/certificate.h"

#define CERTCASE_SLOTS  12
#define CERTCASE_LOOPS  3
#define CERTCASE_SINKS  2 /* of each loop */
#define CERTCASE_HOSTS  4
#define CERTCASE_JOBS   12
#define CERTCASE_SLOT_S INT64_C(900)
#define CERTCASE_FROM   (CERTCASE_SLOT_S * 1000000)

/* Pointers lead into it: do not copy. */
struct certcase {
    uint64_t random;
    struct hs_site sites[CERTCASE_LOOPS];
    struct hs_heatloop loops[CERTCASE_LOOPS];
    struct hs_sink sinks[CERTCASE_LOOPS * CERTCASE_SINKS];
    struct hs_rack racks[CERTCASE_LOOPS];
    struct hs_host hosts[CERTCASE_HOSTS];
    struct hs_estate estate;
    double elec[CERTCASE_LOOPS * CERTCASE_SLOTS];
    double captured_wh[CERTCASE_LOOPS][CERTCASE_SLOTS];
    double demand_wh[CERTCASE_LOOPS][CERTCASE_SINKS * CERTCASE_SLOTS];
    double worth[CERTCASE_LOOPS][CERTCASE_SINKS];
    double reject[CERTCASE_LOOPS][CERTCASE_SLOTS];
    struct hs_thermal_input inputs[CERTCASE_LOOPS];
    struct hs_place_frame frame;
    struct hs_place_job jobs[CERTCASE_JOBS];
    size_t n_jobs;
    bool allowed[CERTCASE_JOBS][CERTCASE_LOOPS];
};

/** How many of @n random cases to try: a tenth in a sanitizer's run, which sees the same code in
 * each. */
size_t certcase_count(size_t n);

/** A number from @min to @max; goes on from what was drawn before. */
double certcase_draw(struct certcase *f, double min, double max);

/** The same, whole. */
size_t certcase_draw_whole(struct certcase *f, size_t min, size_t max);

/** True in @chance of all draws. */
bool certcase_toss(struct certcase *f, double chance);

/** Fill @f, the same for the same @seed; runs of up to @run_max slots. */
void certcase_fill(struct certcase *f, uint64_t seed, size_t n_jobs, size_t run_max);

/** A certificate that knows the horizon and the jobs; owned by the caller. */
struct hs_certificate *certcase_start(struct certcase *f);
