/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_insert JOBS LOOPS HOSTS SLOTS UTILISATION SEED [INSERTS] - one job more in a full plan.
 *
 * One JSON line: how long a single insert takes, each into the plan that the one before left. The
 * plan that comes of it is checked like any other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "scheduler/base/clock.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/reals.h"
#include "tests/bench/plan_check.h"

/** @param ret_us [n] sorted, of the wall @param ret_cpu_us [n] sorted, of the processor */
static void insert(struct plan_cases *cases, struct hs_place *place, size_t n, double *ret_us,
                   double *ret_cpu_us)
{
    struct hs_clock *real = hs_clock_new_real();

    for (size_t i = 0; i < n; i++) {
        struct hs_place_job *job = &cases->jobs[cases->n_jobs++];

        *job = plan_cases_draw_job(cases);
        clock_t from_cpu = clock();
        double from_mono_s = hs_clock_mono_s(real);

        hs_place_insert(place, job);
        ret_us[i] = (hs_clock_mono_s(real) - from_mono_s) * 1e6;
        ret_cpu_us[i] = (double)(clock() - from_cpu) * 1e6 / CLOCKS_PER_SEC;
    }
    hs_reals_sort(ret_us, n);
    hs_reals_sort(ret_cpu_us, n);
    hs_clock_free(real);
}

static bool check(const struct plan_cases *cases, struct hs_place *place)
{
    struct planvalid_report report = plan_check_plan(cases, hs_place_get_plan(place));

    if (!report.is_feasible) {
        fprintf(stderr, "bench_insert: not feasible: %s\n", report.why);
    }
    return report.is_feasible;
}

static bool bench_insert(const struct plan_cases_setup *setup, size_t n)
{
    HS_AUTO(plan_cases) cases = plan_cases_new(setup);
    HS_AUTO(hs_place) place = hs_place_new(cases->estate, setup->n_slots);
    HS_AUTO_MEM double *us = hs_xcalloc(n, sizeof(*us));
    HS_AUTO_MEM double *cpu_us = hs_xcalloc(n, sizeof(*cpu_us));

    hs_place_set(place, &cases->frame);
    hs_place_plan(place, cases->jobs, cases->n_jobs);
    n = n < cases->n_jobs_max - cases->n_jobs ? n : cases->n_jobs_max - cases->n_jobs;
    insert(cases, place, n, us, cpu_us);
    bool is_feasible = check(cases, place);
    json_t *line = hs_jsonx_object();

    hs_jsonx_set_text(line, "bench", "insert");
    hs_jsonx_set_int(line, "jobs", (int64_t)setup->n_jobs);
    hs_jsonx_set_int(line, "loops", (int64_t)setup->n_loops);
    hs_jsonx_set_int(line, "hosts", (int64_t)setup->n_hosts);
    hs_jsonx_set_int(line, "slots", (int64_t)setup->n_slots);
    hs_jsonx_set_real(line, "utilisation", setup->utilisation);
    hs_jsonx_set_int(line, "seed", (int64_t)setup->seed);
    hs_jsonx_set_int(line, "inserts", (int64_t)n);
    hs_jsonx_set_real(line, "p50_us", us[n / 2]);
    hs_jsonx_set_real(line, "p99_us", us[n * 99 / 100]);
    hs_jsonx_set_real(line, "max_us", us[n - 1]);
    hs_jsonx_set_real(line, "cpu_p50_us", cpu_us[n / 2]);
    hs_jsonx_set_real(line, "cpu_p99_us", cpu_us[n * 99 / 100]);
    hs_jsonx_set_bool(line, "feasible", is_feasible);
    HS_AUTO_MEM char *text = hs_jsonx_format(line);

    puts(text);
    json_decref(line);
    return is_feasible;
}

int main(int argc, char **argv)
{
    const int n_words = 1 + PLAN_CASES_WORDS;
    size_t n = argc > n_words ? strtoul(argv[n_words], NULL, 10) : 1000;
    struct plan_cases_setup setup;

    if (!plan_cases_read(argv + 1, argc - 1, &setup) || n == 0) {
        fprintf(stderr, "usage: bench_insert CASE [INSERTS]\n");
        return 2;
    }
    return bench_insert(&setup, n) ? 0 : 1;
}
