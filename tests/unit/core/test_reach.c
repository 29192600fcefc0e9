/* SPDX-License-Identifier: Apache-2.0 */
/* How long a tank carries a building, and how much more heat a loop can use. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler/core/reach.h"
#include "tests/support/near.h"

#define N 8

static struct hs_tank new_tank(double loss_w_per_k)
{
    return (struct hs_tank){.present = true,
                            .volume_l = 1000,
                            .nodes = 1,
                            .min_c = 40,
                            .max_c = 60,
                            .loss_w_per_k = loss_w_per_k,
                            .ambient_c = 20,
                            .charge_limit_w = INFINITY,
                            .draw_limit_w = INFINITY};
}

static void reach_ride__lasts_until_demand_has_drawn_the_tank(void **state)
{
    struct hs_tank tank = new_tank(0);
    double demand_w[N] = {500, 1000, 1000, 1000, 1000, 1000, 1000, 1000};

    /* half an hour at 500 W, then an hour at 1000 W, then the 250 Wh left */
    assert_near(hs_reach_get_ride_s(&tank, 1500, 1800, 3600, demand_w, N), 1800 + 3600 + 900, 1e-6);
}

static void reach_ride__is_shorter_by_what_the_tank_loses(void **state)
{
    struct hs_tank tank = new_tank(25); /* 500 W at min_c, a little more above */
    double demand_w[N] = {500, 500, 500, 500, 500, 500, 500, 500};
    double ride_s = hs_reach_get_ride_s(&tank, 1000, 3600, 3600, demand_w, N);

    assert_true(ride_s < 3600.0);
    assert_near(ride_s, 3600.0 * 1000.0 / (500.0 + 25.0 * (20.0 + 1000.0 / 1163.0)), 1e-6);
}

static void reach_ride__is_none_without_a_tank_or_above_its_draw_limit(void **state)
{
    struct hs_tank none = {.present = false};
    struct hs_tank weak = new_tank(0);
    double demand_w[N] = {0, 900, 900, 900, 900, 900, 900, 900};

    weak.draw_limit_w = 800;
    assert_near(hs_reach_get_ride_s(&none, 0, 3600, 3600, &demand_w[1], N - 1), 0, 1e-9);
    assert_near(hs_reach_get_ride_s(&weak, 9000, 3600, 3600, demand_w, N), 3600, 1e-9);
}

static void reach_ride__knows_no_end_where_the_tank_outlasts_the_plan(void **state)
{
    struct hs_tank tank = new_tank(0);
    double demand_w[N] = {100, 100, 100, 100, 100, 100, 100, 100};

    assert_true(isinf(hs_reach_get_ride_s(&tank, 800.5, 3600, 3600, demand_w, N)));
    assert_false(isinf(hs_reach_get_ride_s(&tank, 799.5, 3600, 3600, demand_w, N)));
}

struct world {
    double tank_wh[N];
    double unserved_wh[N];
    double rejected_wh[N];
    struct hs_reach_course course;
};

/* A tank of 1000 Wh, half full, nothing unserved, nothing dumped, hours of an hour. */
static void fill(struct world *w)
{
    *w = (struct world){0};
    for (size_t t = 0; t < N; t++) {
        w->tank_wh[t] = 500;
    }
    w->course = (struct hs_reach_course){.tank_max_wh = 1000,
                                         .charge_limit_w = INFINITY,
                                         .first_s = 3600,
                                         .slot_s = 3600,
                                         .n_slots = N,
                                         .tank_wh = w->tank_wh,
                                         .unserved_wh = w->unserved_wh,
                                         .rejected_wh = w->rejected_wh};
}

static void reach_headroom__is_what_the_tank_can_hold_to_the_end(void **state)
{
    struct world w;

    fill(&w);
    assert_near(hs_reach_get_headroom_w(&w.course, 0, 1), 500, 1e-9);
    assert_near(hs_reach_get_headroom_w(&w.course, 0, 2), 250, 1e-9);
    w.tank_wh[5] = 900; /* whatever is stored earlier must still fit in there */
    assert_near(hs_reach_get_headroom_w(&w.course, 0, 1), 100, 1e-9);
    assert_near(hs_reach_get_headroom_w(&w.course, 6, 1), 500, 1e-9);
}

static void reach_headroom__grows_by_what_backup_would_burn(void **state)
{
    struct world w;

    fill(&w);
    w.unserved_wh[2] = 300;
    assert_near(hs_reach_get_headroom_w(&w.course, 2, 1), 800, 1e-9);
    w.tank_wh[4] = 1000; /* full later: only what backup would burn until then */
    assert_near(hs_reach_get_headroom_w(&w.course, 0, 1), 300, 1e-9);
    assert_near(hs_reach_get_headroom_w(&w.course, 3, 1), 0, 1e-9);
}

static void reach_headroom__is_none_where_heat_is_dumped_already(void **state)
{
    struct world w;

    fill(&w);
    w.rejected_wh[3] = 1;
    assert_near(hs_reach_get_headroom_w(&w.course, 3, 1), 0, 1e-9);
    assert_near(hs_reach_get_headroom_w(&w.course, 4, 1), 500, 1e-9);
}

static void reach_headroom__is_bounded_by_the_charge_limit(void **state)
{
    struct world w;

    fill(&w);
    w.course.charge_limit_w = 200;
    assert_near(hs_reach_get_headroom_w(&w.course, 0, 1), 200, 1e-9);
    w.unserved_wh[0] = 50;
    assert_near(hs_reach_get_headroom_w(&w.course, 0, 1), 250, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reach_ride__lasts_until_demand_has_drawn_the_tank),
        cmocka_unit_test(reach_ride__is_shorter_by_what_the_tank_loses),
        cmocka_unit_test(reach_ride__is_none_without_a_tank_or_above_its_draw_limit),
        cmocka_unit_test(reach_ride__knows_no_end_where_the_tank_outlasts_the_plan),
        cmocka_unit_test(reach_headroom__is_what_the_tank_can_hold_to_the_end),
        cmocka_unit_test(reach_headroom__grows_by_what_backup_would_burn),
        cmocka_unit_test(reach_headroom__is_none_where_heat_is_dumped_already),
        cmocka_unit_test(reach_headroom__is_bounded_by_the_charge_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
