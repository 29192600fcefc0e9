/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * known_machines - which of a host's machines are ours, so that the end of each is told once.
 *
 * Events come late, twice or not at all; a list may be older than an event. This is the memory
 * that puts them in order. Executor's thread only.
 */

#include "adapters/compute/libvirt_host.h"

#define HS_KNOWN_MACHINES_STOPPED 64

struct hs_known_machine {
    struct hs_machine machine;
    bool is_creating; /* a create call for it is on its way */
    bool is_sure;     /* it was seen on the host; else its create ended unknown */
    bool is_stopped;  /* it stopped while is_creating */
    bool is_leaving;  /* it is being moved to another host, or from one: the move tells of it */
    bool is_coming;
};

struct hs_known_machines {
    HS_VEC(struct hs_known_machine) known;
    /* the last to stop: a look that began before must not bring them back */
    char stopped[HS_KNOWN_MACHINES_STOPPED][40];
    size_t next_stopped;
};

/** NULL if unknown; valid until the next add or remove. */
struct hs_known_machine *hs_known_machines_find(struct hs_known_machines *machines,
                                                const char *uuid);
struct hs_known_machine *hs_known_machines_find_job(struct hs_known_machines *machines,
                                                    uint64_t job_id);

/** Know @machine, or know it better. Not if it has just stopped: then NULL. */
struct hs_known_machine *hs_known_machines_add(struct hs_known_machines *machines,
                                               const struct hs_machine *machine);

void hs_known_machines_remove(struct hs_known_machines *machines, struct hs_known_machine *known);

/** Remember that @uuid has stopped, or that it has started (again). */
void hs_known_machines_set_stopped(struct hs_known_machines *machines, const char *uuid,
                                   bool is_stopped);
bool hs_known_machines_check_stopped(const struct hs_known_machines *machines, const char *uuid);

void hs_known_machines_fini(struct hs_known_machines *machines);
