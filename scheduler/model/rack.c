/* SPDX-License-Identifier: Apache-2.0 */
/* rack - field table. */
#include "scheduler/model/rack.h"

#include <math.h>
#include <string.h>

#include "scheduler/model/catalogue.h"
#include "scheduler/model/host.h"
#include "scheduler/model/pointmap.h"

#define AT(member) .offset = offsetof(struct hs_rack, member)

static const struct hs_conf_field fields[] = {
    {.name = "name",
     .type = HS_CONF_NAME,
     AT(name),
     .size = HS_NAME_MAX,
     .required = true,
     .help = "unique in its site"},
    {.name = "loop",
     .type = HS_CONF_NAME,
     AT(loop),
     .size = HS_NAME_MAX,
     .help = "heat loop of the same site that takes its heat; may be left out where the site has "
             "one loop"},
    {.name = "cooling",
     .type = HS_CONF_WORD,
     AT(cooling),
     .size = HS_NAME_MAX,
     .words = hs_catalogue_cooling_words,
     .default_text = "air-to-water",
     .help = "cooling architecture; gives the default capture_ratio"},
    {.name = "capture_ratio",
     .type = HS_CONF_REAL,
     AT(capture_ratio),
     .min = 0,
     .max = 1,
     .has_default = true,
     .default_number = NAN,
     .help = "share of IT heat that reaches the loop; else the loop's, else the cooling's"},
    {.name = "limit_w",
     .type = HS_CONF_REAL,
     AT(limit_w),
     .min = 1,
     .max = INFINITY,
     .unit = "W",
     .has_default = true,
     .default_number = INFINITY,
     .help = "electricity it may draw"},
    {.name = "inlet_max_c",
     .type = HS_CONF_REAL,
     AT(inlet_max_c),
     .min = 10,
     .max = 80,
     .unit = "°C",
     .has_default = true,
     .default_number = NAN,
     .help = "hotter its point `inlet_c` may not read: rejection is asked for and work that may "
             "wait is shed in this rack; else 35 °C where air cools the machines, no limit "
             "elsewhere"},
    {.name = "ramp_w_per_min",
     .type = HS_CONF_REAL,
     AT(ramp_w_per_min),
     .min = 1,
     .max = INFINITY,
     .unit = "W/min",
     .has_default = true,
     .default_number = INFINITY,
     .help = "how fast the heat that reaches the loop may rise; what is above goes to the room's "
             "own cooling"},
    {.name = "hosts",
     .type = HS_CONF_CHILDREN,
     .table = &hs_host_table,
     .help = "what stands in it"},
    {.name = "points",
     .type = HS_CONF_CHILDREN,
     .table = &hs_pointmap_table,
     .help = "where its readings come from, by quantity: docs/plant.md"},
};

const struct hs_conf_table hs_rack_table = {"rack", fields, sizeof(fields) / sizeof(fields[0])};

bool hs_rack_has_ramp(const struct hs_rack *rack)
{
    return rack->ramp_w_per_min > 0 && isfinite(rack->ramp_w_per_min);
}

double hs_rack_get_inlet_max_c(const struct hs_rack *rack)
{
    static const char *const of_air[] = {"air-to-air", "air-to-water", "rear-door"};

    if (rack->inlet_max_c > 0) {
        return rack->inlet_max_c;
    }
    for (size_t i = 0; i < sizeof(of_air) / sizeof(of_air[0]); i++) {
        if (strcmp(rack->cooling, of_air[i]) == 0) {
            return HS_RACK_INLET_MAX_C;
        }
    }
    return INFINITY;
}
