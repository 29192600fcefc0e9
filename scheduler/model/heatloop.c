/* SPDX-License-Identifier: Apache-2.0 */
/* heatloop - field table. */
#include "scheduler/model/heatloop.h"

#include <math.h>
#include <stdint.h>

#include "scheduler/model/pointmap.h"
#include "scheduler/model/sink.h"

#define OVER_K 10.0 /* a plant has its own interlock; this is to act before it must */

#define AT(member) .offset = offsetof(struct hs_heatloop, member)

static const struct hs_conf_field rejection_fields[] = {
    {.name = "limit_w",
     .type = HS_CONF_REAL,
     AT(rejection_limit_w),
     .min = 1,
     .max = INFINITY,
     .unit = "W",
     .has_default = true,
     .default_number = INFINITY,
     .help = "heat that the dry cooler or dump path can take"},
    {.name = "elec_ratio",
     .type = HS_CONF_REAL,
     AT(rejection_elec_ratio),
     .min = 0,
     .max = 1,
     .has_default = true,
     .default_number = 0,
     .help = "electricity for each Wh rejected"},
};
static const struct hs_conf_table rejection_table = {
    "rejection", rejection_fields, sizeof(rejection_fields) / sizeof(rejection_fields[0])};

static const struct hs_conf_field fields[] = {
    {.name = "name",
     .type = HS_CONF_NAME,
     AT(name),
     .size = HS_NAME_MAX,
     .required = true,
     .help = "unique in its site"},
    {.name = "capture_ratio",
     .type = HS_CONF_REAL,
     AT(capture_ratio),
     .min = 0,
     .max = 1,
     .has_default = true,
     .default_number = NAN,
     .help = "share of IT heat that reaches the loop; else the cooling of each rack decides"},
    {.name = "supply_c",
     .type = HS_CONF_REAL,
     AT(supply_c),
     .min = 0,
     .max = 120,
     .unit = "°C",
     .has_default = true,
     .default_number = 45,
     .help = "temperature at which heat is handed over; else the lowest of the coolings that its "
             "racks name"},
    {.name = "over_c",
     .type = HS_CONF_REAL,
     AT(over_c),
     .min = 20,
     .max = 130,
     .unit = "°C",
     .has_default = true,
     .default_number = NAN,
     .help =
         "hotter its water may not be: rejection is asked for and deferrable work is shed; else "
         "10 K over the tank's max_c and supply_c"},
    {.name = "flow_min_l_per_min",
     .type = HS_CONF_REAL,
     AT(flow_min_l_per_min),
     .min = 0.001,
     .max = INFINITY,
     .unit = "l/min",
     .has_default = true,
     .default_number = NAN,
     .help = "less than this at its point `flow_l_per_min` counts as no flow: rejection is asked "
             "for, and work that may wait is shed; only where its water never stands"},
    {.name = "tank",
     .type = HS_CONF_OBJECT,
     AT(tank),
     .table = &hs_tank_table,
     .present_offset = offsetof(struct hs_heatloop, tank.present),
     .help = "the loop's buffer, if it has one"},
    {.name = "rejection",
     .type = HS_CONF_OBJECT,
     .table = &rejection_table,
     .present_offset = SIZE_MAX,
     .help = "where surplus heat goes"},
    {.name = "sinks",
     .type = HS_CONF_CHILDREN,
     .table = &hs_sink_table,
     .required = true,
     .help = "what wants the heat"},
    {.name = "points",
     .type = HS_CONF_CHILDREN,
     .table = &hs_pointmap_table,
     .help = "where its readings come from, by quantity: docs/plant.md"},
};

const struct hs_conf_table hs_heatloop_table = {"loop", fields, sizeof(fields) / sizeof(fields[0])};

double hs_heatloop_get_over_c(const struct hs_heatloop *loop)
{
    double made_for_c =
        loop->tank.present ? fmax(loop->tank.max_c, loop->supply_c) : loop->supply_c;

    return loop->over_c > 0 ? loop->over_c : made_for_c + OVER_K;
}
