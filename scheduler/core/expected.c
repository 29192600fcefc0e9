/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expected - see expected.h.
 *
 * The hosts of a loop are one pool with their mean W per vCPU and capture ratio.
 */
#include "scheduler/core/expected.h"

#include <math.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"

/** A loop's hosts together. */
struct pool {
    double elec_w_per_vcpu;
    double capture_ratio;
};

struct hs_expected {
    const struct hs_estate *estate;
    size_t n_slots;
    int64_t from_at_s;
    struct pool *pools; /* [n_loops] */
    double *vcpus;      /* [n_loops][n_slots] laid */
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
        .elec_w_per_vcpu = n_vcpus > 0 ? elec_w / n_vcpus : 0.0,
        .capture_ratio = elec_w > 0 ? heat_w / elec_w : 0.0,
    };
}

struct hs_expected *hs_expected_new(const struct hs_estate *estate, size_t n_slots)
{
    struct hs_expected *expected = hs_xcalloc(1, sizeof(*expected));

    expected->estate = estate;
    expected->n_slots = n_slots;
    expected->from_at_s = INT64_MIN;
    expected->pools = hs_xcalloc(estate->n_loops, sizeof(*expected->pools));
    for (size_t l = 0; l < estate->n_loops; l++) {
        fill_pool(estate, l, &expected->pools[l]);
    }
    expected->vcpus = hs_xcalloc(estate->n_loops * n_slots, sizeof(double));
    return expected;
}

void hs_expected_free(struct hs_expected *expected)
{
    if (expected == NULL) {
        return;
    }
    free(expected->vcpus);
    free(expected->pools);
    free(expected);
}

/* --- laying --- */

/* What is free in all loops in slot @t beside what was laid already. */
static double sum_room(const struct hs_expected *expected, const double *free_vcpus, size_t t)
{
    double room_vcpus = 0.0;

    for (size_t l = 0; l < expected->estate->n_loops; l++) {
        size_t at = l * expected->n_slots + t;

        room_vcpus += fmax(0.0, free_vcpus[at] - expected->vcpus[at]);
    }
    return room_vcpus;
}

/* Give each loop its share of @vcpus by its room. @return what found none */
static double lay_slot(struct hs_expected *expected, const double *free_vcpus, size_t t,
                       double vcpus)
{
    double room_vcpus = sum_room(expected, free_vcpus, t);
    double share = room_vcpus > 0 ? fmin(1.0, vcpus / room_vcpus) : 0.0;

    for (size_t l = 0; l < expected->estate->n_loops; l++) {
        size_t at = l * expected->n_slots + t;

        expected->vcpus[at] += share * fmax(0.0, free_vcpus[at] - expected->vcpus[at]);
    }
    return vcpus - share * room_vcpus;
}

/* From its release for its typical run; what finds no room goes on after it, until its due time. */
static void lay_bucket(struct hs_expected *expected, const double *free_vcpus,
                       const struct hs_arrivals_bucket *bucket)
{
    double slot_s = (double)expected->estate->slot_s;
    double release_s = (double)(bucket->release_at_s - expected->from_at_s);
    double run_s = fmax(bucket->run_s, slot_s);
    double due_s = fmax((double)(bucket->due_at_s - expected->from_at_s), release_s + run_s);
    double waiting_vcpus = 0.0;

    for (size_t t = release_s > 0 ? (size_t)(release_s / slot_s) : 0;
         t < expected->n_slots && (double)t * slot_s < due_s; t++) {
        double begin_s = fmax((double)t * slot_s, release_s);
        double end_s = fmin((double)(t + 1) * slot_s, release_s + run_s);
        double coming_vcpus = bucket->work_vcpu_s / run_s * fmax(0.0, end_s - begin_s) / slot_s;

        waiting_vcpus = lay_slot(expected, free_vcpus, t, waiting_vcpus + coming_vcpus);
    }
}

void hs_expected_lay(struct hs_expected *expected, int64_t from_at_s, const double *free_vcpus,
                     const struct hs_arrivals_bucket *buckets, size_t n_buckets)
{
    expected->from_at_s = from_at_s;
    memset(expected->vcpus, 0, expected->estate->n_loops * expected->n_slots * sizeof(double));
    for (size_t i = 0; i < n_buckets; i++) {
        if (buckets[i].work_vcpu_s > 0) {
            lay_bucket(expected, free_vcpus, &buckets[i]);
        }
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
