/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * callers - the connections of the api: so many, and each request within an absolute time.
 *
 * evhttp's own timeout begins anew with every byte, so a client that sends one a second could
 * stay for ever. Here the time counts from the connection, or from the answer before, until the
 * request is whole; over the limit of connections the one that has waited longest is cut, so
 * that whoever speaks at once is still answered. Loop thread only.
 */

#include "scheduler/base/auto.h"

#define HS_CALLERS_MAX       1024 /* fewer if the process may not open enough files */
#define HS_CALLERS_REQUEST_S 10.0 /* real */

struct event_base;
struct evhttp;
struct evhttp_connection;
struct hs_callers;

/**
 * Watch every connection that @http takes from now on.
 *
 * @param http  kept; freed before the callers
 * @return owned by the caller
 */
struct hs_callers *hs_callers_new(struct event_base *base, struct evhttp *http);

/** Its request is whole: no time counts until hs_callers_start(). */
void hs_callers_stop(struct hs_callers *callers, struct evhttp_connection *connection);

/** It is about to be answered: the time for reading that and asking again begins. */
void hs_callers_start(struct hs_callers *callers, struct evhttp_connection *connection);

/** Accepts NULL. */
void hs_callers_free(struct hs_callers *callers);
HS_DEFINE_AUTO(hs_callers);
