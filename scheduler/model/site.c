/* SPDX-License-Identifier: Apache-2.0 */
/* site - field table. */
#include "scheduler/model/site.h"

#include <math.h>
#include <stdint.h>

#include "scheduler/model/catalogue.h"
#include "scheduler/model/heatloop.h"
#include "scheduler/model/rack.h"

#define AT(member) .offset = offsetof(struct hs_site, member)

static const struct hs_conf_field electricity_fields[] = {
    {.name = "price_cur_per_mwh",
     .type = HS_CONF_REAL,
     AT(price_cur_per_mwh),
     .min = -1e5,
     .max = 1e5,
     .unit = "cur/MWh",
     .required = true,
     .help = "price where no price series is given"},
    {.name = "gco2_per_kwh",
     .type = HS_CONF_REAL,
     AT(gco2_per_kwh),
     .min = 0,
     .max = 3000,
     .unit = "g/kWh",
     .has_default = true,
     .default_number = 0,
     .help = "carbon intensity where no carbon series is given"},
    {.name = "limit_w",
     .type = HS_CONF_REAL,
     AT(limit_w),
     .min = 1,
     .max = INFINITY,
     .unit = "W",
     .has_default = true,
     .default_number = INFINITY,
     .help = "what the grid connection carries"},
};
static const struct hs_conf_table electricity_table = {
    "electricity", electricity_fields, sizeof(electricity_fields) / sizeof(electricity_fields[0])};

static const struct hs_conf_field fields[] = {
    {.name = "name",
     .type = HS_CONF_NAME,
     AT(name),
     .size = HS_NAME_MAX,
     .required = true,
     .help = "unique in the estate"},
    {.name = "template",
     .type = HS_CONF_WORD,
     AT(template_name),
     .size = HS_NAME_MAX,
     .words = hs_catalogue_template_words,
     .help = "kind of building; fills what the file leaves open (catalogue.md)"},
    {.name = "redundancy",
     .type = HS_CONF_WORD,
     AT(redundancy),
     .size = HS_NAME_MAX,
     .words = hs_catalogue_redundancy_words,
     .default_text = "n",
     .help = "how much of the rejection may fail; sizes a template's, and less is noted"},
    {.name = "timezone",
     .type = HS_CONF_TEXT,
     AT(timezone),
     .size = HS_NAME_MAX,
     .default_text = "UTC",
     .help = "IANA name, for showing times to people"},
    {.name = "latitude",
     .type = HS_CONF_REAL,
     AT(latitude),
     .min = -90,
     .max = 90,
     .unit = "°",
     .has_default = true,
     .default_number = NAN,
     .help = "north is positive"},
    {.name = "longitude",
     .type = HS_CONF_REAL,
     AT(longitude),
     .min = -180,
     .max = 180,
     .unit = "°",
     .has_default = true,
     .default_number = NAN,
     .help = "east is positive"},
    {.name = "electricity",
     .type = HS_CONF_OBJECT,
     .table = &electricity_table,
     .present_offset = SIZE_MAX,
     .required = true,
     .help = "what electricity costs and emits"},
    {.name = "aux_elec_ratio",
     .type = HS_CONF_REAL,
     AT(aux_elec_ratio),
     .min = 0,
     .max = 3,
     .has_default = true,
     .default_number = 0,
     .help = "electricity of pumps and cooling for each Wh of IT"},
    {.name = "loops",
     .type = HS_CONF_CHILDREN,
     .table = &hs_heatloop_table,
     .required = true,
     .help = "its heat loops"},
    {.name = "racks", .type = HS_CONF_CHILDREN, .table = &hs_rack_table, .help = "its racks"},
    {.name = "points", .type = HS_CONF_ANY, .help = "where its readings come from"},
};

const struct hs_conf_table hs_site_table = {"site", fields, sizeof(fields) / sizeof(fields[0])};
