/* SPDX-License-Identifier: Apache-2.0 */
/* What `heat` makes of scripted events: work goes on, and it finds back to normal by itself. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/near.h"
#include "tests/unit/sim/small_world.h"

#define HOUR_S 3600.0

/** What a run has shown. */
struct seen {
    const struct small_world *world;
    char state[32]; /* of the pool's loop: the last word in the journal */
    bool was[3];    /* by enum below */
    double started_at_s;
    size_t n_starts_in_span;
    double span_from_s;
    double span_until_s;
};

enum { WAS_SENSOR_FAULT, WAS_SINK_UNAVAILABLE, WAS_LOST };

static void on_note(const struct hs_note *note, void *arg)
{
    struct seen *seen = arg;
    const char *to = strstr(note->text, "-> ");

    if (strcmp(note->kind, "loop") == 0 && strcmp(note->subject, "pool/main") == 0 && to != NULL) {
        size_t n = strcspn(to + 3, ":");

        snprintf(seen->state, sizeof(seen->state), "%.*s", (int)n, to + 3);
        seen->was[WAS_SENSOR_FAULT] |= strcmp(seen->state, "sensor-fault") == 0;
        seen->was[WAS_SINK_UNAVAILABLE] |= strcmp(seen->state, "sink-unavailable") == 0;
    }
}

static void on_change(void *arg, size_t job_idx, enum hs_simrun_change change)
{
    struct seen *seen = arg;
    const struct hs_simrun *run = seen->world->run;

    seen->was[WAS_LOST] |= change == HS_SIMRUN_LOST;
    if (change == HS_SIMRUN_START || change == HS_SIMRUN_RESUME || change == HS_SIMRUN_MOVE) {
        seen->started_at_s = run->at_s;
        seen->n_starts_in_span += run->states[job_idx].host_idx == SMALL_POOL
                                  && run->at_s >= small_world_at_s(seen->span_from_s)
                                  && run->at_s < small_world_at_s(seen->span_until_s);
    }
}

/** A day and a half of small jobs: submits every two hours, half of them may be suspended. */
static void add_work(struct small_world *world, int n)
{
    for (int i = 0; i < n; i++) {
        small_world_add_job(world, i * 2 * HOUR_S + 60, 1.5 * HOUR_S + i * 60, 3, 5 * HOUR_S,
                            i % 2 == 0);
    }
}

static void drive(struct small_world *world, struct seen *seen)
{
    struct hs_controller_options options = {.note = on_note, .note_arg = seen};
    struct hs_controller_stats stats;

    small_world_start(world);
    seen->world = world;
    snprintf(seen->state, sizeof(seen->state), "normal");
    world->run->watcher = (struct hs_simrun_watcher){.job_changed = on_change, .arg = seen};
    assert_int_equal(hs_controller_heat_ops.drive(world->run, &options, &stats, NULL), 0);
}

static void assert_all_done_in_time(const struct small_world *world)
{
    for (size_t j = 0; j < world->jobs.n; j++) {
        assert_int_equal(world->run->states[j].state, HS_SIMRUN_DONE);
        assert_true(world->run->states[j].ended_at_s <= world->jobs.items[j].due_at_s + 1e-6);
    }
}

/** IT energy is idle power, work, overhead and lost work: nothing else, nothing twice. */
static void assert_energy(const struct small_world *world, double off_wh)
{
    double it_wh = 0, want_wh = -off_wh;

    for (size_t j = 0; j < world->jobs.n; j++) {
        want_wh += 50.0 * world->jobs.items[j].vcpus * world->jobs.items[j].run_s / HOUR_S;
    }
    for (size_t s = 0; s < 2; s++) {
        it_wh += world->run->accounts[s].it_wh;
        want_wh += 100.0 * (double)world->scenario.n_slots / 4;
    }
    assert_near(it_wh, want_wh + world->run->overhead_wh + world->run->lost_work_wh, 1e-3);
}

static void drive_sensor(const char *kind, const char *point, const char *more, struct seen *seen)
{
    struct small_world world;
    char text[256];

    snprintf(text, sizeof(text),
             "[{\"at\": \"2026-01-05T08:10:00Z\", \"for\": \"8h\", \"kind\": \"%s\","
             "\"object\": \"pool/main/%s\"%s}]",
             kind, point, more);
    assert_int_equal(small_world_open(&world, 2, text), 0);
    add_work(&world, 18);
    drive(&world, seen);
    assert_all_done_in_time(&world);
    assert_energy(&world, 0);
    assert_string_equal(seen->state, "normal");
    small_world_close(&world);
}

static void heatfaults__a_sensor_that_says_nan_is_a_fault_until_it_is_over(void **state)
{
    struct seen seen = {0};

    drive_sensor("sensor-nan", "basin/demand_heat_w", "", &seen);
    assert_true(seen.was[WAS_SENSOR_FAULT]);
}

static void heatfaults__a_stale_sensor_is_a_fault_until_it_is_over(void **state)
{
    struct seen seen = {0};

    drive_sensor("sensor-stale", "tank/0.5_c", "", &seen);
    assert_true(seen.was[WAS_SENSOR_FAULT]);
}

static void heatfaults__a_jump_out_of_what_can_be_is_a_fault_until_it_is_over(void **state)
{
    struct seen seen = {0};

    drive_sensor("sensor-jump", "tank/0.5_c", ", \"value\": 200", &seen);
    assert_true(seen.was[WAS_SENSOR_FAULT]);
}

static void heatfaults__work_is_done_in_time_whatever_a_wrong_sensor_says(void **state)
{
    static const struct {
        const char *kind;
        const char *point;
        const char *more;
    } rows[] = {
        {"sensor-stuck", "basin/demand_heat_w", ""},
        {"sensor-stuck", "tank/0.5_c", ""},
        {"sensor-jump", "tank/0.5_c", ", \"value\": 20"},
        {"sensor-jump", "basin/demand_heat_w", ", \"value\": 4000"},
        {"sensor-nan", "captured_heat_wh", ""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct seen seen = {0};

        drive_sensor(rows[i].kind, rows[i].point, rows[i].more, &seen);
    }
}

static void heatfaults__a_sink_that_is_off_is_said_and_its_end_ends_it(void **state)
{
    static const char *const kinds[] = {"sink-off", "pump-fault"};

    for (size_t i = 0; i < 2; i++) {
        struct small_world world;
        struct seen seen = {0};
        char text[256];

        snprintf(text, sizeof(text),
                 "[{\"at\": \"2026-01-05T08:10:00Z\", \"for\": \"8h\", \"kind\": \"%s\","
                 "\"object\": \"pool/main\"}]",
                 kinds[i]);
        assert_int_equal(small_world_open(&world, 2, text), 0);
        add_work(&world, 18);
        drive(&world, &seen);
        assert_true(seen.was[WAS_SINK_UNAVAILABLE]);
        assert_string_equal(seen.state, "normal");
        assert_all_done_in_time(&world);
        assert_energy(&world, 0);
        small_world_close(&world);
    }
}

static void heatfaults__work_runs_although_nobody_anywhere_takes_its_heat(void **state)
{
    struct small_world world;
    struct seen seen = {0};

    assert_int_equal(small_world_open(&world, 2,
                                      "[{\"at\": \"2026-01-05T00:00:00Z\", \"for\": \"2d\","
                                      "\"kind\": \"sink-off\", \"object\": \"pool/main\"},"
                                      "{\"at\": \"2026-01-05T00:00:00Z\", \"for\": \"2d\","
                                      "\"kind\": \"pump-fault\", \"object\": \"office/main\"}]"),
                     0);
    add_work(&world, 18);
    drive(&world, &seen);
    assert_all_done_in_time(&world);
    assert_near(world.run->useful_wh[SMALL_POOL] + world.run->useful_wh[SMALL_OFFICE], 0, 0);
    small_world_close(&world);
}

static void heatfaults__no_job_is_lost_with_its_host(void **state)
{
    struct small_world world;
    struct seen seen = {.span_from_s = 3 * HOUR_S, .span_until_s = 20 * HOUR_S};

    assert_int_equal(small_world_open(&world, 2,
                                      "[{\"at\": \"2026-01-05T03:00:00Z\", \"for\": \"17h\","
                                      "\"kind\": \"host-lost\", \"object\": \"pool/r1/h1\"}]"),
                     0);
    /* both hosts are full when the first is lost, and some of its jobs have been suspended */
    for (int i = 0; i < 8; i++) {
        small_world_add_job(&world, 0, 5 * HOUR_S, 2, 25 * HOUR_S, true);
        small_world_add_job(&world, 0, 4 * HOUR_S, 2, HOUR_S * (i < 4 ? 2 : 30), false);
    }
    drive(&world, &seen);
    assert_true(seen.was[WAS_LOST]);
    assert_true(world.run->restarts > 0);
    assert_int_equal(seen.n_starts_in_span, 0);
    for (size_t j = 0; j < world.jobs.n; j++) {
        assert_int_equal(world.run->states[j].state, HS_SIMRUN_DONE);
    }
    assert_energy(&world, 17 * 100);
    small_world_close(&world);
}

static void heatfaults__maintenance_is_planned_around(void **state)
{
    struct small_world world;
    struct seen seen = {.span_from_s = 12 * HOUR_S, .span_until_s = 18 * HOUR_S};

    assert_int_equal(
        small_world_open(&world, 2,
                         "[{\"at\": \"2026-01-05T12:00:00Z\", \"for\": \"6h\", \"hard\": true,"
                         "\"kind\": \"maintenance\", \"object\": \"pool\"}]"),
        0);
    for (int i = 0; i < 24; i++) {
        small_world_add_job(&world, i * HOUR_S, 3 * HOUR_S, 2, 8 * HOUR_S, i % 3 == 0);
    }
    drive(&world, &seen);
    /* it knew: nothing ran into the switch-off, nothing was tried in it */
    assert_false(seen.was[WAS_LOST]);
    assert_int_equal(seen.n_starts_in_span, 0);
    assert_all_done_in_time(&world);
    assert_energy(&world, 6 * 100);
    small_world_close(&world);
}

/** Dear until the fourth day, then cheap: when does work that may wait for it start? */
static double drive_feed(const char *events)
{
    struct small_world world;
    struct seen seen = {0};

    assert_int_equal(small_world_open(&world, 5, events), 0);
    for (size_t s = 0; s < 2; s++) {
        struct hs_series *price = hs_series_new();

        for (int hour = 0; hour < 5 * 24; hour++) {
            hs_series_add(price, (int64_t)small_world_at_s(hour * HOUR_S), hour < 72 ? 300 : 1);
        }
        price->step_s = 3600;
        world.scenario.price[s] = price;
    }
    small_world_add_job(&world, 36 * HOUR_S, 2 * HOUR_S, 4, 60 * HOUR_S, false);
    drive(&world, &seen);
    assert_all_done_in_time(&world);
    small_world_close(&world);
    return seen.started_at_s - small_world_at_s(0);
}

static void heatfaults__a_lost_feed_hides_the_cheap_hours_to_come(void **state)
{
    assert_true(drive_feed("[]") >= 72 * HOUR_S);
    assert_true(drive_feed("[{\"at\": \"2026-01-05T06:00:00Z\", \"for\": \"4d\","
                           "\"kind\": \"feed-lost\", \"object\": \"pool\"},"
                           "{\"at\": \"2026-01-05T06:00:00Z\", \"for\": \"4d\","
                           "\"kind\": \"feed-lost\", \"object\": \"office\"}]")
                < 72 * HOUR_S);
    /* a feed of carbon alone takes no prices with it, and one that comes back tells them */
    assert_true(drive_feed("[{\"at\": \"2026-01-05T06:00:00Z\", \"for\": \"4d\","
                           "\"kind\": \"feed-lost\", \"object\": \"pool\", \"feed\": \"carbon\"},"
                           "{\"at\": \"2026-01-05T06:00:00Z\", \"for\": \"20h\","
                           "\"kind\": \"feed-lost\", \"object\": \"office\"}]")
                >= 72 * HOUR_S);
}

static void heatfaults__suspends_cost_in_truth_what_the_scenario_says(void **state)
{
    struct small_world world;
    struct seen seen = {0};

    assert_int_equal(small_world_open(&world, 2, "[]"), 0);
    for (size_t s = 0; s < 2; s++) {
        struct hs_series *price = hs_series_new();

        /* every other hour is dear: worth a stop */
        for (int hour = 0; hour < 48; hour++) {
            hs_series_add(price, (int64_t)small_world_at_s(hour * HOUR_S),
                          hour % 2 == 0 ? 1000 : 1);
        }
        price->step_s = 3600;
        world.scenario.price[s] = price;
    }
    world.scenario.suspend_s = 420;
    world.scenario.move_s = 900;
    for (int i = 0; i < 4; i++) {
        small_world_add_job(&world, 60, 3 * HOUR_S, 4, 20 * HOUR_S, true);
    }
    drive(&world, &seen);
    assert_all_done_in_time(&world);
    assert_true(world.run->suspends > 0);
    assert_near(world.run->overhead_wh,
                200.0 / HOUR_S
                    * (420 * (double)world.run->suspends + 900 * (double)world.run->moves),
                1e-6);
    assert_energy(&world, 0);
    small_world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heatfaults__a_sensor_that_says_nan_is_a_fault_until_it_is_over),
        cmocka_unit_test(heatfaults__a_stale_sensor_is_a_fault_until_it_is_over),
        cmocka_unit_test(heatfaults__a_jump_out_of_what_can_be_is_a_fault_until_it_is_over),
        cmocka_unit_test(heatfaults__work_is_done_in_time_whatever_a_wrong_sensor_says),
        cmocka_unit_test(heatfaults__a_sink_that_is_off_is_said_and_its_end_ends_it),
        cmocka_unit_test(heatfaults__work_runs_although_nobody_anywhere_takes_its_heat),
        cmocka_unit_test(heatfaults__no_job_is_lost_with_its_host),
        cmocka_unit_test(heatfaults__maintenance_is_planned_around),
        cmocka_unit_test(heatfaults__a_lost_feed_hides_the_cheap_hours_to_come),
        cmocka_unit_test(heatfaults__suspends_cost_in_truth_what_the_scenario_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
