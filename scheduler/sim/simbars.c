/* SPDX-License-Identifier: Apache-2.0 */
/* simbars - three columns of bars; each has its own scale. */
#include "scheduler/sim/simbars.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/mem.h"
#include "scheduler/sim/simtable.h"
#include "scheduler/sim/svg.h"

#define BARS_WIDTH   960.0
#define BARS_LEFT    130.0
#define BARS_TOP     112.0
#define BARS_ROW     34.0
#define BARS_BAR     16.0
#define BARS_COLUMNS 3
#define BARS_GAP     34.0
#define BARS_VALUE   78.0 /* kept free right of the bars for the number */

struct part {
    const char *key;
    const char *name; /* in the legend; NULL: none */
    const char *colour;
};

struct column {
    const char *title;
    const char *id;
    struct part parts[2]; /* on top of one another; key NULL: one part */
    double factor;
    int decimals;
};

static const struct column saving_column = {
    "Saving against asap",
    "saving",
    {{"saving_heat_cur", "less backup heat", HS_SVG_ORANGE},
     {"saving_electricity_cur", "cheaper electricity", HS_SVG_PURPLE}},
    1,
    2};
static const struct column cost_column = {
    "Cost", "cost", {{"cost_cur", NULL, HS_SVG_PURPLE}, {NULL, NULL, NULL}}, 1, 2};
static const struct column coverage_column = {
    "Demand met by useful heat, %",
    "coverage",
    {{"coverage_ratio", NULL, HS_SVG_ORANGE}, {NULL, NULL, NULL}},
    100,
    1};
static const struct column late_column = {
    "Late jobs", "late", {{"jobs_late", NULL, HS_SVG_RED}, {NULL, NULL, NULL}}, 1, 0};

static double get_part(const json_t *entry, const struct column *column, size_t p)
{
    return column->parts[p].key != NULL
               ? hs_simtable_get(entry, column->parts[p].key) * column->factor
               : 0;
}

/** Least and most that a bar reaches, 0 included. */
static void find_range(const json_t *policies, const struct column *column, double *ret_low,
                       double *ret_high)
{
    double low = 0, high = 0;
    size_t i;
    const json_t *entry;

    json_array_foreach (policies, i, entry) {
        double a = get_part(entry, column, 0), b = get_part(entry, column, 1);

        low = fmin(low, fmin(a, 0) + fmin(b, 0));
        high = fmax(high, fmax(a, 0) + fmax(b, 0));
    }
    *ret_low = low;
    *ret_high = high > low ? high : low + 1;
}

static void draw_bar(struct hs_svg *svg, double left, double width, double y, const double *range,
                     const struct column *column, const json_t *entry)
{
    double scale = (width - BARS_VALUE) / (range[1] - range[0]);
    double zero = left - range[0] * scale, above = 0, below = 0, sum = 0;
    char text[64] = "-";

    for (size_t p = 0; p < 2; p++) {
        double value = get_part(entry, column, p), *side = value < 0 ? &below : &above;

        sum += value;
        if (!isnan(value) && value != 0) {
            hs_svg_rect(svg, (struct hs_svg_point){zero + *side * scale, y},
                        (struct hs_svg_point){zero + (*side + value) * scale, y + BARS_BAR},
                        column->parts[p].colour);
            *side += value;
        }
    }
    if (!isnan(sum)) {
        snprintf(text, sizeof(text), "%.*f", column->decimals, sum == 0 ? 0.0 : sum);
    }
    hs_svg_text(svg, (struct hs_svg_point){zero + above * scale + 6, y + BARS_BAR - 4}, HS_SVG_LEFT,
                12, text);
}

static void draw_legend(struct hs_svg *svg, double x, const struct column *column)
{
    for (size_t p = 0; p < 2 && column->parts[p].name != NULL; p++) {
        hs_svg_rect(svg, (struct hs_svg_point){x, BARS_TOP - 24},
                    (struct hs_svg_point){x + 12, BARS_TOP - 12}, column->parts[p].colour);
        hs_svg_text(svg, (struct hs_svg_point){x + 17, BARS_TOP - 13}, HS_SVG_LEFT, 12,
                    column->parts[p].name);
        x += 17 + (double)strlen(column->parts[p].name) * 6.6 + 12;
    }
}

static void draw_column(struct hs_svg *svg, const json_t *report, const struct column *column,
                        double left, double width)
{
    const json_t *policies = json_object_get(report, "policies");
    const char *currency = json_string_value(json_object_get(report, "currency"));
    bool is_money = strstr(column->parts[0].key, "_cur") != NULL && currency != NULL;
    double range[2], zero;
    char title[128];
    size_t i;
    const json_t *entry;

    find_range(policies, column, &range[0], &range[1]);
    zero = left - range[0] * (width - BARS_VALUE) / (range[1] - range[0]);
    snprintf(title, sizeof(title), "%s%s%s", column->title, is_money ? ", " : "",
             is_money ? currency : "");
    hs_svg_begin(svg, column->id);
    hs_svg_text(svg, (struct hs_svg_point){left, BARS_TOP - 34}, HS_SVG_LEFT, -13, title);
    draw_legend(svg, left, column);
    hs_svg_line(
        svg, (struct hs_svg_point){zero, BARS_TOP - 4},
        (struct hs_svg_point){zero, BARS_TOP + (double)json_array_size(policies) * BARS_ROW},
        HS_SVG_GREY);
    json_array_foreach (policies, i, entry) {
        draw_bar(svg, left, width, BARS_TOP + (double)i * BARS_ROW + (BARS_ROW - BARS_BAR) / 2 - 4,
                 range, column, entry);
    }
    hs_svg_end(svg);
}

static void draw_names(struct hs_svg *svg, const json_t *report)
{
    const char *name = json_string_value(json_object_get(report, "scenario"));
    const char *start = json_string_value(json_object_get(report, "start"));
    char text[256];
    size_t i;
    const json_t *entry;

    snprintf(text, sizeof(text), "Controllers on %.100s", name != NULL ? name : "this scenario");
    hs_svg_text(svg, (struct hs_svg_point){24, 28}, HS_SVG_LEFT, -16, text);
    if (start != NULL) {
        double days = hs_simtable_get(report, "days");

        snprintf(text, sizeof(text), "%g day%s from %.10s", days, days == 1 ? "" : "s", start);
        hs_svg_text(svg, (struct hs_svg_point){24, 48}, HS_SVG_LEFT, 12, text);
    }
    json_array_foreach (json_object_get(report, "policies"), i, entry) {
        hs_svg_text(
            svg,
            (struct hs_svg_point){BARS_LEFT - 14, BARS_TOP + (double)i * BARS_ROW + BARS_ROW / 2},
            HS_SVG_RIGHT, 13, json_string_value(json_object_get(entry, "name")));
    }
}

char *hs_simbars_format(const json_t *report)
{
    bool has_asap = hs_simtable_find(report, "asap") != NULL;
    const struct column *columns[BARS_COLUMNS] = {has_asap ? &saving_column : &cost_column,
                                                  &coverage_column, &late_column};
    static const double widths[BARS_COLUMNS] = {330, 250, 158};
    double n = (double)json_array_size(json_object_get(report, "policies")), left = BARS_LEFT;
    HS_AUTO(hs_svg)
    svg = hs_svg_new(BARS_WIDTH, BARS_TOP + n * BARS_ROW + 20, "Controllers side by side");

    draw_names(svg, report);
    for (size_t c = 0; c < BARS_COLUMNS; c++) {
        draw_column(svg, report, columns[c], left, widths[c]);
        left += widths[c] + BARS_GAP;
    }
    return hs_svg_format(svg);
}
