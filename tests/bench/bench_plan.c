/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_plan JOBS LOOPS HOSTS SLOTS UTILISATION SEED [STEPS] - plans of one made-up case.
 *
 * One JSON line: how long the first plan takes and the ones a slot later each, and how good the
 * first one is. Times are of the wall; those of the processor stand beside them, for machines
 * that do other things meanwhile.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "scheduler/base/clock.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/reals.h"
#include "tests/bench/plan_cases.h"

#define STEPS_MAX 200

struct watch {
    struct hs_clock *clock;
    double from_mono_s;
    double from_cpu_s;
};

static double get_cpu_s(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
           + 1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void start_watch(struct watch *watch)
{
    watch->from_cpu_s = get_cpu_s();
    watch->from_mono_s = hs_clock_mono_s(watch->clock);
}

static void stop_watch(const struct watch *watch, double *ret_ms, double *ret_cpu_ms)
{
    *ret_ms = 1e3 * (hs_clock_mono_s(watch->clock) - watch->from_mono_s);
    *ret_cpu_ms = 1e3 * (get_cpu_s() - watch->from_cpu_s);
}

/* --- a plan and those a slot later --- */

/** Go on by a slot and plan again, @n_steps times. @param ret_ms [n_steps] sorted */
static void plan_on(struct watch *watch, struct plan_cases *cases, struct hs_place *place,
                    size_t n_steps, double *ret_ms, double *ret_cpu_ms)
{
    size_t n_loops = cases->setup.n_loops;
    HS_AUTO_MEM double *tank_wh = hs_xcalloc(n_loops, sizeof(*tank_wh));

    for (size_t i = 0; i < n_steps; i++) {
        const struct hs_plan *plan = hs_place_get_plan(place);

        for (size_t l = 0; l < n_loops; l++) {
            tank_wh[l] = plan->tank_wh[l * plan->n_slots];
        }
        plan_cases_step(cases, plan->placements, plan->n_placements, tank_wh);
        start_watch(watch);
        hs_place_set(place, &cases->frame);
        hs_place_refresh(place, cases->jobs, cases->n_jobs);
        hs_place_get_plan(place);
        stop_watch(watch, &ret_ms[i], &ret_cpu_ms[i]);
    }
    hs_reals_sort(ret_ms, n_steps);
    hs_reals_sort(ret_cpu_ms, n_steps);
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

static void bench_plan(struct watch *watch, const struct plan_cases_setup *setup, size_t n_steps)
{
    HS_AUTO(plan_cases) cases = plan_cases_new(setup);
    json_t *line = hs_jsonx_object();
    HS_AUTO(hs_place) place = NULL;
    double cold_ms, cold_cpu_ms;
    double ms[STEPS_MAX], cpu_ms[STEPS_MAX];

    set_setup(line, setup);
    start_watch(watch);
    place = hs_place_new(cases->estate, setup->n_slots);
    hs_place_set(place, &cases->frame);
    hs_place_plan(place, cases->jobs, cases->n_jobs);
    const struct hs_plan *plan = hs_place_get_plan(place);

    stop_watch(watch, &cold_ms, &cold_cpu_ms);
    hs_jsonx_set_real(line, "cold_ms", cold_ms);
    hs_jsonx_set_real(line, "cold_cpu_ms", cold_cpu_ms);
    hs_jsonx_set_real(line, "plan_cost", plan->cost_cur);
    hs_jsonx_set_int(line, "plan_misses", (int64_t)plan->n_late);
    if (n_steps > 0) {
        plan_on(watch, cases, place, n_steps, ms, cpu_ms);
        hs_jsonx_set_real(line, "warm_p50_ms", ms[n_steps / 2]);
        hs_jsonx_set_real(line, "warm_p99_ms", ms[n_steps * 99 / 100]);
        hs_jsonx_set_real(line, "warm_cpu_p50_ms", cpu_ms[n_steps / 2]);
    }
    HS_AUTO_MEM char *text = hs_jsonx_format(line);

    puts(text);
    json_decref(line);
}

int main(int argc, char **argv)
{
    struct watch watch = {.clock = hs_clock_new_real()};
    size_t n_steps = argc > 7 ? strtoul(argv[7], NULL, 10) : 20;

    if (argc < 7 || n_steps > STEPS_MAX) {
        fprintf(stderr, "usage: bench_plan JOBS LOOPS HOSTS SLOTS UTILISATION SEED [STEPS]\n");
        return 2;
    }
    bench_plan(&watch,
               &(struct plan_cases_setup){.n_jobs = strtoul(argv[1], NULL, 10),
                                          .n_loops = strtoul(argv[2], NULL, 10),
                                          .n_hosts = strtoul(argv[3], NULL, 10),
                                          .n_slots = strtoul(argv[4], NULL, 10),
                                          .utilisation = strtod(argv[5], NULL),
                                          .seed = strtoul(argv[6], NULL, 10)},
               n_steps);
    hs_clock_free(watch.clock);
    return 0;
}
