/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_plan JOBS LOOPS HOSTS SLOTS UTILISATION SEED [STEPS [unbound] [groups=N] [threads=N]] -
 * plans of one made-up case.
 *
 * `unbound` leaves the certificate out. `groups` says into how many groups without a common job
 * the loops fall, `threads` on how many threads they are planned.
 * One JSON line: how long the first plan takes, how good it is, the same of a full plan by the
 * certificate's prices, and of those a slot later each that go on from there. Times are of the
 * wall; those of the processor stand beside them, for machines that do other things meanwhile.
 */
#include <float.h>
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
#include "tests/bench/plan_check.h"

#define STEPS_MAX        200
#define ITERATIONS       25 /* of the certificate between two looks at its bound */
#define ITERATIONS_MAX   2000
#define BUDGET_MS        300e3 /* of the processor, for the largest cases */
#define LEAST_GAIN_RATIO 1e-4  /* of the bound */
#define LOOKS_IDLE       3     /* looks that gain less end it: exact steps come last */

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

/** What may follow STEPS. */
struct extras {
    bool is_bound;
    size_t n_threads;
};

/* --- checking --- */

/** Words go to stderr: a plan that cannot be carried out is a fault, not a figure. */
static struct planvalid_report check(const struct plan_cases *cases, const struct hs_plan *plan)
{
    struct planvalid_report report = plan_check_plan(cases, plan);

    if (!report.is_feasible) {
        fprintf(stderr, "bench_plan: not feasible: %s\n", report.why);
    }
    return report;
}

static struct planvalid_report check_asap(const struct plan_cases *cases)
{
    HS_AUTO_MEM struct hs_placement *placements = hs_xcalloc(cases->n_jobs, sizeof(*placements));
    struct planvalid_report report;
    struct planvalid_case valid = plan_check_get_case(cases);

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

/* --- the certificate, and a plan by its prices --- */

/** What the bound of a case is, and what it took. */
struct proof {
    struct hs_certificate *cert; /* NULL: none was wanted */
    double bound_cur;
    double ms;
    double cpu_ms;
    size_t n_iterations;
};

/** A plan, and how good it is. */
struct result {
    double ms;
    double cpu_ms;
    double cost_cur; /* as the certificate counts it */
    size_t n_missed;
    bool is_feasible;
};

/** Better prices until they hardly get better. */
static void prove(struct watch *watch, const struct plan_cases *cases, const struct hs_plan *plan,
                  struct proof *proof)
{
    double last_cur = -DBL_MAX;

    *proof = (struct proof){.cert = proof->cert, .bound_cur = -INFINITY};
    start_watch(watch);
    hs_certificate_set(proof->cert, &cases->frame);
    hs_certificate_set_jobs(proof->cert, cases->jobs, cases->n_jobs);
    hs_certificate_set_prices(proof->cert, plan->heat_cur_per_mwh);
    double cost_cur = hs_certificate_get_cost(proof->cert, plan->placements, plan->n_placements);

    for (size_t n_idle = 0; n_idle < LOOKS_IDLE && proof->n_iterations < ITERATIONS_MAX
                            && proof->cpu_ms < BUDGET_MS;) {
        proof->bound_cur = hs_certificate_improve(proof->cert, cost_cur, ITERATIONS);
        proof->n_iterations += ITERATIONS;
        stop_watch(watch, &proof->ms, &proof->cpu_ms);
        if (proof->bound_cur > last_cur + LEAST_GAIN_RATIO * fabs(proof->bound_cur)) {
            last_cur = proof->bound_cur;
            n_idle = 0;
        } else {
            n_idle++;
        }
    }
}

/** Validator and certificate know nothing of each other, and count the same where none is late. */
static void judge(const struct plan_cases *cases, const struct proof *proof,
                  const struct hs_plan *plan, struct result *result)
{
    struct planvalid_report report = check(cases, plan);

    result->cost_cur = report.cost_cur;
    result->n_missed = report.n_missed;
    result->is_feasible = report.is_feasible;
    if (proof->cert == NULL) {
        return;
    }
    result->cost_cur = hs_certificate_get_cost(proof->cert, plan->placements, plan->n_placements);
    if (report.n_missed == 0
        && !(fabs(result->cost_cur - report.cost_cur) <= 1e-6 * fabs(report.cost_cur))) {
        fprintf(stderr, "bench_plan: the validator counts %.6f, the certificate %.6f\n",
                report.cost_cur, result->cost_cur);
        result->is_feasible = false;
    }
}

/** A full plan again, its jobs choosing by the prices that the certificate found. */
static void plan_guided(struct watch *watch, const struct plan_cases *cases,
                        const struct proof *proof, struct hs_place *place, struct result *result)
{
    start_watch(watch);
    hs_place_set(place, &cases->frame);
    hs_place_guide(place, hs_certificate_get_heat_prices(proof->cert),
                   hs_certificate_get_room_prices(proof->cert));
    hs_place_plan(place, cases->jobs, cases->n_jobs);
    const struct hs_plan *plan = hs_place_get_plan(place);

    stop_watch(watch, &result->ms, &result->cpu_ms);
    judge(cases, proof, plan, result);
}

/* --- one line --- */

static void set_result(json_t *line, const char *name, const struct result *result,
                       const struct proof *proof)
{
    const double reals[] = {result->ms, result->cpu_ms, result->cost_cur,
                            hs_certificate_get_gap_ratio(result->cost_cur, proof->bound_cur)};
    const char *const words[] = {"ms", "cpu_ms", "cost", "gap_ratio"};
    char key[64];

    for (size_t i = 0; i < sizeof(reals) / sizeof(reals[0]); i++) {
        snprintf(key, sizeof(key), "%s_%s", name, words[i]);
        hs_jsonx_set_real(line, key, reals[i]);
    }
    snprintf(key, sizeof(key), "%s_misses", name);
    hs_jsonx_set_int(line, key, (int64_t)result->n_missed);
}

static void set_proof(json_t *line, const struct proof *proof)
{
    hs_jsonx_set_real(line, "bound", proof->bound_cur);
    hs_jsonx_set_real(line, "certificate_ms", proof->ms);
    hs_jsonx_set_real(line, "certificate_cpu_ms", proof->cpu_ms);
    hs_jsonx_set_int(line, "certificate_iterations", (int64_t)proof->n_iterations);
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
    hs_jsonx_set_int(line, "groups", (int64_t)(setup->n_groups > 0 ? setup->n_groups : 1));
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

/** The bound of the last warm plan, and how near it is; steps have moved @proof's horizon on. */
static void prove_warm(struct watch *watch, const struct plan_cases *cases, struct hs_place *place,
                       struct proof *proof, struct result *result)
{
    const struct hs_plan *plan = hs_place_get_plan(place);

    prove(watch, cases, plan, proof);
    result->cost_cur = hs_certificate_get_cost(proof->cert, plan->placements, plan->n_placements);
}

/** @return whether every plan could be carried out */
static bool bench_plan(struct watch *watch, const struct plan_cases_setup *setup, size_t n_steps,
                       const struct extras *extras)
{
    HS_AUTO(plan_cases) cases = plan_cases_new(setup);
    HS_AUTO(hs_place) place = NULL;
    struct warm warm = {.n = n_steps, .is_feasible = true};
    struct proof proof = {.bound_cur = NAN, .ms = NAN, .cpu_ms = NAN};
    struct result cold;
    json_t *line = hs_jsonx_object();

    set_setup(line, setup);
    hs_jsonx_set_int(line, "threads", (int64_t)extras->n_threads);
    start_watch(watch);
    place = hs_place_new(cases->estate, setup->n_slots);
    hs_place_set_threads(place, extras->n_threads);
    hs_place_set(place, &cases->frame);
    hs_place_plan(place, cases->jobs, cases->n_jobs);
    const struct hs_plan *plan = hs_place_get_plan(place);

    stop_watch(watch, &cold.ms, &cold.cpu_ms);
    if (extras->is_bound) {
        proof.cert = hs_certificate_new(cases->estate, setup->n_slots);
        prove(watch, cases, plan, &proof);
    }
    judge(cases, &proof, plan, &cold);
    bool is_feasible = cold.is_feasible;

    set_result(line, "cold", &cold, &proof);
    set_proof(line, &proof);
    if (extras->is_bound) {
        struct result guided;

        plan_guided(watch, cases, &proof, place, &guided);
        set_result(line, "guided", &guided, &proof);
        is_feasible &= guided.is_feasible;
    }
    struct planvalid_report asap = check_asap(cases);

    hs_jsonx_set_int(line, "misses_asap", (int64_t)asap.n_missed);
    hs_jsonx_set_real(line, "cost_asap", asap.cost_cur);
    plan_on(watch, cases, place, &warm);
    set_warm(line, &warm);
    is_feasible &= warm.is_feasible;
    if (n_steps > 0) {
        HS_AUTO_MEM struct hs_placement *soonest = hs_xcalloc(cases->n_jobs, sizeof(*soonest));

        hs_jsonx_set_int(line, "warm_misses_asap", (int64_t)plan_asap_make(cases, soonest));
    }
    if (extras->is_bound && n_steps > 0) {
        struct result last;

        prove_warm(watch, cases, place, &proof, &last);
        hs_jsonx_set_real(line, "warm_gap_ratio",
                          hs_certificate_get_gap_ratio(last.cost_cur, proof.bound_cur));
    }
    hs_jsonx_set_bool(line, "feasible", is_feasible);
    HS_AUTO_MEM char *text = hs_jsonx_format(line);

    puts(text);
    json_decref(line);
    hs_certificate_free(proof.cert);
    return is_feasible && asap.is_feasible;
}

static bool read_extras(char *const *words, int n, struct plan_cases_setup *io_setup,
                        struct extras *ret_extras)
{
    bool is_good = true;

    *ret_extras = (struct extras){.is_bound = true, .n_threads = 1};
    for (int i = 0; i < n; i++) {
        if (strcmp(words[i], "unbound") == 0) {
            ret_extras->is_bound = false;
        } else if (strncmp(words[i], "threads=", 8) == 0) {
            ret_extras->n_threads = strtoul(words[i] + 8, NULL, 10);
        } else if (strncmp(words[i], "groups=", 7) == 0) {
            io_setup->n_groups = strtoul(words[i] + 7, NULL, 10);
            is_good &= io_setup->n_groups > 0 && io_setup->n_groups <= io_setup->n_loops;
        } else {
            is_good = false;
        }
    }
    return is_good;
}

int main(int argc, char **argv)
{
    const int n_words = 1 + PLAN_CASES_WORDS;
    struct watch watch = {.clock = hs_clock_new_real()};
    size_t n_steps = argc > n_words ? strtoul(argv[n_words], NULL, 10) : 20;
    struct plan_cases_setup setup;
    struct extras extras;
    bool is_good = plan_cases_read(argv + 1, argc - 1, &setup)
                   && read_extras(argv + n_words + 1, argc - n_words - 1, &setup, &extras);

    if (!is_good || n_steps > STEPS_MAX) {
        fprintf(stderr,
                "usage: bench_plan CASE [STEPS [unbound] [groups=N] [threads=N]], at most %d steps "
                "and a group a loop\n",
                STEPS_MAX);
        hs_clock_free(watch.clock);
        return 2;
    }
    is_good = bench_plan(&watch, &setup, n_steps, &extras);
    hs_clock_free(watch.clock);
    return is_good ? 0 : 1;
}
