/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * estate - the sites of one owner: their heat loops, tanks, sinks, racks and hosts.
 *
 * Plain values in flat arrays; things point at each other by index, children of one parent lie
 * side by side in file order. Built by hs_estate_parse() from estate.json and never changed
 * afterwards. Words: docs/architecture.md; field tables: site.c, heatloop.c, tank.c, sink.c,
 * rack.c, host.c.
 */

#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/conf.h"
#include "scheduler/model/assumed.h"
#include "scheduler/model/heatloop.h"
#include "scheduler/model/host.h"
#include "scheduler/model/rack.h"
#include "scheduler/model/sink.h"
#include "scheduler/model/site.h"

struct hs_pointmap;

struct hs_estate {
    char name[HS_NAME_MAX];
    char cell[HS_NAME_MAX];
    char currency[8];
    int64_t slot_s; /* length of a planning slot, s */
    double carbon_price_cur_per_t;

    struct hs_site *sites;
    size_t n_sites;
    struct hs_heatloop *loops;
    size_t n_loops;
    struct hs_sink *sinks;
    size_t n_sinks;
    struct hs_rack *racks;
    size_t n_racks;
    struct hs_host *hosts;
    size_t n_hosts;

    struct hs_pointmap *points;     /* which register or topic feeds what */
    struct hs_assumed_list assumed; /* what the catalogue said because the file did not */
};

/** Fields of the file itself. */
extern const struct hs_conf_table hs_estate_table;

/**
 * Read and check a whole estate file.
 *
 * Site templates and named coolings fill what is left open (sitefill). `count` repeats a host as
 * NAME-1, NAME-2 …; capture_ratio is resolved (rack's, else loop's, else the cooling's default).
 * Names are unique among siblings.
 *
 * @param file        name for messages; borrowed
 * @param text        the JSON; borrowed
 * @param report      every error found, at most 20
 * @param ret_estate  owned by the caller on success
 * @return 0, or -HS_E_INVALID with @report filled
 */
int hs_estate_parse(const char *file, const char *text, struct hs_conf_report *report,
                    struct hs_estate **ret_estate);

/** The same for an "estate" object inside another file (a scenario); @pointer is where it lies. */
int hs_estate_parse_json(const json_t *object, const char *pointer, struct hs_conf_report *report,
                         struct hs_estate **ret_estate);

/** Index of "site", or SIZE_MAX. */
size_t hs_estate_find_site(const struct hs_estate *estate, const char *name);

/** Index of "site/loop", or SIZE_MAX. */
size_t hs_estate_find_loop(const struct hs_estate *estate, const char *path);

/** Index of "site/loop/sink", or SIZE_MAX. */
size_t hs_estate_find_sink(const struct hs_estate *estate, const char *path);

/** Index of "site/rack", or SIZE_MAX. */
size_t hs_estate_find_rack(const struct hs_estate *estate, const char *path);

/** Index of "site/host", or SIZE_MAX. */
size_t hs_estate_find_host(const struct hs_estate *estate, const char *path);

/** Accepts NULL. */
void hs_estate_free(struct hs_estate *estate);
HS_DEFINE_AUTO(hs_estate);
