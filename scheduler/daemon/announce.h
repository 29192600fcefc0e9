/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * announce - our own figures at an MQTT broker, described so that Home Assistant finds them.
 *
 * Once a minute of plan time each loop's figures are said at hsched/CELL/SITE/LOOP as one JSON
 * object, those of a site at hsched/CELL/SITE; what they are is said at the topics of Home
 * Assistant's MQTT discovery whenever the broker is reached anew. Only where a broker has `write`
 * and `discovery`.
 */

#include "adapters/plant/plant.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/clock.h"
#include "scheduler/core/cycle.h"
#include "scheduler/daemon/config.h"

struct hs_announce;

struct hs_announce_options {
    struct hs_plant *plant;            /* kept; made by hs_plant_mqtt_new() */
    const struct hs_config *config;    /* kept */
    const struct hs_config_mqtt *mqtt; /* kept: the broker's row */
    const struct hs_clock *clock;      /* kept */
};

/** Owned by the caller. */
struct hs_announce *hs_announce_new(const struct hs_announce_options *options);

/** Say what is due. @param cycle  borrowed */
void hs_announce_tick(struct hs_announce *announce, const struct hs_cycle *cycle);

/** Accepts NULL. */
void hs_announce_free(struct hs_announce *announce);
HS_DEFINE_AUTO(hs_announce);
