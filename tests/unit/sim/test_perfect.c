/* SPDX-License-Identifier: Apache-2.0 */
/* The same decisions told the future, on a made-up week: no dearer than without, and in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "scheduler/sim/controller.h"
#include "tests/support/near.h"
#include "tests/unit/sim/small_world.h"

#define DAYS   3
#define HOUR_S 3600.0

/* Power at night costs a third. */
static struct hs_series *make_prices(void)
{
    struct hs_series *series = hs_series_new();

    for (int hour = -24; hour < (DAYS + 3) * 24; hour++) {
        double cur_per_mwh = (hour + 240) % 24 < 6 ? 50.0 : 150.0;

        hs_series_add(series, SMALL_START_AT_S + hour * 3600, cur_per_mwh);
    }
    return series;
}

static void drive(const char *name, struct hs_simrun_result *ret_result)
{
    const struct hs_controller_ops *ops = NULL;
    struct hs_controller_options options = {0};
    struct hs_controller_stats stats;
    struct small_world world;

    assert_int_equal(small_world_open(&world, DAYS, "[]"), 0);
    for (size_t s = 0; s < world.scenario.estate->n_sites; s++) {
        hs_series_free(world.scenario.price[s]);
        world.scenario.price[s] = make_prices();
    }
    /* bursts that do not repeat: what a forecast of arrivals cannot know */
    for (int i = 0; i < 24; i++) {
        double submit_s = (i < 8 ? 2.0 : i < 16 ? 20.0 : 45.0) * HOUR_S + 60.0 * i;

        small_world_add_job(&world, submit_s, (1 + i % 4) * HOUR_S, 2, 12 * HOUR_S, i % 2 == 0);
        world.jobs.items[i].estimate_s *= 3.0; /* people ask for more than they run */
    }
    small_world_start(&world);
    assert_int_equal(hs_controller_find(name, &ops, NULL), 0);
    assert_int_equal(ops->drive(world.run, &options, &stats, NULL), 0);
    hs_simrun_finish(world.run, ret_result);
    small_world_close(&world);
}

static void perfect__is_no_dearer_than_heat_and_in_time(void **state)
{
    struct hs_simrun_result heat, perfect;

    drive("heat", &heat);
    drive("perfect", &perfect);
    print_message("cost: heat %.4f, perfect %.4f EUR\n", heat.total.cost_cur,
                  perfect.total.cost_cur);
    assert_int_equal(perfect.jobs_done, 24);
    assert_int_equal(perfect.jobs_late, 0);
    assert_true(perfect.total.cost_cur <= heat.total.cost_cur + 1e-9);
    free(heat.sites);
    free(perfect.sites);
}

static void perfect__starts_nothing_before_its_submit(void **state)
{
    const struct hs_controller_ops *ops = NULL;
    struct hs_controller_options options = {0};
    struct hs_controller_stats stats;
    struct small_world world;

    assert_int_equal(small_world_open(&world, 2, "[]"), 0);
    small_world_add_job(&world, 100.5, HOUR_S, 2, 0, false); /* has no time to wait */
    small_world_add_job(&world, 30 * HOUR_S, HOUR_S, 2, 6 * HOUR_S, false);
    small_world_start(&world);
    assert_int_equal(hs_controller_find("perfect", &ops, NULL), 0);
    assert_int_equal(ops->drive(world.run, &options, &stats, NULL), 0);
    assert_near(world.run->states[0].started_at_s, small_world_at_s(101), 1.0);
    assert_true(world.run->states[0].started_at_s >= small_world_at_s(100.5));
    assert_true(world.run->states[1].started_at_s >= small_world_at_s(30 * HOUR_S));
    small_world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(perfect__is_no_dearer_than_heat_and_in_time),
        cmocka_unit_test(perfect__starts_nothing_before_its_submit),
    };
    return cmocka_run_group_tests_name("perfect", tests, NULL, NULL);
}
