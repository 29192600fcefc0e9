/* SPDX-License-Identifier: Apache-2.0 */
/* When a limit by the clock and the season holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policies/policy.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"

static int64_t at(const char *text)
{
    int64_t at_s = 0;

    assert_int_equal(hs_timetext_parse(text, 0, &at_s, NULL), 0);
    return at_s;
}

static const struct hs_limit night = {.elec_w = 1,
                                      .from_min = 22 * 60,
                                      .to_min = 6 * 60,
                                      .months = HS_LIMIT_EVERY_MONTH,
                                      .days = HS_LIMIT_EVERY_DAY};

static void limit__a_window_passes_midnight(void **state)
{
    assert_false(hs_limit_holds(&night, NULL, at("2026-01-05T21:59:59Z")));
    assert_true(hs_limit_holds(&night, NULL, at("2026-01-05T22:00:00Z")));
    assert_true(hs_limit_holds(&night, NULL, at("2026-01-06T05:59:59Z")));
    assert_false(hs_limit_holds(&night, NULL, at("2026-01-06T06:00:00Z")));
}

static void limit__days_and_months_are_those_of_its_beginning(void **state)
{
    struct hs_limit limit = night;

    limit.days = 1U << 0; /* Monday, 5 January 2026 */
    assert_true(hs_limit_holds(&limit, NULL, at("2026-01-06T03:00:00Z")));
    assert_false(hs_limit_holds(&limit, NULL, at("2026-01-06T23:00:00Z")));
    assert_false(hs_limit_holds(&limit, NULL, at("2026-01-05T03:00:00Z")));
    limit.days = HS_LIMIT_EVERY_DAY;
    limit.months = 1U << 0;
    assert_true(hs_limit_holds(&limit, NULL, at("2026-02-01T03:00:00Z")));
    assert_false(hs_limit_holds(&limit, NULL, at("2026-02-01T23:00:00Z")));
}

static void limit__touches_a_slot_that_it_holds_in_anywhere(void **state)
{
    struct hs_limit minute = night;

    minute.from_min = 10 * 60 + 7;
    minute.to_min = 10 * 60 + 8;
    assert_true(
        hs_limit_touches(&minute, NULL, at("2026-01-05T10:00:00Z"), at("2026-01-05T10:15:00Z")));
    assert_false(
        hs_limit_touches(&minute, NULL, at("2026-01-05T10:15:00Z"), at("2026-01-05T10:30:00Z")));
    assert_true(
        hs_limit_touches(&night, NULL, at("2026-01-05T21:50:00Z"), at("2026-01-05T22:00:01Z")));
}

static char *parse(struct hs_policy *policy, const char *text)
{
    struct hs_conf_report report = {0};
    char *errors;

    (void)hs_policy_parse(policy, NULL, text, &report);
    errors = hs_conf_report_format(&report);
    hs_conf_report_fini(&report);
    return errors;
}

static void policy__reads_limits_and_prices(void **state)
{
    HS_AUTO(hs_policy) policy = hs_policy_new();
    HS_AUTO_MEM char *errors = parse(
        policy,
        "{\"limits\":[{\"site\":\"pool\",\"elec_w\":20000,\"from\":\"22:00\",\"to\":\"06:00\","
        "\"season\":\"winter\",\"days\":[\"sat\",\"sun\"],\"why\":\"quiet hours\"},"
        "{\"site\":\"pool\",\"rack\":\"r1\",\"elec_w\":5,\"months\":[7,8]}],"
        "\"breach_prices\":{\"hygiene_cur_per_h\":7}}");

    assert_string_equal(errors, "");
    assert_int_equal(policy->n_limits, 2);
    assert_int_equal(policy->limits[0].from_min, 1320);
    assert_int_equal(policy->limits[0].to_min, 360);
    assert_int_equal(policy->limits[0].days, 0x60);
    assert_int_equal(policy->limits[0].months, 0xe07);
    assert_string_equal(policy->limits[0].why, "quiet hours");
    assert_int_equal(policy->limits[1].months, 0xc0);
    assert_string_equal(policy->limits[1].rack, "r1");
    assert_true(policy->prices.hygiene_cur_per_h == 7);
    assert_true(policy->prices.late_cur_per_h == 10);
}

static void policy__says_what_is_wrong_with_a_limit(void **state)
{
    HS_AUTO(hs_policy) policy = hs_policy_new();
    HS_AUTO_MEM char *both = parse(policy, "{\"limits\":[{\"site\":\"pool\",\"elec_w\":1,"
                                           "\"loop\":\"a\",\"rack\":\"b\"}]}");
    HS_AUTO_MEM char *day =
        parse(policy, "{\"limits\":[{\"site\":\"pool\",\"elec_w\":1,\"days\":[\"someday\"]}]}");

    assert_non_null(strstr(both, "either 'loop' or 'rack', not both"));
    assert_non_null(strstr(day, "/limits/0/days: must be a list of days: mon, tue"));
    assert_int_equal(policy->n_limits, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limit__a_window_passes_midnight),
        cmocka_unit_test(limit__days_and_months_are_those_of_its_beginning),
        cmocka_unit_test(limit__touches_a_slot_that_it_holds_in_anywhere),
        cmocka_unit_test(policy__reads_limits_and_prices),
        cmocka_unit_test(policy__says_what_is_wrong_with_a_limit),
    };
    return cmocka_run_group_tests_name("limit", tests, NULL, NULL);
}
