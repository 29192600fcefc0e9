/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/catalogueview.h"

#include <stdio.h>

#include "ctl/say.h"
#include "ctl/table.h"
#include "scheduler/base/conf.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/model/catalogue.h"

static const struct hs_table_column cooling_columns[] = {
    {"COOLING", "name", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"CAPTURED", "capture_ratio", NULL, HS_RENDER_PERCENT, HS_TABLE_ALWAYS},
    {"SUPPLY °C", "supply", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"HEAT USE", "heat_use", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"COMPLEXITY", "complexity", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"FIT", "fit", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
};
static const struct hs_table cooling_table = {
    .name_key = "name",
    .columns = cooling_columns,
    .n_columns = sizeof(cooling_columns) / sizeof(cooling_columns[0]),
};

static const struct hs_table_column template_columns[] = {
    {"TEMPLATE", "name", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"SINKS", "sinks", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"FIT", "fit", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"COMPLEXITY", "complexity", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"CAUTION", "caution", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
};
static const struct hs_table template_table = {
    .name_key = "name",
    .columns = template_columns,
    .n_columns = sizeof(template_columns) / sizeof(template_columns[0]),
};

static enum hs_exit say_unknown(const char *what, const char *name, const char *const *words)
{
    const char *nearest = hs_conf_nearest(words, name);

    hs_say_error("no %s '%s'%s%s%s", what, name, nearest != NULL ? "; did you mean '" : "",
                 nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
    return HS_EXIT_NOTFOUND;
}

static void print_one_cooling(const struct hs_catalogue_cooling *cooling)
{
    printf("%s: %s\n\n", cooling->name, cooling->fit);
    printf("  heat use     %s\n  complexity   %s\n  caution      %s\n\n", cooling->heat_use,
           cooling->complexity, cooling->caution);
    printf("  captured     %.0f %% of IT heat\n               %s\n", cooling->capture_ratio * 100,
           cooling->source);
    printf("  supply       %.0f to %.0f °C, %.0f unless you say\n               %s\n",
           cooling->supply_min_c, cooling->supply_max_c, cooling->supply_c, cooling->supply_source);
    printf("  electricity  %.2f Wh for each Wh captured\n               %s\n", cooling->elec_ratio,
           cooling->elec_source);
    printf("  least flow   %.1f l/min for each kW (%.0f K)\n               %s\n",
           hs_catalogue_get_flow_l_per_min_kw(cooling), cooling->spread_k, cooling->spread_source);
    printf("  ramp         %.0f %% of full heat a minute\n               %s\n",
           cooling->ramp_ratio_per_min * 100, cooling->ramp_source);
}

enum hs_exit hs_catalogueview_print_cooling(const char *name)
{
    json_auto_t *rows = hs_jsonx_array();

    if (name != NULL && hs_catalogue_find_cooling(name) == NULL) {
        return say_unknown("cooling", name, hs_catalogue_cooling_words);
    }
    if (name != NULL) {
        print_one_cooling(hs_catalogue_find_cooling(name));
        return HS_EXIT_OK;
    }
    for (size_t i = 0; hs_catalogue_cooling_words[i] != NULL; i++) {
        const struct hs_catalogue_cooling *cooling =
            hs_catalogue_find_cooling(hs_catalogue_cooling_words[i]);
        HS_AUTO_MEM char *supply =
            hs_say_format("%.0f-%.0f", cooling->supply_min_c, cooling->supply_max_c);
        json_t *row = hs_jsonx_object();

        hs_jsonx_set_text(row, "name", cooling->name);
        hs_jsonx_set_real(row, "capture_ratio", cooling->capture_ratio);
        hs_jsonx_set_text(row, "supply", supply);
        hs_jsonx_set_text(row, "heat_use", cooling->heat_use);
        hs_jsonx_set_text(row, "complexity", cooling->complexity);
        hs_jsonx_set_text(row, "fit", cooling->fit);
        hs_jsonx_add(rows, row);
    }
    hs_table_print(&cooling_table, HS_TABLE_WIDE, NULL, rows);
    return HS_EXIT_OK;
}

static void print_one_template(const struct hs_catalogue_template *kind)
{
    printf("%s\n\n  fit          %s\n  complexity   %s\n  caution      %s\n\n", kind->name,
           kind->fit, kind->complexity, kind->caution);
    printf("  loop         %s\n", HS_CATALOGUE_LOOP);
    for (size_t i = 0; i < HS_CATALOGUE_SINKS_MAX && kind->sinks[i].name != NULL; i++) {
        printf("  sink         %s/%s, a %s\n", HS_CATALOGUE_LOOP, kind->sinks[i].name,
               kind->sinks[i].kind);
    }
    printf("  tank         all heat of the racks for %.0f h\n  rejection    %s: %s\n", kind->tank_h,
           kind->redundancy, hs_catalogue_find_redundancy(kind->redundancy)->help);
    printf("  prices       of %s\n", kind->is_household ? "households" : "other consumers");
}

enum hs_exit hs_catalogueview_print_template(const char *name)
{
    json_auto_t *rows = hs_jsonx_array();

    if (name != NULL && hs_catalogue_find_template(name) == NULL) {
        return say_unknown("template", name, hs_catalogue_template_words);
    }
    if (name != NULL) {
        print_one_template(hs_catalogue_find_template(name));
        return HS_EXIT_OK;
    }
    for (size_t i = 0; hs_catalogue_template_words[i] != NULL; i++) {
        const struct hs_catalogue_template *kind =
            hs_catalogue_find_template(hs_catalogue_template_words[i]);
        bool has_two = kind->sinks[1].name != NULL;
        HS_AUTO_MEM char *sinks = hs_say_format("%s%s%s", kind->sinks[0].name, has_two ? ", " : "",
                                                has_two ? kind->sinks[1].name : "");
        json_t *row = hs_jsonx_object();

        hs_jsonx_set_text(row, "name", kind->name);
        hs_jsonx_set_text(row, "sinks", sinks);
        hs_jsonx_set_text(row, "fit", kind->fit);
        hs_jsonx_set_text(row, "complexity", kind->complexity);
        hs_jsonx_set_text(row, "caution", kind->caution);
        hs_jsonx_add(rows, row);
    }
    hs_table_print(&template_table, HS_TABLE_WIDE, NULL, rows);
    return HS_EXIT_OK;
}
