/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expected - see expected.h.
 *
 * The hosts of a loop are one pool with their mean W per vCPU and capture ratio. Work whose due
 * time lies past the horizon is laid in proportion to the part of its time that lies within.
 */
#include "scheduler/core/expected.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "scheduler/base/heap.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"

/* Nobody knows so well what will come that prices need be exacter (thermal.h). */
#define SPARE_RATIO 1e-2
#define SLACK_RATIO 1e-4

/** A loop's hosts together. */
struct pool {
    size_t site_idx;
    double elec_w_per_vcpu;
    double capture_ratio;
};

/** A loop's slot as a place for a bucket. */
struct spot {
    double cost_cur; /* of a vCPU-slot */
    size_t loop_idx;
    size_t slot;
};

struct hs_expected {
    const struct hs_estate *estate;
    size_t n_slots;
    int64_t from_at_s;
    struct pool *pools;           /* [n_loops] */
    struct hs_thermal **thermals; /* [n_loops] */
    double *vcpus;                /* [n_loops][n_slots] laid */
    double *free_vcpus;           /* [n_loops][n_slots] left */
    struct spot *spots;           /* [n_loops * n_slots] scratch */
    double *heat_wh;              /* [n_loops][n_slots] scratch: of the bucket being laid */
};

/* --- life --- */

static void fill_pool(const struct hs_estate *estate, size_t loop_idx, struct pool *pool)
{
    double n_vcpus = 0.0;
    double elec_w = 0.0;
    double heat_w = 0.0;

    for (size_t h = 0; h < estate->n_hosts; h++) {
        const struct hs_host *host = &estate->hosts[h];

        if (host->loop_idx == loop_idx) {
            double host_w = hs_host_elec_w_per_vcpu(host) * (double)host->vcpus;

            n_vcpus += (double)host->vcpus;
            elec_w += host_w;
            heat_w += host_w * estate->racks[host->rack_idx].capture_ratio;
        }
    }
    *pool = (struct pool){
        .site_idx = estate->loops[loop_idx].site_idx,
        .elec_w_per_vcpu = n_vcpus > 0 ? elec_w / n_vcpus : 0.0,
        .capture_ratio = elec_w > 0 ? heat_w / elec_w : 0.0,
    };
}

struct hs_expected *hs_expected_new(const struct hs_estate *estate, size_t n_slots)
{
    struct hs_expected *expected = hs_xcalloc(1, sizeof(*expected));
    size_t n_spots = estate->n_loops * n_slots;

    expected->estate = estate;
    expected->n_slots = n_slots;
    expected->from_at_s = INT64_MIN;
    expected->pools = hs_xcalloc(estate->n_loops, sizeof(*expected->pools));
    expected->thermals = hs_xcalloc(estate->n_loops, sizeof(struct hs_thermal *));
    for (size_t l = 0; l < estate->n_loops; l++) {
        fill_pool(estate, l, &expected->pools[l]);
        expected->thermals[l] =
            hs_thermal_new(&estate->loops[l], estate->loops[l].n_sinks, n_slots);
    }
    expected->vcpus = hs_xcalloc(n_spots, sizeof(double));
    expected->free_vcpus = hs_xcalloc(n_spots, sizeof(double));
    expected->spots = hs_xcalloc(n_spots, sizeof(*expected->spots));
    expected->heat_wh = hs_xcalloc(n_spots, sizeof(double));
    return expected;
}

void hs_expected_free(struct hs_expected *expected)
{
    if (expected == NULL) {
        return;
    }
    free(expected->heat_wh);
    free(expected->spots);
    free(expected->free_vcpus);
    free(expected->vcpus);
    for (size_t l = 0; l < expected->estate->n_loops; l++) {
        hs_thermal_free(expected->thermals[l]);
    }
    free(expected->thermals);
    free(expected->pools);
    free(expected);
}

/* --- laying --- */

static size_t clamp_slot(const struct hs_expected *expected, int64_t at_s)
{
    int64_t slot = (at_s - expected->from_at_s) / expected->estate->slot_s;

    return slot < 0 ? 0 : slot > (int64_t)expected->n_slots ? expected->n_slots : (size_t)slot;
}

/* Dearer by what waiting since @release_at_s is thought to cost. */
static double price_spot(const struct hs_expected *expected, const struct hs_expected_frame *frame,
                         size_t loop_idx, size_t t, size_t first)
{
    const struct pool *pool = &expected->pools[loop_idx];
    double slot_s = (double)expected->estate->slot_s;
    double elec = frame->elec_cur_per_mwh[pool->site_idx * expected->n_slots + t];
    bool has_changed;
    double heat = hs_thermal_get_prices(expected->thermals[loop_idx], &has_changed)[t] * 1e6;
    double waits_ratio = (double)(t - first) * slot_s / HS_S_PER_DAY;

    return hs_cur_from_wh(hs_wh_from_w(pool->elec_w_per_vcpu, slot_s),
                          elec + frame->waiting_weight * fabs(elec) * waits_ratio
                              - heat * pool->capture_ratio);
}

/* Cheapest first; of equals the earliest, then the first loop. */
static bool comes_before(const struct spot *a, const struct spot *b)
{
    if (a->cost_cur < b->cost_cur || a->cost_cur > b->cost_cur) {
        return a->cost_cur < b->cost_cur;
    }
    if (a->slot != b->slot) {
        return a->slot < b->slot;
    }
    return a->loop_idx < b->loop_idx;
}

static size_t find_spots(struct hs_expected *expected, const struct hs_expected_frame *frame,
                         size_t first, size_t end)
{
    size_t n = 0;

    for (size_t l = 0; l < expected->estate->n_loops; l++) {
        for (size_t t = first; t < end; t++) {
            if (expected->free_vcpus[l * expected->n_slots + t] > 0) {
                expected->spots[n++] =
                    (struct spot){price_spot(expected, frame, l, t, first), l, t};
            }
        }
    }
    HS_HEAP_MAKE(expected->spots, n, comes_before);
    return n;
}

/* Heat of what this bucket put into each loop, into the prices of the next. */
static void move_prices(struct hs_expected *expected, size_t first, size_t end)
{
    size_t n = expected->n_slots;

    for (size_t l = 0; l < expected->estate->n_loops; l++) {
        double *heat_wh = &expected->heat_wh[l * n];
        double sum_wh = 0.0;

        for (size_t t = first; t < end; t++) {
            sum_wh += heat_wh[t];
        }
        if (sum_wh > 0) {
            hs_thermal_lay(expected->thermals[l], first, &heat_wh[first], end - first);
            hs_thermal_settle(expected->thermals[l], SPARE_RATIO);
            memset(heat_wh, 0, n * sizeof(double));
        }
    }
}

static void lay_bucket(struct hs_expected *expected, const struct hs_expected_frame *frame,
                       const struct hs_arrivals_bucket *bucket)
{
    double slot_s = (double)expected->estate->slot_s;
    int64_t end_at_s = expected->from_at_s + (int64_t)expected->n_slots * expected->estate->slot_s;
    size_t first = clamp_slot(expected, bucket->release_at_s);
    size_t end = clamp_slot(expected, bucket->due_at_s);
    double left_vcpu_s = bucket->work_vcpu_s;

    if (bucket->release_at_s >= end_at_s || !(left_vcpu_s > 0)) {
        return;
    }
    if (bucket->due_at_s > end_at_s) {
        left_vcpu_s *= (double)(end_at_s - bucket->release_at_s)
                       / (double)(bucket->due_at_s - bucket->release_at_s);
    }
    end = end > first ? end : first + 1;
    size_t n_spots = find_spots(expected, frame, first, end);

    while (n_spots > 0 && left_vcpu_s > 0) {
        /* a bucket takes a few of many spots: a heap gives them without sorting the rest */
        struct spot spot = HS_HEAP_TAKE(expected->spots, &n_spots, comes_before);
        size_t at = spot.loop_idx * expected->n_slots + spot.slot;
        double vcpus = fmin(left_vcpu_s / slot_s, expected->free_vcpus[at]);
        const struct pool *pool = &expected->pools[spot.loop_idx];

        expected->vcpus[at] += vcpus;
        expected->free_vcpus[at] -= vcpus;
        expected->heat_wh[at] +=
            hs_wh_from_w(vcpus * pool->elec_w_per_vcpu * pool->capture_ratio, slot_s);
        left_vcpu_s -= vcpus * slot_s;
    }
    move_prices(expected, first, end);
}

void hs_expected_lay(struct hs_expected *expected, const struct hs_expected_frame *frame,
                     const struct hs_arrivals_bucket *buckets, size_t n_buckets)
{
    size_t n_spots = expected->estate->n_loops * expected->n_slots;

    expected->from_at_s = frame->from_at_s;
    memset(expected->vcpus, 0, n_spots * sizeof(double));
    memcpy(expected->free_vcpus, frame->free_vcpus, n_spots * sizeof(double));
    for (size_t l = 0; l < expected->estate->n_loops; l++) {
        struct hs_thermal_input input = frame->thermal[l];

        input.slack_ratio = SLACK_RATIO;
        hs_thermal_set(expected->thermals[l], &input);
    }
    for (size_t i = 0; i < n_buckets; i++) {
        lay_bucket(expected, frame, &buckets[i]);
    }
}

/* --- looking --- */

int64_t hs_expected_get_from_at_s(const struct hs_expected *expected)
{
    return expected->from_at_s;
}

double hs_expected_get_vcpus(const struct hs_expected *expected, size_t loop_idx, int64_t at_s)
{
    if (expected->from_at_s == INT64_MIN || at_s < expected->from_at_s) {
        return 0.0;
    }
    int64_t slot = (at_s - expected->from_at_s) / expected->estate->slot_s;

    return slot < (int64_t)expected->n_slots
               ? expected->vcpus[loop_idx * expected->n_slots + (size_t)slot]
               : 0.0;
}

double hs_expected_get_elec_w(const struct hs_expected *expected, size_t loop_idx, int64_t at_s)
{
    return hs_expected_get_vcpus(expected, loop_idx, at_s)
           * expected->pools[loop_idx].elec_w_per_vcpu;
}

double hs_expected_get_heat_w(const struct hs_expected *expected, size_t loop_idx, int64_t at_s)
{
    return hs_expected_get_elec_w(expected, loop_idx, at_s)
           * expected->pools[loop_idx].capture_ratio;
}
