/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * heatworld - what hsched's decisions are told in a run: signals, readings, requests.
 *
 * They are told what a daemon would see: requests (never run times), meters after the fact,
 * prices and carbon known ahead. A slot's demand comes when the slot has passed, stamped with
 * the slot's start. With the future known (`perfect`) they are told each sink's
 * true demand and, 24 h before its submit, each job with its true run time.
 */

#include "scheduler/base/err.h"
#include "scheduler/sim/heatdrive.h"

/** Make the cycle and tell it all that is known at the start. */
void hs_heatworld_open(struct hs_heatdrive *drive);

/** Readings of every slot that has ended and was not told yet. */
void hs_heatworld_tell_slots(struct hs_heatdrive *drive);

/** Requests up to @at_s. @return what hs_cycle_check_job() says */
int hs_heatworld_tell_jobs(struct hs_heatdrive *drive, double at_s, struct hs_err *err);

/** Submit a job of the trace under @job_id, as if it took @estimate_s from now. */
void hs_heatworld_submit(struct hs_heatdrive *drive, size_t job_idx, uint64_t job_id,
                         double estimate_s);

/** When the next request is told or submitted, Unix UTC; INFINITY after the last. */
double hs_heatworld_next_at_s(const struct hs_heatdrive *drive);

/** Release what hs_heatworld_open() made. */
void hs_heatworld_close(struct hs_heatdrive *drive);
