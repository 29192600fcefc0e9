/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/weather/openmeteo.h"

#include <inttypes.h>
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

#define HOURS_MAX    5000                /* 16 days ahead and 92 back are 2,592 */
#define OFFSET_MAX_S 86400               /* of a time zone */
#define AT_MAX_S     INT64_C(4102444800) /* 2100: later is milliseconds, or nonsense */
#define STAMP_MAX    17                  /* 2026-01-05T10:00 */

/* [W, m/s] = value x factor + offset; the first word is what we ask for */
static const char *const t_words[] = {"°C", "°F", NULL};
static const char *const ghi_words[] = {"W/m²", NULL};
static const char *const wind_words[] = {"m/s", "km/h", "mp/h", "mph", "kn", NULL};
static const double wind_factors[] = {1, 1 / 3.6, 0.44704, 0.44704, 0.514444};

static const char *const time_words[] = {"iso8601", "unixtime", NULL};

/** One array of `hourly`. */
struct variable {
    const json_t *array; /* NULL: not given */
    int unit;            /* index of its words */
};

static int fail_item(const struct hs_weatherjson *doc, const char *name, size_t i,
                     struct hs_err *err, const char *text)
{
    char pointer[96];

    snprintf(pointer, sizeof(pointer), "/hourly/%s/%zu", name, i);
    return hs_weatherjson_fail(doc, pointer, err, "%s", text);
}

static int find_variable(const struct hs_weatherjson *doc, const char *name,
                         const char *const *words, size_t n, struct variable *ret_variable,
                         struct hs_err *err)
{
    char pointer[96];

    snprintf(pointer, sizeof(pointer), "/hourly/%s", name);
    ret_variable->array = hs_weatherjson_find(doc, pointer);
    if (ret_variable->array == NULL) {
        return 0;
    }
    if (json_array_size(ret_variable->array) != n) {
        return hs_weatherjson_fail(doc, pointer, err,
                                   "must be an array as long as /hourly/time, %zu", n);
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_array_get(ret_variable->array, i);

        if (!json_is_number(value) && !json_is_null(value)) {
            return fail_item(doc, name, i, err, "must be a number, or null where it is unknown");
        }
    }
    snprintf(pointer, sizeof(pointer), "/hourly_units/%s", name);
    ret_variable->unit = hs_weatherjson_get_word(doc, pointer, words, err);
    return ret_variable->unit < 0 ? ret_variable->unit : 0;
}

static double get_value(const struct variable *variable, size_t i)
{
    const json_t *value = json_array_get(variable->array, i);

    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

/* --- time --- */

static bool read_iso(const json_t *stamp, int64_t offset_s, int64_t *ret_at_s)
{
    const char *text = json_string_value(stamp);
    char whole[STAMP_MAX + 4];

    if (text == NULL || strlen(text) != STAMP_MAX - 1) {
        return false;
    }
    snprintf(whole, sizeof(whole), "%s:00Z", text);
    if (hs_timetext_parse(whole, 0, ret_at_s, NULL) != 0) {
        return false;
    }
    *ret_at_s -= offset_s;
    return true;
}

static int read_times(const struct hs_weatherjson *doc, const json_t *times,
                      struct hs_instant *instants, struct hs_err *err)
{
    const json_t *offset = hs_weatherjson_find(doc, "/utc_offset_seconds");
    int64_t offset_s = json_integer_value(offset);
    int format = hs_weatherjson_get_word(doc, "/hourly_units/time", time_words, err);

    if (format < 0) {
        return format;
    }
    if ((offset != NULL && !json_is_integer(offset)) || offset_s > OFFSET_MAX_S
        || offset_s < -OFFSET_MAX_S) {
        return hs_weatherjson_fail(doc, "/utc_offset_seconds", err,
                                   "must be seconds east of UTC, like 3600");
    }
    for (size_t i = 0; i < json_array_size(times); i++) {
        const json_t *stamp = json_array_get(times, i);
        int64_t *at_s = &instants[i].at_s;

        if (format == 1) {
            *at_s = json_is_integer(stamp) ? json_integer_value(stamp) : -1;
        } else if (!read_iso(stamp, offset_s, at_s)) {
            *at_s = -1;
        }
        if (*at_s < 0 || *at_s > AT_MAX_S) {
            return fail_item(doc, "time", i, err,
                             format == 1 ? "must be seconds since 1970 UTC"
                                         : "must be a time like 2026-01-05T10:00");
        }
        if (i > 0 && *at_s <= instants[i - 1].at_s) {
            return fail_item(doc, "time", i, err, "is not after the one before it");
        }
    }
    return 0;
}

/* --- the whole --- */

static int read_instants(const struct hs_weatherjson *doc, const json_t *times,
                         struct hs_instant *instants, struct hs_err *err)
{
    size_t n = json_array_size(times);
    bool is_old = hs_weatherjson_find(doc, "/hourly/wind_speed_10m") == NULL;
    struct variable t = {0}, ghi = {0}, wind = {0};
    int rc = read_times(doc, times, instants, err);

    rc = rc != 0 ? rc : find_variable(doc, "temperature_2m", t_words, n, &t, err);
    rc = rc != 0 ? rc : find_variable(doc, "shortwave_radiation", ghi_words, n, &ghi, err);
    rc = rc != 0 ? rc
                 : find_variable(doc, is_old ? "windspeed_10m" : "wind_speed_10m", wind_words, n,
                                 &wind, err);
    if (rc != 0) {
        return rc;
    }
    if (t.array == NULL) {
        return hs_weatherjson_fail(doc, "/hourly", err,
                                   "has no temperature_2m; ask for hourly=temperature_2m");
    }
    for (size_t i = 0; i < n; i++) {
        double t_c = get_value(&t, i);

        t_c = t.unit == 1 ? (t_c - 32) / 1.8 : t_c;
        instants[i].t_out_c = hs_weathervalue_check_t_c(t_c);
        instants[i].ghi_before_w_per_m2 = hs_weathervalue_check_ghi(get_value(&ghi, i));
        instants[i].wind_m_per_s =
            hs_weathervalue_check_wind(get_value(&wind, i) * wind_factors[wind.unit]);
    }
    return 0;
}

static int check_answer(const struct hs_weatherjson *doc, struct hs_err *err)
{
    const char *reason = json_string_value(hs_weatherjson_find(doc, "/reason"));

    if (json_is_true(hs_weatherjson_find(doc, "/error"))) {
        return hs_weatherjson_fail(doc, "", err, "the service refuses: %.100s",
                                   reason != NULL ? reason : "without a reason");
    }
    if (json_is_array(doc->root)) {
        return hs_weatherjson_fail(doc, "", err, "is a list of places; ask for one place");
    }
    if (!json_is_array(hs_weatherjson_find(doc, "/hourly/time"))) {
        return hs_weatherjson_fail(doc, "/hourly/time", err,
                                   "must be an array; this is no hourly forecast of Open-Meteo");
    }
    if (json_array_size(hs_weatherjson_find(doc, "/hourly/time")) > HOURS_MAX) {
        return hs_weatherjson_fail(doc, "/hourly/time", err, "has more than %d hours", HOURS_MAX);
    }
    return 0;
}

int hs_openmeteo_parse(const char *file, const char *text, size_t n_bytes, int64_t issued_at_s,
                       struct hs_outlook *ret_outlook, struct hs_err *err)
{
    HS_CLEANUP(hs_weatherjson_fini) struct hs_weatherjson doc = {0};
    HS_AUTO_MEM struct hs_instant *instants = NULL;
    struct hs_outlook outlook;
    const json_t *times;
    int rc = hs_weatherjson_parse(file, text, n_bytes, &doc, err);

    rc = rc != 0 ? rc : check_answer(&doc, err);
    if (rc != 0) {
        return rc;
    }
    times = hs_weatherjson_find(&doc, "/hourly/time");
    instants = hs_xcalloc(json_array_size(times) + 1, sizeof(*instants));
    rc = read_instants(&doc, times, instants, err);
    if (rc != 0) {
        return rc;
    }
    if (issued_at_s == INT64_MAX) {
        issued_at_s = instants[0].at_s; /* nothing, if there is none */
    }
    hs_instants_get_outlook(instants, json_array_size(times), issued_at_s, &outlook);
    if (outlook.n_hours == 0) {
        return hs_weatherjson_fail(&doc, "/hourly/temperature_2m", err,
                                   "says nothing of the hours after the forecast came out");
    }
    *ret_outlook = outlook;
    return 0;
}
