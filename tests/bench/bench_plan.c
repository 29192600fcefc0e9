/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_plan JOBS LOOPS HOSTS SLOTS UTILISATION SEED [STEPS [unbound]] - plans of one made-up case.
 *
 * `unbound` leaves the certificate out, which takes longer than the plans.
 * One JSON line: how long the first plan takes and the ones a slot later each, and how good the
 * first one is. Times are of the wall; those of the processor stand beside them, for machines
 * that do other things meanwhile.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scheduler/base/clock.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/reals.h"
#include "scheduler/core/certificate.h"
#include "tests/bench/plan_asap.h"
#include "tests/bench/plan_cases.h"
#include "tests/support/planvalid.h"

#define STEPS_MAX        200
#define ITERATIONS       25 /* of the certificate between two looks at its bound */
#define ITERATIONS_MAX   2000
#define BUDGET_MS        300e3 /* of the processor, for the largest cases */
#define LEAST_GAIN_RATIO 1e-4  /* of the bound; less in ITERATIONS ends it */

struct watch {
    struct hs_clock *clock;
    double from_mono_s;
    double from_cpu_s;
};

static void start_watch(struct watch *watch)
{
    watch->from_cpu_s = (double)clock() / CLOCKS_PER_SEC;
    watch->from_mono_s = hs_clock_mono_s(watch->clock);
}

static void stop_watch(const struct watch *watch, double *ret_ms, double *ret_cpu_ms)
{
    *ret_ms = 1e3 * (hs_clock_mono_s(watch->clock) - watch->from_mono_s);
    *ret_cpu_ms = 1e3 * ((double)clock() / CLOCKS_PER_SEC - watch->from_cpu_s);
}

/* --- checking --- */

static struct planvalid_case get_valid(const struct plan_cases *cases)
{
    return (struct planvalid_case){.estate = cases->estate,
                                   .frame = &cases->frame,
                                   .n_slots = cases->setup.n_slots,
                                   .jobs = cases->jobs,
                                   .n_jobs = cases->n_jobs};
}

/** Words go to stderr: a plan that cannot be carried out is a fault, not a figure. */
static struct planvalid_report check(const struct plan_cases *cases, const struct hs_plan *plan)
{
    struct planvalid_report report;
    struct planvalid_case valid = get_valid(cases);

    planvalid_check_plan(&valid, plan, &report);
    if (!report.is_feasible) {
        fprintf(stderr, "bench_plan: not feasible: %s\n", report.why);
    }
    return report;
}

static struct planvalid_report check_asap(const struct plan_cases *cases)
{
    HS_AUTO_MEM struct hs_placement *placements = hs_xcalloc(cases->n_jobs, sizeof(*placements));
    struct planvalid_report report;
    struct planvalid_case valid = get_valid(cases);

    plan_asap_make(cases, placements);
    planvalid_check(&valid, placements, cases->n_jobs, &report);
    if (!report.is_feasible) {
        fprintf(stderr, "bench_plan: as soon as possible: %s\n", report.why);
    }
    return report;
}

/* --- a plan and those a slot later --- */

/** What the plans a slot later are like. */
struct warm {
    size_t n;
    double ms[STEPS_MAX]; /* [n] sorted */
    double cpu_ms[STEPS_MAX];
    size_t n_missed_max;
    bool is_feasible;
};

/** Go on by a slot and plan again, warm->n times. */
static void plan_on(struct watch *watch, struct plan_cases *cases, struct hs_place *place,
                    struct warm *warm)
{
    size_t n_loops = cases->setup.n_loops;
    HS_AUTO_MEM double *tank_wh = hs_xcalloc(n_loops, sizeof(*tank_wh));

    for (size_t i = 0; i < warm->n; i++) {
        const struct hs_plan *plan = hs_place_get_plan(place);

        for (size_t l = 0; l < n_loops; l++) {
            tank_wh[l] = plan->tank_wh[l * plan->n_slots];
        }
        plan_cases_step(cases, plan->placements, plan->n_placements, tank_wh);
        start_watch(watch);
        hs_place_set(place, &cases->frame);
        hs_place_refresh(place, cases->jobs, cases->n_jobs);
        plan = hs_place_get_plan(place);
        stop_watch(watch, &warm->ms[i], &warm->cpu_ms[i]);
        struct planvalid_report report = check(cases, plan);

        warm->is_feasible &= report.is_feasible;
        warm->n_missed_max =
            report.n_missed > warm->n_missed_max ? report.n_missed : warm->n_missed_max;
    }
    hs_reals_sort(warm->ms, warm->n);
    hs_reals_sort(warm->cpu_ms, warm->n);
}

/* --- the certificate --- */

/** How good the first plan is. */
struct proof {
    double cost_cur; /* as the certificate counts it */
    double bound_cur;
    double ms;
    double cpu_ms;
    size_t n_iterations;
};

/** Better prices until they hardly get better. */
static struct proof prove(struct watch *watch, const struct plan_cases *cases,
                          const struct hs_plan *plan)
{
    HS_AUTO(hs_certificate) cert = NULL;
    struct proof proof = {.bound_cur = -INFINITY};
    double last_cur;

    start_watch(watch);
    cert = hs_certificate_new(cases->estate, cases->setup.n_slots);
    hs_certificate_set(cert, &cases->frame);
    hs_certificate_set_jobs(cert, cases->jobs, cases->n_jobs);
    hs_certificate_set_prices(cert, plan->heat_cur_per_mwh);
    proof.cost_cur = hs_certificate_get_cost(cert, plan->placements, plan->n_placements);
    do {
        last_cur = proof.bound_cur;
        proof.bound_cur = hs_certificate_improve(cert, proof.cost_cur, ITERATIONS);
        proof.n_iterations += ITERATIONS;
        stop_watch(watch, &proof.ms, &proof.cpu_ms);
    } while (proof.bound_cur - last_cur > LEAST_GAIN_RATIO * fabs(proof.bound_cur)
             && proof.n_iterations < ITERATIONS_MAX && proof.cpu_ms < BUDGET_MS);
    return proof;
}

static void set_proof(json_t *line, const struct proof *proof)
{
    hs_jsonx_set_real(line, "cost", proof->cost_cur);
    hs_jsonx_set_real(line, "bound", proof->bound_cur);
    hs_jsonx_set_real(line, "gap_ratio",
                      hs_certificate_get_gap_ratio(proof->cost_cur, proof->bound_cur));
    hs_jsonx_set_real(line, "certificate_ms", proof->ms);
    hs_jsonx_set_real(line, "certificate_cpu_ms", proof->cpu_ms);
    hs_jsonx_set_int(line, "certificate_iterations", (int64_t)proof->n_iterations);
}

/** Validator and certificate know nothing of each other, and count the same where none is late. */
static bool do_agree(const struct proof *proof, const struct planvalid_report *report)
{
    bool is_near = fabs(proof->cost_cur - report->cost_cur) <= 1e-6 * fabs(report->cost_cur);

    if (report->n_missed == 0 && !is_near) {
        fprintf(stderr, "bench_plan: the validator counts %.6f, the certificate %.6f\n",
                report->cost_cur, proof->cost_cur);
    }
    return report->n_missed > 0 || is_near;
}

static void set_setup(json_t *line, const struct plan_cases_setup *setup)
{
    hs_jsonx_set_text(line, "bench", "plan");
    hs_jsonx_set_int(line, "jobs", (int64_t)setup->n_jobs);
    hs_jsonx_set_int(line, "loops", (int64_t)setup->n_loops);
    hs_jsonx_set_int(line, "hosts", (int64_t)setup->n_hosts);
    hs_jsonx_set_int(line, "slots", (int64_t)setup->n_slots);
    hs_jsonx_set_real(line, "utilisation", setup->utilisation);
    hs_jsonx_set_int(line, "seed", (int64_t)setup->seed);
    hs_jsonx_set_int(line, "threads", 1);
}

static void set_warm(json_t *line, const struct warm *warm)
{
    if (warm->n > 0) {
        hs_jsonx_set_real(line, "warm_p50_ms", warm->ms[warm->n / 2]);
        hs_jsonx_set_real(line, "warm_p99_ms", warm->ms[warm->n * 99 / 100]);
        hs_jsonx_set_real(line, "warm_cpu_p50_ms", warm->cpu_ms[warm->n / 2]);
        hs_jsonx_set_int(line, "warm_misses_max", (int64_t)warm->n_missed_max);
    }
}

/** @return whether every plan could be carried out */
static bool bench_plan(struct watch *watch, const struct plan_cases_setup *setup, size_t n_steps,
                       bool is_bound)
{
    HS_AUTO(plan_cases) cases = plan_cases_new(setup);
    HS_AUTO(hs_place) place = NULL;
    struct warm warm = {.n = n_steps, .is_feasible = true};
    double cold_ms, cold_cpu_ms;

    start_watch(watch);
    place = hs_place_new(cases->estate, setup->n_slots);
    hs_place_set(place, &cases->frame);
    hs_place_plan(place, cases->jobs, cases->n_jobs);
    const struct hs_plan *plan = hs_place_get_plan(place);

    stop_watch(watch, &cold_ms, &cold_cpu_ms);
    struct planvalid_report report = check(cases, plan);
    struct planvalid_report asap = check_asap(cases);

    struct proof proof = {.cost_cur = report.cost_cur, .bound_cur = NAN, .ms = NAN, .cpu_ms = NAN};

    if (is_bound) {
        proof = prove(watch, cases, plan);
    }
    bool is_feasible = report.is_feasible && do_agree(&proof, &report);

    plan_on(watch, cases, place, &warm);
    is_feasible &= warm.is_feasible;
    json_t *line = hs_jsonx_object();

    set_setup(line, setup);
    hs_jsonx_set_real(line, "cold_ms", cold_ms);
    hs_jsonx_set_real(line, "cold_cpu_ms", cold_cpu_ms);
    set_warm(line, &warm);
    set_proof(line, &proof);
    hs_jsonx_set_int(line, "misses", (int64_t)report.n_missed);
    hs_jsonx_set_int(line, "misses_asap", (int64_t)asap.n_missed);
    hs_jsonx_set_real(line, "cost_asap", asap.cost_cur);
    hs_jsonx_set_bool(line, "feasible", is_feasible);
    HS_AUTO_MEM char *text = hs_jsonx_format(line);

    puts(text);
    json_decref(line);
    return is_feasible && asap.is_feasible;
}

int main(int argc, char **argv)
{
    const int n_words = 1 + PLAN_CASES_WORDS;
    struct watch watch = {.clock = hs_clock_new_real()};
    size_t n_steps = argc > n_words ? strtoul(argv[n_words], NULL, 10) : 20;
    struct plan_cases_setup setup;
    bool is_good = plan_cases_read(argv + 1, argc - 1, &setup);

    if (!is_good || n_steps > STEPS_MAX) {
        fprintf(stderr, "usage: bench_plan CASE [STEPS [unbound]], at most %d steps\n", STEPS_MAX);
        hs_clock_free(watch.clock);
        return 2;
    }
    bool is_bound = argc <= n_words + 1 || strcmp(argv[n_words + 1], "unbound") != 0;

    is_good = bench_plan(&watch, &setup, n_steps, is_bound);
    hs_clock_free(watch.clock);
    return is_good ? 0 : 1;
}
