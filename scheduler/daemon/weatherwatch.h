/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * weatherwatch - the weather sources of all sites; what they say reaches the cycle, what ails
 * them the log. Loop thread only.
 */

#include "scheduler/base/auto.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/executor.h"
#include "scheduler/core/cycle.h"
#include "scheduler/daemon/config.h"

struct hs_weatherwatch;

struct hs_weatherwatch_options {
    const struct hs_config *config; /* kept, as all of these */
    struct hs_executor *executor;
    const struct hs_clock *clock; /* plan time */
    struct hs_cycle *cycle;
    void (*due)(void *arg); /* a tick is due: there is news */
    void *arg;
};

/** Begins at once. Owned by the caller. */
struct hs_weatherwatch *hs_weatherwatch_new(const struct hs_weatherwatch_options *options);

/** Accepts NULL. */
void hs_weatherwatch_free(struct hs_weatherwatch *watch);
HS_DEFINE_AUTO(hs_weatherwatch);
