/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * simprogress - says on standard error how far a run is, and when it will be over.
 *
 * On a terminal one line that is written anew, else a line every few seconds; a run that is over
 * sooner says nothing there.
 */

#include "scheduler/base/auto.h"

struct hs_simprogress;

/** Owned by the caller. */
struct hs_simprogress *hs_simprogress_new(void);

/** @name begins, its run goes from @from_at_s to @to_at_s. @param name kept */
void hs_simprogress_start(struct hs_simprogress *progress, const char *name, double from_at_s,
                          double to_at_s);

/** The run has come to @done_ratio of its span; cheap, call it as often as you like. */
void hs_simprogress_set(struct hs_simprogress *progress, double done_ratio);

/** Its run is over: take the live line away. */
void hs_simprogress_stop(struct hs_simprogress *progress);

/** Accepts NULL. */
void hs_simprogress_free(struct hs_simprogress *progress);
HS_DEFINE_AUTO(hs_simprogress);
