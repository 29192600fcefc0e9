/* SPDX-License-Identifier: Apache-2.0 */
/* tank - field table, and energy from temperature and back. */
#include "scheduler/model/tank.h"

#include <math.h>

#include "scheduler/base/units.h"

#define AT(member) .offset = offsetof(struct hs_tank, member)

static const struct hs_conf_field fields[] = {
    {.name = "volume_l",
     .type = HS_CONF_REAL,
     AT(volume_l),
     .min = 10,
     .max = 1e8,
     .unit = "l",
     .required = true,
     .help = "water in the tank"},
    {.name = "nodes",
     .type = HS_CONF_INT,
     AT(nodes),
     .min = 1,
     .max = 50,
     .has_default = true,
     .default_number = 3,
     .help = "layers of the model; 1 is fully mixed"},
    {.name = "min_c",
     .type = HS_CONF_REAL,
     AT(min_c),
     .min = 0,
     .max = 100,
     .unit = "°C",
     .required = true,
     .help = "an empty tank: below this no sink draws"},
    {.name = "max_c",
     .type = HS_CONF_REAL,
     AT(max_c),
     .min = 0,
     .max = 100,
     .unit = "°C",
     .required = true,
     .help = "a full tank: above this surplus is rejected"},
    {.name = "loss_w_per_k",
     .type = HS_CONF_REAL,
     AT(loss_w_per_k),
     .min = 0,
     .max = 1e5,
     .unit = "W/K",
     .has_default = true,
     .default_number = 0,
     .help = "heat lost for each kelvin above ambient_c"},
    {.name = "ambient_c",
     .type = HS_CONF_REAL,
     AT(ambient_c),
     .min = -50,
     .max = 60,
     .unit = "°C",
     .has_default = true,
     .default_number = 18,
     .help = "air around the tank"},
    {.name = "charge_limit_w",
     .type = HS_CONF_REAL,
     AT(charge_limit_w),
     .min = 1,
     .max = INFINITY,
     .unit = "W",
     .has_default = true,
     .default_number = INFINITY,
     .help = "most heat that can go in"},
    {.name = "draw_limit_w",
     .type = HS_CONF_REAL,
     AT(draw_limit_w),
     .min = 1,
     .max = INFINITY,
     .unit = "W",
     .has_default = true,
     .default_number = INFINITY,
     .help = "most heat that can come out"},
    {.name = "comfort_c",
     .type = HS_CONF_REAL,
     AT(comfort_c),
     .min = 0,
     .max = 100,
     .unit = "°C",
     .has_default = true,
     .default_number = NAN,
     .help = "comfort floor: heat below it is worth more, see breach_prices of a policy"},
    {.name = "ride_through",
     .type = HS_CONF_DURATION,
     AT(ride_through_s),
     .min = 0,
     .max = 604800,
     .has_default = true,
     .help = "comfort floor: the heat that sinks will want for so long; the higher of both counts"},
    {.name = "hygiene_c",
     .type = HS_CONF_REAL,
     AT(hygiene_c),
     .min = 40,
     .max = 95,
     .unit = "°C",
     .has_default = true,
     .default_number = NAN,
     .help = "all of the tank has to be so warm once in hygiene_interval; 60 against Legionella"},
    {.name = "hygiene_interval",
     .type = HS_CONF_DURATION,
     AT(hygiene_interval_s),
     .min = 3600,
     .max = 31536000,
     .has_default = true,
     .default_number = 7 * HS_S_PER_DAY,
     .help = "longest time between two such times"},
    {.name = "hygiene_hold",
     .type = HS_CONF_DURATION,
     AT(hygiene_hold_s),
     .min = 0,
     .max = 86400,
     .has_default = true,
     .default_number = 3600,
     .help = "how long it has to stay so warm"},
};

const struct hs_conf_table hs_tank_table = {"tank", fields, sizeof(fields) / sizeof(fields[0])};

double hs_tank_max_wh(const struct hs_tank *tank)
{
    return tank->present ? hs_wh_from_l_k(tank->volume_l, tank->max_c - tank->min_c) : 0;
}

double hs_tank_wh_from_c(const struct hs_tank *tank, double mean_c)
{
    double stored_wh = tank->present ? hs_wh_from_l_k(tank->volume_l, mean_c - tank->min_c) : 0;

    return fmin(fmax(stored_wh, 0), hs_tank_max_wh(tank));
}

double hs_tank_c_from_wh(const struct hs_tank *tank, double stored_wh)
{
    return tank->present ? tank->min_c + stored_wh / (tank->volume_l * HS_WATER_WH_PER_L_K)
                         : tank->min_c;
}
