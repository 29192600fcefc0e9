/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Promise 11: sensors that fail never raise load.
 *
 * Filler runs as far as heat is wanted, so that whatever makes heat look wanted makes it run. Each
 * case is a world of its own, run with a sensor that fails in one of seven ways, and with sound
 * ones (the control run). While the fault lasts the first draws at no step more than the second
 * does at its most, from half an hour before to half an hour after. Which of like jobs runs when is
 * the plan's choice and not what is measured: a second control run makes a plan whenever the first
 * run did, and one job's power is counted apart. A third of the sensors fail in a plant whose pump
 * stands, whose sink is lost or whose water is too hot, and are compared from then on.
 *
 * What no rule of a single sensor can tell is left out: a sensor that is stuck while the truth
 * falls, and a leap that lasts as long as its rule takes to believe it.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/plant/plant_quality.h"
#include "adapters/plant/registers.h"
#include "scheduler/base/units.h"
#include "scheduler/model/series.h"
#include "tests/unit/core/plantworld.h"

#ifndef HS_WITHOUT
#define HS_WITHOUT ""
#endif

#define N_CASES    1000
#define N_SHORT    40 /* unless the long run was asked for */
#define N_JOBS     24
#define JOB_W      213.0 /* of one of them: 2 vCPUs of 106.25 W */
#define WARM_S     3600
#define STEP_S     60
#define AROUND_S   1800
#define SHED_S     1200 /* a plant that fails has shed by then what it has to */
#define STEPS_MOST 400

enum fault { STUCK, NOT_A_NUMBER, RANGE, STALE, JUMP, SWAPPED, SCALE, N_FAULTS };

static const char *const fault_words[] = {"stuck", "NaN",           "range",      "stale",
                                          "jump",  "swapped words", "wrong scale"};

/* What can fail, by which rule it is believed (docs/plant.md, Rules), and how it is wrong. */
static const struct sensor {
    enum hs_point_kind kind;
    struct hs_pointmap_rule rule;
    double leap;  /* of a jump: towards more load */
    double scale; /* of a wrong scale, the same */
    bool has_tank;
} sensors[] = {
    {HS_POINT_DEMAND_HEAT_W, {0, 9000, 5, 90, 900, 3}, 4000, 10, false},
    {HS_POINT_TANK_C, {20, 90, 0.02, 90, 900, 3}, -15, 0.1, true},
    {HS_POINT_SUPPLY_C, {20, 120, 0.2, 90, 900, 3}, -30, 0.1, false},
    {HS_POINT_PUMP_OK, {0, 1, NAN, 90, 0, 1}, 1, 10, false},
    {HS_POINT_SINK_OK, {0, 1, NAN, 90, 0, 1}, 1, 10, false},
    {HS_POINT_CAPTURED_HEAT_WH, {0, 1e12, 50, 90, 900, 3}, -1000, 0.1, false},
};
#define N_SENSORS (sizeof(sensors) / sizeof(sensors[0]))

/** One sensor that fails in one way from a moment on. */
struct bend {
    enum fault fault;
    const struct sensor *sensor; /* NULL: none fails */
    size_t loop_idx;
    int64_t from_at_s;
    int64_t until_at_s;
    double last; /* what it said before */
    bool plans_alike;
    bool was_planned[STEPS_MOST]; /* in the run that fails */
    struct hs_plant_quality quality[HS_POINT_KIND_COUNT_][PLANTWORLD_LOOPS];
};

static const struct sensor *find_sensor(enum hs_point_kind kind)
{
    for (size_t i = 0; i < N_SENSORS; i++) {
        if (sensors[i].kind == kind) {
            return &sensors[i];
        }
    }
    return NULL;
}

/* A float's two registers, read in the wrong order. */
static double swap_words(double value)
{
    const struct hs_pointmap_register reg = {
        .type = HS_POINTMAP_FLOAT32, .order = HS_POINTMAP_ABCD, .scale = 1};
    uint16_t words[HS_REGISTERS_WIDTH_MAX] = {0};

    assert_int_equal(hs_registers_encode(&reg, value, words, NULL), 0);
    return hs_registers_decode_raw(words, HS_POINTMAP_FLOAT32, HS_POINTMAP_CDAB);
}

/* @return false: silence */
static bool spoil(struct bend *bend, struct hs_reading *reading)
{
    int64_t since_s = reading->taken_at_s - bend->from_at_s;

    switch (bend->fault) {
    case STUCK:
        reading->value = bend->last;
        return true;
    case NOT_A_NUMBER:
        reading->value = NAN;
        return true;
    case RANGE:
        reading->value = bend->sensor->scale > 1 ? 1e7 : -1e3;
        return true;
    case STALE:
        return false;
    case JUMP: /* comes and goes: never as often as is believed */
        reading->value += since_s / STEP_S % 4 < (bend->sensor->rule.confirm > 1 ? 2 : 1)
                              ? bend->sensor->leap
                              : 0.0;
        return true;
    case SWAPPED:
        reading->value = swap_words(reading->value);
        return true;
    default:
        reading->value *= bend->sensor->scale;
        return true;
    }
}

static bool bend_reading(void *arg, struct hs_reading *reading)
{
    struct bend *bend = arg;
    const struct sensor *sensor = find_sensor(reading->point.kind);
    bool is_it =
        bend->sensor == sensor && bend->loop_idx == reading->point.thing_idx && sensor != NULL;
    bool is_failing =
        is_it && reading->taken_at_s >= bend->from_at_s && reading->taken_at_s < bend->until_at_s;

    /* the last digit of a live sensor is never still */
    if (reading->point.kind != HS_POINT_PUMP_OK && reading->point.kind != HS_POINT_SINK_OK) {
        reading->value += reading->taken_at_s / STEP_S % 2 == 0 ? 0.0 : 0.01;
    }
    if (is_it && reading->taken_at_s < bend->from_at_s) {
        bend->last = reading->value;
    }
    if (is_failing && !spoil(bend, reading)) {
        reading->value = NAN; /* as hs_plant_deliver_bad() does when it is too old */
        reading->quality = HS_QUALITY_STALE;
        return hs_plant_quality_is_stale(
            &bend->quality[reading->point.kind][reading->point.thing_idx], &sensor->rule,
            reading->taken_at_s);
    }
    reading->quality =
        hs_plant_quality_judge(&bend->quality[reading->point.kind][reading->point.thing_idx],
                               sensor != NULL ? &sensor->rule : NULL, reading->point.kind,
                               reading->value, reading->taken_at_s);
    return true;
}

/** What the plant's own state is while the sensor fails. */
enum plant { SOUND, PUMP_OFF, SINK_OFF, HOT };

static void spoil_plant(struct plantworld *w, enum plant plant, size_t loop_idx)
{
    w->loops[loop_idx].is_pump_off = plant == PUMP_OFF;
    w->loops[loop_idx].is_sink_off = plant == SINK_OFF;
    if (plant == HOT) { /* and stays so: something else heats it */
        w->loops[loop_idx].water_c = 80.0;
    }
}

/* Two weeks like this one, so that the forecast has nothing to find out. */
static void train(struct plantworld *w)
{
    struct hs_series *series = hs_series_new();

    for (int64_t t = PLANTWORLD_START - 14 * HS_S_PER_DAY; t < PLANTWORLD_START; t += 900) {
        hs_series_add(series, t, w->demand_mean_w);
    }
    for (size_t k = 0; k < PLANTWORLD_LOOPS; k++) {
        hs_cycle_train(w->cycle, k, series, NULL);
    }
    hs_series_free(series);
}

/* The most IT power at any step from @from_at_s until @until_at_s. @param ret_wh  its energy */
static double run(uint64_t seed, struct bend *bend, enum plant plant, int64_t from_at_s,
                  int64_t until_at_s, double *ret_wh)
{
    struct plantworld w;
    double most_w = 0.0;

    for (size_t k = 0; k < HS_POINT_KIND_COUNT_; k++) {
        for (size_t l = 0; l < PLANTWORLD_LOOPS; l++) {
            hs_plant_quality_init(&bend->quality[k][l]);
        }
    }
    plantworld_open(&w, seed, N_JOBS, true);
    w.only_loop_idx = bend->loop_idx; /* another's work would only be planned at other times */
    w.is_filler = true;
    w.demand_mean_w = 1800 + (double)plantworld_draw(&w, 1200);
    w.demand_swing_w = 0;
    train(&w);
    w.bend = bend_reading;
    w.bend_arg = bend;
    for (int64_t t = PLANTWORLD_START + STEP_S; t < until_at_s; t += STEP_S) {
        if (t >= bend->from_at_s - SHED_S) {
            spoil_plant(&w, plant, bend->loop_idx);
        }
        size_t step = (size_t)((t - PLANTWORLD_START) / STEP_S);

        assert_true(step < STEPS_MOST);
        if (bend->plans_alike && bend->was_planned[step]) {
            hs_cycle_replan(w.cycle);
        }
        plantworld_step(&w, t);
        bend->was_planned[step] |= bend->sensor != NULL && w.decision.planned;
        if (t >= from_at_s) {
            double sum_w = 0.0;

            for (size_t l = 0; l < PLANTWORLD_LOOPS; l++) {
                sum_w += plantworld_elec_w(&w, l);
            }
            most_w = fmax(most_w, sum_w);
            *ret_wh += hs_wh_from_w(sum_w, STEP_S);
        }
    }
    assert_int_equal(w.n_destroyed + w.n_pinned_touched, 0);
    plantworld_close(&w);
    return most_w;
}

struct counts {
    size_t n;
    size_t n_one;  /* with the power of one job more: which of like ones run is the plan's choice */
    size_t n_more; /* with more power than the control run at some step */
    double most_w; /* so much more */
    double less_wh; /* energy that the failing sensor cost */
};

static void run_case(size_t i, struct counts *counts)
{
    struct plantworld draw = {.random = 7000 + i};
    double control_wh = 0.0;
    double faulty_wh = 0.0;
    double ignored_wh = 0.0;
    double alike_w;
    double more_w;
    int64_t from_at_s;
    const struct sensor *sensor = &sensors[(i / N_FAULTS) % N_SENSORS];
    struct bend bend = {.fault = (enum fault)(i % N_FAULTS), .last = NAN};
    enum plant plant =
        plantworld_draw(&draw, 3) == 0 ? (enum plant)(PUMP_OFF + plantworld_draw(&draw, 3)) : SOUND;

    bend.loop_idx =
        sensor->has_tank ? 1 + plantworld_draw(&draw, 2) : plantworld_draw(&draw, PLANTWORLD_LOOPS);
    bend.from_at_s = PLANTWORLD_START + WARM_S + STEP_S * (int64_t)plantworld_draw(&draw, 60);
    bend.until_at_s = bend.from_at_s + STEP_S * (int64_t)(5 + plantworld_draw(&draw, 175));
    bend.sensor = sensor;
    more_w = run(i, &bend, plant, bend.from_at_s, bend.until_at_s, &faulty_wh);
    bend.sensor = NULL;
    (void)run(i, &bend, plant, bend.from_at_s, bend.until_at_s, &control_wh);
    counts[bend.fault].less_wh += control_wh - faulty_wh;
    from_at_s = bend.from_at_s - (plant == SOUND ? AROUND_S : 0);
    bend.plans_alike = true;
    alike_w = run(i, &bend, plant, from_at_s, bend.until_at_s + AROUND_S, &ignored_wh);
    bend.plans_alike = false;
    more_w -=
        fmax(alike_w, run(i, &bend, plant, from_at_s, bend.until_at_s + AROUND_S, &ignored_wh));
    counts[bend.fault].n++;
    counts[bend.fault].n_more += more_w > JOB_W;
    counts[bend.fault].n_one += more_w > 0.5 && more_w <= JOB_W;
    counts[bend.fault].most_w = fmax(counts[bend.fault].most_w, more_w);
    if (more_w > JOB_W && HS_WITHOUT[0] == '\0') {
        print_message("case %zu: %s of point kind %d in loop %zu, plant %d: %.0f W more\n", i,
                      fault_words[bend.fault], (int)sensor->kind, bend.loop_idx, (int)plant,
                      more_w);
    }
}

static void sensor_faults__never_raise_load(void **state)
{
    struct counts counts[N_FAULTS] = {0};
    size_t n_cases = getenv("HSCHED_TEST_LONG") != NULL ? N_CASES : N_SHORT;
    size_t n_more = 0;

    for (size_t i = 0; i < n_cases; i++) {
        run_case(i * (N_CASES / n_cases) + i, counts);
    }
    for (size_t k = 0; k < N_FAULTS; k++) {
        print_message("%s: %zu cases, more power than the control run in %zu (one job's in %zu, at "
                      "most %.0f W), %.1f kWh less in all\n",
                      fault_words[k], counts[k].n, counts[k].n_more, counts[k].n_one,
                      counts[k].most_w, counts[k].less_wh / 1000.0);
        n_more += counts[k].n_more;
    }
    if (HS_WITHOUT[0] != '\0') {
        print_message("without %s: more power in %zu of %zu\n", HS_WITHOUT, n_more, n_cases);
        assert_true(n_more > 0);
    } else {
        assert_int_equal(n_more, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sensor_faults__never_raise_load),
    };
    return cmocka_run_group_tests_name("sensor_faults", tests, NULL, NULL);
}
