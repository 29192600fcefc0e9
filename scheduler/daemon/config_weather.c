/* SPDX-License-Identifier: Apache-2.0 */
/* config_weather - the list `weather` of hschedd.json: where each site's forecast comes from. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "adapters/weather/weathersource.h"
#include "scheduler/base/mem.h"
#include "scheduler/daemon/config_priv.h"

#define POINTER_MAX 64
#define TEXT(member)                                                            \
    .type = HS_CONF_TEXT, .offset = offsetof(struct hs_config_weather, member), \
    .size = sizeof(((struct hs_config_weather *)NULL)->member)

static const char *const kind_words[] = {"open-meteo", "met-norway", "csv", NULL};

static const struct hs_conf_field fields[] = {
    {.name = "site", TEXT(site), .required = true, .help = "site that the forecast is of"},
    {.name = "kind",
     .type = HS_CONF_WORD,
     .offset = offsetof(struct hs_config_weather, kind),
     .size = sizeof(((struct hs_config_weather *)NULL)->kind),
     .required = true,
     .words = kind_words,
     .help = "what it is written in; csv is a file of issues with their leads"},
    {.name = "path",
     TEXT(path),
     .help = "file to read, and to read again when it has changed; absent asks the service"},
    {.name = "url",
     TEXT(url),
     .help = "https; absent is the service of that kind, for the site's latitude and longitude"},
    {.name = "contact",
     TEXT(contact),
     .help = "mail or web page that the service can turn to; met-norway wants one"},
};

const struct hs_conf_table hs_config_weather_table = {"weather", fields,
                                                      sizeof(fields) / sizeof(fields[0])};

void hs_config_read_weather(const json_t *root, struct hs_config *config,
                            struct hs_conf_report *report)
{
    const json_t *list = json_object_get(root, "weather");
    char pointer[POINTER_MAX];
    size_t i;
    json_t *entry;

    if (list != NULL && !json_is_array(list)) {
        hs_conf_report_add(report, "/weather", "must be an array");
        return;
    }
    config->weather = hs_xcalloc(json_array_size(list), sizeof(*config->weather));
    json_array_foreach (list, i, entry) {
        struct hs_config_weather *weather = &config->weather[config->n_weather++];

        snprintf(pointer, sizeof(pointer), "/weather/%zu", i);
        weather->is_good = hs_conf_read(&hs_config_weather_table, entry, pointer, weather, report);
        if (weather->is_good) {
            hs_config_resolve(config->dir, weather->path);
        }
    }
}

static void check_site(struct hs_config *config, size_t i, const char *pointer,
                       struct hs_conf_report *report)
{
    struct hs_config_weather *weather = &config->weather[i];

    weather->site_idx = hs_estate_find_site(config->estate, weather->site);
    if (weather->site_idx == SIZE_MAX) {
        hs_conf_report_add(report, pointer, "no site '%s' in the estate", weather->site);
    }
    for (size_t j = 0; j < i; j++) {
        if (strcmp(config->weather[j].site, weather->site) == 0) {
            hs_conf_report_add(report, pointer, "site '%s' is listed twice", weather->site);
        }
    }
}

/** Without a path a service is asked, and it lives in real time. */
static void check_service(const struct hs_config *config, struct hs_config_weather *weather,
                          const char *pointer, struct hs_conf_report *report)
{
    const struct hs_weathersource_kind *kind = hs_weathersource_find_kind(weather->kind);
    const struct hs_site *site =
        weather->site_idx != SIZE_MAX ? &config->estate->sites[weather->site_idx] : NULL;
    bool is_placed = site != NULL && !isnan(site->latitude) && !isnan(site->longitude);
    struct hs_err err;

    if (kind->parse == NULL) {
        hs_conf_report_add(report, pointer, "'csv' needs 'path'; no service offers it");
        return;
    }
    if (weather->url[0] == '\0' && site != NULL && !is_placed) {
        hs_conf_report_add(report, pointer,
                           "site '%s' needs latitude and longitude in the estate; or give 'url' or "
                           "'path' here",
                           weather->site);
    } else if (weather->url[0] == '\0' && site != NULL) {
        hs_weathersource_format_url(kind, site->latitude, site->longitude, weather->url,
                                    sizeof(weather->url));
    }
    if (weather->url[0] != '\0' && hs_weathersource_check_url(weather->url, &err) != 0) {
        hs_conf_report_add(report, pointer, "url: %s", err.text);
    }
    if (strcmp(weather->kind, "met-norway") == 0 && weather->contact[0] == '\0') {
        hs_conf_report_add(
            report, pointer,
            "needs 'contact', a mail address or web page: MET Norway blocks who does "
            "not say whom to turn to");
    }
    if (config->start[0] != '\0' || config->speed != 1.0) {
        hs_conf_report_add(
            report, pointer,
            "a service knows today's weather only: leave out 'start' and 'speed', or "
            "give a 'path'");
    }
}

void hs_config_check_weather(struct hs_config *config, struct hs_conf_report *report)
{
    char pointer[POINTER_MAX];

    for (size_t i = 0; config->estate != NULL && i < config->n_weather; i++) {
        struct hs_config_weather *weather = &config->weather[i];

        snprintf(pointer, sizeof(pointer), "/weather/%zu", i);
        if (!weather->is_good) {
            continue;
        }
        check_site(config, i, pointer, report);
        for (const char *byte = weather->contact; *byte != '\0'; byte++) {
            if ((unsigned char)*byte < ' ' || (unsigned char)*byte > '~') {
                hs_conf_report_add(report, pointer, "contact must be plain ASCII");
                break;
            }
        }
        if (weather->path[0] != '\0' && weather->url[0] != '\0') {
            hs_conf_report_add(report, pointer, "has 'path' and 'url'; leave one out");
        } else if (weather->path[0] == '\0') {
            check_service(config, weather, pointer, report);
        }
    }
}
