/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * plant_modbus - readings from a Modbus TCP device, by the estate's point map, and back.
 *
 * Everything near lies in one read. libmodbus blocks on a worker: a device that hangs costs its own
 * queue only. A lost connection is made again after 0.5 s, then ever later up to 30 s; until
 * `confirm` readings agree nothing of the new connection is believed.
 */

#include "adapters/plant/plant.h"
#include "adapters/plant/registers.h"

/** A number that the device changes all the time. */
struct hs_plant_modbus_heartbeat {
    bool present;
    struct hs_pointmap_register reg;
    int64_t max_age_s; /* plan s without a change after which the device is taken to be stuck */
};

/** A device as hschedd.json describes it. */
struct hs_plant_modbus_device {
    char name[HS_NAME_MAX];
    char host[HS_URI_MAX];
    int port;
    struct hs_registers_defaults defaults;
    int64_t period_s; /* plan s between reads; at least 50 ms real */
    double timeout_s; /* real s for each answer */
    int gap;          /* registers that nobody asked for, read rather than asking twice */
    bool can_write;
    struct hs_plant_modbus_heartbeat heartbeat;
};

/** Does @row's register exist on @device? @return 0 or -HS_E_INVALID */
int hs_plant_modbus_check(const struct hs_plant_modbus_device *device,
                          const struct hs_pointmap_row *row, struct hs_err *err);

/**
 * Read (and, if the device's write is on, write) the rows of the estate's map that name @device.
 *
 * @param device  copied
 * @return 0 or -HS_E_INVALID, naming the point, for a register that does not exist
 */
int hs_plant_modbus_new(const struct hs_plant_options *options,
                        const struct hs_plant_modbus_device *device, struct hs_plant **ret_plant,
                        struct hs_err *err);
