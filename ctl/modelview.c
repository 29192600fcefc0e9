/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/modelview.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ctl/forecastview.h"
#include "ctl/say.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/jsonx.h"

/** One figure of `physics`, and how a person reads it. */
struct figure {
    const char *key;
    const char *words;
    enum hs_render_kind kind; /* KW and KWH: shown a thousandth */
    const char *unit;         /* as stored, in plain letters */
    const char *shown_unit;
};

static const struct figure figures[] = {
    {"ua_w_per_k", "heat loss", HS_RENDER_KW, "W/K", "kW/K"},
    {"capacity_wh_per_k", "heat held", HS_RENDER_KWH, "Wh/K", "kWh/K"},
    {"time_constant_h", "time constant", HS_RENDER_TEXT, "h", "h"},
    {"base_w", "base load", HS_RENDER_KW, "W", "kW"},
    {"change_point_c", "heating stops above", HS_RENDER_CELSIUS, "C", "°C"},
    {"solar_aperture_m2", "sun let in", HS_RENDER_TEXT, "m2", "m²"},
};

#define N_FIGURES (sizeof(figures) / sizeof(figures[0]))

static const struct figure tank_loss = {"tank_loss_w_per_k", "tank loss", HS_RENDER_TEXT, "W/K",
                                        "W/K"};

static const struct hs_table_column figure_columns[] = {
    {"SINK", "sink", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"FIGURE", "figure", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"VALUE", "value", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"ERROR", "sd", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"UNIT", "unit", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
};

const struct hs_table hs_modelview_table = {
    .name_key = "figure",
    .none = "nothing to learn from yet",
    .columns = figure_columns,
    .n_columns = sizeof(figure_columns) / sizeof(figure_columns[0]),
};

static const struct hs_table_column weight_columns[] = {
    {"EXPERT", "model", NULL, HS_RENDER_TEXT, HS_TABLE_IN_TABLE},
    {"AT 24 h", "weight_ratio", NULL, HS_RENDER_PERCENT, HS_TABLE_IN_TABLE},
    {"WHAT IT DOES", "summary", NULL, HS_RENDER_TEXT, HS_TABLE_IN_TABLE | HS_TABLE_CUTS},
};

static const struct hs_table weight_table = {
    .columns = weight_columns,
    .n_columns = sizeof(weight_columns) / sizeof(weight_columns[0]),
};

static void add_figure(json_t *rows, const char *name, const struct figure *figure,
                       const json_t *value)
{
    json_t *row = hs_jsonx_object();

    hs_jsonx_set_text(row, "sink", name);
    hs_jsonx_set_text(row, "figure", figure->key);
    hs_jsonx_set_real(row, "value", hs_render_find_real(value, "value"));
    hs_jsonx_set_real(row, "sd", hs_render_find_real(value, "sd"));
    hs_jsonx_set_text(row, "unit", figure->unit);
    hs_jsonx_add(rows, row);
}

json_t *hs_modelview_list(const json_t *answer, const json_t *sinks)
{
    json_t *rows = hs_jsonx_array();

    for (size_t i = 0; i < json_array_size(sinks); i++) {
        const json_t *sink = json_array_get(sinks, i);

        for (size_t f = 0; f < N_FIGURES; f++) {
            add_figure(rows, hs_render_find_text(sink, "name"), &figures[f],
                       json_object_get(json_object_get(sink, "physics"), figures[f].key));
        }
    }
    add_figure(rows, hs_render_find_text(answer, "loop"), &tank_loss,
               json_object_get(answer, tank_loss.key));
    return rows;
}

/** "heat loss            0.41 ± 0.03 kW/K" */
static void print_figure(const struct figure *figure, const json_t *object)
{
    double value = hs_render_find_real(object, "value");
    double sd = hs_render_find_real(object, "sd");
    HS_AUTO_MEM char *text = hs_render_uncertain(value, sd, figure->kind);
    bool is_plain = figure->kind != HS_RENDER_KW && figure->kind != HS_RENDER_KWH;
    const char *unit =
        is_plain && !hs_render_is_utf8() ? figure->unit : figure->shown_unit; /* no ° there */

    if (isnan(value)) {
        printf("  %-20s not learned yet\n", figure->words);
    } else if (sd >= fabs(value)) {
        printf("  %-20s %s %s, not settled: the error is as large\n", figure->words, text, unit);
    } else {
        printf("  %-20s %s %s\n", figure->words, text, unit);
    }
}

/** "mixer > yesterday > persistence > nothing-known", the one that speaks in brackets. */
static void print_chain(const json_t *how)
{
    const json_t *chain = json_object_get(how, "chain");
    const char *model = hs_render_find_text(how, "model");

    printf("  %-20s", "who speaks");
    for (size_t i = 0; i < json_array_size(chain); i++) {
        HS_AUTO_MEM char *name = hs_render_value(json_array_get(chain, i), HS_RENDER_TEXT, 0);
        bool speaks = model != NULL && strcmp(name, model) == 0;

        printf(" %s%s%s%s", i > 0 ? "> " : "", speaks ? "[" : "", name, speaks ? "]" : "");
    }
    putchar('\n');
}

/** Copy of @weights, the heaviest first. Owned by the caller. */
static json_t *sort_weights(const json_t *weights)
{
    json_t *sorted = hs_jsonx_array();

    for (size_t i = 0; i < json_array_size(weights); i++) {
        json_t *item = json_array_get(weights, i);
        double weight = hs_render_find_real(item, "weight_ratio");
        size_t at = 0;

        while (at < i
               && hs_render_find_real(json_array_get(sorted, at), "weight_ratio") >= weight) {
            at++;
        }
        (void)json_array_insert(sorted, at, item);
    }
    return sorted;
}

static void print_sink(const json_t *answer, const json_t *sink)
{
    HS_AUTO_MEM char *name = hs_render_value(hs_render_find(sink, "name"), HS_RENDER_TEXT, 0);
    json_auto_t *weights = sort_weights(hs_render_find(sink, "how.weights"));
    double history_h = hs_render_find_real(sink, "how.history_h");
    HS_AUTO_MEM char *weather = hs_forecastview_format_weather(sink);

    printf("%s\n", name);
    print_chain(json_object_get(sink, "how"));
    printf("  %-20s %s\n", "weather", weather);
    printf("  %-20s %.0f h of heat\n", "has seen", isnan(history_h) ? 0 : history_h);
    for (size_t f = 0; f < N_FIGURES; f++) {
        print_figure(&figures[f],
                     json_object_get(json_object_get(sink, "physics"), figures[f].key));
    }
    if (json_array_size(weights) > 0) {
        putchar('\n');
        hs_table_print(&weight_table, HS_TABLE_TABLE, answer, weights);
    }
    putchar('\n');
}

void hs_modelview_print(const json_t *answer, const json_t *sinks)
{
    HS_AUTO_MEM char *loop = hs_render_value(hs_render_find(answer, "loop"), HS_RENDER_TEXT, 0);

    for (size_t i = 0; i < json_array_size(sinks); i++) {
        print_sink(answer, json_array_get(sinks, i));
    }
    printf("%s\n", loop);
    print_figure(&tank_loss, json_object_get(answer, tank_loss.key));
}
