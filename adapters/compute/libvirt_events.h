/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * libvirt_events - libvirt's event loop on our executor.
 *
 * libvirt takes one implementation per process, before its first connection, and calls it from
 * any thread. Here every change is noted under a lock and carried out on the executor's thread.
 */

#include "scheduler/base/executor.h"

/**
 * Register with libvirt; later calls are for nothing. Call on the executor's thread, before any
 * connection is opened.
 *
 * @param executor  kept as long as any connection lives; one per process
 */
void hs_libvirt_events_start(struct hs_executor *executor);
