/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * libvirt_link - the connection to one host: opens it, notices that it is gone, opens it again.
 *
 * libvirt never reconnects by itself, and a hung libvirtd blocks a call until keepalive gives up
 * (2 s x 3). Every call into libvirt, opening and closing too, runs on the host's lane; the
 * connection is closed by whoever drops it last, on a worker.
 */

#include <stdbool.h>

#include <libvirt/libvirt.h>

#include "adapters/compute/lane_calls.h"
#include "scheduler/base/auto.h"

struct hs_libvirt_link;

/** A domain's life changed. All borrowed. */
struct hs_libvirt_event {
    const char *name;
    const char *uuid;
    int event;  /* virDomainEventType */
    int detail; /* of that type */
};

struct hs_libvirt_link_options {
    struct hs_executor *executor; /* kept */
    const char *uri;              /* borrowed */
    double deadline_s;            /* of one call, real s */
    /* @text says why it is down, "" when up */
    void (*state)(bool is_up, const char *text, void *arg);
    void (*event)(const struct hs_libvirt_event *event, void *arg);
    void *arg;
};

/** On the lane. @param conn  borrowed for the call */
typedef int hs_libvirt_link_work_fn(virConnectPtr conn, void *arg, struct hs_err *err);

/** Starts opening at once; state() tells. Owned by the caller. */
struct hs_libvirt_link *hs_libvirt_link_new(const struct hs_libvirt_link_options *options);

/**
 * Run @work with the open connection.
 *
 * @param done, release  as of hs_lane_calls_add()
 * @return false, and nothing is done, while the link is down
 */
bool hs_libvirt_link_call(struct hs_libvirt_link *link, hs_libvirt_link_work_fn *work,
                          hs_lane_call_done_fn *done, hs_executor_fn *release, void *arg);

/**
 * As hs_libvirt_link_call(), for a call that takes long by nature (a move): on a lane of its own,
 * so that others go on meanwhile.
 *
 * @param deadline_s  of this call, real s
 */
bool hs_libvirt_link_call_apart(struct hs_libvirt_link *link, double deadline_s,
                                hs_libvirt_link_work_fn *work, hs_lane_call_done_fn *done,
                                hs_executor_fn *release, void *arg);

/** Pending calls end with -HS_E_UNAVAILABLE; state() is not called. Accepts NULL. */
void hs_libvirt_link_free(struct hs_libvirt_link *link);
HS_DEFINE_AUTO(hs_libvirt_link);
