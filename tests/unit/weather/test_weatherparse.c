/* SPDX-License-Identifier: Apache-2.0 */
/* What the services send, in the shapes in which they send it, and in broken ones. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/weather/metno.h"
#include "adapters/weather/openmeteo.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/mem.h"
#include "tests/support/near.h"

#define AT_10 INT64_C(1767607200) /* 2026-01-05T10:00:00Z */

/* as api.open-meteo.com answers without further wishes: local time, km/h */
static const char openmeteo_text[] =
    "{\"latitude\":52.52,\"longitude\":13.419998,\"generationtime_ms\":0.07,\n"
    "\"utc_offset_seconds\":3600,\"timezone\":\"Europe/"
    "Berlin\",\"timezone_abbreviation\":\"CET\",\n"
    "\"elevation\":38.0,\n"
    "\"hourly_units\":{\"time\":\"iso8601\",\"temperature_2m\":\"°C\",\"shortwave_radiation\":\"W/"
    "m²\",\n"
    "\"wind_speed_10m\":\"km/h\"},\n"
    "\"hourly\":{\"time\":[\"2026-01-05T11:00\",\"2026-01-05T12:00\",\"2026-01-05T13:00\","
    "\"2026-01-05T14:00\"],\n"
    "\"temperature_2m\":[1.0,2.0,4.0,null],\n"
    "\"shortwave_radiation\":[50.0,100.0,150.0,200.0],\n"
    "\"wind_speed_10m\":[18.0,36.0,36.0,36.0]}}";

static const char metno_text[] =
    "{\"type\":\"Feature\",\"geometry\":{\"type\":\"Point\",\"coordinates\":[10,60.1,267]},\n"
    "\"properties\":{\"meta\":{\"updated_at\":\"2026-01-05T09:40:12Z\",\"units\":{\n"
    "\"air_pressure_at_sea_level\":\"hPa\",\"air_temperature\":\"celsius\",\"wind_speed\":\"m/"
    "s\"}},\n"
    "\"timeseries\":[\n"
    "{\"time\":\"2026-01-05T10:00:00Z\",\"data\":{\"instant\":{\"details\":{\"air_temperature\":-2."
    "0,"
    "\"wind_speed\":3.0}},\"next_1_hours\":{\"summary\":{\"symbol_code\":\"cloudy\"},"
    "\"details\":{\"precipitation_amount\":0.0}}}},\n"
    "{\"time\":\"2026-01-05T11:00:00Z\",\"data\":{\"instant\":{\"details\":{\"air_temperature\":-1."
    "0,"
    "\"wind_speed\":5.0}}}},\n"
    "{\"time\":\"2026-01-05T17:00:00Z\",\"data\":{\"instant\":{\"details\":{\"air_temperature\":5."
    "0,"
    "\"wind_speed\":5.0}}}},\n"
    "{\"time\":\"2026-01-06T17:00:00Z\",\"data\":{\"instant\":{\"details\":{\"air_temperature\":8."
    "0,"
    "\"wind_speed\":5.0}}}}]}}";

/** @text with @from replaced by @to; owned by the caller. */
static char *alter(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    char *altered = NULL;

    assert_non_null(at);
    assert_true(asprintf(&altered, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) > 0);
    return altered;
}

static int parse_openmeteo(const char *text, struct hs_outlook *outlook, struct hs_err *err)
{
    return hs_openmeteo_parse("om.json", text, strlen(text), AT_10 + 600, outlook, err);
}

static int parse_metno(const char *text, struct hs_outlook *outlook, struct hs_err *err)
{
    return hs_metno_parse("met.json", text, strlen(text), AT_10 + 600, outlook, err);
}

/* --- Open-Meteo --- */

static void openmeteo__instants_of_local_time_become_means_of_utc_hours(void **state)
{
    struct hs_outlook outlook;

    assert_int_equal(parse_openmeteo(openmeteo_text, &outlook, NULL), 0);
    assert_int_equal(outlook.issued_at_s, AT_10 + 600);
    assert_int_equal(outlook.from_at_s, AT_10);
    assert_int_equal(outlook.n_hours, 2); /* the end of the third is not known */
    assert_near(outlook.hours[0].t_out_c, 1.5, 1e-9);
    assert_near(outlook.hours[1].t_out_c, 3, 1e-9);
    assert_near(outlook.hours[0].wind_m_per_s, 7.5, 1e-9); /* km/h were converted */
    assert_near(outlook.hours[0].ghi_w_per_m2, 100, 1e-9); /* sun is of the hour before its stamp */
    assert_near(outlook.hours[1].ghi_w_per_m2, 150, 1e-9);
}

static void openmeteo__takes_unixtime_and_other_units(void **state)
{
    static const char text[] =
        "{\"utc_offset_seconds\":3600,\"hourly_units\":{\"time\":\"unixtime\",\"temperature_2m\":"
        "\"°F\",\"windspeed_10m\":\"kn\"},\"hourly\":{\"time\":[1767607200,1767610800],"
        "\"temperature_2m\":[32,50],\"windspeed_10m\":[10,10]}}";
    struct hs_outlook outlook;

    assert_int_equal(parse_openmeteo(text, &outlook, NULL), 0);
    assert_int_equal(outlook.from_at_s, AT_10); /* unixtime is UTC whatever the zone */
    assert_near(outlook.hours[0].t_out_c, 5, 1e-9);
    assert_near(outlook.hours[0].wind_m_per_s, 5.144, 1e-3);
    assert_true(isnan(outlook.hours[0].ghi_w_per_m2));
}

static void openmeteo__zones_of_half_hours_are_weighted(void **state)
{
    HS_AUTO_MEM char *text = alter(openmeteo_text, "3600", "1800"); /* instants at 10:30, ... */
    struct hs_outlook outlook;

    assert_int_equal(parse_openmeteo(text, &outlook, NULL), 0);
    assert_int_equal(outlook.from_at_s, AT_10);
    assert_true(isnan(outlook.hours[0].t_out_c)); /* its start is before the first */
    assert_near(outlook.hours[1].t_out_c, (1.5 + 3) / 2, 1e-9);
    assert_near(outlook.hours[1].ghi_w_per_m2, 125, 1e-9);
}

static void openmeteo__hours_before_the_issue_are_no_forecast(void **state)
{
    struct hs_outlook outlook;
    struct hs_err err;

    assert_int_equal(hs_openmeteo_parse("om.json", openmeteo_text, strlen(openmeteo_text),
                                        AT_10 + 3600, &outlook, NULL),
                     0);
    assert_int_equal(outlook.from_at_s, AT_10 + 3600);
    assert_int_equal(outlook.n_hours, 1);
    assert_int_equal(hs_openmeteo_parse("om.json", openmeteo_text, strlen(openmeteo_text),
                                        AT_10 + 7200, &outlook, &err),
                     -HS_E_INVALID);
}

static void assert_openmeteo_refused(const char *from, const char *to, const char *where,
                                     const char *part)
{
    HS_AUTO_MEM char *text = alter(openmeteo_text, from, to);
    struct hs_outlook outlook = {.n_hours = 7};
    struct hs_err err = {0};

    assert_int_equal(parse_openmeteo(text, &outlook, &err), -HS_E_INVALID);
    assert_int_equal(outlook.n_hours, 7); /* untouched */
    if (strstr(err.text, part) == NULL || strcmp(err.where, where) != 0) {
        fail_msg("%s: '%s' does not say %s '%s'", err.where, err.text, where, part);
    }
}

static void openmeteo__fault_wrong_units_are_named(void **state)
{
    assert_openmeteo_refused("km/h", "furlongs", "om.json:5", "'m/s', 'km/h'");
    assert_openmeteo_refused("\"°C\"", "\"K\"", "om.json:4", "'K' is not known");
    assert_openmeteo_refused("W/m²", "MJ/m²", "om.json:4", "'W/m²'");
    assert_openmeteo_refused("iso8601", "julian", "om.json:4", "'unixtime'");
    assert_openmeteo_refused(",\"shortwave_radiation\":\"W/m²\"", "", "om.json:4", "is missing");
}

static void openmeteo__fault_garbage_is_refused(void **state)
{
    assert_openmeteo_refused("[1.0,2.0,4.0,null]", "[1.0]", "om.json:7", "as long as");
    assert_openmeteo_refused("[1.0,2.0", "[1.0,\"warm\"", "om.json:7", "must be a number");
    assert_openmeteo_refused("T12:00", "T11:00", "om.json:6", "not after");
    assert_openmeteo_refused("2026-01-05T12:00", "now+2h", "om.json:6", "2026-01-05T10:00");
    assert_openmeteo_refused("\"utc_offset_seconds\":3600", "\"utc_offset_seconds\":1e9",
                             "om.json:2", "seconds east");
    assert_openmeteo_refused("\"temperature_2m\":[", "\"temperature_3m\":[", "om.json:6",
                             "no temperature_2m");
    assert_openmeteo_refused("\"hourly\":", "\"daily\":", "om.json:1", "no hourly forecast");
    assert_openmeteo_refused("{\"latitude\"",
                             "{\"error\":true,\"reason\":\"Daily\\nlimit\",\"latitude\"",
                             "om.json:1", "refuses: Daily?limit");
}

static void openmeteo__fault_truncated_json_is_refused_wherever_it_ends(void **state)
{
    for (size_t n = 0; n < strlen(openmeteo_text); n++) {
        HS_AUTO_MEM char *text = strndup(openmeteo_text, n);
        struct hs_outlook outlook;

        assert_int_equal(parse_openmeteo(text, &outlook, NULL), -HS_E_INVALID);
    }
}

/* --- MET Norway --- */

static void metno__goes_straight_between_six_hourly_instants(void **state)
{
    struct hs_outlook outlook;

    assert_int_equal(parse_metno(metno_text, &outlook, NULL), 0);
    assert_int_equal(outlook.issued_at_s, AT_10 - 1200 + 12); /* as the service says */
    assert_int_equal(outlook.from_at_s, AT_10);
    assert_int_equal(outlook.n_hours, 7); /* no line is drawn over a day without instants */
    assert_near(outlook.hours[0].t_out_c, -1.5, 1e-9);
    assert_near(outlook.hours[0].wind_m_per_s, 4, 1e-9);
    assert_near(outlook.hours[1].t_out_c, -0.5, 1e-9);
    assert_near(outlook.hours[6].t_out_c, 4.5, 1e-9);
    assert_true(isnan(outlook.hours[0].ghi_w_per_m2)); /* unknown is unknown, not dark */
}

static void metno__did_not_come_out_after_it_was_received(void **state)
{
    struct hs_outlook outlook;

    assert_int_equal(
        hs_metno_parse("met.json", metno_text, strlen(metno_text), AT_10 - 7200, &outlook, NULL),
        0);
    assert_int_equal(outlook.issued_at_s, AT_10 - 7200);
}

static void assert_metno_refused(const char *from, const char *to, const char *where,
                                 const char *part)
{
    HS_AUTO_MEM char *text = alter(metno_text, from, to);
    struct hs_outlook outlook = {.n_hours = 7};
    struct hs_err err = {0};

    assert_int_equal(parse_metno(text, &outlook, &err), -HS_E_INVALID);
    assert_int_equal(outlook.n_hours, 7);
    if (strstr(err.text, part) == NULL || strcmp(err.where, where) != 0) {
        fail_msg("%s: '%s' does not say %s '%s'", err.where, err.text, where, part);
    }
}

static void metno__fault_wrong_units_are_named(void **state)
{
    assert_metno_refused("celsius", "fahrenheit", "met.json:3", "'celsius'");
    assert_metno_refused("\"m/s\"", "\"knots\"", "met.json:3", "'m/s'");
    assert_metno_refused("\"air_temperature\":\"celsius\",", "", "met.json:2", "is missing");
}

static void metno__fault_garbage_is_refused(void **state)
{
    assert_metno_refused("2026-01-05T09:40:12Z", "yesterday", "met.json:2", "updated_at");
    assert_metno_refused("2026-01-05T11:00:00Z", "2026-01-05T10:00:00Z", "met.json:6", "not after");
    assert_metno_refused("\"timeseries\":", "\"timecereals\":", "met.json:2",
                         "no locationforecast");
    assert_metno_refused("{\"instant\":{\"details\"", "{\"distant\":{\"details\"", "met.json:5",
                         "instant.details");
}

static void metno__fault_truncated_json_is_refused_wherever_it_ends(void **state)
{
    for (size_t n = 0; n < strlen(metno_text); n++) {
        HS_AUTO_MEM char *text = strndup(metno_text, n);
        struct hs_outlook outlook;

        assert_int_equal(parse_metno(text, &outlook, NULL), -HS_E_INVALID);
    }
}

static void metno__fault_fillers_are_unknown(void **state)
{
    HS_AUTO_MEM char *text = alter(metno_text, "-2.0", "9999");
    struct hs_outlook outlook;

    assert_int_equal(parse_metno(text, &outlook, NULL), 0);
    assert_true(isnan(outlook.hours[0].t_out_c));
    assert_near(outlook.hours[1].t_out_c, -0.5, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openmeteo__instants_of_local_time_become_means_of_utc_hours),
        cmocka_unit_test(openmeteo__takes_unixtime_and_other_units),
        cmocka_unit_test(openmeteo__zones_of_half_hours_are_weighted),
        cmocka_unit_test(openmeteo__hours_before_the_issue_are_no_forecast),
        cmocka_unit_test(openmeteo__fault_wrong_units_are_named),
        cmocka_unit_test(openmeteo__fault_garbage_is_refused),
        cmocka_unit_test(openmeteo__fault_truncated_json_is_refused_wherever_it_ends),
        cmocka_unit_test(metno__goes_straight_between_six_hourly_instants),
        cmocka_unit_test(metno__did_not_come_out_after_it_was_received),
        cmocka_unit_test(metno__fault_wrong_units_are_named),
        cmocka_unit_test(metno__fault_garbage_is_refused),
        cmocka_unit_test(metno__fault_truncated_json_is_refused_wherever_it_ends),
        cmocka_unit_test(metno__fault_fillers_are_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
