/* SPDX-License-Identifier: Apache-2.0 */
/* forecast - table of models and the checks that every model would repeat. */
#include "forecast/forecast.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const struct hs_forecast_ops *const models[] = {
    &hs_forecast_yesterday_ops,
};

const struct hs_forecast_ops *hs_forecast_model(const char *name)
{
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        if (strcmp(models[i]->name, name) == 0) {
            return models[i];
        }
    }
    return NULL;
}

struct hs_forecast *hs_forecast_new(const char *name, int64_t slot_s)
{
    const struct hs_forecast_ops *ops = hs_forecast_model(name);
    struct hs_forecast *forecast;

    assert(ops != NULL && slot_s > 0);
    forecast = ops->new (slot_s);
    forecast->ops = ops;
    forecast->slot_s = slot_s;
    return forecast;
}

void hs_forecast_observe(struct hs_forecast *forecast, int64_t slot_at_s, double demand_heat_w)
{
    /* negative heat is a broken meter: unknown, not zero */
    forecast->ops->observe(forecast, slot_at_s, demand_heat_w >= 0 ? demand_heat_w : (double)NAN);
}

void hs_forecast_predict(const struct hs_forecast *forecast, int64_t from_at_s, size_t n_slots,
                         double *ret_demand_heat_w)
{
    forecast->ops->predict(forecast, from_at_s, n_slots, ret_demand_heat_w);
    for (size_t i = 0; i < n_slots; i++) {
        assert(ret_demand_heat_w[i] >= 0);
    }
}

void hs_forecast_free(struct hs_forecast *forecast)
{
    if (forecast != NULL) {
        forecast->ops->destroy(forecast);
    }
}
