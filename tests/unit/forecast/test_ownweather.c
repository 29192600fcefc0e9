/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forecast/ownweather.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/mem.h"
#include "tests/support/near.h"

#define FROM_NO 480000
#define AHEAD_H 72
#define FADE_H  60.0

static struct hs_heathistory *new_history(void)
{
    struct hs_heathistory *history = hs_xcalloc(1, sizeof(*history));

    hs_heathistory_init(history);
    return history;
}

static void push(struct hs_heathistory *history, double t_out_c, double ghi_w_per_m2)
{
    struct hs_weather weather = {t_out_c, ghi_w_per_m2, (double)NAN};
    int64_t no = history->newest_no < 0 ? FROM_NO : history->newest_no + 1;

    hs_heathistory_push(history, no, 1000.0, &weather);
}

/* By the hour of the day, and colder by a tenth of a kelvin every day. */
static double get_day_c(int hour)
{
    return 5.0 + hour % 24 - 0.1 * (hour / 24); /* NOLINT(bugprone-integer-division) */
}

static void ownweather__of_equal_days_is_that_day_again(void **state)
{
    HS_AUTO_MEM struct hs_heathistory *history = new_history();
    struct hs_weather hours[AHEAD_H];

    (void)state;
    for (int i = 0; i < 10 * 24; i++) {
        push(history, 5.0 + i % 24, 10.0 * (i % 24));
    }
    hs_ownweather_continue(history, AHEAD_H, hours);
    for (int i = 0; i < AHEAD_H; i++) {
        assert_near(hours[i].t_out_c, 5.0 + i % 24, 1e-9);
        assert_near(hours[i].ghi_w_per_m2, 10.0 * (i % 24), 1e-9);
        assert_true(isnan(hours[i].wind_m_per_s));
    }
}

static void ownweather__is_the_mean_of_the_last_seven_days(void **state)
{
    HS_AUTO_MEM struct hs_heathistory *history = new_history();
    struct hs_weather hours[AHEAD_H];

    (void)state;
    for (int i = 0; i < 14 * 24; i++) {
        push(history, get_day_c(i), 0.0);
    }
    hs_ownweather_continue(history, AHEAD_H, hours);
    for (int i = 0; i < AHEAD_H; i++) {
        /* days 7 to 13 are day 10 on the mean; day 13 is 0.4 K colder than days 6 to 12 */
        double usual_c = get_day_c(10 * 24 + i % 24);

        assert_near(hours[i].t_out_c, usual_c - 0.4 * exp(-(i + 1) / FADE_H), 1e-9);
    }
}

static void ownweather__a_deviation_fades(void **state)
{
    HS_AUTO_MEM struct hs_heathistory *history = new_history();
    struct hs_weather hours[AHEAD_H];

    (void)state;
    for (int i = 0; i < 10 * 24; i++) {
        push(history, 5.0, 0.0);
    }
    push(history, -1.0, 0.0); /* 6 K colder than usual */
    hs_ownweather_continue(history, AHEAD_H, hours);
    for (int i = 0; i < AHEAD_H; i++) {
        if (i % 24 == 23) { /* of this hour's own days the new one is the newest */
            assert_near(hours[i].t_out_c, 5.0 - 6.0 / 7.0 - 6.0 * exp(-(i + 1) / FADE_H), 1e-9);
        } else {
            assert_near(hours[i].t_out_c, 5.0 - 6.0 * exp(-(i + 1) / FADE_H), 1e-9);
        }
    }
}

static void ownweather__is_unknown_where_the_week_says_nothing(void **state)
{
    HS_AUTO_MEM struct hs_heathistory *history = new_history();
    struct hs_weather hours[AHEAD_H];

    (void)state;
    for (int i = 0; i < 7 * 24; i++) {
        push(history, 5.0, 0.0);
    }
    for (int i = 0; i < 8 * 24; i++) {
        push(history, (double)NAN, 0.0);
    }
    hs_ownweather_continue(history, AHEAD_H, hours);
    for (int i = 0; i < AHEAD_H; i++) {
        assert_true(isnan(hours[i].t_out_c));
    }
}

static void ownweather__bridges_hours_that_were_not_measured(void **state)
{
    HS_AUTO_MEM struct hs_heathistory *history = new_history();
    struct hs_weather hours[AHEAD_H];

    (void)state;
    for (int i = 0; i < 10 * 24; i++) {
        push(history, i % 5 == 2 || i >= 10 * 24 - 6 ? (double)NAN : 5.0 + i % 24, 0.0);
    }
    hs_ownweather_continue(history, AHEAD_H, hours);
    for (int i = 0; i < AHEAD_H; i++) {
        assert_near(hours[i].t_out_c, 5.0 + i % 24, 1e-9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ownweather__of_equal_days_is_that_day_again),
        cmocka_unit_test(ownweather__is_the_mean_of_the_last_seven_days),
        cmocka_unit_test(ownweather__a_deviation_fades),
        cmocka_unit_test(ownweather__is_unknown_where_the_week_says_nothing),
        cmocka_unit_test(ownweather__bridges_hours_that_were_not_measured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
