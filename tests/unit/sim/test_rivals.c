/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of asap, thermostat, sticky and carbon (docs/simulator.md, Rivals) on cases by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "scheduler/base/vec.h"
#include "tests/support/near.h"
#include "tests/unit/sim/small_world.h"

#define HOUR_S 3600.0
#define LONG_S (20 * HOUR_S)

/* Instants of moves and suspends, seconds into the run. */
struct seen {
    const struct hs_simrun *run;
    HS_VEC(double) moved_s;
    HS_VEC(double) suspended_s;
    HS_VEC(size_t) suspended_jobs;
};

static void on_job_changed(void *arg, size_t job_idx, enum hs_simrun_change change)
{
    struct seen *seen = arg;
    double at_s = seen->run->at_s - small_world_at_s(0);

    if (change == HS_SIMRUN_MOVE) {
        HS_VEC_PUSH(&seen->moved_s, at_s);
    } else if (change == HS_SIMRUN_SUSPEND) {
        HS_VEC_PUSH(&seen->suspended_s, at_s);
        HS_VEC_PUSH(&seen->suspended_jobs, job_idx);
    }
}

static void drive(struct small_world *world, const char *name, struct seen *seen)
{
    const struct hs_controller_ops *ops = NULL;
    struct hs_controller_options options = {0};
    struct hs_controller_stats stats;

    assert_int_equal(hs_controller_find(name, &ops, NULL), 0);
    if (seen != NULL) {
        seen->run = world->run;
        world->run->watcher =
            (struct hs_simrun_watcher){.job_changed = on_job_changed, .arg = seen};
    }
    assert_int_equal(ops->drive(world->run, &options, &stats, NULL), 0);
}

/* Seconds into the run at which a job first started. */
static double started_s(const struct small_world *world, size_t job_idx)
{
    return world->run->states[job_idx].started_at_s - small_world_at_s(0);
}

/*
 * A host gives 0.8 x 100 W = 80 W idle and 40 W a busy vCPU; 300 W are wanted, tanks are half full,
 * not below. So both loops call at 80, 160 and 240 W, and at 320 W no more: six jobs of 2 vCPUs
 * start, by turns, and the seventh waits for its latest start, 3 h less a slot.
 */
static void thermostat__starts_while_called_and_then_at_the_latest_start(void **state)
{
    struct small_world world;

    (void)state;
    assert_int_equal(small_world_open(&world, 1, "[]"), 0);
    for (size_t i = 0; i < 6; i++) {
        small_world_add_job(&world, 0, LONG_S, 2, (double)(1 + i), false);
    }
    small_world_add_job(&world, 0, HOUR_S, 2, 3 * HOUR_S, false);
    small_world_start(&world);
    drive(&world, "thermostat", NULL);
    for (size_t i = 0; i < 6; i++) {
        assert_near(started_s(&world, i), 0, 0);
        assert_int_equal(world.run->states[i].host_idx, i % 2);
    }
    assert_near(started_s(&world, 6), 3 * HOUR_S - 900, 1e-6);
    small_world_close(&world);
}

/*
 * As above, 320 W on each loop. After four slots only 200 W are wanted. A tank takes 4652 Wh and
 * starts with half, so 2094 Wh more fill it above 95 %: four slots of 5 Wh and seventy of 30 Wh, up
 * to the end of the 74th. Then two of each loop's three jobs are suspended, from 320 to 160 W, and
 * the one with least slack goes on.
 */
static void thermostat__suspends_most_slack_first_when_the_tank_is_full(void **state)
{
    static const size_t want[] = {4, 2, 5, 3};
    struct small_world world;
    struct seen seen = {0};

    (void)state;
    assert_int_equal(small_world_open(&world, 2, "[]"), 0);
    for (size_t i = 0; i < 6; i++) {
        small_world_add_job(&world, 0, LONG_S, 2, (double)(1 + i) * HOUR_S, true);
    }
    small_world_start(&world);
    for (size_t i = 0; i < 2 * world.trace->n_slots; i++) {
        if (i % world.trace->n_slots >= 4) {
            world.trace->demand_heat_w[i] = 200;
        }
    }
    drive(&world, "thermostat", &seen);
    assert_true(seen.suspended_s.n >= 4);
    for (size_t i = 0; i < 4; i++) {
        assert_near(seen.suspended_s.items[i], 74 * 900, 1e-6);
        assert_int_equal(seen.suspended_jobs.items[i], want[i]);
    }
    HS_VEC_FINI(&seen.suspended_jobs);
    HS_VEC_FINI(&seen.suspended_s);
    HS_VEC_FINI(&seen.moved_s);
    small_world_close(&world);
}

/*
 * Sixteen jobs of 1 vCPU start by turns at pool and office. Of the office's, @n_short end after an
 * hour, the others stay and cannot move; the pool's are interruptible. Then the pool gives 400 W
 * and the office far less than 300 W: it leads.
 */
static void run_sticky(struct small_world *world, size_t n_short, struct seen *seen)
{
    assert_int_equal(small_world_open(world, 1, "[]"), 0);
    for (size_t i = 0; i < 16; i++) {
        bool is_office = i % 2 == 1;
        bool is_short = is_office && i / 2 < n_short;

        small_world_add_job(world, 0, is_short ? HOUR_S : LONG_S, 1, 0, !is_office);
    }
    small_world_start(world);
    drive(world, "sticky", seen);
    assert_near(started_s(world, 15), 0, 0);
}

static void sticky__moves_a_tenth_of_the_running_jobs_a_slot(void **state)
{
    struct small_world world;
    struct seen seen = {0};

    (void)state;
    run_sticky(&world, 6, &seen); /* ten run on: one a slot */
    assert_true(seen.moved_s.n >= 2);
    assert_near(seen.moved_s.items[0], HOUR_S, 1e-6);
    assert_near(seen.moved_s.items[1], HOUR_S + 900, 1e-6);
    HS_VEC_FINI(&seen.moved_s);
    small_world_close(&world);
}

static void sticky__moves_nothing_when_a_tenth_is_less_than_one(void **state)
{
    struct small_world world;
    struct seen seen = {0};

    (void)state;
    run_sticky(&world, 7, &seen); /* nine run on */
    assert_int_equal(seen.moved_s.n, 0);
    small_world_close(&world);
}

/* Electricity is clean in slots 8 to 11 and, as clean, 16 to 19. */
static void run_carbon(struct small_world *world)
{
    small_world_start(world);
    for (size_t i = 0; i < 2 * world->trace->n_slots; i++) {
        size_t slot = i % world->trace->n_slots;

        world->trace->gco2_per_kwh[i] = slot / 4 == 2 || slot / 4 == 4 ? 100 : 300;
    }
    drive(world, "carbon", NULL);
}

static void carbon__takes_the_first_of_equal_windows_before_the_due_time(void **state)
{
    struct small_world world;

    (void)state;
    assert_int_equal(small_world_open(&world, 1, "[]"), 0);
    small_world_add_job(&world, 100, HOUR_S, 2, 10 * HOUR_S, false); /* both windows are in time */
    small_world_add_job(&world, 200, HOUR_S, 2, 1000, false);        /* none: all times are alike */
    small_world_add_job(&world, 300, HOUR_S, 2, 1.5 * HOUR_S, false); /* half of the first is */
    run_carbon(&world);
    assert_near(started_s(&world, 0), 2 * HOUR_S, 1e-6);
    assert_near(started_s(&world, 1), 200, 1e-6);
    assert_near(started_s(&world, 2), 1.5 * HOUR_S, 1e-6);
    small_world_close(&world);
}

static void carbon__is_late_in_the_cleanest_window_when_none_in_time_has_room(void **state)
{
    struct small_world world;

    (void)state;
    assert_int_equal(small_world_open(&world, 1, "[]"), 0);
    for (size_t i = 0; i < 3; i++) {
        small_world_add_job(&world, 0, HOUR_S, 8, 0, false);
    }
    run_carbon(&world);
    assert_near(started_s(&world, 0), 0, 0);
    assert_near(started_s(&world, 1), 0, 0);
    assert_int_equal(world.run->states[0].host_idx + world.run->states[1].host_idx, 1);
    assert_near(started_s(&world, 2), 2 * HOUR_S, 1e-6);
    small_world_close(&world);
}

/* Two jobs of 4 vCPUs make 500 W on a rack that may draw 450 W: whoever starts them, it is said. */
static void run__counts_how_long_a_limit_is_not_kept(void **state)
{
    struct small_world world;
    struct hs_simrun_result result;

    (void)state;
    assert_int_equal(small_world_open(&world, 1, "[]"), 0);
    small_world_add_job(&world, 0, HOUR_S, 4, 0, false);
    small_world_add_job(&world, 0, HOUR_S, 4, 0, false);
    world.scenario.estate->racks[0].limit_w = 450;
    small_world_start(&world);
    hs_simrun_start_job(world.run, 0, 0);
    hs_simrun_start_job(world.run, 1, 0);
    hs_simrun_advance(world.run, small_world_at_s(1000));
    hs_simrun_suspend_job(world.run, 1);
    hs_simrun_finish(world.run, &result);
    assert_near(result.over_limit_s, 1000, 1e-6);
    free(result.sites);
    small_world_close(&world);
}

/* The same two under asap: the second takes the other host. */
static void asap__keeps_a_rack_within_its_limit(void **state)
{
    struct small_world world;

    (void)state;
    assert_int_equal(small_world_open(&world, 1, "[]"), 0);
    small_world_add_job(&world, 0, HOUR_S, 4, 0, false);
    small_world_add_job(&world, 0, HOUR_S, 7, 0, false);
    small_world_add_job(&world, 0, HOUR_S, 4, 0, false);
    world.scenario.estate->racks[0].limit_w = 450;
    small_world_start(&world);
    drive(&world, "asap", NULL);
    assert_int_equal(world.run->states[0].host_idx, SMALL_POOL);
    assert_int_equal(world.run->states[1].host_idx, SMALL_OFFICE);
    assert_near(started_s(&world, 2), HOUR_S, 1e-6); /* 4 vCPUs are free, 150 W are not enough */
    assert_near(world.run->over_limit_s, 0, 0);
    small_world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run__counts_how_long_a_limit_is_not_kept),
        cmocka_unit_test(asap__keeps_a_rack_within_its_limit),
        cmocka_unit_test(thermostat__starts_while_called_and_then_at_the_latest_start),
        cmocka_unit_test(thermostat__suspends_most_slack_first_when_the_tank_is_full),
        cmocka_unit_test(sticky__moves_a_tenth_of_the_running_jobs_a_slot),
        cmocka_unit_test(sticky__moves_nothing_when_a_tenth_is_less_than_one),
        cmocka_unit_test(carbon__takes_the_first_of_equal_windows_before_the_due_time),
        cmocka_unit_test(carbon__is_late_in_the_cleanest_window_when_none_in_time_has_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
