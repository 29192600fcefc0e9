/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

#include <math.h>
#include <stdio.h>

#include "ctl/client.h"
#include "ctl/say.h"
#include "ctl/table.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"

#define BARS_MAX 24 /* two drawings of this many fit beside the rest in 80 columns */

static const struct hs_table_column loop_columns[] = {
    {"LOOP", "name", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"IT PLANNED", "it_bars", NULL, HS_RENDER_TEXT, HS_TABLE_IN_TABLE | HS_TABLE_CUTS},
    {"TOP kW", "it_max_w", NULL, HS_RENDER_KW, HS_TABLE_IN_TABLE},
    {"HEAT PRICE A MWh", "price_bars", NULL, HS_RENDER_TEXT, HS_TABLE_IN_TABLE | HS_TABLE_CUTS},
    {"TOP $", "price_max", NULL, HS_RENDER_PRICE, HS_TABLE_IN_TABLE},
};

static const struct hs_table loop_table = {
    .name_key = "name",
    .columns = loop_columns,
    .n_columns = sizeof(loop_columns) / sizeof(loop_columns[0]),
};

static const struct hs_table_column columns[] = {
    {"JOB", "job", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"HOST", "host", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"START", "start", NULL, HS_RENDER_AT, HS_TABLE_ALWAYS},
    {"END", "end", NULL, HS_RENDER_AT, HS_TABLE_ALWAYS},
    {"SLOTS", "n_slots", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"LATE", "late", NULL, HS_RENDER_YES, HS_TABLE_ALWAYS},
    {"FORCED", "forced", NULL, HS_RENDER_YES, HS_TABLE_ALWAYS},
};

static const struct hs_table table = {
    .name_key = "job",
    .none = "no job is placed",
    .columns = columns,
    .n_columns = sizeof(columns) / sizeof(columns[0]),
};

static const struct hs_table_column miss_columns[] = {
    {"MISSED", "kind", NULL, HS_RENDER_TEXT, HS_TABLE_IN_TABLE},
    {"NAME", "name", NULL, HS_RENDER_TEXT, HS_TABLE_IN_TABLE},
    {"CAUSE", "cause", NULL, HS_RENDER_TEXT, HS_TABLE_IN_TABLE},
    {"HOW", "text", NULL, HS_RENDER_TEXT, HS_TABLE_IN_TABLE},
};

static const struct hs_table miss_table = {
    .name_key = "name",
    .columns = miss_columns,
    .n_columns = sizeof(miss_columns) / sizeof(miss_columns[0]),
};

/** Bars of the mean of every @n_slots values of @series, and the greatest single value. */
static void set_bars(json_t *row, const char *bars_key, const char *max_key, const json_t *series,
                     size_t n_slots)
{
    size_t n = (json_array_size(series) + n_slots - 1) / n_slots;
    HS_AUTO_MEM double *means = hs_xcalloc(n, sizeof(*means));
    HS_AUTO_MEM char *bars = NULL;
    double greatest = -INFINITY;

    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        size_t n_known = 0;

        for (size_t slot = i * n_slots; slot < (i + 1) * n_slots; slot++) {
            const json_t *value = json_array_get(series, slot);

            if (json_is_number(value)) {
                sum += json_number_value(value);
                greatest = fmax(greatest, json_number_value(value));
                n_known++;
            }
        }
        means[i] = n_known > 0 ? sum / (double)n_known : NAN;
    }
    bars = hs_render_bars(means, n);
    hs_jsonx_set_text(row, bars_key, bars);
    hs_jsonx_set_real(row, max_key, greatest); /* infinite, so null, if nothing is known */
}

/** Slots that one bar stands for: whole hours, few enough for BARS_MAX bars. */
static size_t slots_per_bar(const json_t *answer)
{
    double slot_s = hs_render_find_real(answer, "slot_s");
    double span_s = hs_render_find_real(answer, "n_slots") * slot_s;

    if (!(slot_s > 0) || slot_s > HS_S_PER_H || !(span_s > 0) || span_s > 1e9) {
        return 1;
    }
    return (size_t)(ceil(span_s / HS_S_PER_H / BARS_MAX) * HS_S_PER_H / slot_s);
}

/** Bars for each loop: where work goes, beside what draws it there. */
static void print_loops(const json_t *answer)
{
    const json_t *loops = json_object_get(answer, "loops");
    size_t n_slots = slots_per_bar(answer);
    json_auto_t *rows = hs_jsonx_array();

    for (size_t i = 0; i < json_array_size(loops); i++) {
        const json_t *loop = json_array_get(loops, i);
        json_t *row = hs_jsonx_object();

        hs_jsonx_set_text(row, "name", hs_render_find_text(loop, "name"));
        set_bars(row, "it_bars", "it_max_w", json_object_get(loop, "it_w"), n_slots);
        set_bars(row, "price_bars", "price_max", json_object_get(loop, "heat_price_cur_per_mwh"),
                 n_slots);
        hs_jsonx_add(rows, row);
    }
    if (json_array_size(rows) > 0) {
        hs_table_print(&loop_table, HS_TABLE_TABLE, answer, rows);
        putchar('\n');
    }
}

/** Every target that the plan misses, by name and cause. */
static void print_misses(const json_t *answer)
{
    const json_t *misses = json_object_get(answer, "misses");

    if (json_array_size(misses) > 0) {
        hs_table_print(&miss_table, HS_TABLE_TABLE, answer, misses);
        putchar('\n');
    }
}

/** How far the plan was from the best one at most, when that was last looked for. */
static void say_bound(const json_t *answer)
{
    const json_t *bound = json_object_get(answer, "bound");
    double cost_cur = hs_render_find_real(bound, "cost_cur");
    double bound_cur = hs_render_find_real(bound, "bound_cur");
    double gap_ratio = hs_render_find_real(bound, "gap_ratio");

    if (!isnan(gap_ratio)) {
        hs_say_note("of it jobs and heat %.2f; no plan for less than %.2f: gap at most %.1f %%",
                    cost_cur, bound_cur, gap_ratio * 100);
    }
}

static void say_summary(const json_t *answer)
{
    double slot_s = hs_render_find_real(answer, "slot_s");
    double span_s = hs_render_find_real(answer, "n_slots") * slot_s;
    double cost_cur = hs_render_find_real(answer, "cost_cur");
    double n_late = hs_render_find_real(answer, "n_late");
    HS_AUTO_MEM char *from =
        hs_render_value(hs_render_find(answer, "from"), HS_RENDER_AT, hs_render_find_now(answer));

    if (span_s > 0) {
        HS_AUTO_MEM char *span = hs_render_number(span_s, HS_RENDER_DURATION);
        HS_AUTO_MEM char *bar =
            hs_render_number((double)slots_per_bar(answer) * slot_s, HS_RENDER_DURATION);

        hs_say_note("plan from %s over %s, a bar for each %s", from, span, bar);
    }
    if (!isnan(cost_cur)) {
        hs_say_note("cost %.2f %s, %.0f late", cost_cur, hs_table_get_currency(answer),
                    isnan(n_late) ? 0.0 : n_late);
    }
    say_bound(answer);
}

static enum hs_exit plan_run(const struct hs_args *args)
{
    json_auto_t *answer = NULL;
    enum hs_table_format format = HS_TABLE_TABLE;
    const json_t *placements = NULL;
    enum hs_exit status = hs_table_get_format(args, &format);

    if (status == HS_EXIT_OK) {
        status = hs_client_fetch(args, "/v1/plan", &answer);
    }
    if (status != HS_EXIT_OK) {
        return status;
    }
    placements = json_object_get(answer, "placements");
    if (format == HS_TABLE_TABLE || format == HS_TABLE_WIDE) {
        say_summary(answer);
        print_loops(answer);
        print_misses(answer);
    }
    hs_table_print(&table, format, answer, placements);
    return HS_EXIT_OK;
}

const struct hs_command hs_cmd_plan = {
    .name = "plan",
    .arguments = "",
    .summary = "show what will run where and when",
    .details = "csv, jsonl and name hold the placements; json holds everything.\n",
    .flags = HS_COMMAND_FORMATS,
    .run = plan_run,
};
