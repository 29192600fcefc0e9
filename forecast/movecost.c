/* SPDX-License-Identifier: Apache-2.0 */
/*
 * movecost - a line through (memory, time), whose slope is drawn to that of "in proportion":
 *
 *   slope = (cov + SPREAD^2 x mean_s / mean_mib) / (var + SPREAD^2)     [s/MiB]
 *   time  = mean_s + slope x (memory - mean_mib), never negative
 */
#include "forecast/movecost.h"

#include <math.h>

#include "scheduler/base/jsonx.h"

#define SPREAD_MIB 256.0 /* machines that differ by less say little about the slope */

void hs_movecost_add(struct hs_movecost *cost, uint64_t memory_mib, double took_s)
{
    double mib = (double)memory_mib;

    if (!(took_s >= 0) || !(mib > 0)) {
        return;
    }
    cost->n = cost->n * HS_MOVECOST_KEPT_RATIO + 1;
    cost->s = cost->s * HS_MOVECOST_KEPT_RATIO + took_s;
    cost->mib = cost->mib * HS_MOVECOST_KEPT_RATIO + mib;
    cost->mib_mib = cost->mib_mib * HS_MOVECOST_KEPT_RATIO + mib * mib;
    cost->mib_s = cost->mib_s * HS_MOVECOST_KEPT_RATIO + mib * took_s;
}

double hs_movecost_get_s(const struct hs_movecost *cost, uint64_t memory_mib)
{
    if (!(cost->n > 0) || !(cost->mib > 0)) {
        return 0.0;
    }
    double mean_s = cost->s / cost->n;
    double mean_mib = cost->mib / cost->n;
    double var = fmax(0.0, cost->mib_mib / cost->n - mean_mib * mean_mib);
    double cov = cost->mib_s / cost->n - mean_mib * mean_s;
    double pull = SPREAD_MIB * SPREAD_MIB;
    double slope = fmax(0.0, (cov + pull * mean_s / mean_mib) / (var + pull));

    return fmax(0.0, mean_s + slope * ((double)memory_mib - mean_mib));
}

json_t *hs_movecost_save(const struct hs_movecost *cost)
{
    json_t *json = hs_jsonx_object();

    hs_jsonx_set_real(json, "n", cost->n);
    hs_jsonx_set_real(json, "s", cost->s);
    hs_jsonx_set_real(json, "mib", cost->mib);
    hs_jsonx_set_real(json, "mib_mib", cost->mib_mib);
    hs_jsonx_set_real(json, "mib_s", cost->mib_s);
    return json;
}

static int take(const json_t *saved, const char *key, double *ret_value, struct hs_err *err)
{
    const json_t *json = json_object_get(saved, key);
    double value = json_number_value(json);

    if (!json_is_number(json) || !isfinite(value) || value < 0) {
        return hs_err_set(err, HS_E_INVALID, "moves", "'%s' is not a number of 0 or more", key);
    }
    *ret_value = value;
    return 0;
}

int hs_movecost_restore(struct hs_movecost *cost, const json_t *saved, struct hs_err *err)
{
    struct hs_movecost read;
    int rc = take(saved, "n", &read.n, err);

    rc = rc < 0 ? rc : take(saved, "s", &read.s, err);
    rc = rc < 0 ? rc : take(saved, "mib", &read.mib, err);
    rc = rc < 0 ? rc : take(saved, "mib_mib", &read.mib_mib, err);
    rc = rc < 0 ? rc : take(saved, "mib_s", &read.mib_s, err);
    if (rc == 0) {
        *cost = read;
    }
    return rc;
}
