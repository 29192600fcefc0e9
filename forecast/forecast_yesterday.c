/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forecast_yesterday - the same slot of yesterday; where that is unknown, of the day before, and
 * so on; then the last known value; then 0.
 *
 * A ring of whole slots keeps RING_DAYS: a horizon of two days may lie between the origin and
 * the newest observation (a back-test) and eight days of history still remain before it.
 */
#include <assert.h>
#include <math.h>

#include "forecast/forecast.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"

#define RING_DAYS 16

struct forecast_yesterday {
    struct hs_forecast base;
    size_t n_ring;
    double *demand_heat_w; /* [n_ring] by slot number modulo n_ring; NAN unknown */
    int64_t *slot_no;      /* [n_ring] which slot the entry holds, -1 none */
    int64_t newest_no;     /* newest slot with a known value, -1 none */
    int64_t evicted_no;    /* newest known slot that the ring no longer holds, -1 none */
    double evicted_w;
};

static struct hs_forecast *yesterday_new(int64_t slot_s)
{
    struct forecast_yesterday *model = hs_xcalloc(1, sizeof(*model));

    model->n_ring = (size_t)((RING_DAYS * (int64_t)HS_S_PER_DAY + slot_s - 1) / slot_s);
    model->demand_heat_w = hs_xcalloc(model->n_ring, sizeof(*model->demand_heat_w));
    model->slot_no = hs_xcalloc(model->n_ring, sizeof(*model->slot_no));
    for (size_t i = 0; i < model->n_ring; i++) {
        model->slot_no[i] = -1;
    }
    model->newest_no = -1;
    model->evicted_no = -1;
    return &model->base;
}

static void yesterday_observe(struct hs_forecast *forecast, int64_t slot_at_s, double demand_heat_w)
{
    struct forecast_yesterday *model = (struct forecast_yesterday *)forecast;
    int64_t no = slot_at_s / forecast->slot_s;
    size_t i;

    assert(slot_at_s >= 0);
    if (isnan(demand_heat_w)) {
        return;
    }
    i = (size_t)no % model->n_ring;
    if (model->slot_no[i] >= 0 && model->slot_no[i] < no && model->slot_no[i] > model->evicted_no) {
        model->evicted_no = model->slot_no[i];
        model->evicted_w = model->demand_heat_w[i];
    }
    model->slot_no[i] = no;
    model->demand_heat_w[i] = demand_heat_w;
    if (no > model->newest_no) {
        model->newest_no = no;
    }
}

/** Value of slot @no, or NAN. */
static double look_up(const struct forecast_yesterday *model, int64_t no)
{
    size_t i;

    if (no < 0) {
        return (double)NAN;
    }
    i = (size_t)no % model->n_ring;
    return model->slot_no[i] == no ? model->demand_heat_w[i] : (double)NAN;
}

/** Last known value before slot @origin_no; 0 with nothing known. */
static double find_last(const struct forecast_yesterday *model, int64_t origin_no)
{
    int64_t from = model->newest_no < origin_no - 1 ? model->newest_no : origin_no - 1;

    for (int64_t no = from; no >= 0 && no > from - (int64_t)model->n_ring; no--) {
        double value = look_up(model, no);

        if (!isnan(value)) {
            return value;
        }
    }
    return model->evicted_no >= 0 && model->evicted_no < origin_no ? model->evicted_w : 0.0;
}

static void yesterday_predict(const struct hs_forecast *forecast, int64_t from_at_s, size_t n_slots,
                              double *ret_demand_heat_w)
{
    const struct forecast_yesterday *model = (const struct forecast_yesterday *)forecast;
    int64_t slot_s = forecast->slot_s;
    int64_t origin_no = from_at_s / slot_s;
    double last_w = find_last(model, origin_no);

    for (size_t i = 0; i < n_slots; i++) {
        int64_t at_s = from_at_s + (int64_t)i * slot_s;
        double value = (double)NAN;

        for (int day = 1; day <= RING_DAYS && isnan(value); day++) {
            int64_t no = (at_s - day * (int64_t)HS_S_PER_DAY) / slot_s;

            if (no < origin_no) {
                value = look_up(model, no);
            }
        }
        ret_demand_heat_w[i] = isnan(value) ? last_w : value;
    }
}

static void yesterday_destroy(struct hs_forecast *forecast)
{
    struct forecast_yesterday *model = (struct forecast_yesterday *)forecast;

    free(model->slot_no);
    free(model->demand_heat_w);
    free(model);
}

const struct hs_forecast_ops hs_forecast_yesterday_ops = {
    .name = "yesterday",
    .summary = "same hour yesterday, else the latest earlier day, else the last known value",
    .new = yesterday_new,
    .observe = yesterday_observe,
    .predict = yesterday_predict,
    .destroy = yesterday_destroy,
};
