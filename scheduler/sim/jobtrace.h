/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * jobtrace - recorded jobs of real clusters, made into the virtual machines of a run.
 *
 * A record becomes one or several machines (pieces) of at most the largest host's free vCPUs.
 * Rules: simulator.md, Scenario; what it leaves open is in docs/simulator.md.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/err.h"
#include "scheduler/base/vec.h"
#include "scheduler/sim/scenario.h"

/** One line of a trace. */
struct hs_jobtrace_record {
    double submit_s; /* trace time */
    double wait_s;   /* until it began there; 0: unknown */
    double run_s;
    double procs;
    double requested_s;         /* 0: unknown */
    double memory_mib_per_proc; /* 0: unknown */
    double user;                /* its number; 0: unknown */
};

struct hs_jobtrace {
    struct hs_jobtrace_record *items; /* owned; a vec */
    size_t n;
    size_t n_max;
};

/** One machine of the run. */
struct hs_simjob {
    double submit_at_s;
    double run_s;      /* truth; a controller that decides fairly never looks */
    double estimate_s; /* what the planner is told */
    double due_at_s;
    uint32_t vcpus;
    uint64_t memory_mib;
    bool interruptible;
    bool elastic;        /* may be throttled */
    uint32_t user;       /* its number in the trace; 0: unknown */
    uint64_t record_idx; /* over all entries, from 0 */
    uint32_t piece;      /* of its record, from 0 */
};

struct hs_simjobs {
    struct hs_simjob *items; /* owned; a vec, by submit, then trace order */
    size_t n;
    size_t n_max;
    /* records left out, and why */
    size_t n_outside; /* submitted outside the run, or past the limit; said only if none is left */
    size_t n_bad;     /* no run time or no processors */
    size_t n_long;    /* over max_run_s */
    size_t n_after_end; /* due after the end */
};

/**
 * Whether the figures of a record can be those of a job. Unknown ones (NAN, 0, below 0) pass:
 * they leave the record out later, with a count.
 *
 * @return 0 or -HS_E_INVALID with @where
 */
int hs_jobtrace_check_record(const struct hs_jobtrace_record *record, const char *where,
                             struct hs_err *err);

/** CSV with columns arrival_s, run_s, cpus and, if there, requested_s. @return as hs_swf_read() */
int hs_jobtrace_read_csv(const char *path, struct hs_jobtrace *ret_trace, struct hs_err *err);

/**
 * All jobs of @scenario. A trace that gives none is refused: it is a wrong offset or file.
 *
 * @param ret_jobs  {0}; its items are the caller's (hs_jobtrace_fini)
 */
int hs_jobtrace_make(const struct hs_scenario *scenario, struct hs_simjobs *ret_jobs,
                     struct hs_err *err);

/** "trace-<record>-<piece>", the name that its request has. */
void hs_jobtrace_format_name(const struct hs_simjob *job, char *ret_text, size_t size);

/** One step of splitmix64: adds its constant, then mixes. Source: Steele, Lea, Flood 2014. */
uint64_t hs_jobtrace_splitmix64(uint64_t state);

void hs_jobtrace_fini(struct hs_simjobs *jobs);
