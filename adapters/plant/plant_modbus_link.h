/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * plant_modbus_link - a Modbus TCP connection that blocks: one caller at a time, on a worker.
 *
 * Connects when first needed and again after a failure; knows nothing of points. An answer that
 * says no (an exception of the protocol) leaves the connection as it is, everything else ends it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "adapters/plant/registers.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"

struct hs_plant_modbus_link;

/**
 * Nothing is connected yet.
 *
 * @param host       name or address; copied
 * @param timeout_s  for the connection and for each answer, real s
 * @return owned by the caller
 */
struct hs_plant_modbus_link *hs_plant_modbus_link_new(const char *host, int port, double timeout_s);

/** Use a connection that is there already. @param fd  taken */
void hs_plant_modbus_link_set_socket(struct hs_plant_modbus_link *link, int fd);

/**
 * Read a block.
 *
 * @param ret_words  [block->count] registers, or bits as 0 and 1
 * @return 0; -HS_E_UNAVAILABLE, -HS_E_TIMEOUT or -HS_E_PROTOCOL with the connection closed;
 *         -HS_E_NOTFOUND (no such address), -HS_E_DENIED or -HS_E_UNSUPPORTED as the device says
 */
int hs_plant_modbus_link_read(struct hs_plant_modbus_link *link,
                              const struct hs_registers_block *block, uint16_t *ret_words,
                              struct hs_err *err);

/** Write @words [width] at a resolved holding register or coil. @return as for read */
int hs_plant_modbus_link_write(struct hs_plant_modbus_link *link,
                               const struct hs_pointmap_register *reg, const uint16_t *words,
                               struct hs_err *err);

bool hs_plant_modbus_link_is_up(const struct hs_plant_modbus_link *link);

/** Connections made so far. */
unsigned hs_plant_modbus_link_get_session(const struct hs_plant_modbus_link *link);

/** Accepts NULL. */
void hs_plant_modbus_link_free(struct hs_plant_modbus_link *link);
HS_DEFINE_AUTO(hs_plant_modbus_link);
