/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/model/account.h"
#include "scheduler/model/action.h"
#include "scheduler/model/catalogue.h"
#include "scheduler/model/machine.h"
#include "scheduler/model/plan.h"
#include "scheduler/model/series.h"
#include "tests/support/near.h"

static struct hs_series *make_series(void)
{
    struct hs_series *series = hs_series_new();

    hs_series_add(series, 0, NAN);
    hs_series_add(series, 100, 10);
    hs_series_add(series, 200, NAN);
    hs_series_add(series, 300, 30);
    series->step_s = 100;
    return series;
}

static void series__holds_the_last_known_value(void **state)
{
    HS_AUTO(hs_series) series = make_series();

    assert_true(isnan(hs_series_get_held(series, -1)));
    assert_true(isnan(hs_series_get_held(series, 99)));
    assert_near(hs_series_get_held(series, 100), 10, 0);
    assert_near(hs_series_get_held(series, 250), 10, 0);
    assert_near(hs_series_get_held(series, 1000), 30, 0);
}

static void series__averages_over_time(void **state)
{
    HS_AUTO(hs_series) series = make_series();
    HS_AUTO(hs_series) empty = hs_series_new();

    assert_near(hs_series_get_mean(series, 100, 400), (10 * 200 + 30 * 100) / 300.0, 1e-12);
    assert_near(hs_series_get_mean(series, 290, 310), 20, 1e-12);
    assert_near(hs_series_get_mean(series, 50, 150), 10, 1e-12);
    assert_near(hs_series_get_mean(series, 500, 600), 30, 1e-12);
    assert_near(hs_series_get_mean(series, 150, 150), 10, 1e-12);
    assert_true(isnan(hs_series_get_mean(series, -50, 100)));
    assert_true(isnan(hs_series_get_mean(empty, 0, 100)));
}

static void series__knows_measured_from_held(void **state)
{
    HS_AUTO(hs_series) series = make_series();

    assert_false(hs_series_is_known(series, 50));
    assert_true(hs_series_is_known(series, 199));
    assert_false(hs_series_is_known(series, 200));
    assert_true(hs_series_is_known(series, 399));
    assert_false(hs_series_is_known(series, 400));
}

static void plan__finds_placements_and_slots(void **state)
{
    HS_AUTO(hs_plan) plan = hs_plan_new(1000, 900, 96, 2);
    struct hs_placement row = {.job_id = 7, .slots = {0, 1U << 6}};

    assert_null(hs_plan_find(plan, 7));
    plan->placements = hs_xcalloc(1, sizeof(row));
    plan->placements[0] = row;
    plan->n_placements = 1;
    assert_ptr_equal(hs_plan_find(plan, 7), plan->placements);
    assert_true(hs_plan_runs(&row, 70));
    assert_false(hs_plan_runs(&row, 69));
    assert_near(plan->tank_wh[2 * 96 - 1], 0, 0);
}

static void account__adds_and_derives(void **state)
{
    struct hs_account sum = {0};
    struct hs_account part = {.it_wh = 100,
                              .captured_heat_wh = 80,
                              .useful_heat_wh = 50,
                              .rejected_heat_wh = 10,
                              .lost_heat_wh = 5,
                              .stored_heat_wh = 11,
                              .demand_heat_wh = 200,
                              .aux_wh = 25};
    json_auto_t *json = NULL;
    json_auto_t *empty = hs_account_format(&sum);

    assert_true(isnan(hs_account_get_balance_residual_ratio(&sum)));
    assert_true(json_is_null(json_object_get(empty, "coverage_ratio")));
    hs_account_add(&sum, &part);
    hs_account_add(&sum, &part);
    assert_near(hs_account_get_balance_residual_ratio(&sum), 4.0 / 80, 1e-12);
    json = hs_account_format(&sum);
    assert_near(json_number_value(json_object_get(json, "it_wh")), 200, 0);
    assert_near(json_number_value(json_object_get(json, "recovery_ratio")), 0.5, 1e-12);
    assert_near(json_number_value(json_object_get(json, "used_ratio")), 0.625, 1e-12);
    assert_near(json_number_value(json_object_get(json, "coverage_ratio")), 0.25, 1e-12);
    assert_near(json_number_value(json_object_get(json, "erf")), 0.4, 1e-12);
    assert_true(json_is_null(json_object_get(json, "saving_heat_cur")));
}

static void words__are_stable(void **state)
{
    assert_string_equal(hs_machine_state_word(HS_MACHINE_SHUT_OFF), "shut-off");
    assert_string_equal(hs_action_word(HS_ACTION_DESTROY), "destroy");
    assert_string_equal(hs_action_word(HS_ACTION_MOVE), "move");
}

static void catalogue__has_a_row_for_every_word(void **state)
{
    for (size_t i = 0; hs_catalogue_cooling_words[i] != NULL; i++) {
        double capture_ratio =
            hs_catalogue_find_cooling(hs_catalogue_cooling_words[i])->capture_ratio;

        assert_true(capture_ratio > 0 && capture_ratio < 1);
    }
    for (size_t i = 0; hs_catalogue_sink_words[i] != NULL; i++) {
        assert_non_null(hs_catalogue_find_sink(hs_catalogue_sink_words[i]));
    }
    for (size_t i = 0; hs_catalogue_backup_words[i] != NULL; i++) {
        assert_non_null(hs_catalogue_find_backup(hs_catalogue_backup_words[i]));
    }
    for (size_t i = 0; hs_catalogue_template_words[i] != NULL; i++) {
        const struct hs_catalogue_template *row =
            hs_catalogue_find_template(hs_catalogue_template_words[i]);

        assert_non_null(hs_catalogue_find_sink(row->sink_kind));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series__holds_the_last_known_value),
        cmocka_unit_test(series__averages_over_time),
        cmocka_unit_test(series__knows_measured_from_held),
        cmocka_unit_test(plan__finds_placements_and_slots),
        cmocka_unit_test(account__adds_and_derives),
        cmocka_unit_test(words__are_stable),
        cmocka_unit_test(catalogue__has_a_row_for_every_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
