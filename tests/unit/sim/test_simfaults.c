/* SPDX-License-Identifier: Apache-2.0 */
/* What scripted events and the costs of moves and suspends do to the truth of a run. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/near.h"
#include "tests/unit/sim/small_world.h"

#define EVENT(hour_, span_, kind_, object_)                                                 \
    "{\"at\": \"2026-01-05T0" hour_ ":00:00Z\", \"for\": \"" span_ "\", \"kind\": \"" kind_ \
    "\", \"object\": \"" object_ "\"}"

#define TANK_WH (200 * 1.163 * 20)

static void start(struct small_world *world, const char *events)
{
    assert_int_equal(small_world_open(world, 1, events), 0);
    small_world_add_job(world, 0, 4 * 3600, 4, 36000, true);
    small_world_start(world);
}

static void run_to(struct small_world *world, double span_s)
{
    hs_simrun_advance(world->run, small_world_at_s(span_s));
    hs_simrun_apply_events(world->run);
}

static const struct hs_account *account_of_pool(const struct small_world *world)
{
    return &world->run->accounts[SMALL_POOL];
}

static void assert_closes(const struct hs_account *a)
{
    assert_near(a->captured_heat_wh - a->useful_heat_wh - a->stored_heat_wh - a->rejected_heat_wh
                    - a->lost_heat_wh,
                0, 1e-6 * a->captured_heat_wh);
    assert_near(a->demand_heat_wh, a->useful_heat_wh + a->backup_heat_wh, 1e-6);
}

static void simfaults__a_sink_that_is_off_is_served_for_its_share_of_the_slot_only(void **state)
{
    struct small_world world;

    /* 300 W are wanted and 80 W come: the tank gives the rest. Off from 01:00 for 20 min */
    start(&world, "[" EVENT("1", "20m", "sink-off", "pool/main/basin") "]");
    run_to(&world, 3600);
    assert_near(account_of_pool(&world)->useful_heat_wh, 300, 1e-9);
    run_to(&world, 3600 + 900);
    assert_near(account_of_pool(&world)->useful_heat_wh, 300, 1e-9);
    assert_near(account_of_pool(&world)->backup_heat_wh, 75, 1e-9);
    run_to(&world, 3600 + 1800);
    assert_near(account_of_pool(&world)->useful_heat_wh, 300 + 75.0 * 2 / 3, 1e-9);
    assert_near(account_of_pool(&world)->demand_heat_wh, 450, 1e-9);
    assert_near(world.run->accounts[SMALL_OFFICE].useful_heat_wh, 450, 1e-9);
    assert_closes(account_of_pool(&world));
    small_world_close(&world);
}

static void simfaults__a_standing_pump_rejects_what_is_captured_and_leaves_the_tank(void **state)
{
    struct small_world world;

    start(&world, "[" EVENT("0", "2h", "pump-fault", "pool/main") "]");
    run_to(&world, 0);
    hs_simrun_start_job(world.run, 0, SMALL_POOL); /* compute is not refused */
    run_to(&world, 7200);
    assert_near(account_of_pool(&world)->captured_heat_wh, 0.8 * 300 * 2, 1e-9);
    assert_near(account_of_pool(&world)->rejected_heat_wh, 0.8 * 300 * 2, 1e-9);
    assert_near(account_of_pool(&world)->useful_heat_wh, 0, 1e-9);
    assert_near(account_of_pool(&world)->backup_heat_wh, 600, 1e-9);
    assert_near(world.run->tank_wh[SMALL_POOL], TANK_WH / 2, 1e-9);
    run_to(&world, 7200 + 3600);
    assert_near(account_of_pool(&world)->useful_heat_wh, 300, 1e-9);
    assert_near(account_of_pool(&world)->rejected_heat_wh, 0.8 * 300 * 2, 1e-9);
    assert_closes(account_of_pool(&world));
    small_world_close(&world);
}

static void simfaults__a_pump_that_stands_for_half_a_slot_strands_half_its_heat(void **state)
{
    struct small_world world;

    start(&world, "[{\"at\": \"2026-01-05T00:03:00Z\", \"for\": \"450s\", \"kind\": \"pump-fault\","
                  "\"object\": \"pool/main\"}]");
    run_to(&world, 900);
    assert_near(account_of_pool(&world)->rejected_heat_wh, 80.0 * 450 / 3600, 1e-9);
    assert_near(account_of_pool(&world)->useful_heat_wh, 300.0 * 450 / 3600, 1e-9);
    assert_closes(account_of_pool(&world));
    small_world_close(&world);
}

static void simfaults__a_lower_rejection_limit_is_flagged_in_its_slots(void **state)
{
    struct small_world world;

    start(
        &world,
        "[" EVENT("0", "3h", "pump-fault",
                  "pool/main") ","
                               "{\"at\": \"2026-01-05T01:05:00Z\", \"for\": \"30m\", \"value\": 50,"
                               "\"kind\": \"rejection-fault\", \"object\": \"pool/main\"}]");
    run_to(&world, 3600);
    assert_int_equal(world.run->n_slots_over_rejection, 0);
    run_to(&world, 3 * 3600);
    /* 01:05 to 01:35 touches three slots of 80 W each */
    assert_int_equal(world.run->n_slots_over_rejection, 3);
    small_world_close(&world);
}

static void simfaults__a_lost_host_draws_nothing_and_throws_its_jobs_off(void **state)
{
    struct small_world world;
    size_t job_idx = SIZE_MAX;

    start(&world, "[" EVENT("1", "2h", "host-lost", "pool/r1/h1") "]");
    run_to(&world, 0);
    hs_simrun_start_job(world.run, 0, SMALL_POOL);
    assert_near(hs_simrun_next_event_at_s(world.run), small_world_at_s(3600), 0);
    run_to(&world, 3600);
    assert_false(hs_simrun_is_host_up(world.run, SMALL_POOL));
    assert_int_equal(hs_simrun_get_free_vcpus(world.run, SMALL_POOL), 0);
    assert_near(world.run->rack_elec_w[0], 0, 0);
    assert_true(hs_simrun_take_thrown(world.run, &job_idx));
    assert_int_equal(job_idx, 0);
    assert_false(hs_simrun_take_thrown(world.run, &job_idx));
    assert_int_equal(world.run->states[0].state, HS_SIMRUN_WAITING);
    assert_near(hs_simrun_get_ran_s(world.run, 0), 0, 0);
    assert_near(world.run->lost_work_wh, 200, 1e-9);
    assert_int_equal(world.run->restarts, 1);
    run_to(&world, 3 * 3600);
    assert_true(hs_simrun_is_host_up(world.run, SMALL_POOL));
    assert_int_equal(hs_simrun_get_free_vcpus(world.run, SMALL_POOL), 8);
    assert_near(world.run->rack_elec_w[0], 100, 0);
    assert_near(account_of_pool(&world)->it_wh, 300, 1e-9);
    hs_simrun_start_job(world.run, 0, SMALL_POOL);
    assert_near(hs_simrun_get_end_at_s(world.run, 0), small_world_at_s(7 * 3600), 1e-9);
    assert_int_equal(world.run->moves, 0);
    small_world_close(&world);
}

static void simfaults__work_before_a_suspension_outlives_the_host(void **state)
{
    struct small_world world;
    size_t job_idx;

    start(&world, "[" EVENT("2", "1h", "host-lost", "pool/h1") "]");
    run_to(&world, 0);
    hs_simrun_start_job(world.run, 0, SMALL_POOL);
    run_to(&world, 3600);
    hs_simrun_suspend_job(world.run, 0);
    hs_simrun_start_job(world.run, 0, SMALL_POOL);
    run_to(&world, 7200);
    assert_true(hs_simrun_take_thrown(world.run, &job_idx));
    assert_near(hs_simrun_get_ran_s(world.run, 0), 3600, 1e-9);
    hs_simrun_start_job(world.run, 0, SMALL_OFFICE);
    assert_near(hs_simrun_get_end_at_s(world.run, 0), small_world_at_s(5 * 3600), 1e-9);
    assert_int_equal(world.run->moves, 1);
    small_world_close(&world);
}

static void simfaults__a_job_that_ends_as_its_host_is_lost_is_done(void **state)
{
    struct small_world world;
    size_t job_idx;

    start(&world, "[" EVENT("4", "1h", "host-lost", "pool/h1") "]");
    run_to(&world, 0);
    hs_simrun_start_job(world.run, 0, SMALL_POOL);
    hs_simrun_advance(world.run, small_world_at_s(4 * 3600));
    assert_int_equal(world.run->states[0].state, HS_SIMRUN_RUNNING);
    hs_simrun_end_job(world.run, 0);
    hs_simrun_apply_events(world.run);
    assert_false(hs_simrun_take_thrown(world.run, &job_idx));
    small_world_close(&world);
}

static void simfaults__maintenance_lets_run_what_runs_and_starts_nothing(void **state)
{
    struct small_world world;
    size_t job_idx;

    start(&world, "[" EVENT("1", "1h", "maintenance", "pool/r1") "]");
    run_to(&world, 0);
    hs_simrun_start_job(world.run, 0, SMALL_POOL);
    run_to(&world, 3600);
    assert_true(hs_simrun_is_host_up(world.run, SMALL_POOL));
    assert_int_equal(hs_simrun_get_free_vcpus(world.run, SMALL_POOL), 0);
    assert_int_equal(hs_simrun_get_free_vcpus(world.run, SMALL_OFFICE), 8);
    assert_false(hs_simrun_take_thrown(world.run, &job_idx));
    assert_near(world.run->rack_elec_w[0], 300, 0);
    run_to(&world, 7200);
    assert_int_equal(hs_simrun_get_free_vcpus(world.run, SMALL_POOL), 4);
    small_world_close(&world);
}

static void simfaults__hard_maintenance_switches_the_hosts_of_its_loop_off(void **state)
{
    struct small_world world;
    size_t job_idx;

    start(&world, "[{\"at\": \"2026-01-05T01:00:00Z\", \"for\": \"1h\", \"hard\": true,"
                  "\"kind\": \"maintenance\", \"object\": \"pool/main\"}]");
    run_to(&world, 0);
    hs_simrun_start_job(world.run, 0, SMALL_POOL);
    run_to(&world, 3600);
    assert_false(hs_simrun_is_host_up(world.run, SMALL_POOL));
    assert_true(hs_simrun_take_thrown(world.run, &job_idx));
    assert_near(world.run->rack_elec_w[0], 0, 0);
    assert_near(world.run->rack_elec_w[1], 100, 0);
    small_world_close(&world);
}

static void simfaults__overlapping_events_end_with_the_last(void **state)
{
    struct small_world world;

    start(&world, "[" EVENT("1", "3h", "host-lost", "pool") "," EVENT("2", "1h", "host-lost",
                                                                      "pool/h1") "]");
    run_to(&world, 3 * 3600);
    assert_false(hs_simrun_is_host_up(world.run, SMALL_POOL));
    run_to(&world, 4 * 3600);
    assert_true(hs_simrun_is_host_up(world.run, SMALL_POOL));
    assert_true(isinf(hs_simrun_next_event_at_s(world.run)));
    small_world_close(&world);
}

static void simfaults__events_that_nobody_asked_for_take_effect_in_their_time(void **state)
{
    struct small_world world;

    start(&world, "[" EVENT("1", "1h", "host-lost", "pool/h1") "]");
    hs_simrun_advance(world.run, small_world_at_s(3 * 3600));
    assert_near(account_of_pool(&world)->it_wh, 200, 1e-9);
    small_world_close(&world);
}

static void simfaults__a_suspend_and_a_move_cost_their_seconds_of_power_and_time(void **state)
{
    struct small_world world;

    assert_int_equal(small_world_open(&world, 1, "[]"), 0);
    world.scenario.suspend_s = 120;
    world.scenario.move_s = 600;
    small_world_add_job(&world, 0, 3600, 4, 36000, true);
    small_world_start(&world);
    hs_simrun_start_job(world.run, 0, SMALL_POOL);
    run_to(&world, 1800);
    hs_simrun_suspend_job(world.run, 0);
    run_to(&world, 3600);
    assert_near(hs_simrun_get_need_s(world.run, 0, SMALL_POOL), 1800 + 120, 1e-9);
    assert_near(hs_simrun_get_need_s(world.run, 0, SMALL_OFFICE), 1800 + 120 + 600, 1e-9);
    hs_simrun_start_job(world.run, 0, SMALL_OFFICE);
    assert_near(hs_simrun_get_end_at_s(world.run, 0), small_world_at_s(3600 + 1800 + 720), 1e-9);
    run_to(&world, 3600 + 1800 + 720);
    hs_simrun_end_job(world.run, 0);
    assert_near(world.run->overhead_wh, 200.0 * 720 / 3600, 1e-9);
    assert_int_equal(world.run->moves, 1);
    assert_int_equal(world.run->suspends, 1);
    small_world_close(&world);
}

static void simfaults__overhead_that_is_lost_with_a_host_is_paid_again(void **state)
{
    struct small_world world;
    size_t job_idx;

    assert_int_equal(small_world_open(&world, 1, "[" EVENT("1", "1h", "host-lost", "pool/h1") "]"),
                     0);
    world.scenario.suspend_s = 600;
    small_world_add_job(&world, 0, 7200, 4, 36000, true);
    small_world_start(&world);
    hs_simrun_start_job(world.run, 0, SMALL_POOL);
    run_to(&world, 900);
    hs_simrun_suspend_job(world.run, 0);
    hs_simrun_start_job(world.run, 0, SMALL_POOL);
    run_to(&world, 3600);
    assert_true(hs_simrun_take_thrown(world.run, &job_idx));
    assert_near(hs_simrun_get_need_s(world.run, 0, SMALL_POOL), 7200 - 900 + 600, 1e-9);
    assert_near(world.run->lost_work_wh, 200 * 0.75, 1e-9);
    assert_near(world.run->overhead_wh, 0, 1e-9);
    small_world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simfaults__a_sink_that_is_off_is_served_for_its_share_of_the_slot_only),
        cmocka_unit_test(simfaults__a_standing_pump_rejects_what_is_captured_and_leaves_the_tank),
        cmocka_unit_test(simfaults__a_pump_that_stands_for_half_a_slot_strands_half_its_heat),
        cmocka_unit_test(simfaults__a_lower_rejection_limit_is_flagged_in_its_slots),
        cmocka_unit_test(simfaults__a_lost_host_draws_nothing_and_throws_its_jobs_off),
        cmocka_unit_test(simfaults__work_before_a_suspension_outlives_the_host),
        cmocka_unit_test(simfaults__a_job_that_ends_as_its_host_is_lost_is_done),
        cmocka_unit_test(simfaults__maintenance_lets_run_what_runs_and_starts_nothing),
        cmocka_unit_test(simfaults__hard_maintenance_switches_the_hosts_of_its_loop_off),
        cmocka_unit_test(simfaults__overlapping_events_end_with_the_last),
        cmocka_unit_test(simfaults__events_that_nobody_asked_for_take_effect_in_their_time),
        cmocka_unit_test(simfaults__a_suspend_and_a_move_cost_their_seconds_of_power_and_time),
        cmocka_unit_test(simfaults__overhead_that_is_lost_with_a_host_is_paid_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
