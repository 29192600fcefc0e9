/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * libvirt_migrate - a machine's way from one libvirt host to another: the calls, one by one.
 *
 * Peer to peer, live, and paused on arrival: a destination that hangs and comes back can never run
 * what the source runs still (promises.md, "Moving a running guest"). What came of it is for the
 * caller to look at on both sides (model/movetable.h). Blocking; lanes only.
 */

#include "adapters/compute/libvirt_host.h"

struct hs_libvirt_migrate {
    uint64_t job_id;
    const char *store_id;
    const char *from_dir; /* folder of its files here */
    const char *to_dir;   /* and there */
    const char *to_uri;   /* of the destination's libvirt daemon, as the source's reaches it */
    const char *move_uri; /* explicit, or the destination's host name would have to resolve */
    double bandwidth_mib_per_s; /* 0: as fast as it goes */
};

/** @return 0, -HS_E_NOTFOUND, -HS_E_DENIED, -HS_E_UNSUPPORTED (never will), or why it failed */
int hs_libvirt_migrate_start(virConnectPtr conn, const struct hs_libvirt_migrate *migrate,
                             struct hs_err *err);

/** Break off a move that is on its way; none is success. */
int hs_libvirt_migrate_stop(virConnectPtr conn, const char *store_id, uint64_t job_id,
                            struct hs_err *err);

/** Longest pause that the move may end in from now on. */
int hs_libvirt_migrate_set_downtime(virConnectPtr conn, const char *store_id, uint64_t job_id,
                                    unsigned downtime_ms, struct hs_err *err);
