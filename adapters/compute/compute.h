/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * compute - port to one host: the machines on it, and the few steps we may take with ours.
 *
 * Backends: compute_libvirt.c (any libvirt URI), compute_sim.c (`sim:`), listed in compute.c.
 * All calls come from the executor's thread and never block; blocking RPCs run on the host's
 * own lane with a deadline. Only machines that carry our metadata element are ever acted upon:
 * a backend re-reads it before a destructive call and answers -HS_E_DENIED otherwise.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/err.h"
#include "scheduler/base/executor.h"
#include "scheduler/model/action.h"
#include "scheduler/model/host.h"
#include "scheduler/model/machine.h"

struct hs_compute;

/** What boots: a kernel and an initrd (thin version), by the name jobs use. */
struct hs_image {
    char name[HS_NAME_MAX];
    char *kernel;  /* path on the host; owned by whoever owns the image */
    char *initrd;  /* the same */
    char *cmdline; /* the same */
};

/** A machine to be made for a job. All pointers borrowed for the call. */
struct hs_machine_spec {
    uint64_t job_id;
    uint64_t epoch;
    const char *class_word;
    const char *image;      /* name of an hs_image; "" is the only image there is */
    const char *script;     /* nullable */
    const char *const *env; /* [n_env] "KEY=value" */
    size_t n_env;
    uint32_t vcpus;
    uint64_t memory_mib;
    int64_t duration_s; /* plan seconds; compute_sim runs this long, or HSCHED_SIM_RUN_S of env */
};

/** How a job's machine ended. */
struct hs_machine_end {
    uint64_t job_id;
    bool has_exit_status; /* false: it vanished, crashed or was destroyed without a word */
    int exit_status;
};

/** Callbacks into the owner; on the executor's thread, never from inside a port call. */
struct hs_compute_listener {
    /* one machine changed or appeared; state SHUT_OFF says that it is gone */
    void (*changed)(void *arg, size_t host_idx, const struct hs_machine *machine);
    /* one of ours ended; comes once per job machine, after its output was collected; not while its
     * files cannot be read: hs_compute_collect() tells then */
    void (*ended)(void *arg, size_t host_idx, const struct hs_machine_end *end);
    /* the link to the host came up or went down; @text says why, "" when up */
    void (*link)(void *arg, size_t host_idx, bool up, const char *text);
    void *arg;
};

typedef void hs_compute_done_fn(int rc, const struct hs_err *err, void *arg);
typedef void hs_compute_list_fn(int rc, const struct hs_err *err, const struct hs_machine *machines,
                                size_t n_machines, void *arg);
typedef void hs_compute_text_fn(int rc, const struct hs_err *err, const char *text, size_t n_bytes,
                                void *arg);
typedef void hs_compute_end_fn(int rc, const struct hs_err *err, const struct hs_machine_end *end,
                               void *arg);

struct hs_compute_options {
    struct hs_executor *executor; /* kept */
    const struct hs_clock *clock; /* kept */
    const struct hs_host *host;   /* kept */
    size_t host_idx;
    const struct hs_image *images; /* kept, [n_images] */
    size_t n_images;
    /* borrowed, made by the caller and reachable by the host's user; this host's alone: seeds,
     * consoles and exit files of its jobs. compute_sim keeps its machines there over a restart;
     * NULL is legal for it and keeps nothing */
    const char *store_id; /* kept: whose machines are ours; "" or NULL takes every tag as ours */
    const char *work_dir;
    struct hs_compute_listener listener;
    double call_deadline_s; /* real s; 0 takes the default of 10 */
    double move_mib_per_s;  /* bandwidth of one move from here; 0: as fast as it goes */
};

/** What a backend supplies. */
struct hs_compute_ops {
    const char *name;
    const char *summary;
    const char *uri_prefix; /* "sim:"; "" takes every other URI */
    double settle_s;        /* see hs_compute_get_settle_s() */
    int (*new)(const struct hs_compute_options *options, struct hs_compute **ret_compute,
               struct hs_err *err);
    void (*list)(struct hs_compute *compute, hs_compute_list_fn *done, void *arg);
    void (*create)(struct hs_compute *compute, const struct hs_machine_spec *spec,
                   hs_compute_done_fn *done, void *arg);
    void (*act)(struct hs_compute *compute, uint64_t job_id, enum hs_action_kind kind,
                hs_compute_done_fn *done, void *arg);
    /* optional, the first only with the second: @to is of the same backend; NULL: any */
    bool (*can_move)(const char *from_uri, const char *to_uri);
    void (*move)(struct hs_compute *compute, uint64_t job_id, struct hs_compute *to,
                 hs_compute_done_fn *done, void *arg);
    /* optional, the first only with the second: those that it can do so for; NULL: all */
    bool (*can_throttle)(const char *uri);
    void (*throttle)(struct hs_compute *compute, uint64_t job_id, double share,
                     hs_compute_done_fn *done, void *arg);
    void (*log)(struct hs_compute *compute, uint64_t job_id, size_t n_max_bytes,
                hs_compute_text_fn *done, void *arg);
    void (*collect)(struct hs_compute *compute, uint64_t job_id, hs_compute_end_fn *done,
                    void *arg);
    /* forget files of a job that is over (logs too) */
    void (*clean)(struct hs_compute *compute, uint64_t job_id, hs_compute_done_fn *done, void *arg);
    void (*destroy)(struct hs_compute *compute);
};

/** Base of every backend's own struct, as its first member. */
struct hs_compute {
    const struct hs_compute_ops *ops;
    size_t host_idx;
};

/** Backend for @uri. Static, never NULL. */
const struct hs_compute_ops *hs_compute_backend(const char *uri);

/**
 * Open the host's URI in the background; listener.link tells when it is up.
 *
 * @return 0 or -HS_E_INVALID for a URI no backend can read
 */
int hs_compute_new(const struct hs_compute_options *options, struct hs_compute **ret_compute,
                   struct hs_err *err);

/** All machines on the host, ours and not. rc as below. */
void hs_compute_list(struct hs_compute *compute, hs_compute_list_fn *done, void *arg);

/**
 * Make and boot a machine named `hs-<job id>`. If one with our tag for this job and epoch is
 * there already, that is success: create may be repeated after an unknown outcome. In a new life
 * of the process ask hs_compute_collect() first: a machine that came and went would run again.
 *
 * done's rc: 0, -HS_E_CONFLICT (another machine has the name), -HS_E_NOTFOUND (image),
 * -HS_E_TIMEOUT (outcome unknown: list and look), -HS_E_UNAVAILABLE (never reached the host),
 * -HS_E_SYSTEM (the host refused; text says why)
 */
void hs_compute_create(struct hs_compute *compute, const struct hs_machine_spec *spec,
                       hs_compute_done_fn *done, void *arg);

/**
 * Suspend, resume, shut down or destroy the job's machine. Already so is success.
 *
 * done's rc: as create, and -HS_E_NOTFOUND (no machine), -HS_E_DENIED (not ours)
 */
void hs_compute_act(struct hs_compute *compute, uint64_t job_id, enum hs_action_kind kind,
                    hs_compute_done_fn *done, void *arg);

/** Can machines be moved from a host at @from_uri to one at @to_uri? Else no move may be asked for.
 */
bool hs_compute_can_move(const char *from_uri, const char *to_uri);

/**
 * Move the job's machine to another host, where hs_compute_can_move(): live if it runs, else as
 * it lies there, suspended. It is never on both, nor on none; if it fails it is where it was, as
 * it was. Both hosts tell of the change; neither tells of an end.
 *
 * @param to  another host's port, kept until done
 *
 * done's rc: 0; -HS_E_TIMEOUT: unknown, look at both hosts; else it is where it was:
 * -HS_E_NOTFOUND (no machine), -HS_E_DENIED (not ours), -HS_E_CONFLICT (another machine there has
 * the name), -HS_E_UNSUPPORTED (and never will), -HS_E_UNAVAILABLE (a host was not reached),
 * -HS_E_SYSTEM (the host says why)
 */
void hs_compute_move(struct hs_compute *compute, uint64_t job_id, struct hs_compute *to,
                     hs_compute_done_fn *done, void *arg);

/** Can machines on a host at @uri be throttled? Else it must not be asked for. */
bool hs_compute_can_throttle(const char *uri);

/**
 * Give the job's machine @share of its vCPUs' time from now on, running or not, where
 * hs_compute_can_throttle(). It keeps that until it is told otherwise, over a suspend and a
 * restart of this process; a new machine has all of it.
 *
 * @param share  more than 0; 1 takes the throttle off
 *
 * done's rc: as create, and -HS_E_NOTFOUND (no machine), -HS_E_DENIED (not ours),
 * -HS_E_UNSUPPORTED (this host cannot after all)
 */
void hs_compute_throttle(struct hs_compute *compute, uint64_t job_id, double share,
                         hs_compute_done_fn *done, void *arg);

/**
 * For so long, in real seconds, a call may still land that a connection which is gone has left
 * behind: until then a machine that is not listed may yet appear.
 */
double hs_compute_get_settle_s(const char *uri);

/**
 * How a machine ended that is no longer on the host: the question of a restarted daemon about a
 * job whose intent or record says that it ran here. May be asked again; the answer is the same.
 *
 * done's rc: 0 (@end is filled; no exit status if it left without a word), -HS_E_CONFLICT (its
 * machine is still there), -HS_E_NOTFOUND (it never booted here, or was cleaned)
 */
void hs_compute_collect(struct hs_compute *compute, uint64_t job_id, hs_compute_end_fn *done,
                        void *arg);

/**
 * Forget the files of a job that is over, its log too. Nothing there is success.
 * -HS_E_CONFLICT while its machine is there.
 */
void hs_compute_clean(struct hs_compute *compute, uint64_t job_id, hs_compute_done_fn *done,
                      void *arg);

/**
 * The newest @n_max_bytes of the job's console, running or over: printable UTF-8, lines end in
 * \n. -HS_E_NOTFOUND if none.
 */
void hs_compute_log(struct hs_compute *compute, uint64_t job_id, size_t n_max_bytes,
                    hs_compute_text_fn *done, void *arg);

/** Accepts NULL. Pending calls end with -HS_E_UNAVAILABLE first. */
void hs_compute_free(struct hs_compute *compute);
HS_DEFINE_AUTO(hs_compute);

extern const struct hs_compute_ops hs_compute_sim_ops;
extern const struct hs_compute_ops hs_compute_libvirt_ops;
