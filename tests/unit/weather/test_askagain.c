/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/weather/askagain.h"
#include "tests/support/near.h"

#define NOW INT64_C(1767607200)

static double fresh(const char *cache_control, int64_t date_at_s, int64_t expires_at_s)
{
    struct hs_askagain_headers headers = {cache_control, date_at_s, expires_at_s};

    return hs_askagain_get_fresh_s(&headers, NOW);
}

static void askagain__max_age_counts_more_than_expires(void **state)
{
    assert_near(fresh("public, max-age=7200", NOW, NOW + 1800), 7200, 0);
    assert_near(fresh("Max-Age=7200", NOW, NOW + 1800), 7200, 0);
    assert_near(fresh("x-max-age=7200", NOW, NOW + 1800), 1800, 0);
    assert_near(fresh("max-age=soon", NOW, NOW + 1800), 1800, 0);
}

static void askagain__expires_is_counted_from_the_services_own_date(void **state)
{
    assert_near(fresh("", NOW + 172800, NOW + 172800 + 1800), 1800, 0); /* its clock is 2 d ahead */
    assert_near(fresh("", -1, NOW + 1800), 1800, 0);
    assert_near(fresh("", -1, -1), HS_ASKAGAIN_USUAL_S, 0);
}

static void askagain__is_never_too_eager_and_never_stays_away(void **state)
{
    assert_near(fresh("max-age=0", NOW, -1), HS_ASKAGAIN_MIN_S, 0);
    assert_near(fresh("", NOW, NOW - 5), HS_ASKAGAIN_MIN_S, 0);
    assert_near(fresh("max-age=99999999999999999999", NOW, -1), HS_ASKAGAIN_MAX_S, 0);
    assert_near(fresh("", NOW, INT64_C(4102444800)), HS_ASKAGAIN_MAX_S, 0);
}

static void askagain__waits_are_spread_and_never_short(void **state)
{
    double least_s = 1e9, most_s = 0;
    uint64_t chance = 7;

    for (int i = 0; i < 1000; i++) {
        double wait_s = hs_askagain_get_wait_s(3600, &chance);

        least_s = wait_s < least_s ? wait_s : least_s;
        most_s = wait_s > most_s ? wait_s : most_s;
    }
    assert_true(least_s > 3600);
    assert_true(most_s > least_s + 150);
    assert_true(most_s < 3600 + 1 + 180.001);
}

static void askagain__backs_off_to_an_hour_and_heeds_retry_after(void **state)
{
    uint64_t chance = 7;
    double last_s = 0;

    for (unsigned n = 1; n <= 6; n++) {
        double wait_s = hs_askagain_get_backoff_s(n, 0, false, &chance);

        assert_true(wait_s >= 60.0 * (double)(1U << (n - 1)) && wait_s > last_s);
        last_s = wait_s / 1.5;
    }
    assert_true(hs_askagain_get_backoff_s(4000000000U, 0, false, &chance) >= 3600);
    assert_true(hs_askagain_get_backoff_s(4000000000U, 0, false, &chance) <= 5400);
    assert_true(hs_askagain_get_backoff_s(1, 0, true, &chance) >= 3600);
    assert_near(hs_askagain_get_backoff_s(1, 7200, false, &chance), 7200, 0);
    assert_near(hs_askagain_get_backoff_s(1, 1e12, false, &chance), HS_ASKAGAIN_MAX_S, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(askagain__max_age_counts_more_than_expires),
        cmocka_unit_test(askagain__expires_is_counted_from_the_services_own_date),
        cmocka_unit_test(askagain__is_never_too_eager_and_never_stays_away),
        cmocka_unit_test(askagain__waits_are_spread_and_never_short),
        cmocka_unit_test(askagain__backs_off_to_an_hour_and_heeds_retry_after),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
