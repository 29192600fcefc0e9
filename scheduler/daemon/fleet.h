/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * fleet - one compute port per host, and what is known of who answers.
 *
 * Lists a host when its link comes up and every minute after, because events can be lost. Records
 * what it hears in the inbox and decides nothing. Real time only. Loop thread only.
 */

#include <stdbool.h>
#include <stddef.h>

#include "adapters/compute/compute.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/executor.h"
#include "scheduler/daemon/inbox.h"
#include "scheduler/model/estate.h"

#define HS_FLEET_LIST_PERIOD_S 60.0

struct hs_fleet;

struct hs_fleet_options {
    struct hs_executor *executor;   /* kept */
    const struct hs_clock *clock;   /* kept */
    const struct hs_estate *estate; /* kept */
    const struct hs_image *images;  /* kept, [n_images] */
    size_t n_images;
    const char *store_id;   /* kept: whose machines are ours */
    double move_mib_per_s;  /* as of hs_compute_options */
    const char *state_dir;  /* borrowed; a directory per host is made below it */
    struct hs_inbox *inbox; /* kept */
    /* a host was listed; false keeps the listing from the inbox. @machines borrowed */
    bool (*listed)(void *arg, size_t host_idx, const struct hs_machine *machines,
                   size_t n_machines);
    void *arg;
};

/**
 * Open every host in the background.
 *
 * @return 0, -HS_E_INVALID for a URI that no backend reads, -HS_E_SYSTEM if a work directory
 *         cannot be made
 */
int hs_fleet_new(const struct hs_fleet_options *options, struct hs_fleet **ret_fleet,
                 struct hs_err *err);

/** Borrowed, never NULL. */
struct hs_compute *hs_fleet_get_compute(const struct hs_fleet *fleet, size_t host_idx);

/** What is known of a host's answers. */
struct hs_fleet_view {
    bool is_up;
    bool was_tried;      /* it answered, or failed to, in this life */
    bool is_down;        /* silent, and somebody who knows said that it is off */
    bool was_down;       /* it answers again after that: what it still has is of before */
    double since_mono_s; /* when it came up, or fell silent */
    double settle_s;     /* as hs_compute_get_settle_s() */
    double asked_mono_s; /* when the listing that came last was asked for; -INFINITY: none */
};

void hs_fleet_get_view(const struct hs_fleet *fleet, size_t host_idx,
                       struct hs_fleet_view *ret_view);

/** Somebody says that a silent host is off; false takes it back. */
void hs_fleet_set_down(struct hs_fleet *fleet, size_t host_idx, bool is_down);

/** A host that is not in the estate is off, says somebody. */
void hs_fleet_set_gone(struct hs_fleet *fleet, const char *path);
bool hs_fleet_is_gone(const struct hs_fleet *fleet, const char *path);

/** List the host after @after_s real seconds, or sooner if that was due anyway. */
void hs_fleet_list(struct hs_fleet *fleet, size_t host_idx, double after_s);

/** Accepts NULL. Pending calls end first. */
void hs_fleet_free(struct hs_fleet *fleet);
HS_DEFINE_AUTO(hs_fleet);
