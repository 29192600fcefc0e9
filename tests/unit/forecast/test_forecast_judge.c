/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forecast/forecast.h"
#include "forecast/forecast_judge.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/mem.h"
#include "tests/support/near.h"
#include "tests/unit/forecast/town.h"

#define FROM_NO  480000
#define DAYS     120
#define WARM_D   21 /* before which nothing is counted */
#define LEADS    HS_HEATHISTORY_LEADS
#define MEAN_W   1000.0
#define COVER    0.8
#define COVER_BY 0.05

/* Heat of an hour @day days in; its forecast is always MEAN_W. */
typedef double draw_fn(double day, int64_t no, uint64_t *seed);

/* Sum of 12 evens: a normal deviate, near enough. */
static double draw_normal(uint64_t *seed)
{
    double sum = -6.0;

    for (int i = 0; i < 12; i++) {
        sum += town_draw(seed);
    }
    return sum;
}

static double draw_alike(double day, int64_t no, uint64_t *seed)
{
    (void)day;
    (void)no;
    return MEAN_W + 100.0 * draw_normal(seed);
}

/* Ten times as wild at the end as at the beginning. */
static double draw_growing(double day, int64_t no, uint64_t *seed)
{
    (void)no;
    return MEAN_W + (20.0 + 180.0 * day / DAYS) * draw_normal(seed);
}

/* A house: nothing in a third of the hours, else heat with a long tail. */
static double draw_lumpy(double day, int64_t no, uint64_t *seed)
{
    (void)day;
    (void)no;
    if (town_draw(seed) < 1.0 / 3.0) {
        return 0.0;
    }
    return -1500.0 * log(1.0 - town_draw(seed));
}

/* Calm nights, wild mornings. */
static double draw_mornings(double day, int64_t no, uint64_t *seed)
{
    (void)day;
    return MEAN_W + (no % 24 >= 6 && no % 24 < 10 ? 300.0 : 30.0) * draw_normal(seed);
}

/* A day's error lasts for a day and longer. */
static double draw_in_spells(double day, int64_t no, uint64_t *seed)
{
    static double spell_w;

    (void)day;
    (void)no;
    spell_w = 0.95 * spell_w + 30.0 * draw_normal(seed);
    return MEAN_W + spell_w;
}

/* Share of hours inside, at leads 1, 24 and 48; also of some hours of the day alone. */
static void judge_run(draw_fn *draw, int from_hour, int to_hour, double *ret_inside)
{
    static const size_t leads[3] = {1, 24, 48};
    HS_AUTO_MEM struct hs_forecast_judge *judge = hs_xcalloc(1, sizeof(*judge));
    double heat_w[LEADS];
    const double yesterday_w[2] = {MEAN_W, MEAN_W};
    double inside[3] = {0};
    double n = 0;
    uint64_t seed = 17;

    hs_forecast_judge_init(judge);
    for (size_t k = 0; k < LEADS; k++) {
        heat_w[k] = MEAN_W;
    }
    for (int64_t no = FROM_NO; no < FROM_NO + DAYS * 24; no++) {
        double is_w = draw((double)(no - FROM_NO) / 24.0, no, &seed);

        hs_forecast_judge_expect(judge, no - 1, heat_w);
        if (no >= FROM_NO + WARM_D * 24 && no % 24 >= from_hour && no % 24 < to_hour) {
            for (size_t i = 0; i < 3; i++) {
                double p10_w;
                double p90_w;

                hs_forecast_judge_quantify(judge, no, leads[i], MEAN_W, 1.0, &p10_w, &p90_w);
                inside[i] += is_w >= p10_w && is_w <= p90_w ? 1.0 : 0.0;
            }
            n += 1.0;
        }
        hs_forecast_judge_settle(judge, no, is_w, yesterday_w);
    }
    for (size_t i = 0; i < 3; i++) {
        ret_inside[i] = inside[i] / n;
    }
}

static void assert_covers(draw_fn *draw, int from_hour, int to_hour, double by)
{
    double inside[3];

    judge_run(draw, from_hour, to_hour, inside);
    for (size_t i = 0; i < 3; i++) {
        assert_near(inside[i], COVER, by);
    }
}

static void judge__covers_80_percent_of_errors_that_are_all_alike(void **state)
{
    (void)state;
    assert_covers(draw_alike, 0, 24, COVER_BY);
}

static void judge__covers_80_percent_of_errors_that_grow(void **state)
{
    (void)state;
    assert_covers(draw_growing, 0, 24, COVER_BY);
}

static void judge__covers_80_percent_of_a_lumpy_house_with_zeros(void **state)
{
    (void)state;
    assert_covers(draw_lumpy, 0, 24, COVER_BY);
}

static void judge__covers_80_percent_of_errors_in_spells(void **state)
{
    (void)state;
    assert_covers(draw_in_spells, 0, 24, COVER_BY);
}

static void judge__covers_wild_hours_and_calm_ones_apart(void **state)
{
    (void)state;
    assert_covers(draw_mornings, 6, 10, 0.08);
    assert_covers(draw_mornings, 10, 24, 0.08);
}

static void judge__widens_either_side_and_never_goes_below_zero(void **state)
{
    HS_AUTO_MEM struct hs_forecast_judge *judge = hs_xcalloc(1, sizeof(*judge));
    double p10_w;
    double p90_w;
    double wide10_w;
    double wide90_w;

    (void)state;
    hs_forecast_judge_init(judge);
    hs_forecast_judge_quantify(judge, FROM_NO, 1, MEAN_W, 1.0, &p10_w, &p90_w);
    /* nothing judged: half of it, times what a tenth of the errors of a Laplace law exceed */
    assert_near(p10_w, MEAN_W - 800.0, 1e-9);
    assert_near(p90_w, MEAN_W + 800.0, 1e-9);
    hs_forecast_judge_quantify(judge, FROM_NO, 1, MEAN_W, 2.0, &wide10_w, &wide90_w);
    assert_near(wide10_w, 0.0, 0);
    assert_near(wide90_w, MEAN_W + 1600.0, 1e-9);
}

static void judge__tells_errors_by_block_and_beside_yesterdays(void **state)
{
    HS_AUTO_MEM struct hs_forecast_judge *judge = hs_xcalloc(1, sizeof(*judge));
    struct hs_forecast_accuracy blocks[HS_FORECAST_JUDGE_BLOCKS];
    const double yesterday_w[2] = {1200.0, 1300.0};
    double heat_w[LEADS];

    (void)state;
    hs_forecast_judge_init(judge);
    for (size_t k = 0; k < LEADS; k++) {
        heat_w[k] = k < 6 ? 1100.0 : k < 24 ? 900.0 : 500.0;
    }
    for (int64_t no = FROM_NO; no < FROM_NO + 20 * 24; no++) {
        hs_forecast_judge_expect(judge, no - 1, heat_w);
        hs_forecast_judge_settle(judge, no, no % 10 == 0 ? (double)NAN : MEAN_W, yesterday_w);
    }
    hs_forecast_judge_get_accuracy(judge, blocks);
    assert_near(blocks[0].nmae, 0.1, 1e-6);
    assert_near(blocks[1].nmae, 0.1, 1e-6);
    assert_near(blocks[2].nmae, 0.5, 1e-6);
    assert_near(blocks[0].yesterday_nmae, 0.2, 1e-6);
    assert_near(blocks[2].yesterday_nmae, 0.3, 1e-6);
    assert_int_equal(blocks[1].from_lead_h, 7);
    assert_int_equal(blocks[1].to_lead_h, 24);
    /* of 14 days nine hours in ten are known, six leads each */
    assert_in_range(blocks[0].n, 14 * 24 * 6 * 9 / 10 - 12, 14 * 24 * 6 * 9 / 10 + 12);
}

static void judge__forgets_what_was_expected_before_a_jump(void **state)
{
    HS_AUTO_MEM struct hs_forecast_judge *judge = hs_xcalloc(1, sizeof(*judge));
    struct hs_forecast_accuracy blocks[HS_FORECAST_JUDGE_BLOCKS];
    const double yesterday_w[2] = {MEAN_W, MEAN_W};
    double heat_w[LEADS] = {0};

    (void)state;
    hs_forecast_judge_init(judge);
    hs_forecast_judge_expect(judge, FROM_NO, heat_w);
    hs_forecast_judge_forget(judge);
    hs_forecast_judge_settle(judge, FROM_NO + 1, MEAN_W, yesterday_w);
    hs_forecast_judge_get_accuracy(judge, blocks);
    assert_int_equal(blocks[0].n, 0);
    assert_true(isnan(blocks[0].nmae));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judge__covers_80_percent_of_errors_that_are_all_alike),
        cmocka_unit_test(judge__covers_80_percent_of_errors_that_grow),
        cmocka_unit_test(judge__covers_80_percent_of_a_lumpy_house_with_zeros),
        cmocka_unit_test(judge__covers_80_percent_of_errors_in_spells),
        cmocka_unit_test(judge__covers_wild_hours_and_calm_ones_apart),
        cmocka_unit_test(judge__widens_either_side_and_never_goes_below_zero),
        cmocka_unit_test(judge__tells_errors_by_block_and_beside_yesterdays),
        cmocka_unit_test(judge__forgets_what_was_expected_before_a_jump),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
