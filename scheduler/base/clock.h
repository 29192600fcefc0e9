/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * clock - plan time (UTC, may be accelerated or virtual) and real monotonic time.
 *
 * Plan time is what forecasts, plans, jobs and ledgers speak of (`_at_s`). Real time is what
 * deadlines of calls, libvirt and guests live in (`_mono_s`). An accelerated clock maps
 * speed plan seconds to one real second. The virtual clock moves only when told. This and
 * log and executor are the only files of base that touch the system.
 */

#include <stdint.h>

#include "scheduler/base/auto.h"

struct hs_clock;

/** Plan time = wall UTC; follows the system's UTC clock. Owned by the caller. */
struct hs_clock *hs_clock_new_real(void);

/**
 * Plan time starts at @origin_at_s when the call returns and runs @speed times as fast as
 * CLOCK_BOOTTIME. Owned by the caller.
 *
 * @param speed  plan seconds per real second, > 0
 */
struct hs_clock *hs_clock_new_accelerated(int64_t origin_at_s, double speed);

/**
 * Plan time runs as fast as CLOCK_BOOTTIME from @at_s on: whoever sets the wall clock does not move
 * it. Owned by the caller.
 */
struct hs_clock *hs_clock_new_steady(double at_s);

/** Move a steady or accelerated clock by @by_s; the caller sees to it that it never runs back. */
void hs_clock_slew(struct hs_clock *clock, double by_s);

/** Name of this boot of the machine, by which readings of CLOCK_BOOTTIME can be compared. [40] */
void hs_clock_read_boot(char *ret_boot_id);

/** Both times stand still at @at_s until hs_clock_set(). Owned by the caller. */
struct hs_clock *hs_clock_new_virtual(int64_t at_s);

/** Plan time now, Unix UTC seconds. */
int64_t hs_clock_at_s(const struct hs_clock *clock);

/** Plan time now with its fraction, Unix UTC seconds. */
double hs_clock_at_exact_s(const struct hs_clock *clock);

/** Real monotonic seconds (CLOCK_BOOTTIME); on a virtual clock its own virtual seconds. */
double hs_clock_mono_s(const struct hs_clock *clock);

/** Plan seconds per real second; 1 for real and virtual clocks. */
double hs_clock_get_speed(const struct hs_clock *clock);

/** Real seconds until plan instant @at_s, 0 if it has passed: [s plan] -> [s real]. */
double hs_clock_real_until_s(const struct hs_clock *clock, double at_s);

/** Move a virtual clock forward to @at_s (never backwards; asserts the clock is virtual). */
void hs_clock_set(struct hs_clock *clock, double at_s);

/** Accepts NULL. */
void hs_clock_free(struct hs_clock *clock);
HS_DEFINE_AUTO(hs_clock);
