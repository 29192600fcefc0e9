/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/daemon/listener.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include <event2/listener.h>
#include <event2/util.h>

#include "scheduler/base/clock.h"
#include "scheduler/base/log.h"

#define WARN_PERIOD_S 60.0

/* evhttp owns a listener's argument, so there is nowhere else to keep it */
static double warned_mono_s = -INFINITY;

static void warn(int sys_errno)
{
    HS_AUTO(hs_clock) clock = hs_clock_new_real();
    double now_mono_s = hs_clock_mono_s(clock);

    if (now_mono_s - warned_mono_s >= WARN_PERIOD_S) {
        warned_mono_s = now_mono_s;
        HS_LOG_WARN("api", "callers have to wait: %s; see LimitNOFILE= of the service",
                    strerror(sys_errno));
    }
}

static void resume(evutil_socket_t fd, short what, void *arg)
{
    (void)evconnlistener_enable(arg);
}

static void on_error(struct evconnlistener *listener, void *arg)
{
    struct timeval pause = {0, (suseconds_t)(HS_LISTENER_PAUSE_S * 1e6)};

    warn(EVUTIL_SOCKET_ERROR());
    (void)evconnlistener_disable(listener);
    if (event_base_once(evconnlistener_get_base(listener), -1, EV_TIMEOUT, resume, listener, &pause)
        != 0) {
        resume(-1, EV_TIMEOUT, listener);
    }
}

int hs_listener_add(struct evhttp *http, int fd, struct hs_err *err)
{
    struct evhttp_bound_socket *bound = evhttp_accept_socket_with_handle(http, fd);

    if (bound == NULL) {
        return hs_err_set(err, HS_E_SYSTEM, NULL, "cannot serve on it");
    }
    evconnlistener_set_error_cb(evhttp_bound_socket_get_listener(bound), on_error);
    return 0;
}
