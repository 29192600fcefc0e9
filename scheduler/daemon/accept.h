/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * accept - `hschedd --accept-older-state`: an operator says that the state in Redis is to be led,
 * though this host has led a newer one or another.
 *
 * Notes in the epoch file (epochfile.h) exactly which state was accepted, and ends; whoever leads
 * next begins after every epoch that is known of. Writes nothing to Redis.
 */

#include "scheduler/base/err.h"
#include "scheduler/daemon/config.h"

/**
 * Look at the lease in the store of @config and accept it; says on stdout what was done. Blocks
 * for up to 10 s.
 *
 * @return 0, -HS_E_INVALID (a store that forgets), -HS_E_TIMEOUT (the store does not answer),
 *         -HS_E_SYSTEM
 */
int hs_accept_apply(const struct hs_config *config, struct hs_err *err);
