/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * planclock - plan time, which nobody moves by setting the wall clock.
 *
 * Plan time begins as wall time and runs on CLOCK_BOOTTIME from then on, over restarts too, as long
 * as the machine is not booted. A wall clock that is a little off (time servers step it) is
 * followed slowly; one that jumps is not, and said so: deadlines, leases, run times and the plan
 * stay what they are (promises.md, 13). Loop thread only.
 */

#include <stdbool.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/clock.h"

#define HS_PLANCLOCK_JUMP_S    60.0 /* wall time is not followed any further */
#define HS_PLANCLOCK_SLEW_RATE 0.01 /* s of a second */

/** Where plan time was, as the store keeps it. */
struct hs_planclock_mark {
    double origin_at_s; /* plan time then; 0 if never written */
    double wall_at_s;   /* the others then, with their fractions */
    double mono_s;
    double speed;
    char boot_id[40];
    char start[64]; /* `start` of hschedd.json, as it was written then */
};

struct hs_planclock_options {
    double speed;
    int64_t start_at_s; /* 0: now */
    const char *start;  /* borrowed; its text */
    bool takes_wall;    /* somebody says that the wall clock is right */
};

struct hs_planclock;

/** @param mark  of an earlier life; borrowed. Owned by the caller. */
struct hs_planclock *hs_planclock_new(const struct hs_planclock_options *options,
                                      const struct hs_planclock_mark *mark);

/** Borrowed. */
struct hs_clock *hs_planclock_get(struct hs_planclock *planclock);

/** Now and then: follow a wall clock that is a little off, say so once of one that is not. */
void hs_planclock_follow(struct hs_planclock *planclock);

/** Wall time less plan time while it is not followed, s; else 0. */
double hs_planclock_get_off_s(const struct hs_planclock *planclock);

/** A mark for the store. Owned by the caller. */
char *hs_planclock_format(const struct hs_planclock *planclock);

/** @return whether @text is a mark */
bool hs_planclock_parse(const char *text, struct hs_planclock_mark *ret_mark);

/** Accepts NULL; the clock ends with it. */
void hs_planclock_free(struct hs_planclock *planclock);
HS_DEFINE_AUTO(hs_planclock);
