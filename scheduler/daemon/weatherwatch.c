/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/daemon/weatherwatch.h"

#include <assert.h>
#include <stdio.h>

#include "adapters/weather/weathersource.h"
#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"

#define DIR_BYTES (HS_CONFIG_PATH_MAX + 16)

/** One site. */
struct watched {
    struct hs_weatherwatch *watch;
    const struct hs_config_weather *config;
    struct hs_weathersource *source;
};

struct hs_weatherwatch {
    struct hs_weatherwatch_options options;
    struct hs_clock *wall;
    struct watched *sites; /* [n] */
    size_t n;
};

static void on_told(void *arg, const struct hs_outlook *outlook)
{
    struct watched *site = arg;
    const struct hs_weatherwatch_options *options = &site->watch->options;
    char issued[HS_TIMETEXT_MAX];

    hs_timetext_format(outlook->issued_at_s, issued);
    HS_LOG_DEBUG("weather", "%s: a forecast of %s with %zu hours", site->config->site, issued,
                 outlook->n_hours);
    hs_cycle_set_outlook(options->cycle, site->config->site_idx, outlook);
    options->due(options->arg);
}

static void on_trouble(void *arg, const struct hs_err *err)
{
    const struct watched *site = arg;

    if (err == NULL) {
        HS_LOG_INFO("weather", "%s: %s is well again", site->config->site, site->config->kind);
    } else {
        HS_LOG_WARN("weather", "%s: %s: %s%s%s; the last forecast holds", site->config->site,
                    site->config->kind, err->where, err->where[0] != '\0' ? ": " : "", err->text);
    }
}

static void start(struct watched *site, const char *cache_dir)
{
    const struct hs_weatherwatch *watch = site->watch;
    struct hs_weathersource_options options = {
        .executor = watch->options.executor,
        .clock = watch->options.clock,
        .wall = watch->wall,
        .kind = hs_weathersource_find_kind(site->config->kind),
        .name = site->config->site,
        .url = site->config->url,
        .path = site->config->path,
        .contact = site->config->contact,
        .cache_dir = cache_dir,
        .told = on_told,
        .trouble = on_trouble,
        .arg = site,
    };

    assert(options.kind != NULL);
    site->source = hs_weathersource_new(&options);
}

struct hs_weatherwatch *hs_weatherwatch_new(const struct hs_weatherwatch_options *options)
{
    struct hs_weatherwatch *watch = hs_xcalloc(1, sizeof(*watch));
    const struct hs_config *config = options->config;
    char cache_dir[DIR_BYTES];

    snprintf(cache_dir, sizeof(cache_dir), "%s/weather", config->state_dir);
    watch->options = *options;
    watch->wall = hs_clock_new_real();
    watch->n = config->n_weather;
    watch->sites = hs_xcalloc(watch->n, sizeof(*watch->sites));
    for (size_t i = 0; i < watch->n; i++) {
        watch->sites[i].watch = watch;
        watch->sites[i].config = &config->weather[i];
        start(&watch->sites[i], cache_dir);
    }
    return watch;
}

void hs_weatherwatch_free(struct hs_weatherwatch *watch)
{
    if (watch == NULL) {
        return;
    }
    for (size_t i = 0; i < watch->n; i++) {
        hs_weathersource_free(watch->sites[i].source);
    }
    free(watch->sites);
    hs_clock_free(watch->wall);
    free(watch);
}
