/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * libvirt_host - what we ask of a host through an open libvirt connection.
 *
 * Blocking: runs on the host's lane only. A domain without our tag is never changed: the tag is
 * read again just before every step. @param store_id  see hs_compute_options.
 */

#include <libvirt/libvirt.h>

#include "adapters/compute/compute.h"
#include "adapters/compute/job_files.h"
#include "scheduler/base/vec.h"

struct hs_machine_list {
    struct hs_machine *items;
    size_t n;
    size_t n_max;
};

/** All domains, active or not. @param ret_machines  items owned by the caller */
int hs_libvirt_host_list(virConnectPtr conn, const char *store_id,
                         struct hs_machine_list *ret_machines, struct hs_err *err);

/** @return 0 or -HS_E_NOTFOUND */
int hs_libvirt_host_find(virConnectPtr conn, const char *store_id, const char *uuid,
                         struct hs_machine *ret_machine, struct hs_err *err);

struct hs_libvirt_create {
    uint64_t job_id;
    uint64_t epoch;
    const char *store_id;
    const char *uuid;
    const char *class_word;
    uint32_t vcpus;
    uint64_t memory_mib;
    const struct hs_image *image;
    const struct hs_seed *seed;
    const struct hs_job_files *files;
    const struct hs_job_files_owner *owner;
};

/** Kinds as of hs_compute_create(). */
int hs_libvirt_host_create(virConnectPtr conn, const struct hs_libvirt_create *create,
                           struct hs_machine *ret_machine, struct hs_err *err);

/** Kinds as of hs_compute_act(); 1 if it was to end and ended by itself just before. */
int hs_libvirt_host_act(virConnectPtr conn, const char *store_id, uint64_t job_id,
                        enum hs_action_kind kind, struct hs_err *err);

/**
 * Give the job's machine @share of its vCPUs' time. Kinds as of hs_compute_throttle(); the quota
 * is the running domain's, so it ends with it.
 */
int hs_libvirt_host_throttle(virConnectPtr conn, const char *store_id, uint64_t job_id,
                             double share, struct hs_err *err);

/**
 * The machine that has the job's name, ours or not (its job_id tells).
 *
 * @return 0 or -HS_E_NOTFOUND
 */
int hs_libvirt_host_look(virConnectPtr conn, const char *store_id, uint64_t job_id,
                         struct hs_machine *ret_machine, struct hs_err *err);

/** 1 if a domain has the job's name, 0 if none, or -kind. */
int hs_libvirt_host_check(virConnectPtr conn, const char *store_id, uint64_t job_id,
                          struct hs_err *err);
