/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/weather/metno.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/weather/instants.h"
#include "adapters/weather/weatherjson.h"
#include "adapters/weather/weathervalue.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"

#define STEPS_MAX 1000                /* about 90 are issued */
#define AT_MAX_S  INT64_C(4102444800) /* 2100 */
#define SERIES    "/properties/timeseries"
#define UPDATED   "/properties/meta/updated_at"
#define UNITS     "/properties/meta/units/"

static const char *const t_words[] = {"celsius", NULL};
static const char *const wind_words[] = {"m/s", NULL};

static int check_units(const struct hs_weatherjson *doc, struct hs_err *err)
{
    int rc = hs_weatherjson_get_word(doc, UNITS "air_temperature", t_words, err);

    if (rc >= 0 && hs_weatherjson_find(doc, UNITS "wind_speed") != NULL) {
        rc = hs_weatherjson_get_word(doc, UNITS "wind_speed", wind_words, err);
    }
    return rc < 0 ? rc : 0;
}

static double get_number(const json_t *details, const char *key)
{
    const json_t *value = json_object_get(details, key);

    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

/** A stamp of this century; relative times, which people write, are none. */
static bool read_stamp(const json_t *value, int64_t *ret_at_s)
{
    const char *text = json_string_value(value);

    return text != NULL && strchr(text, 'T') != NULL
           && hs_timetext_parse(text, 0, ret_at_s, NULL) == 0 && *ret_at_s >= 0
           && *ret_at_s <= AT_MAX_S;
}

static int fail_step(const struct hs_weatherjson *doc, size_t i, const char *key,
                     struct hs_err *err, const char *text)
{
    char pointer[96];

    snprintf(pointer, sizeof(pointer), SERIES "/%zu%s", i, key);
    return hs_weatherjson_fail(doc, pointer, err, "%s", text);
}

static int read_step(const struct hs_weatherjson *doc, const json_t *step, size_t i,
                     struct hs_instant *instants, struct hs_err *err)
{
    const json_t *instant = json_object_get(json_object_get(step, "data"), "instant");
    const json_t *details = json_object_get(instant, "details");

    if (!read_stamp(json_object_get(step, "time"), &instants[i].at_s)) {
        return fail_step(doc, i, "/time", err, "must be a time like 2026-01-05T10:00:00Z");
    }
    if (i > 0 && instants[i].at_s <= instants[i - 1].at_s) {
        return fail_step(doc, i, "/time", err, "is not after the one before it");
    }
    if (!json_is_object(details)) {
        return fail_step(doc, i, "/data", err, "must hold instant.details");
    }
    instants[i].t_out_c = hs_weathervalue_check_t_c(get_number(details, "air_temperature"));
    instants[i].wind_m_per_s = hs_weathervalue_check_wind(get_number(details, "wind_speed"));
    instants[i].ghi_before_w_per_m2 = NAN;
    return 0;
}

static int read_steps(const struct hs_weatherjson *doc, const json_t *series,
                      struct hs_instant *instants, struct hs_err *err)
{
    int rc = check_units(doc, err);

    for (size_t i = 0; rc == 0 && i < json_array_size(series); i++) {
        rc = read_step(doc, json_array_get(series, i), i, instants, err);
    }
    return rc;
}

static int read_issue(const struct hs_weatherjson *doc, int64_t received_at_s,
                      int64_t *ret_issued_at_s, struct hs_err *err)
{
    int64_t at_s = 0;

    if (!read_stamp(hs_weatherjson_find(doc, UPDATED), &at_s)) {
        return hs_weatherjson_fail(doc, UPDATED, err, "must be a time like 2026-01-05T10:00:00Z");
    }
    *ret_issued_at_s = at_s < received_at_s ? at_s : received_at_s;
    return 0;
}

int hs_metno_parse(const char *file, const char *text, size_t n_bytes, int64_t received_at_s,
                   struct hs_outlook *ret_outlook, struct hs_err *err)
{
    HS_CLEANUP(hs_weatherjson_fini) struct hs_weatherjson doc = {0};
    HS_AUTO_MEM struct hs_instant *instants = NULL;
    struct hs_outlook outlook;
    int64_t issued_at_s = 0;
    const json_t *series;
    int rc = hs_weatherjson_parse(file, text, n_bytes, &doc, err);

    if (rc != 0) {
        return rc;
    }
    series = hs_weatherjson_find(&doc, SERIES);
    if (!json_is_array(series) || json_array_size(series) > STEPS_MAX) {
        return hs_weatherjson_fail(&doc, SERIES, err,
                                   "must be an array of at most %d steps; this is no "
                                   "locationforecast of MET Norway",
                                   STEPS_MAX);
    }
    instants = hs_xcalloc(json_array_size(series) + 1, sizeof(*instants));
    rc = read_issue(&doc, received_at_s, &issued_at_s, err);
    rc = rc != 0 ? rc : read_steps(&doc, series, instants, err);
    if (rc != 0) {
        return rc;
    }
    hs_instants_get_outlook(instants, json_array_size(series), issued_at_s, &outlook);
    if (outlook.n_hours == 0) {
        return hs_weatherjson_fail(&doc, SERIES, err,
                                   "has no air_temperature of the hours after updated_at");
    }
    *ret_outlook = outlook;
    return 0;
}
