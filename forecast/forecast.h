/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * forecast - heat need of one sink over the next slots, from what its meter has said so far.
 *
 * Pure. A model sees nothing that was taken at or after the origin it predicts from. One file a
 * model, one row in the table of forecast.c.
 */

#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"

struct hs_forecast;

/** What a model supplies. */
struct hs_forecast_ops {
    const char *name;
    const char *summary;
    struct hs_forecast *(*new)(int64_t slot_s);
    void (*observe)(struct hs_forecast *forecast, int64_t slot_at_s, double demand_heat_w);
    void (*predict)(const struct hs_forecast *forecast, int64_t from_at_s, size_t n_slots,
                    double *ret_demand_heat_w);
    void (*destroy)(struct hs_forecast *forecast);
};

/** Base of every model's own struct, as its first member. */
struct hs_forecast {
    const struct hs_forecast_ops *ops;
    int64_t slot_s;
};

/** Model named @name ("yesterday"), or NULL. Static. */
const struct hs_forecast_ops *hs_forecast_model(const char *name);

/** A model that has seen nothing; owned by the caller. @param name  asserted to be known */
struct hs_forecast *hs_forecast_new(const char *name, int64_t slot_s);

/**
 * Take in one metered slot. Slots come in time order; a slot never seen is unknown, not zero.
 *
 * @param slot_at_s      start of the slot, a multiple of slot_s
 * @param demand_heat_w  mean over the slot, >= 0; NAN: unknown
 */
void hs_forecast_observe(struct hs_forecast *forecast, int64_t slot_at_s, double demand_heat_w);

/**
 * Expected mean demand of each slot from @from_at_s on. A legal chain of fall-backs ends in the
 * last known value, then in 0 with nothing ever known.
 *
 * @param ret_demand_heat_w  [n_slots] >= 0, never NAN
 */
void hs_forecast_predict(const struct hs_forecast *forecast, int64_t from_at_s, size_t n_slots,
                         double *ret_demand_heat_w);

/** Accepts NULL. */
void hs_forecast_free(struct hs_forecast *forecast);
HS_DEFINE_AUTO(hs_forecast);

extern const struct hs_forecast_ops hs_forecast_yesterday_ops;
