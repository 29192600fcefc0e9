/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** compute_libvirt_priv - the port's struct, shared by compute_libvirt.c and libvirt_move.c. */

#include <sys/queue.h>

#include "adapters/compute/answers.h"
#include "adapters/compute/compute.h"
#include "adapters/compute/known_machines.h"
#include "adapters/compute/libvirt_link.h"
#include "adapters/compute/libvirt_uri.h"

struct hs_libvirt_move;

struct compute_libvirt {
    struct hs_compute base;
    struct hs_compute_options options;
    struct hs_libvirt_uri uri;
    char *work_dir;
    struct hs_libvirt_link *link;
    struct hs_lane_calls files;
    struct hs_answers answers;
    struct hs_known_machines known;
    LIST_HEAD(, hs_libvirt_move) leaving;
    LIST_HEAD(, hs_libvirt_move) coming;
};

/** Tell the owner, who may call back in. */
void hs_compute_libvirt_tell_changed(struct compute_libvirt *lv, const struct hs_machine *machine);
