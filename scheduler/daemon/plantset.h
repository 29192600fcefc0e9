/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * plantset - all that hschedd reads of buildings and tells them: one main source and the devices.
 *
 * Owns every plant that hschedd.json names. What was refused and which device comes or goes is said
 * in the log here, once each.
 */

#include <jansson.h>

#include "adapters/plant/plant.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/executor.h"
#include "scheduler/daemon/config.h"

struct hs_plantset;

struct hs_plantset_options {
    struct hs_executor *executor;                /* kept */
    const struct hs_clock *clock;                /* kept */
    const struct hs_config *config;              /* kept */
    const struct hs_series *const *heat_by_sink; /* [n_sinks] kept */
    void (*reading)(void *arg, const struct hs_reading *reading);
    void *arg;
};

/** Makes and starts them. @return 0 or what a plant says of its configuration */
int hs_plantset_new(const struct hs_plantset_options *options, struct hs_plantset **ret_plants,
                    struct hs_err *err);

/** Does any of them want to know what the racks draw? Accepts NULL. */
bool hs_plantset_is_fed(const struct hs_plantset *plants);

/** Tell those what the racks draw. @param rack_elec_w  [n_racks] W */
void hs_plantset_feed(struct hs_plantset *plants, const double *rack_elec_w, size_t n_racks);

/** Say our own figures where a broker is to have them. @param cycle  borrowed */
void hs_plantset_announce(struct hs_plantset *plants, const struct hs_cycle *cycle);

/** Take in a reading that somebody posted. @return as hs_plant_push_take() */
int hs_plantset_push(struct hs_plantset *plants, const json_t *json, struct hs_err *err);

/**
 * Tell the plant @value at @point from now on (hs_plant_write), by whichever device has it.
 *
 * @return 0; -HS_E_NOTFOUND if the estate names no device for it; -HS_E_DENIED if its write is off;
 *         -HS_E_INVALID
 */
int hs_plantset_write(struct hs_plantset *plants, const struct hs_point *point, double value,
                      struct hs_err *err);

/** Accepts NULL. */
void hs_plantset_free(struct hs_plantset *plants);
HS_DEFINE_AUTO(hs_plantset);
