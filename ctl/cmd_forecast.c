/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/forecastview.h"
#include "ctl/modelview.h"
#include "ctl/say.h"
#include "ctl/table.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/conf.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"

#define HOURS_MAX 168

static const struct hs_command_option options[] = {
    {.name = "hours", .argument = "N", .help = "look so far ahead (48)"},
    {.name = "slots", .help = "a row a slot, else the mean of each hour"},
    {.name = "model", .help = "show what was learned, and who speaks"},
};

/** "pool/main" or "pool/main/basin" in parts. */
struct place {
    char *site; /* owned */
    char *loop; /* owned */
    char *sink; /* owned, nullable */
};

static void place_fini(struct place *place)
{
    free(place->sink);
    free(place->loop);
    free(place->site);
}

/** @return false if @text is no SITE/LOOP[/SINK] */
static bool place_parse(const char *text, struct place *ret_place)
{
    const char *first = strchr(text, '/');
    const char *second = first != NULL ? strchr(first + 1, '/') : NULL;
    const char *end = text + strlen(text);

    if (first == NULL || first == text || first + 1 == (second != NULL ? second : end)
        || (second != NULL && (second + 1 == end || strchr(second + 1, '/') != NULL))) {
        return false;
    }
    ret_place->site = hs_say_format("%.*s", (int)(first - text), text);
    ret_place->loop =
        hs_say_format("%.*s", (int)((second != NULL ? second : end) - first - 1), first + 1);
    ret_place->sink = second != NULL ? hs_xstrdup(text) : NULL;
    return true;
}

/** Drop what lies beyond @hours, for every format alike. */
static void cut(const json_t *answer, json_t *slots, int64_t hours)
{
    double slot_s = hs_render_find_real(answer, "slot_s");

    if (slot_s > 0) {
        size_t n = (size_t)ceil((double)hours * HS_S_PER_H / slot_s);

        while (json_array_size(slots) > n) {
            (void)json_array_remove(slots, json_array_size(slots) - 1);
        }
    }
}

static void cut_all(const json_t *answer, int64_t hours)
{
    const json_t *sinks = json_object_get(answer, "sinks");

    cut(answer, json_object_get(answer, "points"), hours);
    for (size_t i = 0; i < json_array_size(sinks); i++) {
        cut(answer, json_object_get(json_array_get(sinks, i), "slots"), hours);
    }
}

/** Leave of @answer only what concerns the sink at @place: its points carry its own heat. */
static enum hs_exit keep_sink(json_t *answer, const struct place *place)
{
    const json_t *sinks = json_object_get(answer, "sinks");
    const json_t *points = json_object_get(answer, "points");
    size_t n = json_array_size(sinks);
    HS_AUTO_MEM const char **names = hs_xcalloc(n + 1, sizeof(*names));
    json_t *sink = NULL;
    const char *nearest = NULL;

    for (size_t i = 0; i < n; i++) {
        const char *found = hs_render_find_text(json_array_get(sinks, i), "name");

        names[i] = found != NULL ? found : "";
        sink = strcmp(names[i], place->sink) == 0 ? json_array_get(sinks, i) : sink;
    }
    if (sink == NULL) {
        nearest = hs_conf_nearest(names, place->sink);
        nearest = nearest != NULL ? nearest : names[0];
        hs_say_error("no sink '%s'%s%s%s; 'hsched forecast %s/%s' shows them all", place->sink,
                     nearest != NULL ? ", did you mean '" : "", nearest != NULL ? nearest : "",
                     nearest != NULL ? "'" : "", place->site, place->loop);
        return HS_EXIT_NOTFOUND;
    }
    for (size_t i = 0; i < json_array_size(points); i++) {
        json_t *point = json_array_get(points, i);

        if (json_is_object(point)) {
            hs_jsonx_set(point, "demand_heat_w", json_null()); /* the loop's */
            (void)json_object_update(point, json_array_get(json_object_get(sink, "slots"), i));
        }
    }
    hs_jsonx_set(answer, "sinks", hs_table_wrap(sink));
    return HS_EXIT_OK;
}

static void show(const struct hs_args *args, const json_t *answer, enum hs_table_format format)
{
    const json_t *points = json_object_get(answer, "points");
    const json_t *sinks = json_object_get(answer, "sinks");
    bool is_for_people = format == HS_TABLE_TABLE || format == HS_TABLE_WIDE;

    if (hs_args_has(args, "model") && is_for_people) {
        hs_modelview_print(answer, sinks);
    } else if (hs_args_has(args, "model")) {
        json_auto_t *figures = hs_modelview_list(answer, sinks);

        hs_table_print(&hs_modelview_table, format, answer, figures);
    } else if (is_for_people) {
        hs_forecastview_say_how(sinks);
        hs_forecastview_print_bars(answer, points);
        hs_forecastview_print_rows(answer, points, format == HS_TABLE_WIDE,
                                   hs_args_has(args, "slots"));
        hs_forecastview_print_accuracy(sinks);
    } else {
        hs_table_print(&hs_forecastview_table, format, answer, points);
    }
}

static enum hs_exit fetch(const struct hs_args *args, const struct place *place, int64_t hours,
                          json_t **ret_answer)
{
    HS_AUTO_MEM char *site = hs_client_escape(place->site);
    HS_AUTO_MEM char *loop = hs_client_escape(place->loop);
    HS_AUTO_MEM char *path = hs_say_format("/v1/forecast/%s/%s", site, loop);
    enum hs_exit status = hs_client_fetch(args, path, ret_answer);

    if (status == HS_EXIT_OK) {
        cut_all(*ret_answer, hours);
    }
    return status == HS_EXIT_OK && place->sink != NULL ? keep_sink(*ret_answer, place) : status;
}

static enum hs_exit forecast_run(const struct hs_args *args)
{
    json_auto_t *answer = NULL;
    struct place place = {0};
    enum hs_table_format format = HS_TABLE_TABLE;
    struct hs_err err = {0};
    int64_t hours = 0;
    enum hs_exit status = hs_table_get_format(args, &format);

    if (status != HS_EXIT_OK) {
        return status;
    }
    if (hs_args_get_int(args, "hours", 48, 1, HOURS_MAX, &hours, &err) != 0) {
        hs_say_error("%s", err.text);
        return HS_EXIT_USAGE;
    }
    if (!place_parse(args->words[0], &place)) {
        hs_say_error("'%s' is no heat loop; write SITE/LOOP as 'hsched loops' shows it",
                     args->words[0]);
        return HS_EXIT_USAGE;
    }
    status = fetch(args, &place, hours, &answer);
    if (status == HS_EXIT_OK) {
        show(args, answer, format);
    }
    place_fini(&place);
    return status;
}

const struct hs_command hs_cmd_forecast = {
    .name = "forecast",
    .arguments = "SITE/LOOP[/SINK]",
    .summary = "show what heat will be wanted, how sure that is, and how right it was",
    .details = "p50 is as likely too low as too high; 8 hours in 10 should fall between p10 and\n"
               "p90. --model shows heat loss, base load and the like with their errors. csv,\n"
               "jsonl and name hold the slots, or the figures; json holds everything.\n"
               "See docs/forecast.md.\n",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .n_words_min = 1,
    .n_words_max = 1,
    .flags = HS_COMMAND_FORMATS,
    .run = forecast_run,
};
