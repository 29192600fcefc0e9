/* SPDX-License-Identifier: Apache-2.0 */
/* reading - paths of points, and what values can be true. */
#include "scheduler/model/reading.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/conf.h"
#include "scheduler/base/mem.h"

enum point_owner { OWNER_SITE, OWNER_LOOP, OWNER_SINK, OWNER_RACK };

/* Bounds are where a sensor must be broken, not where a plant is well run. */
static const struct point_row {
    const char *leaf;
    enum point_owner owner;
    double least;
    double most;
} rows[HS_POINT_KIND_COUNT_] = {
    [HS_POINT_DEMAND_HEAT_W] = {"demand_heat_w", OWNER_SINK, 0, 1e9},
    [HS_POINT_USEFUL_HEAT_WH] = {"useful_heat_wh", OWNER_SINK, 0, 1e15},
    [HS_POINT_TANK_C] = {"_c", OWNER_LOOP, -10, 130},
    [HS_POINT_SUPPLY_C] = {"supply_c", OWNER_LOOP, -10, 130},
    [HS_POINT_RETURN_C] = {"return_c", OWNER_LOOP, -10, 130},
    [HS_POINT_FLOW_L_PER_MIN] = {"flow_l_per_min", OWNER_LOOP, 0, 1e7},
    [HS_POINT_CAPTURED_HEAT_WH] = {"captured_heat_wh", OWNER_LOOP, 0, 1e15},
    [HS_POINT_REJECTED_HEAT_W] = {"rejected_heat_w", OWNER_LOOP, 0, 1e9},
    [HS_POINT_PUMP_OK] = {"pump_ok", OWNER_LOOP, 0, 1},
    [HS_POINT_SINKS_OK] = {"sink_ok", OWNER_LOOP, 0, 1},
    [HS_POINT_SINK_OK] = {"sink_ok", OWNER_SINK, 0, 1},
    [HS_POINT_EMERGENCY] = {"emergency", OWNER_LOOP, 0, 1},
    [HS_POINT_LEAK] = {"leak", OWNER_LOOP, 0, 1},
    [HS_POINT_RACK_INLET_C] = {"inlet_c", OWNER_RACK, -20, 100},
    [HS_POINT_RACK_ELEC_W] = {"elec_w", OWNER_RACK, 0, 1e9},
    [HS_POINT_OUTDOOR_C] = {"outdoor_c", OWNER_SITE, -70, 70},
    /* instruments read a little below zero at night */
    [HS_POINT_OUTDOOR_GHI_W_PER_M2] = {"outdoor_ghi_w_per_m2", OWNER_SITE, -50, 2000},
    [HS_POINT_OUTDOOR_WIND_M_PER_S] = {"outdoor_wind_m_per_s", OWNER_SITE, 0, 120},
    [HS_POINT_ELEC_W] = {"elec_w", OWNER_SITE, -1e9, 1e9}, /* negative: the site exports */
    [HS_POINT_REJECTION_WANTED] = {"rejection_wanted", OWNER_LOOP, 0, 1},
    [HS_POINT_HEAT_OFFER_W] = {"heat_offer_w", OWNER_LOOP, 0, 1e9},
    [HS_POINT_HEARTBEAT] = {"heartbeat", OWNER_LOOP, 0, 1},
};

/* Points that plants send and that nothing reads in this version. */
static const char *const later[] = {"pump_elec_w", "valve_ratio", "outlet_c",
                                    "fan_rpm",     "noise_db",    NULL};

/* A path cut at its slashes; parts point into the copy. */
struct parts {
    char text[HS_POINT_MAX];
    char *items[4];
    size_t n;
};

static bool cut(const char *path, struct parts *ret_parts)
{
    size_t n_bytes = strlen(path);

    if (n_bytes == 0 || n_bytes >= HS_POINT_MAX) {
        return false;
    }
    memcpy(ret_parts->text, path, n_bytes + 1);
    ret_parts->n = 0;
    for (char *rest = ret_parts->text; rest != NULL;) {
        if (ret_parts->n == 4) {
            return false;
        }
        ret_parts->items[ret_parts->n++] = strsep(&rest, "/");
    }
    return ret_parts->n >= 2;
}

/* "no <what> '<name>' in <where>, did you mean '<nearest>'?" */
static int refuse(struct hs_err *err, const char *path, const char *what, const char *name,
                  const char *const *known)
{
    const char *nearest = hs_conf_nearest(known, name);

    if (nearest != NULL) {
        return hs_err_set(err, HS_E_NOTFOUND, path, "there is no %s '%.60s', did you mean '%s'?",
                          what, name, nearest);
    }
    return hs_err_set(err, HS_E_NOTFOUND, path, "there is no %s '%.60s'%s%s", what, name,
                      known[0] != NULL ? "; known is " : "", known[0] != NULL ? known[0] : "");
}

static int refuse_site(const struct hs_estate *estate, const struct parts *parts, const char *path,
                       struct hs_err *err)
{
    HS_AUTO_MEM const char **known = hs_xcalloc(estate->n_sites + 1, sizeof(*known));

    for (size_t i = 0; i < estate->n_sites; i++) {
        known[i] = estate->sites[i].name;
    }
    return refuse(err, path, "site", parts->items[0], known);
}

static int refuse_loop(const struct hs_estate *estate, const struct hs_site *site,
                       const struct parts *parts, const char *path, struct hs_err *err)
{
    HS_AUTO_MEM const char **known = hs_xcalloc(site->n_loops + site->n_racks + 1, sizeof(*known));

    for (size_t i = 0; i < site->n_loops; i++) {
        known[i] = estate->loops[site->first_loop_idx + i].name;
    }
    for (size_t i = 0; parts->n == 3 && i < site->n_racks; i++) {
        known[site->n_loops + i] = estate->racks[site->first_rack_idx + i].name;
    }
    return refuse(err, path, parts->n == 3 ? "loop or rack" : "loop", parts->items[1], known);
}

static int refuse_sink(const struct hs_estate *estate, const struct hs_heatloop *loop,
                       const struct parts *parts, const char *path, struct hs_err *err)
{
    HS_AUTO_MEM const char **known = hs_xcalloc(loop->n_sinks + 2, sizeof(*known));

    for (size_t i = 0; i < loop->n_sinks; i++) {
        known[i] = estate->sinks[loop->first_sink_idx + i].name;
    }
    known[loop->n_sinks] = "tank";
    return refuse(err, path, "sink", parts->items[2], known);
}

static int refuse_leaf(enum point_owner owner, const char *leaf, const char *path,
                       struct hs_err *err)
{
    static const char *const owner_words[] = {"site", "loop", "sink", "rack"};
    const char *known[HS_POINT_KIND_COUNT_ + 1] = {NULL};
    char what[32];
    size_t n = 0;

    for (size_t i = 0; later[i] != NULL; i++) {
        if (strcmp(later[i], leaf) == 0) {
            return hs_err_set(err, HS_E_NOTFOUND, path, "'%s' is not read by this version", leaf);
        }
    }
    for (size_t i = 0; i < HS_POINT_KIND_COUNT_; i++) {
        if (rows[i].owner == owner && i != HS_POINT_TANK_C) {
            known[n++] = rows[i].leaf;
        }
    }
    snprintf(what, sizeof(what), "quantity of a %s", owner_words[owner]);
    return refuse(err, path, what, leaf, known);
}

/* The kind of @leaf at an @owner, or HS_POINT_KIND_COUNT_. */
static enum hs_point_kind find_kind(enum point_owner owner, const char *leaf)
{
    for (size_t i = 0; i < HS_POINT_KIND_COUNT_; i++) {
        if (rows[i].owner == owner && i != HS_POINT_TANK_C && strcmp(rows[i].leaf, leaf) == 0) {
            return (enum hs_point_kind)i;
        }
    }
    return HS_POINT_KIND_COUNT_;
}

static int set_point(enum point_owner owner, const char *leaf, size_t thing_idx, const char *path,
                     struct hs_point *ret_point, struct hs_err *err)
{
    enum hs_point_kind kind = find_kind(owner, leaf);

    if (kind == HS_POINT_KIND_COUNT_) {
        return refuse_leaf(owner, leaf, path, err);
    }
    *ret_point = (struct hs_point){.kind = kind, .thing_idx = thing_idx};
    return 0;
}

/* "0.9_c": a sensor at nine tenths of the tank's height. */
static int parse_tank(size_t loop_idx, const char *leaf, const char *path,
                      struct hs_point *ret_point, struct hs_err *err)
{
    char *end;
    double height_ratio = strtod(leaf, &end);

    if (end == leaf || strcmp(end, "_c") != 0 || !(height_ratio >= 0 && height_ratio <= 1)) {
        return hs_err_set(err, HS_E_NOTFOUND, path,
                          "'%.60s' is no height in the tank; write 0_c (bottom) to 1_c (top)",
                          leaf);
    }
    *ret_point = (struct hs_point){
        .kind = HS_POINT_TANK_C, .thing_idx = loop_idx, .height_ratio = height_ratio};
    return 0;
}

/* <site>/<loop or rack>/<leaf> or <site>/<loop>/<sink or tank>/<leaf> */
static int parse_below_site(const struct hs_estate *estate, const struct hs_site *site,
                            const struct parts *parts, const char *path, struct hs_point *ret_point,
                            struct hs_err *err)
{
    const char *leaf = parts->items[parts->n - 1];
    char parent[HS_POINT_MAX];
    size_t loop_idx, rack_idx, sink_idx;

    snprintf(parent, sizeof(parent), "%s/%s", site->name, parts->items[1]);
    loop_idx = hs_estate_find_loop(estate, parent);
    rack_idx = hs_estate_find_rack(estate, parent);
    if (loop_idx == SIZE_MAX && (rack_idx == SIZE_MAX || parts->n == 4)) {
        return refuse_loop(estate, site, parts, path, err);
    }
    if (parts->n == 3) {
        /* A loop and a rack may share a name: the quantity tells them apart. */
        bool is_rack =
            rack_idx != SIZE_MAX
            && (loop_idx == SIZE_MAX || find_kind(OWNER_RACK, leaf) != HS_POINT_KIND_COUNT_);

        return set_point(is_rack ? OWNER_RACK : OWNER_LOOP, leaf, is_rack ? rack_idx : loop_idx,
                         path, ret_point, err);
    }
    if (strcmp(parts->items[2], "tank") == 0 && leaf[0] >= '0' && leaf[0] <= '9') {
        return parse_tank(loop_idx, leaf, path, ret_point, err);
    }
    snprintf(parent, sizeof(parent), "%s/%s/%s", site->name, parts->items[1], parts->items[2]);
    sink_idx = hs_estate_find_sink(estate, parent);
    if (sink_idx == SIZE_MAX && strcmp(parts->items[2], "tank") == 0) {
        return parse_tank(loop_idx, leaf, path, ret_point, err);
    }
    if (sink_idx == SIZE_MAX) {
        return refuse_sink(estate, &estate->loops[loop_idx], parts, path, err);
    }
    return set_point(OWNER_SINK, leaf, sink_idx, path, ret_point, err);
}

int hs_reading_parse_point(const struct hs_estate *estate, const char *path,
                           struct hs_point *ret_point, struct hs_err *err)
{
    struct parts parts;
    size_t site_idx;

    if (!cut(path, &parts)) {
        return hs_err_set(err, HS_E_NOTFOUND, path,
                          "not a point; write <site>/<loop>/<sink>/demand_heat_w or the like");
    }
    site_idx = hs_estate_find_site(estate, parts.items[0]);
    if (site_idx == SIZE_MAX) {
        return refuse_site(estate, &parts, path, err);
    }
    if (parts.n == 2) {
        return set_point(OWNER_SITE, parts.items[1], site_idx, path, ret_point, err);
    }
    return parse_below_site(estate, &estate->sites[site_idx], &parts, path, ret_point, err);
}

void hs_reading_format_point(const struct hs_estate *estate, const struct hs_point *point,
                             char *ret_path)
{
    const struct point_row *row = &rows[point->kind];
    const char *parent = row->owner == OWNER_SITE   ? estate->sites[point->thing_idx].name
                         : row->owner == OWNER_LOOP ? estate->loops[point->thing_idx].path
                         : row->owner == OWNER_SINK ? estate->sinks[point->thing_idx].path
                                                    : estate->racks[point->thing_idx].path;

    if (point->kind == HS_POINT_TANK_C) {
        snprintf(ret_path, HS_POINT_MAX, "%s/tank/%g_c", parent, point->height_ratio);
    } else {
        snprintf(ret_path, HS_POINT_MAX, "%s/%s", parent, row->leaf);
    }
}

bool hs_reading_is_outbound(enum hs_point_kind kind)
{
    return kind == HS_POINT_REJECTION_WANTED || kind == HS_POINT_HEAT_OFFER_W
           || kind == HS_POINT_HEARTBEAT;
}

enum hs_quality hs_reading_check(enum hs_point_kind kind, double value)
{
    if (isnan(value)) {
        return HS_QUALITY_NOT_A_NUMBER;
    }
    return value >= rows[kind].least && value <= rows[kind].most ? HS_QUALITY_GOOD
                                                                 : HS_QUALITY_OUT_OF_RANGE;
}

const char *hs_reading_quality_word(enum hs_quality quality)
{
    static const char *const words[] = {
        [HS_QUALITY_GOOD] = "good",
        [HS_QUALITY_SUBSTITUTED] = "substituted",
        [HS_QUALITY_STALE] = "stale",
        [HS_QUALITY_OUT_OF_RANGE] = "out-of-range",
        [HS_QUALITY_NOT_A_NUMBER] = "not-a-number",
        [HS_QUALITY_UNKNOWN] = "unknown",
        [HS_QUALITY_JUMPED] = "jumped",
        [HS_QUALITY_STUCK] = "stuck",
        [HS_QUALITY_UNCONFIRMED] = "unconfirmed",
    };

    return (size_t)quality < sizeof(words) / sizeof(words[0]) ? words[quality] : "unknown";
}
