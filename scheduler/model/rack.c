/* SPDX-License-Identifier: Apache-2.0 */
/* rack - field table. */
#include "scheduler/model/rack.h"

#include <math.h>

#include "scheduler/model/catalogue.h"
#include "scheduler/model/host.h"

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
    {.name = "points", .type = HS_CONF_ANY, .help = "where its readings come from"},
};

const struct hs_conf_table hs_rack_table = {"rack", fields, sizeof(fields) / sizeof(fields[0])};

bool hs_rack_has_ramp(const struct hs_rack *rack)
{
    return rack->ramp_w_per_min > 0 && isfinite(rack->ramp_w_per_min);
}
