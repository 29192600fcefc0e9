/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * smallcase - one random estate, horizon and set of jobs, made from a seed alone.
 *
 * Small enough for every placement of every job to be written down, so that an exact optimum can
 * be had beside the planner's. Watts, tanks and prices lie where planner cases of full size lie.
 * Plain value (large: keep it off the stack); pointers inside lead into itself.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/core/place.h"
#include "scheduler/model/estate.h"

#define SMALLCASE_LOOPS_MAX  4
#define SMALLCASE_SINKS_MAX  (2 * SMALLCASE_LOOPS_MAX)
#define SMALLCASE_HOSTS_MAX  (3 * SMALLCASE_LOOPS_MAX)
#define SMALLCASE_JOBS_MAX   32
#define SMALLCASE_SLOTS_MAX  48
#define SMALLCASE_CLOSED_MAX SMALLCASE_HOSTS_MAX
#define SMALLCASE_CAPS_MAX   (2 * 3 * SMALLCASE_LOOPS_MAX)

/* Which cases are drawn. */
enum smallcase_style {
    SMALLCASE_EXACT,  /* whole slots, few patterns a job: for an optimum by enumeration */
    SMALLCASE_ANYHOW, /* everything that may come: part slots, all freedoms, barred hosts, shares,
                       * moves, caps, closed slots, ramps */
};

/* Room that something else takes. */
struct smallcase_reserved {
    size_t host_idx;
    struct hs_fit_size size;
    size_t first;
    size_t last;
};

/* Slots of a host in which nothing is to start or go on. */
struct smallcase_closed {
    size_t host_idx;
    size_t first;
    size_t last;
};

/* A limit on IT electricity by the clock; site, loop and rack of one index belong together. */
struct smallcase_cap {
    enum hs_fit_scope scope;
    size_t idx;
    double elec_w;
    size_t first;
    size_t last;
};

struct smallcase {
    uint64_t seed;
    enum smallcase_style style;
    size_t n_slots;
    struct hs_estate estate;
    struct hs_site sites[SMALLCASE_LOOPS_MAX];
    struct hs_heatloop loops[SMALLCASE_LOOPS_MAX];
    struct hs_sink sinks[SMALLCASE_SINKS_MAX];
    struct hs_rack racks[SMALLCASE_LOOPS_MAX];
    struct hs_host hosts[SMALLCASE_HOSTS_MAX];

    struct hs_place_frame frame;
    struct hs_thermal_input thermal[SMALLCASE_LOOPS_MAX];
    double captured_wh[SMALLCASE_LOOPS_MAX * SMALLCASE_SLOTS_MAX];
    double reject_cur_per_wh[SMALLCASE_LOOPS_MAX * SMALLCASE_SLOTS_MAX];
    double demand_wh[SMALLCASE_SINKS_MAX * SMALLCASE_SLOTS_MAX];
    double worth_cur_per_mwh[SMALLCASE_SINKS_MAX];
    double elec_cur_per_mwh[SMALLCASE_LOOPS_MAX * SMALLCASE_SLOTS_MAX];
    bool barred[SMALLCASE_HOSTS_MAX];
    struct smallcase_reserved reserved[SMALLCASE_HOSTS_MAX];
    size_t n_reserved;
    struct smallcase_closed closed[SMALLCASE_CLOSED_MAX];
    size_t n_closed;
    struct smallcase_cap caps[SMALLCASE_CAPS_MAX];
    size_t n_caps;
    bool has_shares; /* some jobs have */
    bool has_moves;

    struct hs_place_job jobs[SMALLCASE_JOBS_MAX];
    bool site_allowed[SMALLCASE_JOBS_MAX][SMALLCASE_LOOPS_MAX];
    size_t n_jobs;

    uint64_t random;
};

/* Make the case of @seed; the same one each time. */
void smallcase_fill(struct smallcase *c, uint64_t seed, enum smallcase_style style);

/* Hand @c to a fresh planner: horizon, room that is taken or closed. Owned by the caller. */
struct hs_place *smallcase_open(const struct smallcase *c);

/* Seconds of slot @t that lie ahead, and when they start. */
double smallcase_slot_s(const struct smallcase *c, size_t t);
double smallcase_start_at_s(const struct smallcase *c, size_t t);

/* Seconds of work, as remaining_s counts them, that @job gets done in slot @t at its share. */
double smallcase_work_s(const struct smallcase *c, const struct hs_place_job *job,
                        const struct hs_placement *placement, size_t t);

/* Is host @h closed in slot @t? */
bool smallcase_is_closed(const struct smallcase *c, size_t h, size_t t);

/* Patterns in which @need of @n slots may be taken in stretches of at least @min_run. */
double smallcase_count_patterns(size_t n, size_t need, size_t min_run);

/* A number of 0..1 from the case's own sequence. */
double smallcase_draw(struct smallcase *c);
