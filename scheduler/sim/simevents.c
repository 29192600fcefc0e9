/* SPDX-License-Identifier: Apache-2.0 */
/* simevents - the table of kinds, and the reader. */
#include "scheduler/sim/simevents.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/reals.h"
#include "scheduler/base/timetext.h"

#define OBJECT_MAX   HS_POINT_MAX
#define POINTER_MAX  64
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ANY_HOSTS    (HS_SIMEVENT_SITE | HS_SIMEVENT_LOOP | HS_SIMEVENT_RACK | HS_SIMEVENT_HOST)

static const struct kind_row {
    const char *word;
    unsigned scopes;
    bool needs_value;
    const char *summary;
} rows[HS_SIMEVENT_KIND_COUNT_] = {
    [HS_SIMEVENT_SINK_OFF] = {"sink-off", HS_SIMEVENT_SINK | HS_SIMEVENT_LOOP, false,
                              "the sink takes no heat; its demand falls to backup"},
    [HS_SIMEVENT_PUMP_FAULT] = {"pump-fault", HS_SIMEVENT_LOOP, false,
                                "the loop moves no heat; what is captured is rejected"},
    [HS_SIMEVENT_REJECTION_FAULT] = {"rejection-fault", HS_SIMEVENT_LOOP, true,
                                     "the loop's rejection limit falls to value, W"},
    [HS_SIMEVENT_SENSOR_STUCK] = {"sensor-stuck", HS_SIMEVENT_POINT, false,
                                  "the point repeats its last value as if it were new"},
    [HS_SIMEVENT_SENSOR_NAN] = {"sensor-nan", HS_SIMEVENT_POINT, false, "the point says NaN"},
    [HS_SIMEVENT_SENSOR_STALE] = {"sensor-stale", HS_SIMEVENT_POINT, false,
                                  "the point repeats its last value with its old stamp"},
    [HS_SIMEVENT_SENSOR_JUMP] = {"sensor-jump", HS_SIMEVENT_POINT, true,
                                 "the point reads too much by value"},
    [HS_SIMEVENT_HOST_LOST] = {"host-lost", ANY_HOSTS, false,
                               "the hosts are off; what ran there loses the work of its stretch"},
    [HS_SIMEVENT_FEED_LOST] = {"feed-lost", HS_SIMEVENT_SITE, false,
                               "no new prices or carbon figures come for the site"},
    [HS_SIMEVENT_MAINTENANCE] = {"maintenance", ANY_HOSTS, false,
                                 "planned: nothing starts there; hard: the hosts are off"},
};

/** One entry of the file. */
struct event_entry {
    char at[HS_TIMETEXT_MAX];
    char until[HS_TIMETEXT_MAX];
    int64_t for_s;
    char kind[24];
    char object[OBJECT_MAX];
    char feed[8];
    double value;
    bool is_hard;
};

static const char *const kind_words[] = {
    "sink-off",    "pump-fault", "rejection-fault", "sensor-stuck", "sensor-nan", "sensor-stale",
    "sensor-jump", "host-lost",  "feed-lost",       "maintenance",  NULL};
static const char *const feed_words[] = {"both", "price", "carbon", NULL};

#define TEXT_FIELD(field_)                                                \
    .type = HS_CONF_TEXT, .offset = offsetof(struct event_entry, field_), \
    .size = sizeof(((struct event_entry *)NULL)->field_)

static const struct hs_conf_field fields[] = {
    {.name = "at", TEXT_FIELD(at), .required = true, .help = "when it begins, RFC 3339"},
    {.name = "until", TEXT_FIELD(until), .help = "when it ends, RFC 3339; or for"},
    {.name = "for",
     .type = HS_CONF_DURATION,
     .offset = offsetof(struct event_entry, for_s),
     .min = 1,
     .max = 1e9,
     .unit = "s",
     .help = "how long it lasts; or until"},
    {.name = "kind",
     .type = HS_CONF_WORD,
     .offset = offsetof(struct event_entry, kind),
     .size = sizeof(((struct event_entry *)NULL)->kind),
     .words = kind_words,
     .required = true,
     .help = "what happens"},
    {.name = "object",
     TEXT_FIELD(object),
     .required = true,
     .help = "path of what it happens to; of a point for sensors"},
    {.name = "value",
     .type = HS_CONF_REAL,
     .offset = offsetof(struct event_entry, value),
     .help = "sensor-jump: by how much; rejection-fault: W that are left"},
    {.name = "feed",
     .type = HS_CONF_WORD,
     .offset = offsetof(struct event_entry, feed),
     .size = sizeof(((struct event_entry *)NULL)->feed),
     .words = feed_words,
     .has_default = true,
     .default_text = "both",
     .help = "feed-lost: which"},
    {.name = "hard",
     .type = HS_CONF_BOOL,
     .offset = offsetof(struct event_entry, is_hard),
     .has_default = true,
     .help = "maintenance: switch the hosts off"},
};

const struct hs_conf_table hs_simevents_table = {
    .name = "event", .fields = fields, .n_fields = COUNT(fields)};

const char *hs_simevents_word(enum hs_simevent_kind kind)
{
    return rows[kind].word;
}

const char *hs_simevents_summary(enum hs_simevent_kind kind)
{
    return rows[kind].summary;
}

/** What the helpers share while the list is read. */
struct events_reader {
    const struct hs_estate *estate;
    int64_t start_at_s;
    int64_t end_at_s;
    struct hs_conf_report *report;
    char pointer[POINTER_MAX]; /* of the event */
};

__attribute__((format(printf, 3, 4))) static void refuse(struct events_reader *reader,
                                                         const char *field, const char *fmt, ...)
{
    char pointer[POINTER_MAX + 16], text[512];
    va_list ap;

    snprintf(pointer, sizeof(pointer), "%s%s", reader->pointer, field);
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    hs_conf_report_add(reader->report, pointer, "%s", text);
}

/* --- objects --- */

static size_t find_rack_host(const struct hs_estate *estate, const char *path)
{
    const char *leaf = strrchr(path, '/');
    char parent[OBJECT_MAX];
    size_t rack_idx;

    if (leaf == NULL) {
        return SIZE_MAX;
    }
    snprintf(parent, sizeof(parent), "%.*s", (int)(leaf - path), path);
    rack_idx = hs_estate_find_rack(estate, parent);
    for (size_t h = 0; rack_idx != SIZE_MAX && h < estate->n_hosts; h++) {
        if (estate->hosts[h].rack_idx == rack_idx && strcmp(estate->hosts[h].name, leaf + 1) == 0) {
            return h;
        }
    }
    return SIZE_MAX;
}

/** Hosts are named site/rack/host here; site/host, as in job records, does too. */
static size_t find_host(const struct hs_estate *estate, const char *path)
{
    size_t host_idx = find_rack_host(estate, path);

    return host_idx != SIZE_MAX ? host_idx : hs_estate_find_host(estate, path);
}

static const struct scope_row {
    enum hs_simevent_scope scope;
    const char *word;
    size_t (*find)(const struct hs_estate *estate, const char *path);
} scopes[] = {
    {HS_SIMEVENT_SITE, "site", hs_estate_find_site},
    {HS_SIMEVENT_LOOP, "loop", hs_estate_find_loop},
    {HS_SIMEVENT_RACK, "rack", hs_estate_find_rack},
    {HS_SIMEVENT_HOST, "host", find_host},
    {HS_SIMEVENT_SINK, "sink", hs_estate_find_sink},
};

/** Paths of everything that an event of @allowed scopes could name; NULL-terminated, owned. */
static const char **list_known(const struct hs_estate *estate, unsigned allowed)
{
    const char **known = hs_xcalloc(estate->n_sites + estate->n_loops + estate->n_racks
                                        + estate->n_hosts + estate->n_sinks + 1,
                                    sizeof(*known));
    size_t n = 0;

    for (size_t i = 0; (allowed & HS_SIMEVENT_SITE) != 0 && i < estate->n_sites; i++) {
        known[n++] = estate->sites[i].name;
    }
    for (size_t i = 0; (allowed & HS_SIMEVENT_LOOP) != 0 && i < estate->n_loops; i++) {
        known[n++] = estate->loops[i].path;
    }
    for (size_t i = 0; (allowed & HS_SIMEVENT_RACK) != 0 && i < estate->n_racks; i++) {
        known[n++] = estate->racks[i].path;
    }
    for (size_t i = 0; (allowed & HS_SIMEVENT_HOST) != 0 && i < estate->n_hosts; i++) {
        known[n++] = estate->hosts[i].path;
    }
    for (size_t i = 0; (allowed & HS_SIMEVENT_SINK) != 0 && i < estate->n_sinks; i++) {
        known[n++] = estate->sinks[i].path;
    }
    return known;
}

static void refuse_object(struct events_reader *reader, const struct kind_row *row,
                          const char *object)
{
    HS_AUTO_MEM const char **known = list_known(reader->estate, row->scopes);
    const char *nearest = hs_conf_nearest(known, object);
    char what[64] = "";

    for (size_t i = 0; i < COUNT(scopes); i++) {
        if ((row->scopes & scopes[i].scope) != 0) {
            size_t n = strlen(what);

            snprintf(what + n, sizeof(what) - n, "%s%s", n > 0 ? " or " : "", scopes[i].word);
        }
    }
    refuse(reader, "/object", "there is no %s '%.100s'; %s '%s'", what, object,
           nearest != NULL ? "did you mean" : "known is",
           nearest != NULL    ? nearest
           : known[0] != NULL ? known[0]
                              : "");
}

static bool resolve_object(struct events_reader *reader, const struct kind_row *row,
                           const char *object, struct hs_simevent *event)
{
    if (row->scopes == HS_SIMEVENT_POINT) {
        struct hs_err err = {0};

        event->scope = HS_SIMEVENT_POINT;
        if (hs_reading_parse_point(reader->estate, object, &event->point, &err) != 0) {
            refuse(reader, "/object", "%s: %s", err.where, err.text);
            return false;
        }
        return true;
    }
    for (size_t i = 0; i < COUNT(scopes); i++) {
        size_t found = (row->scopes & scopes[i].scope) != 0 ? scopes[i].find(reader->estate, object)
                                                            : SIZE_MAX;

        if (found != SIZE_MAX) {
            event->scope = scopes[i].scope;
            event->thing_idx = found;
            return true;
        }
    }
    refuse_object(reader, row, object);
    return false;
}

/* --- spans --- */

static bool parse_time(struct events_reader *reader, const char *field, const char *text,
                       int64_t *ret_at_s)
{
    struct hs_err err = {0};

    if (strchr(text, 'T') == NULL || hs_timetext_parse(text, 0, ret_at_s, &err) != 0) {
        refuse(reader, field, "'%s' is no time; write RFC 3339 like 2026-01-05T00:00:00Z", text);
        return false;
    }
    return true;
}

static bool resolve_span(struct events_reader *reader, const struct event_entry *entry,
                         struct hs_simevent *event)
{
    int64_t at_s = 0, until_s = 0;
    bool has_until = entry->until[0] != '\0', has_for = entry->for_s > 0;

    if (has_until == has_for) {
        refuse(reader, "", "say how long it lasts, either with 'until' or with 'for'");
        return false;
    }
    if (!parse_time(reader, "/at", entry->at, &at_s)
        || (has_until && !parse_time(reader, "/until", entry->until, &until_s))) {
        return false;
    }
    until_s = has_for ? at_s + entry->for_s : until_s;
    if (until_s <= at_s) {
        refuse(reader, "/until", "'%s' is not after 'at', '%s'", entry->until, entry->at);
        return false;
    }
    if (until_s <= reader->start_at_s || at_s >= reader->end_at_s) {
        char from[HS_TIMETEXT_MAX], to[HS_TIMETEXT_MAX];

        hs_timetext_format(reader->start_at_s, from);
        hs_timetext_format(reader->end_at_s, to);
        refuse(reader, "/at", "the event lies outside the run, %s to %s", from, to);
        return false;
    }
    event->at_s = (double)(at_s > reader->start_at_s ? at_s : reader->start_at_s);
    event->until_s = (double)(until_s < reader->end_at_s ? until_s : reader->end_at_s);
    return true;
}

/* --- the list --- */

static enum hs_simevent_kind find_kind(const char *word)
{
    size_t kind = 0;

    while (strcmp(rows[kind].word, word) != 0) {
        kind++; /* the field table let only these words through */
    }
    return (enum hs_simevent_kind)kind;
}

static bool read_event(struct events_reader *reader, const json_t *object,
                       struct hs_simevent *ret_event)
{
    struct event_entry entry = {.value = (double)NAN};
    const struct kind_row *row;
    bool is_span_good;

    if (!hs_conf_read(&hs_simevents_table, object, reader->pointer, &entry, reader->report)) {
        return false;
    }
    ret_event->kind = find_kind(entry.kind);
    ret_event->value = entry.value;
    ret_event->is_hard = entry.is_hard;
    ret_event->has_price = strcmp(entry.feed, "carbon") != 0;
    ret_event->has_carbon = strcmp(entry.feed, "price") != 0;
    row = &rows[ret_event->kind];
    if (row->needs_value && isnan(entry.value)) {
        refuse(reader, "", "'%s' needs a 'value'", row->word);
        return false;
    }
    if (ret_event->kind == HS_SIMEVENT_REJECTION_FAULT && entry.value < 0) {
        refuse(reader, "/value", "the limit that is left cannot be %g W", entry.value);
        return false;
    }
    is_span_good = resolve_span(reader, &entry, ret_event);
    return resolve_object(reader, row, entry.object, ret_event) && is_span_good;
}

static void set_edges(struct hs_simevents *events)
{
    size_t n = 0;

    events->edges_at_s = hs_xcalloc(2 * events->n, sizeof(double));
    for (size_t i = 0; i < events->n; i++) {
        events->edges_at_s[n++] = events->items[i].at_s;
        events->edges_at_s[n++] = events->items[i].until_s;
    }
    hs_reals_sort(events->edges_at_s, n);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || events->edges_at_s[i] > events->edges_at_s[events->n_edges - 1]) {
            events->edges_at_s[events->n_edges++] = events->edges_at_s[i];
        }
    }
}

void hs_simevents_read(const json_t *array, const struct hs_estate *estate, int64_t start_at_s,
                       int64_t end_at_s, struct hs_conf_report *report,
                       struct hs_simevents *ret_events)
{
    struct events_reader reader = {
        .estate = estate, .start_at_s = start_at_s, .end_at_s = end_at_s, .report = report};
    size_t i;
    const json_t *object;

    ret_events->items = hs_xcalloc(json_array_size(array), sizeof(*ret_events->items));
    json_array_foreach (array, i, object) {
        struct hs_simevent event = {0};

        snprintf(reader.pointer, sizeof(reader.pointer), "/events/%zu", i);
        if (read_event(&reader, object, &event)) {
            ret_events->items[ret_events->n++] = event;
        }
    }
    set_edges(ret_events);
}

bool hs_simevents_has_host(const struct hs_simevent *event, const struct hs_estate *estate,
                           size_t host_idx)
{
    const struct hs_host *host = &estate->hosts[host_idx];

    return (event->scope == HS_SIMEVENT_HOST && event->thing_idx == host_idx)
           || (event->scope == HS_SIMEVENT_RACK && event->thing_idx == host->rack_idx)
           || (event->scope == HS_SIMEVENT_LOOP && event->thing_idx == host->loop_idx)
           || (event->scope == HS_SIMEVENT_SITE && event->thing_idx == host->site_idx);
}

bool hs_simevents_has_sink(const struct hs_simevent *event, const struct hs_estate *estate,
                           size_t sink_idx)
{
    return (event->scope == HS_SIMEVENT_SINK && event->thing_idx == sink_idx)
           || (event->scope == HS_SIMEVENT_LOOP
               && event->thing_idx == estate->sinks[sink_idx].loop_idx);
}

void hs_simevents_fini(struct hs_simevents *events)
{
    free(events->edges_at_s);
    free(events->items);
    *events = (struct hs_simevents){0};
}
