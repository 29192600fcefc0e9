/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/core/small_estate.h"

#include <math.h>

static struct hs_site sites[SMALL_SITES] = {
    {.name = "pool", .price_cur_per_mwh = 100, .limit_w = 900, .n_loops = 1, .n_racks = 1},
    {.name = "office",
     .price_cur_per_mwh = 100,
     .limit_w = 900,
     .first_loop_idx = 1,
     .n_loops = 1,
     .first_rack_idx = 1,
     .n_racks = 1},
};

static struct hs_heatloop loops[SMALL_SITES] = {
    {.name = "main", .path = "pool/main", .n_sinks = 1},
    {.name = "main", .path = "office/main", .site_idx = 1, .first_sink_idx = 1, .n_sinks = 1},
};

static struct hs_sink sinks[SMALL_SITES] = {
    {.name = "basin", .path = "pool/main/basin", .heat_limit_w = INFINITY},
    {.name = "rooms", .path = "office/main/rooms", .loop_idx = 1, .heat_limit_w = INFINITY},
};

static struct hs_rack racks[SMALL_SITES] = {
    {.name = "r1", .path = "pool/r1", .limit_w = 600, .capture_ratio = 0.8, .n_hosts = 1},
    {.name = "r1",
     .path = "office/r1",
     .site_idx = 1,
     .loop_idx = 1,
     .limit_w = 600,
     .capture_ratio = 0.8,
     .first_host_idx = 1,
     .n_hosts = 1},
};

static struct hs_host hosts[SMALL_SITES] = {
    {.name = "h1",
     .path = "pool/h1",
     .uri = "sim:",
     .vcpus = SMALL_HOST_VCPUS,
     .memory_mib = 16384,
     .idle_w = 100,
     .max_w = 500},
    {.name = "h1",
     .path = "office/h1",
     .uri = "sim:",
     .site_idx = 1,
     .rack_idx = 1,
     .loop_idx = 1,
     .vcpus = SMALL_HOST_VCPUS,
     .memory_mib = 16384,
     .idle_w = 100,
     .max_w = 500},
};

static struct hs_estate estate = {
    .name = "small",
    .cell = "main",
    .currency = "EUR",
    .slot_s = 1000,
    .sites = sites,
    .n_sites = SMALL_SITES,
    .loops = loops,
    .n_loops = SMALL_SITES,
    .sinks = sinks,
    .n_sinks = SMALL_SITES,
    .racks = racks,
    .n_racks = SMALL_SITES,
    .hosts = hosts,
    .n_hosts = SMALL_SITES,
};

const struct hs_estate *small_estate(void)
{
    for (size_t i = 0; i < SMALL_SITES; i++) {
        loops[i].tank = (struct hs_tank){.present = true,
                                         .volume_l = 1000,
                                         .nodes = 1,
                                         .min_c = 35,
                                         .max_c = 60,
                                         .loss_w_per_k = 2,
                                         .ambient_c = 18,
                                         .charge_limit_w = INFINITY,
                                         .draw_limit_w = INFINITY};
        sinks[i].backup_efficiency_ratio = 0.9;
        sinks[i].backup_price_cur_per_mwh = 80;
        sinks[i].backup_gco2_per_kwh = 202;
    }
    return &estate;
}
