/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/core/plantworld.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policies/policy.h"
#include "scheduler/base/units.h"

#define COOLANT_WH_PER_K  10.0 /* of a rack: 7 l, and the plates */
#define PIPES_L           20.0
#define COOLANT_TO_WATER  400.0 /* W/K while the pump runs */
#define REJECTION_SET_C   45.0  /* it cools what is hotter */
#define REJECTION_BAND_K  5.0   /* full power so much above */
#define PHYSICS_STEP_S    10.0
#define JOBS_AT_ONCE_MOST 64

/*
 * A site each, so that none has to do with another. Rejection takes what pinned work and idling
 * give, and half a host more. ' stands for ".
 */
#define SITE(name, tank)                                                                           \
    "{'name':'" name "','timezone':'UTC','latitude':50,'longitude':0,"                             \
    "'electricity':{'price_cur_per_mwh':60,'gco2_per_kwh':250},"                                   \
    "'loops':[{'name':'main','capture_ratio':0.9,'supply_c':60,'over_c':75," tank                  \
    "'rejection':{'limit_w':1500},'sinks':[{'name':'house','kind':'space-heating-low-temperature'" \
    ","                                                                                            \
    "'supply_min_c':35,'heat_limit_w':9000,'backup':{'kind':'gas-boiler',"                         \
    "'efficiency_ratio':0.9,'price_cur_per_mwh':80,'gco2_per_kwh':202}}]}],"                       \
    "'racks':[{'name':'r1','cooling':'direct-to-chip','hosts':[{'name':'h',"                       \
    "'count':2,'uri':'sim:','vcpus':16,'memory_mib':65536,'idle_w':300,'max_w':2000}]}]}"
#define TANK(volume)                                                                  \
    "'tank':{'volume_l':" volume ",'nodes':1,'min_c':40,'max_c':70,'loss_w_per_k':4," \
    "'ambient_c':18},"

static const char estate_text[] =
    "{'api':'hsched.estate/v1','estate':'works','cell':'main','slot_s':900,'currency':'EUR',"
    "'sites':[" SITE("a", "") "," SITE("b", TANK("300")) "," SITE("c", TANK("1500")) "]}";

static struct hs_estate *make_estate(void)
{
    char text[sizeof(estate_text)];
    struct hs_conf_report report = {.text = text};
    struct hs_estate *estate = NULL;

    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = estate_text[i] == '\'' ? '"' : estate_text[i];
    }
    if (hs_estate_parse("works.json", text, &report, &estate) != 0) {
        fail_msg("%s", report.errors[0]);
    }
    hs_conf_report_fini(&report);
    return estate;
}

uint64_t plantworld_draw(struct plantworld *world, uint64_t n)
{
    uint64_t x = world->random += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (x ^ (x >> 31)) % n;
}

/* --- truth --- */

static double host_elec_w(const struct plantworld *world, size_t host_idx)
{
    double busy = 0.0;

    for (size_t i = 0; i < world->jobs.n; i++) {
        const struct plantworld_job *job = &world->jobs.items[i];

        busy += job->host_idx == host_idx && job->is_running ? job->vcpus : 0.0;
    }
    return hs_host_elec_w(&world->estate->hosts[host_idx], busy);
}

double plantworld_elec_w(const struct plantworld *world, size_t loop_idx)
{
    double sum_w = 0.0;

    for (size_t h = 0; h < PLANTWORLD_HOSTS; h++) {
        sum_w += world->estate->hosts[h].loop_idx == loop_idx ? host_elec_w(world, h) : 0.0;
    }
    return sum_w;
}

static double water_wh_per_k(const struct plantworld *world, size_t loop_idx)
{
    const struct hs_tank *tank = &world->estate->loops[loop_idx].tank;

    return ((tank->present ? tank->volume_l : 0.0) + PIPES_L) * HS_WATER_WH_PER_L_K;
}

static void run_loop(struct plantworld *world, size_t l, double heat_w, double span_s)
{
    struct plantworld_loop *loop = &world->loops[l];
    double limit_w = world->estate->loops[l].rejection_limit_w;
    double over_k =
        loop->is_pump_off ? loop->coolant_c - REJECTION_SET_C : loop->water_c - REJECTION_SET_C;
    double reject_w =
        loop->is_rejecting ? limit_w * fmin(1.0, fmax(0.0, over_k / REJECTION_BAND_K)) : 0.0;
    double to_water_w =
        loop->is_pump_off ? 0.0 : COOLANT_TO_WATER * (loop->coolant_c - loop->water_c);
    bool is_served = !loop->is_pump_off && !loop->is_sink_off && !loop->is_valve_shut;
    /* the sink's mixer takes what it needs, and all there is above 55 degrees */
    double used_w = is_served ? fmin(loop->demand_w, fmax(0.0, (loop->water_c - 50.0) * 600.0)) : 0;

    loop->coolant_c +=
        hs_wh_from_w(heat_w - to_water_w - (loop->is_pump_off ? reject_w : 0.0), span_s)
        / COOLANT_WH_PER_K;
    loop->water_c +=
        hs_wh_from_w(to_water_w - used_w - (loop->is_pump_off ? 0.0 : reject_w), span_s)
        / water_wh_per_k(world, l);
    loop->captured_wh += hs_wh_from_w(heat_w, span_s);
    loop->hottest_c = fmax(loop->hottest_c, loop->coolant_c);
}

static void push(struct plantworld *world, struct hs_event event, int64_t at_s)
{
    event.at_s = at_s;
    (void)HS_VEC_PUSH(&world->events, event);
}

/* Work is done, machines end. */
static void run_jobs(struct plantworld *world, double span_s, int64_t at_s)
{
    for (size_t i = 0; i < world->jobs.n; i++) {
        struct plantworld_job *job = &world->jobs.items[i];

        job->left_s -= job->is_running ? span_s : 0.0;
        if (job->left_s <= 0) {
            push(world,
                 (struct hs_event){.kind = HS_EVENT_MACHINE_ENDED,
                                   .host_idx = job->host_idx,
                                   .job_id = job->id,
                                   .has_exit_status = true},
                 at_s);
            world->n_done++;
            world->n_late += job->due_at_s > 0 && at_s > job->due_at_s;
            world->jobs.items[i--] = world->jobs.items[--world->jobs.n];
        }
    }
}

/* A day as houses have it. */
static double demand_at_w(const struct plantworld *world, int64_t at_s)
{
    double day = (double)(at_s % HS_S_PER_DAY) / (double)HS_S_PER_DAY;

    return world->demand_mean_w + world->demand_swing_w * cos(2.0 * 3.14159265358979 * (day - 0.3));
}

static void run_until(struct plantworld *world, int64_t at_s)
{
    double heat_w[PLANTWORLD_LOOPS];

    while (world->now_at_s < at_s) {
        double span_s = fmin(PHYSICS_STEP_S, (double)(at_s - world->now_at_s));

        for (size_t l = 0; l < PLANTWORLD_LOOPS; l++) {
            heat_w[l] = 0.9 * plantworld_elec_w(world, l);
            world->loops[l].demand_w = demand_at_w(world, world->now_at_s);
            run_loop(world, l, heat_w[l], span_s);
        }
        world->now_at_s += (int64_t)span_s;
        run_jobs(world, span_s, world->now_at_s);
    }
}

/* --- what is told --- */

static void tell(struct plantworld *world, enum hs_point_kind kind, size_t thing_idx, double value)
{
    struct hs_event event = {.kind = HS_EVENT_READING,
                             .reading = {.point = {.kind = kind, .thing_idx = thing_idx},
                                         .value = value,
                                         .taken_at_s = world->now_at_s,
                                         .received_at_s = world->now_at_s}};

    if (kind == HS_POINT_TANK_C) {
        event.reading.point.height_ratio = 0.5;
    }
    if (world->bend == NULL) {
        event.reading.quality = hs_reading_check(kind, value); /* as every plant backend does */
    } else if (!world->bend(world->bend_arg, &event.reading)) {
        return;
    }
    push(world, event, world->now_at_s);
}

static void tell_loops(struct plantworld *world)
{
    for (size_t l = 0; l < PLANTWORLD_LOOPS; l++) {
        const struct plantworld_loop *loop = &world->loops[l];

        tell(world, HS_POINT_PUMP_OK, l, loop->is_pump_off ? 0 : 1);
        tell(world, HS_POINT_SINK_OK, l, loop->is_sink_off ? 0 : 1);
        tell(world, HS_POINT_EMERGENCY, l, loop->is_emergency ? 1 : 0);
        tell(world, HS_POINT_DEMAND_HEAT_W, l, loop->demand_w);
        tell(world, HS_POINT_SUPPLY_C, l, loop->water_c);
        tell(world, HS_POINT_CAPTURED_HEAT_WH, l, loop->captured_wh);
        if (world->estate->loops[l].tank.present) {
            tell(world, HS_POINT_TANK_C, l, loop->water_c);
        }
    }
}

static void submit(struct plantworld *world, const char *class_name, size_t site_idx,
                   uint32_t vcpus, int64_t duration_s, bool interruptible, int64_t wait_s)
{
    struct hs_job *job = hs_job_new();
    char cannot_meet[192];

    job->id = world->next_id++;
    snprintf(job->name, sizeof(job->name), "job-%d", (int)job->id);
    snprintf(job->class_name, sizeof(job->class_name), "%s", class_name);
    job->vcpus = vcpus;
    job->memory_mib = 1024;
    job->duration_s = duration_s;
    job->due_at_s = wait_s > 0 ? world->now_at_s + duration_s + wait_s : 0;
    job->interruptible = interruptible;
    job->n_sites = 1;
    job->sites = hs_xcalloc(1, sizeof(char *));
    job->sites[0] = hs_xstrdup(world->estate->sites[site_idx].name);
    job->submitted_at_s = world->now_at_s;
    job->since_at_s = world->now_at_s;
    job->state = HS_JOB_WAITING;
    assert_int_equal(hs_cycle_check_job(world->cycle, job, world->now_at_s, cannot_meet, NULL), 0);
    push(world, (struct hs_event){.kind = HS_EVENT_JOB, .job = job}, world->now_at_s);
    world->n_waiting++;
}

static void submit_some(struct plantworld *world)
{
    while (world->jobs.n + world->n_waiting < world->n_wanted
           && world->n_waiting < JOBS_AT_ONCE_MOST) {
        bool can_stop = plantworld_draw(world, 4) != 0;
        int64_t duration_s = 3600 * (int64_t)(2 + plantworld_draw(world, 7));
        size_t site_idx = world->only_loop_idx != SIZE_MAX
                              ? world->only_loop_idx
                              : plantworld_draw(world, PLANTWORLD_LOOPS);
        uint32_t vcpus = 1 + (uint32_t)plantworld_draw(world, 4);

        if (world->is_filler) {
            /* all alike: which of them run makes no difference */
            submit(world, "filler", site_idx, 2, 7 * 3600, true, 0);
        } else {
            submit(world, "deferrable", site_idx, vcpus, duration_s, can_stop, world->wait_s);
        }
    }
}

/* --- what was decided --- */

static struct plantworld_job *find_job(struct plantworld *world, uint64_t id)
{
    for (size_t i = 0; i < world->jobs.n; i++) {
        if (world->jobs.items[i].id == id) {
            return &world->jobs.items[i];
        }
    }
    return NULL;
}

static void obey_one(struct plantworld *world, const struct hs_action *action)
{
    const struct hs_job *known = hs_cycle_get_job(world->cycle, action->job_id);
    struct plantworld_job *job = find_job(world, action->job_id);
    struct hs_machine machine = {.job_id = action->job_id, .memory_mib = 1024};

    assert_non_null(known);
    if (action->kind == HS_ACTION_START) {
        struct plantworld_job started = {.id = action->job_id,
                                         .base_class = known->base_class,
                                         .host_idx = action->host_idx,
                                         .vcpus = known->vcpus,
                                         .left_s = (double)known->duration_s,
                                         .is_running = true};

        started.due_at_s = known->due_at_s;
        world->n_fillers += known->base_class == HS_CLASS_FILLER;
        world->n_waiting--;
        (void)HS_VEC_PUSH(&world->jobs, started);
    } else if (job != NULL) {
        job->is_running = action->kind != HS_ACTION_SUSPEND;
        world->n_suspended += action->kind == HS_ACTION_SUSPEND;
        world->n_pinned_touched += job->base_class == HS_CLASS_PINNED;
    }
    world->n_destroyed += action->kind == HS_ACTION_DESTROY;
    machine.vcpus = known->vcpus;
    snprintf(machine.name, sizeof(machine.name), "hs-%d", (int)action->job_id);
    machine.state = action->kind == HS_ACTION_SUSPEND ? HS_MACHINE_PAUSED : HS_MACHINE_RUNNING;
    push(world, (struct hs_event){.kind = HS_EVENT_ACTION_DONE, .op_id = action->op_id},
         world->now_at_s);
    push(world,
         (struct hs_event){
             .kind = HS_EVENT_MACHINE_CHANGED, .host_idx = action->host_idx, .machine = machine},
         world->now_at_s);
}

void plantworld_step(struct plantworld *world, int64_t at_s)
{
    run_until(world, at_s);
    tell_loops(world);
    submit_some(world);
    hs_cycle_step(world->cycle, at_s, world->events.items, world->events.n, &world->decision);
    world->events.n = 0;
    for (size_t i = 0; i < world->decision.n_actions; i++) {
        obey_one(world, &world->decision.actions[i]);
    }
    for (size_t l = 0; l < PLANTWORLD_LOOPS; l++) {
        struct hs_cycle_loop_status status;

        hs_cycle_get_loop_status(world->cycle, l, &status);
        world->loops[l].is_rejecting = status.wants_rejection;
    }
}

/* --- life --- */

void plantworld_open(struct plantworld *world, uint64_t seed, size_t n_wanted, bool has_planner)
{
    *world = (struct plantworld){.random = seed,
                                 .next_id = 1,
                                 .n_wanted = n_wanted,
                                 .only_loop_idx = SIZE_MAX,
                                 .wait_s = 1800,
                                 .demand_mean_w = 6500,
                                 .demand_swing_w = 800};
    world->estate = make_estate();
    world->policy = hs_policy_new();
    world->now_at_s = PLANTWORLD_START;
    world->cycle = hs_cycle_new(&(struct hs_cycle_options){.estate = world->estate,
                                                           .policy = world->policy,
                                                           .n_slots = 32,
                                                           .has_no_planner = !has_planner,
                                                           .now_at_s = world->now_at_s});
    for (size_t l = 0; l < PLANTWORLD_LOOPS; l++) {
        world->loops[l] = (struct plantworld_loop){.water_c = 55, .coolant_c = 58};
    }
    for (size_t h = 0; h < PLANTWORLD_HOSTS; h++) {
        push(world, (struct hs_event){.kind = HS_EVENT_HOST_LISTED, .host_idx = h},
             world->now_at_s);
    }
    for (size_t h = 0; h < PLANTWORLD_HOSTS; h++) {
        submit(world, "pinned", world->estate->hosts[h].site_idx, 2, 400 * HS_S_PER_DAY, false, 0);
    }
}

void plantworld_close(struct plantworld *world)
{
    hs_cycle_free(world->cycle);
    hs_policy_free(world->policy);
    hs_estate_free(world->estate);
    HS_VEC_FINI(&world->events);
    HS_VEC_FINI(&world->jobs);
}
