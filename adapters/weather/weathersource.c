/* SPDX-License-Identifier: Apache-2.0 */
/* weathersource - when to read, what to make of it; reading itself is done on a worker. */
#include "adapters/weather/weathersource.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "adapters/weather/askagain.h"
#include "adapters/weather/metno.h"
#include "adapters/weather/openmeteo.h"
#include "adapters/weather/weatherread.h"
#include "adapters/weather/weathersource_file.h"
#include "adapters/weather/weathersource_http.h"
#include "scheduler/base/mem.h"

#define TIMEOUT_S     30.0
#define GRACE_S       10.0 /* of a worker beyond the timeout: disks are slow at times */
#define FILE_PERIOD_S 60.0 /* real; how often a file is looked at */
#define WAKE_MIN_S    0.05

static const struct hs_weathersource_kind kinds[] = {
    {.name = "open-meteo",
     .summary = "JSON of api.open-meteo.com: temperature, sun, wind",
     .parse = hs_openmeteo_parse,
     .url_format = "https://api.open-meteo.com/v1/forecast?latitude=%.4f&longitude=%.4f"
                   "&hourly=temperature_2m,shortwave_radiation,wind_speed_10m"
                   "&wind_speed_unit=ms&timeformat=unixtime&forecast_days=10"},
    {.name = "met-norway",
     .summary = "JSON of api.met.no, locationforecast 2.0: temperature, wind",
     .parse = hs_metno_parse,
     .url_format = "https://api.met.no/weatherapi/locationforecast/2.0/compact?lat=%.4f&lon=%.4f",
     .says_issue = true},
    {.name = "csv", .summary = "a file of many issues with their leads", .says_issue = true},
};

/** A read under way; the worker knows @read only. */
struct flight {
    struct hs_weatherread read;
    struct hs_weathersource *source; /* executor's thread only; NULL when it is gone */
};

struct hs_weathersource {
    struct hs_weathersource_options options;
    char *url; /* owned, "": path is read */
    char *path;
    char *contact;
    struct hs_lane *lane;
    struct hs_timer *timer;
    struct flight *flight; /* NULL: none */
    double ask_mono_s;     /* when to read next */
    bool is_recalled;      /* the cache was looked into */

    /* what the last read left for the next */
    struct hs_weatherread_mark mark;
    struct hs_weathercache cache;
    bool is_deprecated;
    uint64_t chance;

    struct hs_issuedcsv *issued; /* owned; NULL unless of kind csv */
    bool is_held;                /* held is not told yet */
    struct hs_outlook held;
    struct hs_weathersource_status status;
};

const struct hs_weathersource_kind *hs_weathersource_find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

void hs_weathersource_format_url(const struct hs_weathersource_kind *kind, double latitude,
                                 double longitude, char *ret_url, size_t size)
{
    snprintf(ret_url, size, kind->url_format, latitude, longitude);
}

int hs_weathersource_check_url(const char *url, struct hs_err *err)
{
    static const char *const starts[] = {"https://", "http://localhost", "http://127.0.0.1",
                                         "http://[::1]"};

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        size_t n = strlen(starts[i]);

        if (strncmp(url, starts[i], n) == 0
            && (i == 0 ? url[n] != '\0' : strchr(":/", url[n]) != NULL)
            && url[strcspn(url, " \r\n\t")] == '\0' && strchr(url, '@') == NULL) {
            return 0;
        }
    }
    return hs_err_set(err, HS_E_INVALID, NULL,
                      "'%.80s' must begin with https:// (http:// only of this machine) and hold no "
                      "blank and no '@'",
                      url);
}

/* --- telling --- */

static void tell_trouble(struct hs_weathersource *source, const struct hs_err *err)
{
    struct hs_weathersource_status *status = &source->status;

    if (strcmp(status->error, err != NULL ? err->text : "") == 0) {
        return; /* the same as before */
    }
    snprintf(status->error, sizeof(status->error), "%s", err != NULL ? err->text : "");
    source->options.trouble(source->options.arg, err);
}

static void tell_outlook(struct hs_weathersource *source, const struct hs_outlook *outlook)
{
    source->status.issued_at_s = outlook->issued_at_s;
    source->options.told(source->options.arg, outlook);
}

/** Tell what is out by now. @return when more comes out, plan time; INT64_MAX: nothing waits */
static int64_t tell_due(struct hs_weathersource *source)
{
    int64_t now_at_s = hs_clock_at_s(source->options.clock);

    if (source->issued != NULL) {
        const struct hs_outlook *newest = hs_issuedcsv_find(source->issued, now_at_s);

        if (newest != NULL
            && (source->is_held || newest->issued_at_s != source->status.issued_at_s)) {
            source->is_held = false;
            tell_outlook(source, newest);
        }
        return hs_issuedcsv_get_next_at_s(source->issued, now_at_s);
    }
    if (source->is_held && source->held.issued_at_s <= now_at_s) {
        source->is_held = false;
        tell_outlook(source, &source->held);
    }
    return source->is_held ? source->held.issued_at_s : INT64_MAX;
}

/* --- when --- */

static void set_timer(struct hs_weathersource *source)
{
    int64_t due_at_s = tell_due(source);
    double wait_s = source->ask_mono_s - hs_clock_mono_s(source->options.wall);

    if (due_at_s != INT64_MAX) {
        wait_s = fmin(wait_s, hs_clock_real_until_s(source->options.clock, (double)due_at_s));
    }
    hs_executor_timer_set(source->options.executor, source->timer, fmax(WAKE_MIN_S, wait_s));
}

static void ask_in(struct hs_weathersource *source, double wait_s)
{
    source->ask_mono_s = hs_clock_mono_s(source->options.wall) + wait_s;
}

/* --- one read --- */

static void work(void *arg)
{
    struct hs_weatherread *read = arg; /* first member of its flight */

    if (read->path != NULL) {
        hs_weathersource_file_read(read);
    } else if (read->is_recall) {
        hs_weathersource_http_recall(read);
    } else {
        hs_weathersource_http_read(read);
    }
}

static void release(void *arg)
{
    struct flight *flight = arg;

    hs_issuedcsv_free(flight->read.issued);
    free(flight->read.contact);
    free(flight->read.path);
    free(flight);
}

static void take_found(struct hs_weathersource *source, struct hs_weatherread *read)
{
    if (read->issued != NULL) {
        hs_issuedcsv_free(source->issued);
        source->issued = HS_STEAL(read->issued);
        source->is_held = true;
    }
    if (read->has_outlook) {
        source->held = read->outlook;
        source->is_held = true;
    }
    source->mark = read->mark;
    source->cache = read->cache;
    source->is_deprecated = read->is_deprecated;
    source->chance = read->chance;
}

/** How long a service that was asked before may not be asked again. */
static double get_rest_s(const struct hs_weathersource *source)
{
    double rest_s = (double)(source->cache.not_before_at_s - hs_clock_at_s(source->options.wall));

    /* a wall clock that was set back must not keep us away for longer than any answer does */
    return fmax(0, fmin(HS_ASKAGAIN_MAX_S, rest_s));
}

static void end_read(struct hs_weathersource *source, struct hs_weatherread *read)
{
    bool is_service = read->path == NULL;

    take_found(source, read);
    if (read->is_recall) {
        source->is_recalled = true;
        ask_in(source, get_rest_s(source));
        return;
    }
    source->status.n_failures = read->rc == 0 ? 0 : source->status.n_failures + 1;
    ask_in(source, is_service ? read->wait_s : FILE_PERIOD_S);
    if (read->is_deprecated && read->rc == 0) {
        (void)hs_err_set(&read->err, HS_E_UNSUPPORTED, NULL,
                         "the service says that this version of it is to end");
        read->cache_rc = -HS_E_UNSUPPORTED;
    }
    tell_trouble(source, read->rc != 0 || read->cache_rc != 0 ? &read->err : NULL);
}

static void done(int rc, void *arg)
{
    struct flight *flight = arg;
    struct hs_weathersource *source = flight->source;
    struct hs_err err;

    if (source == NULL) {
        return;
    }
    source->flight = NULL;
    if (rc == 0) {
        end_read(source, &flight->read);
    } else {
        (void)hs_err_set(&err, HS_E_TIMEOUT, NULL, "reading hangs; it is tried again");
        source->status.n_failures++;
        source->is_recalled = true;
        ask_in(source,
               hs_askagain_get_backoff_s(source->status.n_failures, 0, false, &source->chance));
        tell_trouble(source, &err);
    }
    set_timer(source);
}

static void start_read(struct hs_weathersource *source)
{
    struct flight *flight = hs_xcalloc(1, sizeof(*flight));
    struct hs_weatherread *read = &flight->read;
    bool is_service = source->url[0] != '\0';

    read->kind = source->options.kind;
    read->path = is_service ? NULL : hs_xstrdup(source->path);
    read->contact = hs_xstrdup(source->contact);
    read->timeout_s = source->options.timeout_s > 0 ? source->options.timeout_s : TIMEOUT_S;
    read->wall_at_s = hs_clock_at_s(source->options.wall);
    read->is_recall = is_service && !source->is_recalled;
    read->mark = source->mark;
    read->cache = source->cache;
    read->n_failures = source->status.n_failures;
    read->is_deprecated = source->is_deprecated;
    read->chance = source->chance;
    flight->source = source;
    source->flight = flight;
    source->status.n_asked += read->is_recall ? 0 : 1;
    hs_executor_run(source->options.executor, source->lane, read->timeout_s + GRACE_S, work, done,
                    release, flight);
}

static void on_timer(void *arg)
{
    struct hs_weathersource *source = arg;

    if (source->flight == NULL
        && hs_clock_mono_s(source->options.wall) >= source->ask_mono_s - WAKE_MIN_S) {
        start_read(source);
    } else {
        set_timer(source);
    }
}

/* --- life --- */

static void set_cache(struct hs_weathersource *source)
{
    const char *dir = source->options.cache_dir;
    struct hs_weathercache *cache = &source->cache;

    snprintf(cache->dir, sizeof(cache->dir), "%s", dir != NULL ? dir : "");
    snprintf(cache->name, sizeof(cache->name), "%s", source->options.name);
    snprintf(cache->url, sizeof(cache->url), "%s", source->url);
}

struct hs_weathersource *hs_weathersource_new(const struct hs_weathersource_options *options)
{
    struct hs_weathersource *source = hs_xcalloc(1, sizeof(*source));

    source->options = *options;
    source->url = hs_xstrdup(options->url != NULL ? options->url : "");
    source->path = hs_xstrdup(options->path != NULL ? options->path : "");
    source->contact = hs_xstrdup(options->contact != NULL ? options->contact : "");
    source->chance = options->chance;
    if (source->chance == 0
        && getrandom(&source->chance, sizeof(source->chance), GRND_NONBLOCK) < 0) {
        source->chance = (uint64_t)hs_clock_at_s(options->wall);
    }
    set_cache(source);
    if (source->url[0] != '\0') {
        hs_weathersource_http_init();
    }
    source->lane = hs_executor_lane_add(options->executor, options->name);
    source->timer = hs_executor_timer_add(options->executor, 0, on_timer, source);
    source->ask_mono_s = hs_clock_mono_s(options->wall);
    return source;
}

void hs_weathersource_get_status(const struct hs_weathersource *source,
                                 struct hs_weathersource_status *ret_status)
{
    *ret_status = source->status;
}

void hs_weathersource_free(struct hs_weathersource *source)
{
    if (source == NULL) {
        return;
    }
    if (source->flight != NULL) {
        source->flight->source = NULL;
    }
    hs_executor_timer_remove(source->options.executor, source->timer);
    hs_executor_lane_remove(source->options.executor, source->lane);
    hs_issuedcsv_free(source->issued);
    free(source->contact);
    free(source->path);
    free(source->url);
    free(source);
}
