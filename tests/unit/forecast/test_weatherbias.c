/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "forecast/weatherbias.h"
#include "tests/support/near.h"

#define FIRST_NO 400000 /* an hour of 2015 */

/** A winter whose air warms and cools by day and by week. */
static double air_c(int64_t no)
{
    return 2 + 3 * sin(2 * M_PI * (double)(no % 24) / 24) + 4 * sin((double)no / 40);
}

/** A service that is off by @off_k(no) at every lead. */
static void issue(int64_t newest_no, double (*off_k)(int64_t no), struct hs_outlook *outlook)
{
    *outlook = (struct hs_outlook){
        .issued_at_s = (newest_no + 1) * 3600, .from_at_s = (newest_no + 1) * 3600, .n_hours = 48};
    for (int64_t i = 0; i < 48; i++) {
        outlook->hours[i] = HS_WEATHER_UNKNOWN;
        outlook->hours[i].t_out_c = air_c(newest_no + 1 + i) + off_k(newest_no + 1 + i);
    }
}

static double off_by_two(int64_t no)
{
    return 2;
}

static double off_by_night(int64_t no)
{
    return no % 24 < 6 ? 3 : 0;
}

static double right(int64_t no)
{
    return 0;
}

/** @n_hours of @sensor_c(no) with forecasts. */
static void live(struct hs_weatherbias *bias, int64_t from_no, int64_t n_hours,
                 double (*sensor_c)(int64_t no), double (*off_k)(int64_t no))
{
    for (int64_t no = from_no; no < from_no + n_hours; no++) {
        struct hs_outlook outlook;

        issue(no, off_k, &outlook);
        hs_weatherbias_observe(bias, no, sensor_c(no));
        hs_weatherbias_foresee(bias, &outlook);
    }
}

/* @outlook with its temperatures corrected. */
static void apply(const struct hs_weatherbias *bias, const struct hs_outlook *outlook,
                  struct hs_outlook *ret_outlook)
{
    *ret_outlook = *outlook;
    for (size_t i = 0; i < outlook->n_hours; i++) {
        ret_outlook->hours[i].t_out_c +=
            hs_weatherbias_get_k(bias, outlook->from_at_s / 3600 + (int64_t)i);
    }
}

static void weatherbias__says_nothing_at_first(void **state)
{
    struct hs_weatherbias bias;
    struct hs_outlook outlook, corrected;

    hs_weatherbias_init(&bias);
    issue(FIRST_NO, off_by_two, &outlook);
    apply(&bias, &outlook, &corrected);
    assert_memory_equal(&outlook, &corrected, sizeof(outlook));
    hs_weatherbias_observe(&bias, FIRST_NO, 1);
    assert_near(hs_weatherbias_get_k(&bias, FIRST_NO + 1), 0, 0);
}

static void weatherbias__learns_a_level_at_every_lead(void **state)
{
    struct hs_weatherbias bias;
    struct hs_outlook outlook, corrected;

    hs_weatherbias_init(&bias);
    live(&bias, FIRST_NO, 24 * 21, air_c, off_by_two);
    issue(bias.newest_no, off_by_two, &outlook);
    apply(&bias, &outlook, &corrected);
    for (int64_t i = 0; i < 48; i++) {
        assert_near(corrected.hours[i].t_out_c, air_c(bias.newest_no + 1 + i), 0.25);
        assert_true(isnan(corrected.hours[i].wind_m_per_s));
    }
}

static void weatherbias__learns_the_hours_of_the_day(void **state)
{
    struct hs_weatherbias bias;
    int64_t midnight_no = (FIRST_NO / 24 + 30) * 24;

    hs_weatherbias_init(&bias);
    live(&bias, midnight_no - 24 * 28, 24 * 28 - 12, air_c, off_by_night); /* until noon */
    assert_true(hs_weatherbias_get_k(&bias, midnight_no + 3) < -2);
    assert_near(hs_weatherbias_get_k(&bias, midnight_no + 15), 0, 0.6);
}

static void weatherbias__forgets_what_is_no_longer_so(void **state)
{
    struct hs_weatherbias bias;

    hs_weatherbias_init(&bias);
    live(&bias, FIRST_NO, 24 * 30, air_c, off_by_two);
    assert_true(hs_weatherbias_get_k(&bias, bias.newest_no + 30) < -1.6);
    live(&bias, bias.newest_no + 1, 24 * 60, air_c, right);
    assert_near(hs_weatherbias_get_k(&bias, bias.newest_no + 30), 0, 0.3);
}

static double stands_still(int64_t no)
{
    return 4.2;
}

static double is_hot(int64_t no)
{
    return 60;
}

static double is_silent(int64_t no)
{
    return (double)NAN;
}

static double is_far_off(int64_t no)
{
    return air_c(no) + 9;
}

/** Every third hour the cable is loose. */
static double flaps(int64_t no)
{
    return no % 3 == 0 ? air_c(no) + 11 : air_c(no);
}

/** Largest correction of the next two days, after five days of the fault. */
static double find_harm_k(double (*sensor_c)(int64_t no))
{
    struct hs_weatherbias bias;
    double harm_k = 0;

    hs_weatherbias_init(&bias);
    live(&bias, FIRST_NO, 24 * 20, air_c, right);
    live(&bias, bias.newest_no + 1, 24 * 5, sensor_c, right);
    for (int64_t lead = 1; lead <= 48; lead++) {
        harm_k = fmax(harm_k, fabs(hs_weatherbias_get_k(&bias, bias.newest_no + lead)));
    }
    return harm_k;
}

static void weatherbias__fault_sensor_hot_teaches_nothing(void **state)
{
    assert_near(find_harm_k(is_hot), 0, 0.01);
}

static void weatherbias__fault_sensor_silent_teaches_nothing(void **state)
{
    assert_near(find_harm_k(is_silent), 0, 0.01);
}

static void weatherbias__fault_sensor_stuck_does_little(void **state)
{
    assert_true(find_harm_k(stands_still) < 1.5);
}

static void weatherbias__fault_sensor_flapping_does_little(void **state)
{
    assert_true(find_harm_k(flaps) < 1.5);
}

static void weatherbias__fault_sensor_far_off_is_bounded(void **state)
{
    double harm_k = find_harm_k(is_far_off);

    assert_true(harm_k > 1);
    assert_true(harm_k <= HS_WEATHERBIAS_MAX_K);
}

static void weatherbias__a_gap_leaves_what_lasts(void **state)
{
    struct hs_weatherbias bias;
    double before_k;

    hs_weatherbias_init(&bias);
    live(&bias, FIRST_NO, 24 * 21, air_c, off_by_two);
    before_k = hs_weatherbias_get_k(&bias, bias.newest_no + 30);
    hs_weatherbias_observe(&bias, bias.newest_no + 500, NAN); /* three weeks without a word */
    assert_near(hs_weatherbias_get_k(&bias, bias.newest_no + 30), before_k, 0.5);
    hs_weatherbias_observe(&bias, bias.newest_no - 5, 30); /* and time does not go back */
    assert_int_equal(bias.newest_no, FIRST_NO + 24 * 21 - 1 + 500);
}

static void weatherbias__a_copy_goes_on_the_same_to_the_last_bit(void **state)
{
    struct hs_weatherbias bias, copy;

    hs_weatherbias_init(&bias);
    live(&bias, FIRST_NO, 200, air_c, off_by_night);
    copy = bias;
    live(&bias, FIRST_NO + 200, 100, flaps, off_by_two);
    live(&copy, FIRST_NO + 200, 100, flaps, off_by_two);
    for (int64_t lead = 1; lead <= 60; lead++) {
        double one = hs_weatherbias_get_k(&bias, bias.newest_no + lead);
        double other = hs_weatherbias_get_k(&copy, copy.newest_no + lead);

        assert_memory_equal(&one, &other, sizeof(one));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weatherbias__says_nothing_at_first),
        cmocka_unit_test(weatherbias__learns_a_level_at_every_lead),
        cmocka_unit_test(weatherbias__learns_the_hours_of_the_day),
        cmocka_unit_test(weatherbias__forgets_what_is_no_longer_so),
        cmocka_unit_test(weatherbias__fault_sensor_hot_teaches_nothing),
        cmocka_unit_test(weatherbias__fault_sensor_silent_teaches_nothing),
        cmocka_unit_test(weatherbias__fault_sensor_stuck_does_little),
        cmocka_unit_test(weatherbias__fault_sensor_flapping_does_little),
        cmocka_unit_test(weatherbias__fault_sensor_far_off_is_bounded),
        cmocka_unit_test(weatherbias__a_gap_leaves_what_lasts),
        cmocka_unit_test(weatherbias__a_copy_goes_on_the_same_to_the_last_bit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
