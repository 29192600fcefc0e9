/* SPDX-License-Identifier: Apache-2.0 */
/* known_machines - a short table; a host runs tens of our machines, not thousands. */
#include "adapters/compute/known_machines.h"

#include <stdio.h>
#include <string.h>

struct hs_known_machine *hs_known_machines_find(struct hs_known_machines *machines,
                                                const char *uuid)
{
    for (size_t i = 0; i < machines->known.n; i++) {
        if (strcmp(machines->known.items[i].machine.uuid, uuid) == 0) {
            return &machines->known.items[i];
        }
    }
    return NULL;
}

struct hs_known_machine *hs_known_machines_find_job(struct hs_known_machines *machines,
                                                    uint64_t job_id)
{
    for (size_t i = 0; i < machines->known.n; i++) {
        if (machines->known.items[i].machine.job_id == job_id) {
            return &machines->known.items[i];
        }
    }
    return NULL;
}

struct hs_known_machine *hs_known_machines_add(struct hs_known_machines *machines,
                                               const struct hs_machine *machine)
{
    struct hs_known_machine *known = hs_known_machines_find(machines, machine->uuid);

    if (hs_known_machines_check_stopped(machines, machine->uuid)) {
        return NULL;
    }
    if (known == NULL) {
        known = HS_VEC_PUSH(&machines->known, (struct hs_known_machine){0});
    }
    known->machine = *machine;
    return known;
}

void hs_known_machines_remove(struct hs_known_machines *machines, struct hs_known_machine *known)
{
    HS_VEC_SWAP_REMOVE(&machines->known, (size_t)(known - machines->known.items));
}

void hs_known_machines_set_stopped(struct hs_known_machines *machines, const char *uuid,
                                   bool is_stopped)
{
    if (!is_stopped) {
        for (size_t i = 0; i < HS_KNOWN_MACHINES_STOPPED; i++) {
            if (strcmp(machines->stopped[i], uuid) == 0) {
                machines->stopped[i][0] = '\0';
            }
        }
        return;
    }
    (void)snprintf(machines->stopped[machines->next_stopped], sizeof(machines->stopped[0]), "%s",
                   uuid);
    machines->next_stopped = (machines->next_stopped + 1) % HS_KNOWN_MACHINES_STOPPED;
}

bool hs_known_machines_check_stopped(const struct hs_known_machines *machines, const char *uuid)
{
    for (size_t i = 0; i < HS_KNOWN_MACHINES_STOPPED; i++) {
        if (strcmp(machines->stopped[i], uuid) == 0) {
            return true;
        }
    }
    return false;
}

void hs_known_machines_fini(struct hs_known_machines *machines)
{
    HS_VEC_FINI(&machines->known);
}
