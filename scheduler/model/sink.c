/* SPDX-License-Identifier: Apache-2.0 */
/* sink - field table and the worth of its heat. */
#include "scheduler/model/sink.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "scheduler/base/units.h"
#include "scheduler/model/catalogue.h"
#include "scheduler/model/pointmap.h"

#define AT(member) .offset = offsetof(struct hs_sink, member)

static const struct hs_conf_field backup_fields[] = {
    {.name = "kind",
     .type = HS_CONF_WORD,
     AT(backup_kind),
     .size = HS_NAME_MAX,
     .words = hs_catalogue_backup_words,
     .required = true,
     .help = "what makes the heat if compute does not (resistive is electric, district-heat is "
             "district)"},
    {.name = "efficiency_ratio",
     .type = HS_CONF_REAL,
     AT(backup_efficiency_ratio),
     .min = 0.05,
     .max = 10,
     .has_default = true,
     .default_number = NAN,
     .help = "heat out for each Wh of fuel in; assumed by kind where not given"},
    {.name = "price_cur_per_mwh",
     .type = HS_CONF_REAL,
     AT(backup_price_cur_per_mwh),
     .min = -1e5,
     .max = 1e5,
     .unit = "cur/MWh",
     .has_default = true,
     .default_number = NAN,
     .help = "price of the fuel; electric kinds default to the site's electricity"},
    {.name = "gco2_per_kwh",
     .type = HS_CONF_REAL,
     AT(backup_gco2_per_kwh),
     .min = 0,
     .max = 3000,
     .unit = "g/kWh",
     .has_default = true,
     .default_number = NAN,
     .help = "carbon of the fuel; assumed by kind where not given, must be given for district"},
};
static const struct hs_conf_table backup_table = {"backup", backup_fields,
                                                  sizeof(backup_fields) / sizeof(backup_fields[0])};

static const struct hs_conf_field fields[] = {
    {.name = "name",
     .type = HS_CONF_NAME,
     AT(name),
     .size = HS_NAME_MAX,
     .required = true,
     .help = "unique in its loop"},
    {.name = "kind",
     .type = HS_CONF_WORD,
     AT(kind),
     .size = HS_NAME_MAX,
     .words = hs_catalogue_sink_words,
     .help = "what wants the heat; may be left out where the site has a template"},
    {.name = "lift",
     .type = HS_CONF_WORD,
     AT(lift),
     .size = HS_NAME_MAX,
     .words = hs_catalogue_lift_words,
     .default_text = "none",
     .help = "what happens where the loop is colder than supply_min_c"},
    {.name = "supply_min_c",
     .type = HS_CONF_REAL,
     AT(supply_min_c),
     .min = 0,
     .max = 120,
     .unit = "°C",
     .has_default = true,
     .default_number = NAN,
     .help = "coldest supply that is of use; assumed by kind where not given"},
    {.name = "heat_limit_w",
     .type = HS_CONF_REAL,
     AT(heat_limit_w),
     .min = 1,
     .max = INFINITY,
     .unit = "W",
     .has_default = true,
     .default_number = INFINITY,
     .help = "most heat its exchanger can take"},
    {.name = "backup",
     .type = HS_CONF_OBJECT,
     .table = &backup_table,
     .present_offset = SIZE_MAX,
     .required = true,
     .help = "what its heat costs otherwise, so what ours is worth"},
    {.name = "points",
     .type = HS_CONF_CHILDREN,
     .table = &hs_pointmap_table,
     .help = "where its readings come from, by quantity: docs/plant.md"},
};

const struct hs_conf_table hs_sink_table = {"sink", fields, sizeof(fields) / sizeof(fields[0])};

double hs_sink_worth_cur_per_mwh(const struct hs_sink *sink, double carbon_price_cur_per_t)
{
    double carbon_cur_per_mwh =
        hs_cur_per_mwh_from_carbon(carbon_price_cur_per_t, sink->backup_gco2_per_kwh);

    return (sink->backup_price_cur_per_mwh + carbon_cur_per_mwh) / sink->backup_efficiency_ratio;
}

double hs_sink_get_return_c(const struct hs_sink *sink)
{
    return strcmp(sink->kind, "dhw") == 0 ? HS_SINK_MAINS_C
                                          : sink->supply_min_c - HS_SINK_RETURN_DROP_K;
}

struct hs_sink_lift hs_sink_get_lift(const struct hs_sink *sink, double loop_c)
{
    struct hs_sink_lift lift = {.demand_ratio = 1, .heat_ratio = 1};

    if (loop_c >= sink->supply_min_c) {
        return lift;
    }
    if (strcmp(sink->lift, "preheat") == 0) {
        double return_c = hs_sink_get_return_c(sink);

        lift.demand_ratio = fmax(0, loop_c - return_c) / (sink->supply_min_c - return_c);
    } else if (strcmp(sink->lift, "heat-pump") == 0) {
        double lift_k = sink->supply_min_c - loop_c;

        lift.elec_ratio =
            fmin(1, lift_k / (HS_SINK_CARNOT_RATIO * hs_k_from_c(sink->supply_min_c)));
        lift.heat_ratio = 1 - lift.elec_ratio;
    }
    return lift;
}

double hs_sink_get_lifted_worth(const struct hs_sink_lift *lift, double worth_cur_per_mwh,
                                double elec_cur_per_mwh)
{
    return lift->heat_ratio > 0
               ? (worth_cur_per_mwh - lift->elec_ratio * elec_cur_per_mwh) / lift->heat_ratio
               : 0;
}
