/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * listener - a socket that callers come to, also while no descriptor is left to answer them with.
 *
 * libevent would try to accept again and again, as fast as it can, and write a line each time. Here
 * the socket is left alone for a moment instead; callers wait in its queue. Loop thread only.
 */

#include <event2/event.h>
#include <event2/http.h>

#include "scheduler/base/err.h"

#define HS_LISTENER_PAUSE_S 0.5 /* real; promises.md 16: answers again 5 s after there are some */

/**
 * Let @http answer on @fd, which listens.
 *
 * @param fd  taken on success
 * @return 0 or -HS_E_SYSTEM
 */
int hs_listener_add(struct evhttp *http, int fd, struct hs_err *err);
