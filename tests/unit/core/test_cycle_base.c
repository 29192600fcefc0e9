/* SPDX-License-Identifier: Apache-2.0 */
/* Load that is not ours: learned by the hour, metered where the rack has a meter, kept. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "policies/policy.h"
#include "scheduler/core/cycle_priv.h"
#include "tests/support/near.h"
#include "tests/unit/core/small_estate.h"

#define START  INT64_C(1735516800) /* 2024-12-30T00:00:00Z */
#define HOUR_S 3600
#define POOL   0
#define IDLE_W 100.0
#define VCPU_W 50.0 /* of small_estate's hosts */

struct world {
    struct hs_policy *policy;
    struct hs_cycle *cycle;
};

static struct hs_cycle *new_cycle(const struct hs_policy *policy, int64_t now_at_s)
{
    return hs_cycle_new(&(struct hs_cycle_options){
        .estate = small_estate(), .policy = policy, .n_slots = 96, .now_at_s = now_at_s});
}

static int setup(void **state)
{
    struct world *w = hs_xcalloc(1, sizeof(*w));

    w->policy = hs_policy_new();
    w->cycle = new_cycle(w->policy, START);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    hs_cycle_free(w->cycle);
    hs_policy_free(w->policy);
    free(w);
    return 0;
}

/* Somebody's backup from 20 to 23 h, on 6 of the 8 vCPUs. */
static uint32_t get_backup_vcpus(int64_t at_s)
{
    int64_t hour = at_s / HOUR_S % 24;

    return hour >= 20 && hour < 23 ? 6 : 0;
}

static void list_pool(struct world *w, int64_t at_s, uint32_t vcpus)
{
    struct hs_machine backup = {.state = HS_MACHINE_RUNNING, .vcpus = vcpus, .memory_mib = 1024};
    struct hs_event listed = {.kind = HS_EVENT_HOST_LISTED,
                              .at_s = at_s,
                              .host_idx = POOL,
                              .machines = &backup,
                              .n_machines = vcpus > 0 ? 1 : 0};
    struct hs_decision decision;

    hs_cycle_step(w->cycle, at_s, &listed, 1, &decision);
}

static void meter_pool(struct world *w, int64_t at_s, double elec_w)
{
    struct hs_event event = {.kind = HS_EVENT_READING,
                             .at_s = at_s,
                             .reading = {.point = {.kind = HS_POINT_RACK_ELEC_W, .thing_idx = POOL},
                                         .value = elec_w,
                                         .taken_at_s = at_s,
                                         .received_at_s = at_s,
                                         .quality = HS_QUALITY_GOOD}};
    struct hs_decision decision;

    hs_cycle_step(w->cycle, at_s, &event, 1, &decision);
}

/* Mean heat captured in the slots that lie wholly within an hour of the last plan, W. */
static double get_captured_w(const struct world *w, int64_t from_at_s)
{
    const struct hs_cycle *cycle = w->cycle;
    int64_t slot_s = cycle->estate->slot_s;
    double sum_wh = 0.0;
    double span_s = 0.0;

    for (size_t t = 1; t < cycle->n_slots; t++) {
        int64_t at_s = cycle->plan_from_at_s + (int64_t)t * slot_s;

        if (at_s >= from_at_s && at_s + slot_s <= from_at_s + HOUR_S) {
            sum_wh += cycle->frame_captured_wh[POOL * cycle->n_slots + t];
            span_s += (double)slot_s;
        }
    }
    return sum_wh * HOUR_S / span_s;
}

static int64_t live_to_noon(struct world *w, int64_t days)
{
    int64_t noon_at_s = START + days * 24 * HOUR_S + 12 * HOUR_S;

    for (int64_t at_s = START; at_s <= noon_at_s; at_s += HOUR_S) {
        list_pool(w, at_s, get_backup_vcpus(at_s));
    }
    hs_cycle_make_plan(w->cycle);
    return noon_at_s;
}

static void cycle_base__tonights_backup_is_in_the_heat_plan(void **state)
{
    struct world *w = *state;
    int64_t noon_at_s = live_to_noon(w, 5);
    double quiet_w = get_captured_w(w, noon_at_s + 4 * HOUR_S);
    double tonight_w = get_captured_w(w, noon_at_s + 9 * HOUR_S);

    assert_near(quiet_w, 0.8 * IDLE_W, 0.8 * 15.0);
    assert_near(tonight_w, 0.8 * (IDLE_W + 6 * VCPU_W), 0.8 * 40.0);
}

static void cycle_base__on_the_first_day_it_is_as_now(void **state)
{
    struct world *w = *state;
    int64_t noon_at_s = live_to_noon(w, 0);

    assert_near(get_captured_w(w, noon_at_s + 9 * HOUR_S), 0.8 * IDLE_W, 1e-6);
}

static void cycle_base__goes_on_with_what_was_saved(void **state)
{
    struct world *w = *state;
    int64_t noon_at_s = live_to_noon(w, 5);
    double tonight_w = get_captured_w(w, noon_at_s + 9 * HOUR_S);
    struct world next = {.policy = w->policy, .cycle = new_cycle(w->policy, noon_at_s)};
    json_t *saved = hs_cycle_save_plant(w->cycle);

    assert_int_equal(hs_cycle_restore_plant(next.cycle, saved, NULL), 0);
    list_pool(&next, noon_at_s, 0);
    hs_cycle_make_plan(next.cycle);
    assert_near(get_captured_w(&next, noon_at_s + 9 * HOUR_S), tonight_w, 1e-9);
    json_decref(saved);
    hs_cycle_free(next.cycle);
}

/* The meter sees switches and fans that no model of a host has; of ours it is told. */
static void cycle_base__is_what_the_rack_draws_less_our_jobs(void **state)
{
    struct world *w = *state;
    struct hs_machine ours = {
        .state = HS_MACHINE_RUNNING, .vcpus = 2, .memory_mib = 1024, .job_id = 7};
    struct hs_event listed = {.kind = HS_EVENT_HOST_LISTED,
                              .at_s = START,
                              .host_idx = POOL,
                              .machines = &ours,
                              .n_machines = 1};
    struct hs_decision decision;
    int64_t late_at_s = START + (HS_ESTIMATOR_FRESH_SLOTS + 1) * small_estate()->slot_s;

    hs_cycle_step(w->cycle, START, &listed, 1, &decision);
    assert_near(hs_cycle_get_base_elec_w(w->cycle, POOL), IDLE_W, 1e-9);
    meter_pool(w, START, 340.0);
    assert_near(hs_cycle_get_base_elec_w(w->cycle, POOL), 340.0 - 2 * VCPU_W, 1e-9);
    meter_pool(w, START + 60, 20.0);
    assert_near(hs_cycle_get_base_elec_w(w->cycle, POOL), 0.0, 1e-9);
    hs_cycle_step(w->cycle, late_at_s, NULL, 0, &decision);
    assert_near(hs_cycle_get_base_elec_w(w->cycle, POOL), IDLE_W, 1e-9);
}

static void cycle_base__is_shown_with_its_quantiles(void **state)
{
    struct world *w = *state;
    json_t *host = hs_jsonx_object();

    live_to_noon(w, 5);
    hs_cycle_format_base(w->cycle, POOL, host);
    assert_near(json_real_value(json_object_get(host, "base_elec_w")), IDLE_W, 1e-9);
    double p10_w = json_real_value(json_object_get(host, "base_next_p10_w"));
    double p50_w = json_real_value(json_object_get(host, "base_next_p50_w"));
    double p90_w = json_real_value(json_object_get(host, "base_next_p90_w"));

    assert_true(p10_w <= p50_w && p50_w <= p90_w);
    assert_near(p50_w, IDLE_W, 20.0);
    json_decref(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cycle_base__tonights_backup_is_in_the_heat_plan, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(cycle_base__on_the_first_day_it_is_as_now, setup, teardown),
        cmocka_unit_test_setup_teardown(cycle_base__goes_on_with_what_was_saved, setup, teardown),
        cmocka_unit_test_setup_teardown(cycle_base__is_what_the_rack_draws_less_our_jobs, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(cycle_base__is_shown_with_its_quantiles, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
