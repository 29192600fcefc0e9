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
#include "scheduler/base/timetext.h"

#define TANK_STEPS 8

static const struct hs_table_column columns[] = {
    {"LOOP", "name", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"STATE", "state", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"SINCE", "since", NULL, HS_RENDER_AT, HS_TABLE_EXTRA},
    {"DEMAND kW", "demand_heat_w", NULL, HS_RENDER_KW, HS_TABLE_ALWAYS},
    {"CAPTURED kW", "captured_heat_w", NULL, HS_RENDER_KW, HS_TABLE_ALWAYS},
    {"REJECTED kW", "rejected_heat_w", NULL, HS_RENDER_KW, HS_TABLE_EXTRA},
    {"TANK", "tank_bar", NULL, HS_RENDER_TEXT, HS_TABLE_IN_WIDE},
    {"TANK °C", "tank_c", NULL, HS_RENDER_CELSIUS, HS_TABLE_ALWAYS},
    {"FULL", "tank_ratio", NULL, HS_RENDER_PERCENT, HS_TABLE_ALWAYS},
    {"TANK kWh", "tank_wh", NULL, HS_RENDER_KWH, HS_TABLE_EXTRA},
    {"OF kWh", "tank_max_wh", NULL, HS_RENDER_KWH, HS_TABLE_EXTRA},
    {"RIDE-THROUGH", "ride_text", NULL, HS_RENDER_TEXT, HS_TABLE_IN_WIDE},
    {"HIGH DEMAND", "ride_p90_text", NULL, HS_RENDER_TEXT, HS_TABLE_IN_WIDE},
    {"FULL IN", "full_text", NULL, HS_RENDER_TEXT, HS_TABLE_IN_WIDE},
    {"EMPTY IN", "empty_text", NULL, HS_RENDER_TEXT, HS_TABLE_IN_WIDE},
    {"HEADROOM kW", "headroom_it_w", NULL, HS_RENDER_KW, HS_TABLE_EXTRA},
    {"FREE kW", "free_it_w", NULL, HS_RENDER_KW, HS_TABLE_EXTRA},
    {"", "ride_through_s", NULL, HS_RENDER_DURATION, HS_TABLE_IN_CSV},
    {"", "ride_through_p90_s", NULL, HS_RENDER_DURATION, HS_TABLE_IN_CSV},
    {"", "full_in_s", NULL, HS_RENDER_DURATION, HS_TABLE_IN_CSV},
    {"", "empty_in_s", NULL, HS_RENDER_DURATION, HS_TABLE_IN_CSV},
    {"HEAT $/MWh", "heat_price_cur_per_mwh", NULL, HS_RENDER_PRICE, HS_TABLE_ALWAYS},
    {"NEXT", "price_bars", NULL, HS_RENDER_TEXT, HS_TABLE_IN_TABLE | HS_TABLE_CUTS},
    {"CAUSE", "cause", NULL, HS_RENDER_TEXT, HS_TABLE_EXTRA},
};

static const struct hs_table table = {
    .name_key = "name",
    .none = "no heat loops",
    .columns = columns,
    .n_columns = sizeof(columns) / sizeof(columns[0]),
};

static void add_tank_bar(json_t *loop)
{
    double ratio = hs_render_find_real(loop, "tank_ratio");
    char bar[TANK_STEPS + 3] = "[";
    int n_full = 0;

    if (isnan(ratio)) {
        return;
    }
    ratio = fmin(fmax(ratio, 0), 1);
    n_full = (int)lround(ratio * TANK_STEPS);
    for (int i = 0; i < TANK_STEPS; i++) {
        bar[i + 1] = i < n_full ? '#' : '.';
    }
    strcpy(bar + TANK_STEPS + 1, "]");
    hs_jsonx_set_text(loop, "tank_bar", bar);
}

/** "4h33m", "over 47h45m" where the plan does not reach to its end. */
static void add_span(json_t *loop, const char *key, const char *least_key, const char *text_key)
{
    double span_s = hs_render_find_real(loop, key);
    bool is_least = least_key != NULL && json_is_true(json_object_get(loop, least_key));
    char span[HS_TIMETEXT_MAX];
    HS_AUTO_MEM char *text = NULL;

    if (!(span_s >= 0 && span_s < 1e9)) {
        return;
    }
    hs_timetext_format_duration((int64_t)(span_s / 60.0) * 60, span);
    text = hs_say_format("%s%s", is_least ? "over " : "", span);
    hs_jsonx_set_text(loop, text_key, text);
}

static void add_price_bars(json_t *loop)
{
    const json_t *prices = json_object_get(loop, "price_next_h");
    size_t n = json_array_size(prices);
    HS_AUTO_MEM double *values = hs_xcalloc(n, sizeof(*values));
    HS_AUTO_MEM char *bars = NULL;

    for (size_t i = 0; i < n; i++) {
        values[i] = hs_render_find_real(json_array_get(prices, i), "cur_per_mwh");
    }
    bars = hs_render_bars(values, n);
    hs_jsonx_set_text(loop, "price_bars", bars);
}

/** Below the table: what is wrong, since when and why, of each loop that is not normal. */
static void print_states(const json_t *items)
{
    const json_t *loop = NULL;
    size_t i = 0;

    json_array_foreach (items, i, loop) {
        const char *state = json_string_value(json_object_get(loop, "state"));
        HS_AUTO_MEM char *name = hs_render_value(json_object_get(loop, "name"), HS_RENDER_TEXT, 0);
        HS_AUTO_MEM char *since = hs_render_value(json_object_get(loop, "since"), HS_RENDER_AT, 0);
        HS_AUTO_MEM char *cause =
            hs_render_value(json_object_get(loop, "cause"), HS_RENDER_TEXT, 0);

        if (state == NULL || strcmp(state, "normal") == 0) {
            continue;
        }
        printf("%s has been in %s since %s: %s%s\n", name, state, since, cause,
               json_is_true(json_object_get(loop, "rejection_wanted"))
                   ? "; its heat is to be rejected"
                   : "");
    }
}

static enum hs_exit loops_run(const struct hs_args *args)
{
    json_auto_t *answer = NULL;
    enum hs_table_format format = HS_TABLE_TABLE;
    enum hs_exit status = hs_table_get_format(args, &format);
    json_t *loop = NULL;
    size_t i = 0;

    if (status == HS_EXIT_OK) {
        status = hs_client_fetch(args, "/v1/loops", &answer);
    }
    if (status != HS_EXIT_OK) {
        return status;
    }
    if (format == HS_TABLE_TABLE || format == HS_TABLE_WIDE) {
        json_array_foreach (json_object_get(answer, "items"), i, loop) {
            if (json_is_object(loop)) {
                add_tank_bar(loop);
                add_price_bars(loop);
                add_span(loop, "ride_through_s", "ride_through_is_least", "ride_text");
                add_span(loop, "ride_through_p90_s", "ride_through_p90_is_least", "ride_p90_text");
                add_span(loop, "full_in_s", NULL, "full_text");
                add_span(loop, "empty_in_s", NULL, "empty_text");
            }
        }
    }
    hs_table_print(&table, format, answer, NULL);
    if (format == HS_TABLE_TABLE || format == HS_TABLE_WIDE) {
        print_states(json_object_get(answer, "items"));
    }
    return HS_EXIT_OK;
}

const struct hs_command hs_cmd_loops = {
    .name = "loops",
    .arguments = "",
    .summary = "list heat loops: state, demand, tank, price of heat",
    .details = "The price of heat is what one more MWh into the loop is worth: the backup heat\n"
               "that it replaces now or later, negative where it would be thrown away. NEXT\n"
               "draws it over the next hours. Below the table: of each loop that is not normal\n"
               "its state, since when, and why. -o wide adds RIDE-THROUGH: how long the tank\n"
               "alone meets the demand if all compute stops now (HIGH DEMAND: where demand is\n"
               "what one forecast in ten exceeds); when the tank is planned to be full and\n"
               "empty; HEADROOM: IT power that could be added over the next hour with all of\n"
               "its heat used; FREE: IT power that the loop's hosts have room for. -o json has\n"
               "all of it by the hour.\n",
    .flags = HS_COMMAND_FORMATS,
    .run = loops_run,
};
