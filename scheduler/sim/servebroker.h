/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * servebroker - the MQTT side of `hsim serve`: says what rows of a point map say at their topics.
 *
 * Rows that share a topic are members of one JSON object there, each at its pointer; a row without
 * a pointer is a plain number. What is told at topics of rows with `write` is handed on.
 */

#include <stdbool.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/executor.h"
#include "scheduler/model/pointmap.h"

struct hs_servebroker;

struct hs_servebroker_options {
    struct hs_executor *executor;  /* kept */
    const struct hs_pointmap *map; /* kept */
    const char *name;              /* which rows are meant; copied */
    const char *host;              /* copied */
    int port;
    void (*up)(void *arg);
    void (*told)(void *arg, size_t row_idx, double value);
    void *arg;
};

/** Connects soon. Owned by the caller. */
struct hs_servebroker *hs_servebroker_new(const struct hs_servebroker_options *options);

/** Say all rows; messages are not retained. @param values  [map->n_rows] NAN: nothing is known */
void hs_servebroker_say(struct hs_servebroker *broker, const double *values);

/** A fault: leave, and stay away until told otherwise. */
void hs_servebroker_set_away(struct hs_servebroker *broker, bool is_away);

/** Accepts NULL. */
void hs_servebroker_free(struct hs_servebroker *broker);
HS_DEFINE_AUTO(hs_servebroker);
