/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/forecastview.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ctl/render.h"
#include "ctl/say.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"
#include "scheduler/base/units.h"

#define BARS_MAX 48 /* two days by the hour: fits beside its range in 80 columns */
#define LABEL    "%-8s"

static const struct hs_table_column columns[] = {
    {"FROM", "local", NULL, HS_RENDER_TEXT, HS_TABLE_IN_TABLE},
    {"", "at", NULL, HS_RENDER_AT, HS_TABLE_IN_CSV},
    {"P10 kW", "p10_w", NULL, HS_RENDER_KW, HS_TABLE_ALWAYS},
    {"P50 kW", "p50_w", NULL, HS_RENDER_KW, HS_TABLE_ALWAYS},
    {"P90 kW", "p90_w", NULL, HS_RENDER_KW, HS_TABLE_ALWAYS},
    {"OUTDOOR °C", "outdoor_c", NULL, HS_RENDER_CELSIUS, HS_TABLE_ALWAYS},
    {"HEAT $/MWh", "heat_price_cur_per_mwh", NULL, HS_RENDER_PRICE, HS_TABLE_ALWAYS},
    {"PLANNED FOR kW", "demand_heat_w", NULL, HS_RENDER_KW, HS_TABLE_EXTRA},
    {"IT kW", "it_w", NULL, HS_RENDER_KW, HS_TABLE_EXTRA},
    {"TANK kWh", "tank_wh", NULL, HS_RENDER_KWH, HS_TABLE_EXTRA},
    {"POWER $/MWh", "electricity_cur_per_mwh", NULL, HS_RENDER_PRICE, HS_TABLE_EXTRA},
};

#define N_COLUMNS    (sizeof(columns) / sizeof(columns[0]))
#define FIRST_NUMBER 2 /* columns from here on are means over what a row covers */

const struct hs_table hs_forecastview_table = {
    .name_key = "at",
    .none = "no forecast yet",
    .columns = columns,
    .n_columns = N_COLUMNS,
};

/* --- on what it stands --- */

char *hs_forecastview_format_weather(const json_t *sink)
{
    const char *weather = hs_render_find_text(sink, "how.weather");
    double age_s = hs_render_find_real(sink, "how.weather_age_s");
    HS_AUTO_MEM char *age = isnan(age_s) ? hs_xstrdup("at an unknown time")
                                         : hs_say_format("%.0f h ago", fmax(0, age_s / HS_S_PER_H));

    if (weather == NULL) {
        return hs_xstrdup("unknown");
    }
    if (strcmp(weather, "issued") == 0) {
        return hs_say_format("a forecast issued %s", age);
    }
    if (strcmp(weather, "stale") == 0) {
        return hs_say_format("a stale forecast issued %s, so intervals are wider", age);
    }
    if (strcmp(weather, "persisted") == 0) {
        return hs_xstrdup("what the site's own sensor saw goes on");
    }
    return hs_xstrdup("none, no outdoor temperature is known");
}

static bool knows_nothing(const json_t *sink)
{
    const char *model = hs_render_find_text(sink, "how.model");

    return model != NULL && strcmp(model, "nothing-known") == 0;
}

void hs_forecastview_say_how(const json_t *sinks)
{
    for (size_t i = 0; i < json_array_size(sinks); i++) {
        const json_t *sink = json_array_get(sinks, i);
        HS_AUTO_MEM char *name = hs_render_value(hs_render_find(sink, "name"), HS_RENDER_TEXT, 0);
        HS_AUTO_MEM char *model =
            hs_render_value(hs_render_find(sink, "how.model"), HS_RENDER_TEXT, 0);
        HS_AUTO_MEM char *weather = hs_forecastview_format_weather(sink);

        if (knows_nothing(sink)) {
            hs_say_note("%s: its meter has said nothing yet, so there is no forecast", name);
        } else {
            hs_say_note("%s: forecast by %s; weather: %s", name, model, weather);
        }
    }
}

/* --- rows --- */

static int64_t find_at_s(const json_t *point)
{
    const char *text = hs_render_find_text(point, "at");
    int64_t at_s = 0;

    return text != NULL && hs_timetext_parse(text, 0, &at_s, NULL) == 0 ? at_s : 0;
}

/** Seconds that clocks at the site are ahead of UTC; 0 where the daemon does not say. */
static int64_t find_offset_s(const json_t *point)
{
    double offset_s = hs_render_find_real(point, "utc_offset_s");

    return isnan(offset_s) ? 0 : (int64_t)offset_s;
}

/** The zone of the site; NULL where its clocks show UTC. */
static const char *find_zone(const json_t *answer)
{
    const char *zone = hs_render_find_text(answer, "timezone");

    return zone != NULL && strcmp(zone, "UTC") != 0 ? zone : NULL;
}

/** "Mon 18:15" on the clocks of the site, or "Mon 18:15Z". Owned by the caller. */
static char *format_time(const json_t *answer, const json_t *point)
{
    int64_t offset_s = find_offset_s(point);
    char *text = hs_render_at(find_at_s(point) + offset_s, hs_render_find_now(answer) + offset_s);

    if (find_zone(answer) != NULL) {
        text[strlen(text) - 1] = '\0'; /* its Z */
    }
    return text;
}

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

/** Slots that make an hour; 1 where slots are longer or unknown. */
static size_t slots_per_hour(const json_t *answer)
{
    double slot_s = hs_render_find_real(answer, "slot_s");

    return slot_s > 0 && slot_s <= HS_S_PER_H ? (size_t)lround(HS_S_PER_H / slot_s) : 1;
}

/** When the hour on the clocks of the site began: an hour that is lived twice begins twice. */
static int64_t find_hour(const json_t *point)
{
    int64_t offset_s = find_offset_s(point);

    return (find_at_s(point) + offset_s) / 3600 * 3600 - offset_s;
}

/** How many points from @first on begin in one and the same clock hour. */
static size_t count_hour(const json_t *points, size_t first)
{
    int64_t hour = find_hour(json_array_get(points, first));
    size_t n = 1;

    while (first + n < json_array_size(points)
           && find_hour(json_array_get(points, first + n)) == hour) {
        n++;
    }
    return n;
}

/** One row for each clock hour of @points, or for each point. Owned by the caller. */
static json_t *rows_new(const json_t *answer, const json_t *points, bool has_slots)
{
    json_t *rows = hs_jsonx_array();
    size_t n = 1;

    for (size_t first = 0; first < json_array_size(points); first += n) {
        const json_t *point = json_array_get(points, first);
        HS_AUTO_MEM char *local = format_time(answer, point);
        json_t *row = hs_jsonx_object();

        n = has_slots ? 1 : count_hour(points, first);
        hs_jsonx_set_text(row, "local", local);
        hs_jsonx_set_text(row, "at", hs_render_find_text(point, "at"));
        for (size_t i = FIRST_NUMBER; i < N_COLUMNS; i++) {
            hs_jsonx_set_real(row, columns[i].key, mean_of(points, first, n, columns[i].key));
        }
        hs_jsonx_add(rows, row);
    }
    return rows;
}

void hs_forecastview_print_rows(const json_t *answer, const json_t *points, bool is_wide,
                                bool has_slots)
{
    json_auto_t *rows = rows_new(answer, points, has_slots);
    const char *zone = find_zone(answer);
    struct hs_table_column named[N_COLUMNS];
    struct hs_table table = hs_forecastview_table;
    HS_AUTO_MEM char *title = zone != NULL ? hs_say_format("FROM (%s)", zone) : hs_xstrdup("FROM");

    memcpy(named, columns, sizeof(named));
    named[0].title = title;
    table.columns = named;
    hs_table_print(&table, is_wide ? HS_TABLE_WIDE : HS_TABLE_TABLE, answer, rows);
}

/* --- drawings --- */

/** What one drawing shows: the mean of a field over the points of each bar. */
struct drawing {
    size_t n;
    double values[BARS_MAX];
    double least;
    double greatest;
};

static void draw(struct drawing *drawing, const json_t *points, size_t per_bar, const char *key)
{
    drawing->n = (json_array_size(points) + per_bar - 1) / per_bar;
    drawing->least = INFINITY;
    drawing->greatest = -INFINITY;
    for (size_t i = 0; i < drawing->n; i++) {
        double value = mean_of(points, i * per_bar, per_bar, key);

        drawing->values[i] = value;
        drawing->least = value < drawing->least ? value : drawing->least;
        drawing->greatest = value > drawing->greatest ? value : drawing->greatest;
    }
}

/** "p50      ▁▂▅█  2.0 to 21.5 kW" on the given scale; nothing if no value is known. */
static void print_drawing(const char *label, const struct drawing *drawing,
                          const struct drawing *scale, enum hs_render_kind kind, const char *unit)
{
    HS_AUTO_MEM char *bars = NULL;
    HS_AUTO_MEM char *least = NULL;
    HS_AUTO_MEM char *greatest = NULL;

    if (!(drawing->least <= drawing->greatest)) {
        return;
    }
    bars = hs_render_bars_between(drawing->values, drawing->n, scale->least, scale->greatest);
    least = hs_render_number(drawing->least, kind);
    greatest = hs_render_number(drawing->greatest, kind);
    if (strcmp(least, greatest) == 0) {
        printf(LABEL " %s  %s %s\n", label, bars, least, unit);
    } else {
        printf(LABEL " %s  %s to %s %s\n", label, bars, least, greatest, unit);
    }
}

/** The hour of the clock beneath the bars: "06    12    18". */
static void print_clock(const json_t *points, size_t per_bar, size_t per_hour)
{
    size_t n = (json_array_size(points) + per_bar - 1) / per_bar;
    int64_t every_h = per_bar <= 2 * per_hour ? 6 : 24;
    char text[BARS_MAX + 3];
    size_t free_from = 0;

    memset(text, ' ', sizeof(text));
    for (size_t i = 0; i < n; i++) {
        const json_t *point = json_array_get(points, i * per_bar);
        int64_t hour = (find_at_s(point) + find_offset_s(point)) / 3600 % 24;

        if (hour % every_h == 0 && i >= free_from) {
            text[i] = (char)('0' + hour / 10);
            text[i + 1] = (char)('0' + hour % 10);
            free_from = i + 3;
        }
    }
    text[n + 1] = '\0';
    for (size_t i = n + 1; i > 0 && text[i - 1] == ' '; i--) {
        text[i - 1] = '\0';
    }
    if (text[0] != '\0') {
        printf(LABEL " %s\n", "hour", text);
    }
}

void hs_forecastview_print_bars(const json_t *answer, const json_t *points)
{
    static const char *const keys[] = {"p90_w", "p50_w", "p10_w"};
    static const char *const labels[] = {"p90", "p50", "p10"};
    size_t per_hour = slots_per_hour(answer);
    size_t n_hours = (json_array_size(points) + per_hour - 1) / per_hour;
    size_t per_bar = (n_hours + BARS_MAX - 1) / BARS_MAX * per_hour;
    HS_AUTO_MEM char *currency =
        hs_render_value(hs_render_find(answer, "currency"), HS_RENDER_TEXT, 0);
    HS_AUTO_MEM char *price = hs_say_format("%s/MWh", currency);
    struct drawing heat[3];
    struct drawing scale = {.least = INFINITY, .greatest = -INFINITY};
    struct drawing other;

    if (json_array_size(points) == 0) {
        return;
    }
    for (size_t i = 0; i < 3; i++) {
        draw(&heat[i], points, per_bar, keys[i]);
        scale.least = fmin(scale.least, heat[i].least);
        scale.greatest = fmax(scale.greatest, heat[i].greatest);
    }
    for (size_t i = 0; i < 3; i++) {
        print_drawing(labels[i], &heat[i], &scale, HS_RENDER_KW, "kW");
    }
    draw(&other, points, per_bar, "outdoor_c");
    print_drawing("outdoor", &other, &other, HS_RENDER_CELSIUS, hs_render_is_utf8() ? "°C" : "C");
    draw(&other, points, per_bar, "heat_price_cur_per_mwh");
    print_drawing("price", &other, &other, HS_RENDER_PRICE, price);
    print_clock(points, per_bar, per_hour);
    putchar('\n');
}

/* --- how right it was --- */

/** "38% better than 'same as yesterday'". Owned by the caller. */
static char *compare(double nmae, double yesterday_nmae)
{
    double gain = 1 - nmae / yesterday_nmae;
    HS_AUTO_MEM char *percent = hs_render_number(fabs(gain), HS_RENDER_PERCENT);

    if (!(yesterday_nmae > 0)) {
        return hs_xstrdup("where 'same as yesterday' cannot be judged");
    }
    if (fabs(gain) < 0.005) {
        return hs_xstrdup("as good as 'same as yesterday'");
    }
    return hs_say_format("%s %s than 'same as yesterday'", percent, gain > 0 ? "better" : "worse");
}

static void print_block(const json_t *block)
{
    double nmae = hs_render_find_real(block, "nmae");
    double n = hs_render_find_real(block, "n");
    HS_AUTO_MEM char *leads =
        hs_say_format("%.0f-%.0f h ahead:", hs_render_find_real(block, "from_lead_h"),
                      hs_render_find_real(block, "to_lead_h"));
    HS_AUTO_MEM char *percent = hs_render_number(nmae, HS_RENDER_PERCENT);
    HS_AUTO_MEM char *coverage =
        hs_render_value(hs_render_find(block, "coverage_80_ratio"), HS_RENDER_PERCENT, 0);
    HS_AUTO_MEM char *comparison = compare(nmae, hs_render_find_real(block, "yesterday_nmae"));

    if (isnan(nmae) || !(n > 0)) {
        printf("  %-14s not judged yet\n", leads);
        return;
    }
    printf("  %-14s off by %s of the mean, %s;\n", leads, percent, comparison);
    printf("  %-14s %s of hours fell in the 80%% interval (%.0f judged)\n", "", coverage, n);
}

void hs_forecastview_print_accuracy(const json_t *sinks)
{
    for (size_t i = 0; i < json_array_size(sinks); i++) {
        const json_t *sink = json_array_get(sinks, i);
        const json_t *blocks = json_object_get(sink, "accuracy");
        HS_AUTO_MEM char *name = hs_render_value(hs_render_find(sink, "name"), HS_RENDER_TEXT, 0);

        if (json_array_size(blocks) == 0) {
            continue;
        }
        printf("\n%s, over the last 14 days\n", name);
        for (size_t b = 0; b < json_array_size(blocks); b++) {
            print_block(json_array_get(blocks, b));
        }
    }
}
