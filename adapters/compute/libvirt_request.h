/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * libvirt_request - one port call on its way through a lane, with copies of all it needs: a
 * worker in a hung call may outlive its host.
 */

#include "adapters/compute/known_machines.h"
#include "adapters/compute/libvirt_host.h"
#include "adapters/compute/libvirt_uri.h"

struct compute_libvirt;

struct hs_libvirt_request {
    struct compute_libvirt *owner; /* executor's thread only */

    /* set before the call */
    char store_id[HS_NAME_MAX];
    uint64_t job_id;
    enum hs_action_kind action;
    double share; /* of a throttle */
    size_t n_max_bytes;
    char uuid[40];
    bool is_repeat;      /* create: an earlier one ended unknown */
    bool is_told_always; /* end: tell it even without an exit status */
    struct hs_job_files files;
    struct hs_libvirt_uri uri;
    struct hs_libvirt_create create;
    struct hs_image image;
    struct hs_seed seed;
    char *class_word;
    char *script;
    char **env;

    /* set by the worker; read after success only */
    struct hs_machine_list machines;
    struct hs_machine machine;
    struct hs_machine_end end;
    bool is_over; /* create, act: it ran already and is gone */
    char *text;
    size_t n_bytes;

    /* who waits */
    hs_compute_done_fn *done;
    hs_compute_list_fn *list_done;
    hs_compute_text_fn *text_done;
    hs_compute_end_fn *end_done;
    void *arg;
    int rc; /* of an answer that needed no lane */
    struct hs_err err;
};

/** Copy what create needs. @param image  borrowed */
void hs_libvirt_request_set_spec(struct hs_libvirt_request *request,
                                 const struct hs_machine_spec *spec, const struct hs_image *image);

/** Work functions: hs_libvirt_link_work_fn, and hs_lane_call_work_fn for the files' lane. */
int hs_libvirt_request_list(virConnectPtr conn, void *arg, struct hs_err *err);
int hs_libvirt_request_find(virConnectPtr conn, void *arg, struct hs_err *err);
int hs_libvirt_request_create(virConnectPtr conn, void *arg, struct hs_err *err);
int hs_libvirt_request_act(virConnectPtr conn, void *arg, struct hs_err *err);
int hs_libvirt_request_throttle(virConnectPtr conn, void *arg, struct hs_err *err);
int hs_libvirt_request_collect(virConnectPtr conn, void *arg, struct hs_err *err);
int hs_libvirt_request_read_end(void *arg, struct hs_err *err);
int hs_libvirt_request_read_log(void *arg, struct hs_err *err);
int hs_libvirt_request_clean(void *arg, struct hs_err *err);

/** An hs_executor_fn. */
void hs_libvirt_request_free(void *arg);
