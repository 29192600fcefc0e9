/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * compute_sim - a host whose machines exist only as running time, for demos, plans and tests.
 *
 * Truthful in vCPU-seconds: a job's machine ends after its duration_s plan seconds of *running*
 * time (HSCHED_SIM_RUN_S of its env instead, if set), then tells exit status 0 (HSCHED_SIM_EXIT).
 * Suspended, its clock stands; throttled, it goes at the machine's share. With a work_dir the
 * machines outlive the process, as on a real host: they go on running in between.
 */

#include "adapters/compute/compute.h"

/** Put a machine on the host that is not ours. @param compute  made by hs_compute_sim_ops */
void hs_compute_sim_add_foreign(struct hs_compute *compute, const char *name, uint32_t vcpus,
                                uint64_t memory_mib);

/**
 * Let a job's machine run @more_s plan seconds longer than it would have: what a suspend or a
 * move cost it. Nothing happens if it is gone. @param compute  made by hs_compute_sim_ops
 */
void hs_compute_sim_add_need(struct hs_compute *compute, uint64_t job_id, double more_s);
