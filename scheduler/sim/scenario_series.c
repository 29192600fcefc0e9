/* SPDX-License-Identifier: Apache-2.0 */
/* scenario_series - entry by entry; a bad one is said once and does not make others bad. */
#include "scheduler/sim/scenario_series.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "adapters/signal/filetext.h"
#include "adapters/signal/signal.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"
#include "scheduler/base/units.h"
#include "scheduler/sim/scenario_fields.h"

#define SPEC_FIELDS_MAX 8
#define COUNT(array)    (sizeof(array) / sizeof((array)[0]))
#define NOTE_MAX        256

/** One entry of heat, weather, price or carbon: the spec first, as its table wants. */
struct series_entry {
    struct hs_signal_spec spec;
    char thing[HS_PATH_MAX];
};

struct series_reader {
    struct hs_scenario *scenario;
    const json_t *root;
    const char *dir;
    struct hs_conf_report *report;
    struct hs_signal_cache *cache;
};

/** Refuse a series that misses more than a day at either end of the run. */
static void check_cover(struct series_reader *reader, const struct hs_series *series,
                        const char *pointer)
{
    const struct hs_scenario *scenario = reader->scenario;
    char from[HS_TIMETEXT_MAX] = "never", to[HS_TIMETEXT_MAX] = "never";
    char start[HS_TIMETEXT_MAX], end[HS_TIMETEXT_MAX];
    int64_t first_at_s = INT64_MAX, last_at_s = INT64_MIN;

    for (size_t i = 0; i < series->n; i++) {
        if (!isnan(series->values[i])) {
            first_at_s = first_at_s < series->at_s[i] ? first_at_s : series->at_s[i];
            last_at_s = series->at_s[i] + series->step_s;
        }
    }
    if (first_at_s > last_at_s || first_at_s > scenario->start_at_s + HS_S_PER_DAY
        || last_at_s < hs_scenario_end_at_s(scenario) - HS_S_PER_DAY) {
        if (first_at_s <= last_at_s) {
            hs_timetext_format(first_at_s, from);
            hs_timetext_format(last_at_s, to);
        }
        hs_timetext_format(scenario->start_at_s, start);
        hs_timetext_format(hs_scenario_end_at_s(scenario), end);
        hs_conf_report_add(reader->report, pointer,
                           "the series covers %s to %s, not the run from %s to %s; choose another "
                           "start, or shift_s",
                           from, to, start, end);
    }
}

__attribute__((format(printf, 2, 3))) static void add_note(struct hs_scenario *scenario,
                                                           const char *fmt, ...)
{
    char text[NOTE_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    scenario->notes = hs_xrealloc(scenario->notes, scenario->n_notes + 1, sizeof(*scenario->notes));
    scenario->notes[scenario->n_notes++] = hs_xstrdup(text);
}

/** Say what of the series is not known, so that nobody takes a held value for a measured one. */
static void note_unknown(struct series_reader *reader, const struct hs_signal_quantity *quantity,
                         const struct series_entry *entry, const struct hs_series *series,
                         const struct hs_signal_odd *odd)
{
    struct hs_scenario *scenario = reader->scenario;
    double known_ratio =
        hs_series_get_known_ratio(series, scenario->start_at_s, hs_scenario_end_at_s(scenario));
    char where[HS_FILETEXT_WHERE_MAX];

    if (odd->n > 0) {
        add_note(scenario, "%s: %g %s is no %s; %zu such value%s of '%s' count%s as unknown",
                 odd->where, odd->value, quantity->unit, quantity->name, odd->n,
                 odd->n == 1 ? "" : "s", entry->spec.column, odd->n == 1 ? "s" : "");
    }
    if (known_ratio < 1) {
        hs_filetext_format_where(entry->spec.csv, 0, where);
        add_note(scenario,
                 "%s: '%s' for '%s' is unknown for %.3g %% of the run; the last value holds", where,
                 entry->spec.column, entry->thing, 100 * (1 - known_ratio));
    }
}

struct series_group {
    const char *key;       /* in the scenario */
    const char *thing_key; /* in an entry: "sink" or "site" */
    const struct hs_signal_quantity *quantity;
    size_t (*find)(const struct hs_estate *estate, const char *path);
    struct hs_series **series;
    bool *is_listed; /* [things] by an entry, be it a bad one */
};

static void read_series_entry(struct series_reader *reader, const struct series_group *group,
                              const json_t *object, const char *pointer)
{
    struct hs_conf_field fields[SPEC_FIELDS_MAX + 1] = {
        {.name = group->thing_key,
         .type = HS_CONF_TEXT,
         .offset = offsetof(struct series_entry, thing),
         .size = HS_PATH_MAX,
         .required = true},
    };
    size_t n_spec = hs_signal_spec_table.n_fields;
    struct hs_conf_table table = {.name = group->key, .fields = fields, .n_fields = n_spec + 1};
    struct series_entry entry = {0};
    struct hs_series *series = NULL;
    struct hs_err cause = {0};
    struct hs_signal_odd odd = {0};
    struct hs_signal_options options = {
        .base_dir = reader->dir, .quantity = group->quantity, .odd = &odd, .cache = reader->cache};
    size_t thing_idx;

    memcpy(fields + 1, hs_signal_spec_table.fields, n_spec * sizeof(fields[0]));
    if (!hs_conf_read(&table, object, pointer, &entry, reader->report)) {
        return;
    }
    thing_idx = group->find(reader->scenario->estate, entry.thing);
    if (thing_idx == SIZE_MAX) {
        hs_conf_report_add(reader->report, pointer, "no %s '%s' in the estate", group->thing_key,
                           entry.thing);
        return;
    }
    if (group->is_listed[thing_idx]) {
        hs_conf_report_add(reader->report, pointer, "%s '%s' is listed twice", group->thing_key,
                           entry.thing);
        return;
    }
    group->is_listed[thing_idx] = true;
    if (hs_signal_load_with(&entry.spec, &options, &series, &cause) != 0) {
        hs_conf_report_add(reader->report, pointer, "%s: %s", cause.where, cause.text);
        return;
    }
    check_cover(reader, series, pointer);
    note_unknown(reader, group->quantity, &entry, series, &odd);
    group->series[thing_idx] = series;
}

/** An entry that cannot be read lists its thing all the same: one mistake, one error. */
static void list_anyway(struct series_reader *reader, const struct series_group *group,
                        const json_t *object)
{
    const char *thing = json_string_value(json_object_get(object, group->thing_key));
    size_t thing_idx = thing != NULL ? group->find(reader->scenario->estate, thing) : SIZE_MAX;

    if (thing_idx != SIZE_MAX) {
        group->is_listed[thing_idx] = true;
    }
}

static void read_series_group(struct series_reader *reader, const struct series_group *group)
{
    const json_t *array = hs_scenario_fields_get_array(reader->root, group->key, reader->report);
    size_t i;
    const json_t *object;

    json_array_foreach (array, i, object) {
        char pointer[64];

        snprintf(pointer, sizeof(pointer), "/%s/%zu", group->key, i);
        read_series_entry(reader, group, object, pointer);
        list_anyway(reader, group, object);
    }
}

void hs_scenario_series_read(struct hs_scenario *scenario, const json_t *root, const char *dir,
                             struct hs_conf_report *report)
{
    HS_AUTO(hs_signal_cache) cache = hs_signal_cache_new();
    struct series_reader reader = {scenario, root, dir, report, cache};
    const struct hs_estate *estate = scenario->estate;
    size_t n_sinks = estate->n_sinks, n_sites = estate->n_sites;
    HS_AUTO_MEM bool *is_listed = hs_xcalloc(n_sinks + 3 * n_sites, sizeof(bool));

    scenario->demand_heat_w = hs_xcalloc(n_sinks, sizeof(struct hs_series *));
    scenario->outdoor_c = hs_xcalloc(n_sites, sizeof(struct hs_series *));
    scenario->price = hs_xcalloc(n_sites, sizeof(struct hs_series *));
    scenario->gco2_per_kwh = hs_xcalloc(n_sites, sizeof(struct hs_series *));

    const struct series_group groups[] = {
        {"heat", "sink", &hs_signal_heat, hs_estate_find_sink, scenario->demand_heat_w, is_listed},
        {"weather", "site", &hs_signal_outdoor, hs_estate_find_site, scenario->outdoor_c,
         is_listed + n_sinks},
        {"price", "site", &hs_signal_price, hs_estate_find_site, scenario->price,
         is_listed + n_sinks + n_sites},
        {"carbon", "site", &hs_signal_carbon, hs_estate_find_site, scenario->gco2_per_kwh,
         is_listed + n_sinks + 2 * n_sites},
    };

    for (size_t i = 0; i < COUNT(groups); i++) {
        read_series_group(&reader, &groups[i]);
    }
    for (size_t k = 0; k < n_sinks; k++) {
        if (!is_listed[k]) {
            hs_conf_report_add(report, "/heat", "sink '%s' has no series", estate->sinks[k].path);
        }
    }
}
