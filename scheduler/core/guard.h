/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * guard - what may never happen. The planner proposes, the guard refuses, with a reason.
 *
 * The list: a machine that is not ours acted upon; a second machine for a job; a host that does
 * not answer; a host's memory or vCPUs overcommitted; a rack or a site's grid connection over its
 * limit, or a site, loop or rack over a policy's limit of the hour; a site the job may not use; a
 * move of what is pinned or did not say that it may be moved; an action on a job that is over.
 * Looks at what is observed, not at what was planned. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "scheduler/base/err.h"
#include "scheduler/model/action.h"
#include "scheduler/model/estate.h"
#include "scheduler/model/job.h"
#include "scheduler/model/machine.h"

/** A host as it is now. */
struct hs_guard_host {
    bool is_up;
    const struct hs_machine *machines; /* [n_machines] all that the host shows */
    size_t n_machines;
    uint32_t coming_vcpus; /* of machines asked for and not yet seen */
    uint64_t coming_memory_mib;
    double elec_w; /* modelled, what is coming included */
};

/** A cap of a policy, as it holds now. */
struct hs_guard_cap {
    double elec_w;   /* INFINITY: none */
    const char *why; /* borrowed */
};

struct hs_guard_view {
    const struct hs_estate *estate;
    const struct hs_guard_cap *caps;   /* [n_sites + n_loops + n_racks] in that order; NULL: none */
    const struct hs_guard_host *hosts; /* [n_hosts] */
    bool frees_memory;                 /* our machines hold none while they are suspended */
};

/**
 * May @action be done to @job?
 *
 * @return 0, -HS_E_DENIED (never), -HS_E_UNAVAILABLE (the host does not answer),
 *         -HS_E_CONFLICT (no room now); text names the limit and the figures
 */
int hs_guard_check(const struct hs_guard_view *view, const struct hs_action *action,
                   const struct hs_job *job, struct hs_err *err);
