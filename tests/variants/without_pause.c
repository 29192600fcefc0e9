/* SPDX-License-Identifier: Apache-2.0 */
/* without_pause - a socket that is tried again at once when no descriptor is left. */
#include <event2/listener.h>

void __wrap_evconnlistener_set_error_cb(struct evconnlistener *listener,
                                        evconnlistener_errorcb on_error);

void __wrap_evconnlistener_set_error_cb(struct evconnlistener *listener,
                                        evconnlistener_errorcb on_error)
{
}
