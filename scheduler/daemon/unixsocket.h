/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** unixsocket - a listening unix socket in the place of one that nobody answers on any more. */

#include "scheduler/base/err.h"

/**
 * Listen on @path, for everybody: who may speak is decided by the peer's credentials.
 *
 * @param ret_fd  non-blocking, owned by the caller
 * @return 0, -HS_E_CONFLICT (another daemon answers there), -HS_E_INVALID (it is no socket),
 *         -HS_E_SYSTEM
 */
int hs_unixsocket_open(const char *path, int *ret_fd, struct hs_err *err);
