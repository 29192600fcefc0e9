/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forecast/residuals.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/mem.h"
#include "tests/support/near.h"
#include "tests/unit/forecast/town.h"

#define FROM_NO 480000
#define DAYS    28

/* A day with its ups and downs, mean 1. */
static double get_base(int64_t no)
{
    return 1.0 + 0.4 * sin(2.0 * M_PI * (double)(no % 24) / 24.0);
}

static struct hs_residuals *new_residuals(void)
{
    struct hs_residuals *residuals = hs_xcalloc(1, sizeof(*residuals));

    hs_residuals_init(residuals);
    return residuals;
}

/* Hour @no became @heat, which the base had foreseen as @base at any lead. */
static void show(struct hs_residuals *residuals, int64_t no, double base, double heat)
{
    for (size_t lead = 1; lead <= HS_LEADS_MAX; lead++) {
        if (!isnan(heat) && hs_leads_is_taught(lead, no)
            && hs_residuals_has_origin(residuals, no, lead)) {
            hs_residuals_learn(residuals, no, lead, base, heat);
        }
    }
    hs_residuals_push(residuals, no, base, heat);
}

static void residuals__add_nothing_before_anything_was_missed(void **state)
{
    HS_AUTO_MEM struct hs_residuals *residuals = new_residuals();

    (void)state;
    assert_false(hs_residuals_has_origin(residuals, FROM_NO, 1));
    hs_residuals_push(residuals, FROM_NO, 1.0, 1.0);
    assert_true(hs_residuals_has_origin(residuals, FROM_NO + 1, 1));
    for (size_t lead = 1; lead <= 240; lead++) {
        assert_near(hs_residuals_correct(residuals, FROM_NO, lead, 1.0), 0.0, 1e-12);
    }
}

static void residuals__learn_that_a_base_is_a_tenth_low(void **state)
{
    HS_AUTO_MEM struct hs_residuals *residuals = new_residuals();
    int64_t no = FROM_NO;

    (void)state;
    for (; no < FROM_NO + DAYS * 24; no++) {
        show(residuals, no, 0.9 * get_base(no), get_base(no));
    }
    no--;
    for (size_t lead = 1; lead <= HS_LEADS_MAX; lead++) {
        double truth = get_base(no + (int64_t)lead);
        double said = 0.9 * truth + hs_residuals_correct(residuals, no, lead, 0.9 * truth);

        assert_near(said, truth, 0.01);
    }
}

static void residuals__do_not_keep_a_spike(void **state)
{
    HS_AUTO_MEM struct hs_residuals *residuals = new_residuals();
    uint64_t seed = 11;
    int64_t no = FROM_NO;

    (void)state;
    for (; no < FROM_NO + DAYS * 24; no++) {
        show(residuals, no, 1.0, 1.0 + 0.1 * (town_draw(&seed) - 0.5));
    }
    show(residuals, no, 1.0, 48.0);
    for (size_t lead = 1; lead <= HS_LEADS_MAX; lead++) {
        /* cut to six typical misses of 0.025, of which a part is believed to come again */
        assert_near(hs_residuals_correct(residuals, no, lead, 1.0), 0.0, 0.15);
    }
    for (int i = 0; i < 48; i++) {
        no++;
        show(residuals, no, 1.0, 1.0 + 0.1 * (town_draw(&seed) - 0.5));
    }
    for (size_t lead = 1; lead <= 20; lead++) {
        assert_near(hs_residuals_correct(residuals, no, lead, 1.0), 0.0, 0.05);
    }
}

static void residuals__an_unknown_hour_keeps_what_was_known(void **state)
{
    HS_AUTO_MEM struct hs_residuals *residuals = new_residuals();
    int64_t no = FROM_NO;

    (void)state;
    for (; no < FROM_NO + DAYS * 24; no++) {
        show(residuals, no, 0.9 * get_base(no), get_base(no));
    }
    for (int i = 0; i < 30; i++, no++) {
        show(residuals, no, 0.9 * get_base(no), (double)NAN);
    }
    no--;
    for (size_t lead = 1; lead <= HS_LEADS_MAX; lead++) {
        double truth = get_base(no + (int64_t)lead);
        double said = 0.9 * truth + hs_residuals_correct(residuals, no, lead, 0.9 * truth);

        assert_near(said, truth, 0.05);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(residuals__add_nothing_before_anything_was_missed),
        cmocka_unit_test(residuals__learn_that_a_base_is_a_tenth_low),
        cmocka_unit_test(residuals__do_not_keep_a_spike),
        cmocka_unit_test(residuals__an_unknown_hour_keeps_what_was_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
