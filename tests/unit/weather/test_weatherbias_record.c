/* SPDX-License-Identifier: Apache-2.0 */
/* The correction on a real record of issued forecasts, against the real sensor beside it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/signal/signal.h"
#include "adapters/weather/issuedcsv.h"
#include "forecast/weatherbias.h"
#include "tests/support/near.h"

#define LEADS 36

/** Sums of squared errors of one range of leads. */
struct range {
    int64_t from_lead;
    int64_t to_lead;
    double raw_k2;
    double corrected_k2;
    double n;
};

static struct hs_series *load_sensor(const char *dir)
{
    struct hs_signal_spec spec = {
        .csv = "heat_dk_sonderborg_house1.csv", .column = "t_out_c", .scale = 1};
    struct hs_series *series = NULL;

    assert_int_equal(hs_signal_load(&spec, dir, &series, NULL), 0);
    return series;
}

static double get_c(const struct hs_series *sensor, int64_t at_s)
{
    return hs_series_is_known(sensor, at_s) ? hs_series_get_held(sensor, at_s) : NAN;
}

static void judge(struct range *range, const struct hs_series *sensor, int64_t at_s,
                  const struct hs_outlook *raw, const struct hs_outlook *corrected)
{
    for (int64_t lead = range->from_lead; lead <= range->to_lead; lead++) {
        int64_t hour_at_s = at_s + (lead - 1) * 3600;
        double raw_k = hs_outlook_get(raw, hour_at_s).t_out_c - get_c(sensor, hour_at_s);
        double rest_k = hs_outlook_get(corrected, hour_at_s).t_out_c - get_c(sensor, hour_at_s);

        if (!isnan(raw_k)) {
            range->raw_k2 += raw_k * raw_k;
            range->corrected_k2 += rest_k * rest_k;
            range->n++;
        }
    }
}

static void run(const struct hs_issuedcsv *issued, const struct hs_series *sensor,
                struct range *ranges, size_t n_ranges)
{
    int64_t from_at_s = hs_issuedcsv_get(issued, 0)->issued_at_s;
    int64_t to_at_s = hs_issuedcsv_get(issued, hs_issuedcsv_get_n(issued) - 1)->issued_at_s;
    struct hs_weatherbias bias;

    hs_weatherbias_init(&bias);
    for (int64_t at_s = from_at_s; at_s <= to_at_s; at_s += 3600) {
        const struct hs_outlook *outlook = hs_issuedcsv_find(issued, at_s);
        struct hs_outlook corrected = *outlook;

        hs_weatherbias_observe(&bias, at_s / 3600 - 1, get_c(sensor, at_s - 3600));
        hs_weatherbias_foresee(&bias, outlook);
        for (size_t i = 0; i < outlook->n_hours; i++) {
            corrected.hours[i].t_out_c +=
                hs_weatherbias_get_k(&bias, outlook->from_at_s / 3600 + (int64_t)i);
        }
        for (size_t i = 0; i < n_ranges; i++) {
            judge(&ranges[i], sensor, at_s, outlook, &corrected);
        }
    }
}

static void weatherbias__brings_a_real_service_nearer_to_a_real_sensor(void **state)
{
    static struct range ranges[] = {{.from_lead = 1, .to_lead = 1},
                                    {.from_lead = 36, .to_lead = 36},
                                    {.from_lead = 1, .to_lead = 6},
                                    {.from_lead = 7, .to_lead = 24},
                                    {.from_lead = 25, .to_lead = LEADS}};
    const char *shared = getenv("HSCHED_TEST_SHARED");
    HS_AUTO(hs_issuedcsv) issued = NULL;
    HS_AUTO(hs_series) sensor = NULL;
    char dir[400], file[512];

    snprintf(dir, sizeof(dir), "%s/data", shared != NULL ? shared : "");
    snprintf(file, sizeof(file), "%s/wxfc_dk_sonderborg.csv.gz", dir);
    if (shared == NULL || access(file, R_OK) != 0) {
        print_message("skipped: no shared data under HSCHED_TEST_SHARED\n");
        skip();
    }
    assert_int_equal(hs_issuedcsv_read(file, &issued, NULL), 0);
    sensor = load_sensor(dir);
    run(issued, sensor, ranges, sizeof(ranges) / sizeof(ranges[0]));
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        double raw_k = sqrt(ranges[i].raw_k2 / ranges[i].n);
        double corrected_k = sqrt(ranges[i].corrected_k2 / ranges[i].n);

        print_message("temperature RMSE %2d-%2d h ahead: issued %.2f K, corrected %.2f K\n",
                      (int)ranges[i].from_lead, (int)ranges[i].to_lead, raw_k, corrected_k);
        assert_true(corrected_k < raw_k);
    }
    /* the data's own README states these two: the pairing of hours is the right one */
    assert_near(sqrt(ranges[0].raw_k2 / ranges[0].n), 1.42, 0.01);
    assert_near(sqrt(ranges[1].raw_k2 / ranges[1].n), 1.61, 0.02);
    assert_true(ranges[2].corrected_k2 < 0.6 * ranges[2].raw_k2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weatherbias__brings_a_real_service_nearer_to_a_real_sensor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
