/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * plant_mqtt - readings from the topics of an MQTT broker, by the estate's point map, and back.
 *
 * A message that the broker had kept (retained) is of unknown age: it is no reading. After each
 * connection `confirm` messages must agree before one is believed. What is told is retained, so
 * that whoever comes later knows it.
 */

#include "adapters/plant/plant.h"
#include "adapters/plant/plant_mqtt_link.h"

/** A broker as hschedd.json describes it. */
struct hs_plant_mqtt_broker {
    const char *name;
    struct hs_plant_mqtt_access access; /* its status_topic is used with can_write only */
    bool can_write;
};

/**
 * Read (and, if the broker's write is on, tell) the rows of the estate's map that name @broker.
 *
 * @param broker  copied, its texts are kept
 * @return 0 or what hs_plant_mqtt_link_check() says
 */
int hs_plant_mqtt_new(const struct hs_plant_options *options,
                      const struct hs_plant_mqtt_broker *broker, struct hs_plant **ret_plant,
                      struct hs_err *err);

/** Number of the connection that is up, from 1; 0 while none is. */
unsigned hs_plant_mqtt_get_session(const struct hs_plant *plant);

/** Say @text at @topic, retained; nothing happens while no connection is up or write is off. */
void hs_plant_mqtt_say(struct hs_plant *plant, const char *topic, const char *text);
