/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sim/small_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"

#define SITE(name_)                                                                             \
    "{\"name\": \"" name_ "\", \"electricity\": {\"price_cur_per_mwh\": 100},"                  \
    "\"loops\": [{\"name\": \"main\", \"capture_ratio\": 0.8, \"supply_c\": 50,"                \
    "\"tank\": {\"volume_l\": 200, \"nodes\": 1, \"min_c\": 40, \"max_c\": 60,"                 \
    "\"loss_w_per_k\": 0, \"ambient_c\": 18},"                                                  \
    "\"rejection\": {\"limit_w\": 5000, \"elec_ratio\": 0.03},"                                 \
    "\"sinks\": [{\"name\": \"basin\", \"kind\": \"pool\", \"supply_min_c\": 30,"               \
    "\"heat_limit_w\": 5000, \"backup\": {\"kind\": \"gas-boiler\", \"efficiency_ratio\": 0.9," \
    "\"price_cur_per_mwh\": 80, \"gco2_per_kwh\": 202}}]}],"                                    \
    "\"racks\": [{\"name\": \"r1\", \"loop\": \"main\", \"cooling\": \"direct-to-chip\","       \
    "\"limit_w\": 5000, \"hosts\": [{\"name\": \"h1\", \"uri\": \"sim:\", \"vcpus\": 8,"        \
    "\"memory_mib\": 65536, \"idle_w\": 100, \"max_w\": 500}]}]}"

static const char estate_text[] =
    "{\"api\": \"hsched.estate/v1\", \"estate\": \"small\", \"cell\": \"main\", \"slot_s\": 900,"
    "\"currency\": \"EUR\", \"sites\": [" SITE("pool") "," SITE("office") "]}";

double small_world_at_s(double span_s)
{
    return (double)SMALL_START_AT_S + span_s;
}

static struct hs_series *make_flat(const struct hs_scenario *scenario, double value)
{
    struct hs_series *series = hs_series_new();

    for (int64_t at_s = scenario->start_at_s - 2 * 86400; at_s < hs_scenario_end_at_s(scenario);
         at_s += scenario->slot_s) {
        hs_series_add(series, at_s, value);
    }
    series->step_s = scenario->slot_s;
    return series;
}

size_t small_world_open(struct small_world *world, int days, const char *events)
{
    struct hs_scenario *scenario = &world->scenario;
    struct hs_conf_report estate_report = {0};
    json_auto_t *array = NULL;

    *world = (struct small_world){0};
    assert_int_equal(hs_estate_parse("estate", estate_text, &estate_report, &scenario->estate), 0);
    scenario->policy = hs_policy_new();
    scenario->start_at_s = SMALL_START_AT_S;
    scenario->slot_s = SMALL_SLOT_S;
    scenario->n_slots = (size_t)days * 96;
    scenario->demand_heat_w = hs_xcalloc(2, sizeof(struct hs_series *));
    scenario->air = hs_xcalloc(2, sizeof(*scenario->air));
    scenario->price = hs_xcalloc(2, sizeof(struct hs_series *));
    scenario->gco2_per_kwh = hs_xcalloc(2, sizeof(struct hs_series *));
    scenario->demand_heat_w[SMALL_POOL] = make_flat(scenario, SMALL_DEMAND_W);
    scenario->demand_heat_w[SMALL_OFFICE] = make_flat(scenario, SMALL_DEMAND_W);
    assert_int_equal(hs_jsonx_parse("events", events, strlen(events), &array, NULL), 0);
    hs_simevents_read(array, scenario->estate, scenario->start_at_s, hs_scenario_end_at_s(scenario),
                      &world->report, &scenario->events);
    return world->report.n_errors;
}

void small_world_add_job(struct small_world *world, double submit_s, double run_s, uint32_t vcpus,
                         double slack_s, bool interruptible)
{
    struct hs_simjob job = {.submit_at_s = small_world_at_s(submit_s),
                            .run_s = run_s,
                            .estimate_s = run_s,
                            .due_at_s = small_world_at_s(submit_s + run_s + slack_s),
                            .vcpus = vcpus,
                            .memory_mib = 1024,
                            .interruptible = interruptible,
                            .record_idx = world->jobs.n};

    HS_VEC_PUSH(&world->jobs, job);
}

void small_world_start(struct small_world *world)
{
    hs_simrun_free(world->run);
    hs_trace_free(world->trace);
    world->trace = hs_trace_new(&world->scenario);
    world->run = hs_simrun_new(&world->scenario, world->trace, &world->jobs);
}

static void free_series(struct hs_series **series)
{
    hs_series_free(series[SMALL_POOL]);
    hs_series_free(series[SMALL_OFFICE]);
    free(series);
}

void small_world_close(struct small_world *world)
{
    hs_simrun_free(world->run);
    hs_trace_free(world->trace);
    HS_VEC_FINI(&world->jobs);
    hs_conf_report_fini(&world->report);
    hs_simevents_fini(&world->scenario.events);
    free_series(world->scenario.gco2_per_kwh);
    free_series(world->scenario.price);
    free(world->scenario.air);
    free_series(world->scenario.demand_heat_w);
    hs_policy_free(world->scenario.policy);
    hs_estate_free(world->scenario.estate);
}
