/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * heatfaults - what a daemon notices of scripted events, and what it does not.
 *
 * A lost host stops answering and its machines are gone; the owner of a job that was lost with
 * it submits the rest of it again at once, under a new id. A sink or a pump that is out says so.
 * A broken sensor tells its wrong value; nobody says that it is wrong. A lost feed brings no new
 * prices. Maintenance is known from the start of the run. Who knows the future (`perfect`) is told
 * true readings and prices all the same. For heatdrive and heatworld.
 */

#include <stddef.h>
#include <stdint.h>

#include "scheduler/model/reading.h"
#include "scheduler/sim/heatdrive.h"

struct hs_heatfaults;

/** Tell the cycle what is planned; nothing has happened yet. Kept by @drive. */
void hs_heatfaults_open(struct hs_heatdrive *drive);

/** Let the run's events of now take effect, and tell what shows of them. */
void hs_heatfaults_tell(struct hs_heatdrive *drive);

/** Turn a true reading into the one that its sensor gives, quality and all. */
void hs_heatfaults_bend(struct hs_heatdrive *drive, struct hs_reading *reading);

/** The trace's job behind a job id of the cycle. */
size_t hs_heatfaults_get_job_idx(const struct hs_heatdrive *drive, uint64_t job_id);

/** Its machine is gone and the work is not done: what remains is submitted again. */
void hs_heatfaults_submit_again(struct hs_heatdrive *drive, size_t job_idx);

/** Release. Accepts a drive that was never opened. */
void hs_heatfaults_close(struct hs_heatdrive *drive);
