/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * libvirt_move - a machine's move between two libvirt hosts, from the first look to the last.
 *
 *   look at the source -> make files at the destination -> migrate, paused, with a deadline of
 *   its own -> look at both -> act by the table (model/movetable.h)
 *
 * Executor's thread only. Where a side cannot be seen, or the table has no answer, it ends with
 * -HS_E_TIMEOUT: unknown, and nothing more is done.
 */

#include "adapters/compute/compute_libvirt_priv.h"

/** hs_compute_move(). */
void hs_libvirt_move_start(struct compute_libvirt *from, uint64_t job_id,
                           struct compute_libvirt *to, hs_compute_done_fn *done, void *arg);

/** @lv goes away: its moves end with -HS_E_UNAVAILABLE. Before its link is freed. */
void hs_libvirt_move_close(struct compute_libvirt *lv);
