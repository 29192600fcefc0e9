/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/say.h"
#include "ctl/table.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"

#define HOURS_MAX 168

static const struct hs_command_option options[] = {
    {.name = "hours", .argument = "N", .help = "look so far ahead (24)"},
    {.name = "slots", .help = "a row a slot, else the mean of each hour"},
};

static const struct hs_table_column columns[] = {
    {"FROM", "at", NULL, HS_RENDER_AT, HS_TABLE_ALWAYS},
    {"DEMAND kW", "demand_heat_w", NULL, HS_RENDER_KW, HS_TABLE_ALWAYS},
    {"IT kW", "it_w", NULL, HS_RENDER_KW, HS_TABLE_ALWAYS},
    {"TANK kWh", "tank_wh", NULL, HS_RENDER_KWH, HS_TABLE_ALWAYS},
    {"HEAT $/MWh", "heat_price_cur_per_mwh", NULL, HS_RENDER_PRICE, HS_TABLE_ALWAYS},
    {"POWER $/MWh", "electricity_cur_per_mwh", NULL, HS_RENDER_PRICE, HS_TABLE_ALWAYS},
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

static const struct hs_table table = {
    .name_key = "at",
    .none = "no forecast yet",
    .columns = columns,
    .n_columns = N_COLUMNS,
};

/** The mean of @key over @n_points from @first; NAN if none of them knows it. */
static double mean_of(const json_t *points, size_t first, size_t n_points, const char *key)
{
    double sum = 0;
    size_t n = 0;

    for (size_t i = first; i < first + n_points && i < json_array_size(points); i++) {
        double value = hs_render_find_real(json_array_get(points, i), key);

        if (!isnan(value)) {
            sum += value;
            n++;
        }
    }
    return n > 0 ? sum / (double)n : NAN;
}

/** One row for every @n_points of @points. Owned by the caller. */
static json_t *rows_new(const json_t *points, size_t n_points)
{
    json_t *rows = hs_jsonx_array();

    for (size_t first = 0; first < json_array_size(points); first += n_points) {
        json_t *row = hs_jsonx_object();

        hs_jsonx_set_text(row, "at", hs_render_find_text(json_array_get(points, first), "at"));
        for (size_t i = 1; i < N_COLUMNS; i++) {
            hs_jsonx_set_real(row, columns[i].key,
                              mean_of(points, first, n_points, columns[i].key));
        }
        hs_jsonx_add(rows, row);
    }
    return rows;
}

/** "demand  ▁▂▅█  2.0 to 21.5 kW", nothing if no row knows the value. */
static void print_bars(const char *word, const json_t *rows, const struct hs_table_column *column,
                       const char *unit)
{
    size_t n = json_array_size(rows);
    HS_AUTO_MEM double *values = hs_xcalloc(n, sizeof(*values));
    HS_AUTO_MEM char *bars = NULL;
    HS_AUTO_MEM char *least_text = NULL;
    HS_AUTO_MEM char *greatest_text = NULL;
    size_t least = SIZE_MAX;
    size_t greatest = SIZE_MAX;

    for (size_t i = 0; i < n; i++) {
        values[i] = hs_render_find_real(json_array_get(rows, i), column->key);
        if (!isnan(values[i])) {
            least = least == SIZE_MAX || values[i] < values[least] ? i : least;
            greatest = greatest == SIZE_MAX || values[i] > values[greatest] ? i : greatest;
        }
    }
    if (least == SIZE_MAX) {
        return;
    }
    bars = hs_render_bars(values, n);
    least_text = hs_render_number(values[least], column->kind);
    greatest_text = hs_render_number(values[greatest], column->kind);
    if (strcmp(least_text, greatest_text) == 0) {
        printf("%-7s %s  %s %s\n", word, bars, least_text, unit);
    } else {
        printf("%-7s %s  %s to %s %s\n", word, bars, least_text, greatest_text, unit);
    }
}

static void print_forecast(const json_t *answer, const json_t *points, bool is_wide, bool has_slots)
{
    double slot_s = hs_render_find_real(answer, "slot_s");
    size_t n_points =
        has_slots || !(slot_s > 0) || slot_s > HS_S_PER_H ? 1 : (size_t)lround(HS_S_PER_H / slot_s);
    json_auto_t *rows = rows_new(points, n_points);
    HS_AUTO_MEM char *price = hs_say_format("%s/MWh", hs_table_get_currency(answer));
    const char *model = hs_render_find_text(answer, "model");

    if (model != NULL) {
        hs_say_note("forecast by %s, %s", model, n_points > 1 ? "means of each hour" : "each slot");
    }
    print_bars("demand", rows, &columns[1], "kW");
    print_bars("IT", rows, &columns[2], "kW");
    print_bars("heat", rows, &columns[4], price);
    print_bars("power", rows, &columns[5], price);
    if (json_array_size(rows) > 0) {
        putchar('\n');
    }
    hs_table_print(&table, is_wide ? HS_TABLE_WIDE : HS_TABLE_TABLE, answer, rows);
}

/** "pool/main" to the path of the API; NULL if it is no SITE/LOOP. Owned by the caller. */
static char *forecast_path(const char *loop)
{
    const char *slash = strchr(loop, '/');
    HS_AUTO_MEM char *site = NULL;
    HS_AUTO_MEM char *site_escaped = NULL;
    HS_AUTO_MEM char *name_escaped = NULL;

    if (slash == NULL || slash == loop || slash[1] == '\0' || strchr(slash + 1, '/') != NULL) {
        return NULL;
    }
    site = hs_say_format("%.*s", (int)(slash - loop), loop);
    site_escaped = hs_client_escape(site);
    name_escaped = hs_client_escape(slash + 1);
    return hs_say_format("/v1/forecast/%s/%s", site_escaped, name_escaped);
}

/** Drop what lies beyond @hours, for every format alike. */
static void cut_points(const json_t *answer, json_t *points, int64_t hours)
{
    double slot_s = hs_render_find_real(answer, "slot_s");

    if (slot_s > 0) {
        size_t n = (size_t)ceil((double)hours * HS_S_PER_H / slot_s);

        while (json_array_size(points) > n) {
            (void)json_array_remove(points, json_array_size(points) - 1);
        }
    }
}

static enum hs_exit forecast_run(const struct hs_args *args)
{
    json_auto_t *answer = NULL;
    HS_AUTO_MEM char *path = forecast_path(args->words[0]);
    json_t *points = NULL;
    enum hs_table_format format = HS_TABLE_TABLE;
    struct hs_err err = {0};
    int64_t hours = 0;
    enum hs_exit status = hs_table_get_format(args, &format);

    if (status != HS_EXIT_OK) {
        return status;
    }
    if (path == NULL) {
        hs_say_error("'%s' is no heat loop; write SITE/LOOP as 'hsched loops' shows it",
                     args->words[0]);
        return HS_EXIT_USAGE;
    }
    if (hs_args_get_int(args, "hours", 24, 1, HOURS_MAX, &hours, &err) != 0) {
        hs_say_error("%s", err.text);
        return HS_EXIT_USAGE;
    }
    status = hs_client_fetch(args, path, &answer);
    if (status != HS_EXIT_OK) {
        return status;
    }
    points = json_object_get(answer, "points");
    cut_points(answer, points, hours);
    if (format == HS_TABLE_TABLE || format == HS_TABLE_WIDE) {
        print_forecast(answer, points, format == HS_TABLE_WIDE, hs_args_has(args, "slots"));
    } else {
        hs_table_print(&table, format, answer, points);
    }
    return HS_EXIT_OK;
}

const struct hs_command hs_cmd_forecast = {
    .name = "forecast",
    .arguments = "SITE/LOOP",
    .summary = "show what a heat loop will want, and what heat will be worth",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .n_words_min = 1,
    .n_words_max = 1,
    .flags = HS_COMMAND_FORMATS,
    .run = forecast_run,
};
