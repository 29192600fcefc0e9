/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * leaseholder - how whoever leads names itself in the lease: host, process, since when, and the
 * home (statedir.h) whose lock proves it dead.
 */

#include <stdbool.h>
#include <stddef.h>

#include "scheduler/base/clock.h"
#include "scheduler/daemon/statedir.h"

struct hs_leaseholder {
    char host[65]; /* "?" where it did not say */
    long long pid;
    char since[33]; /* RFC 3339 */
    double lease_s; /* that it keeps beats by; 0 where it did not say */
    char home[HS_STATEDIR_HOME_MAX];
};

/**
 * How this process names itself.
 *
 * @param lock  of our state directory; NULL where there is none
 * @return JSON, owned by the caller (free)
 */
char *hs_leaseholder_format(const struct hs_clock *clock, double lease_s,
                            const struct hs_statedir_lock *lock);

/** Read what a holder wrote; what is missing is as the struct says. */
void hs_leaseholder_parse(const char *text, struct hs_leaseholder *ret_holder);

/** It had the lock that we hold now, so it is dead. @param lock  NULL: nothing is known */
bool hs_leaseholder_is_dead(const struct hs_leaseholder *holder,
                            const struct hs_statedir_lock *lock);

/** "hschedd on 'host' (pid 12) leads this cell since …". @param ret_text  [size] */
void hs_leaseholder_describe(const struct hs_leaseholder *holder, char *ret_text, size_t size);
