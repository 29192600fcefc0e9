/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** host - one libvirt URI (or `sim:`), what it can carry and what it draws. Plain value. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/conf.h"
#include "scheduler/model/site.h"

#define HS_URI_MAX 256

struct hs_host {
    char name[HS_NAME_MAX];
    char path[HS_PATH_MAX]; /* "site/host" */
    char uri[HS_URI_MAX];
    char move_uri[HS_URI_MAX]; /* where other hosts send their machines; "": by uri */
    size_t site_idx;
    size_t rack_idx;
    size_t loop_idx;
    uint32_t vcpus;
    uint64_t memory_mib;
    double idle_w;
    double max_w;
    uint32_t pinned_vcpus; /* always busy, never for jobs */
    uint32_t count;        /* as in the file: this host is one of so many alike */
    bool sleeps;           /* draws nothing while no vCPU is busy; hsim's scenarios may say so */
};

extern const struct hs_conf_table hs_host_table;

/**
 * Electricity at @busy_vcpus: idle_w + (max_w - idle_w) x busy / vcpus, W; nothing when it sleeps.
 * Source: docs/simulator.md, Plant.
 */
double hs_host_elec_w(const struct hs_host *host, double busy_vcpus);

/**
 * Electricity that one more busy vCPU adds, W. Of a host that would sleep without jobs it is a
 * full host's share: idling is paid by what keeps it awake.
 */
double hs_host_elec_w_per_vcpu(const struct hs_host *host);
