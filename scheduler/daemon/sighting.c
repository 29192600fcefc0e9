/* SPDX-License-Identifier: Apache-2.0 */
/* sighting - see sighting.h. */
#include "scheduler/daemon/sighting.h"

#include <math.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/vec.h"

struct sighted {
    double mono_s;
    HS_VEC(struct hs_machine) machines;
};

struct hs_sighting {
    struct sighted *hosts; /* [n_hosts] */
    size_t n_hosts;
};

struct hs_sighting *hs_sighting_new(size_t n_hosts)
{
    struct hs_sighting *sighting = hs_xcalloc(1, sizeof(*sighting));

    sighting->hosts = hs_xcalloc(n_hosts, sizeof(*sighting->hosts));
    sighting->n_hosts = n_hosts;
    for (size_t h = 0; h < n_hosts; h++) {
        sighting->hosts[h].mono_s = -INFINITY;
    }
    return sighting;
}

void hs_sighting_set(struct hs_sighting *sighting, size_t host_idx, double mono_s,
                     const struct hs_machine *machines, size_t n_machines)
{
    struct sighted *host = &sighting->hosts[host_idx];

    host->mono_s = mono_s;
    host->machines.n = 0;
    for (size_t i = 0; i < n_machines; i++) {
        if (machines[i].job_id != 0) {
            HS_VEC_PUSH(&host->machines, machines[i]);
        }
    }
}

double hs_sighting_get_mono_s(const struct hs_sighting *sighting, size_t host_idx)
{
    return sighting->hosts[host_idx].mono_s;
}

const struct hs_machine *hs_sighting_find(const struct hs_sighting *sighting, size_t host_idx,
                                          uint64_t job_id)
{
    const struct sighted *host = &sighting->hosts[host_idx];

    for (size_t i = 0; i < host->machines.n; i++) {
        if (host->machines.items[i].job_id == job_id) {
            return &host->machines.items[i];
        }
    }
    return NULL;
}

void hs_sighting_free(struct hs_sighting *sighting)
{
    if (sighting == NULL) {
        return;
    }
    for (size_t h = 0; h < sighting->n_hosts; h++) {
        HS_VEC_FINI(&sighting->hosts[h].machines);
    }
    free(sighting->hosts);
    free(sighting);
}
