/* SPDX-License-Identifier: Apache-2.0 */
/* runtimes_replay - see runtimes_replay.h. */
#include "tests/support/runtimes_replay.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "forecast/runtimes.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/vec.h"
#include "scheduler/sim/swf.h"

/* At one instant: what ended is known first, then who began, then one asks. */
enum what { ENDS, ASKS, STARTS };

struct event {
    double at_s;
    enum what what;
    size_t job_idx;
};

static int compare_events(const void *a, const void *b)
{
    const struct event *x = a;
    const struct event *y = b;

    if (x->at_s != y->at_s) {
        return x->at_s < y->at_s ? -1 : 1;
    }
    if (x->what != y->what) {
        return x->what < y->what ? -1 : 1;
    }
    return x->job_idx < y->job_idx ? -1 : x->job_idx > y->job_idx;
}

static struct event *make_events(const struct runtimes_job *jobs, size_t n, enum runtimes_when when)
{
    struct event *events = hs_xcalloc(3 * n, sizeof(*events));

    for (size_t i = 0; i < n; i++) {
        double start_s = jobs[i].submit_s + jobs[i].wait_s;

        events[3 * i] = (struct event){start_s + jobs[i].run_s, ENDS, i};
        events[3 * i + 1] = (struct event){start_s, STARTS, i};
        events[3 * i + 2] =
            (struct event){when == RUNTIMES_AT_SUBMIT ? jobs[i].submit_s : start_s, ASKS, i};
    }
    qsort(events, 3 * n, sizeof(*events), compare_events);
    return events;
}

static double now_us(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e6 + (double)at.tv_nsec * 1e-3;
}

static void add_score(struct runtimes_score *score, const struct runtimes_job *job,
                      const struct hs_runtimes_run *run)
{
    score->n++;
    score->mean_abs_log_error += fabs(log(job->run_s / run->expected_s));
    score->of_requested += fabs(log(job->run_s / job->requested_s));
    score->share_above_quantile += job->run_s > run->upper_s ? 1 : 0;
}

static void close_score(struct runtimes_score *score)
{
    score->mean_abs_log_error /= (double)score->n;
    score->of_requested /= (double)score->n;
    score->share_above_quantile /= (double)score->n;
    score->ratio = score->mean_abs_log_error / score->of_requested;
}

static struct hs_runtimes_request request_of(const struct runtimes_job *job)
{
    return (struct hs_runtimes_request){
        .team = job->team,
        .name = "",
        .requested_s = job->requested_s,
        .vcpus = job->vcpus,
        .memory_mib = job->memory_mib,
    };
}

static size_t measure_saved(const struct hs_runtimes *runtimes)
{
    json_t *saved = hs_runtimes_save(runtimes);
    HS_AUTO_MEM char *text = hs_jsonx_format(saved);

    json_decref(saved);
    return strlen(text);
}

void runtimes_replay(const struct runtimes_job *jobs, size_t n, enum runtimes_when when,
                     struct runtimes_scores *ret_scores)
{
    HS_AUTO(hs_runtimes) runtimes = hs_runtimes_new();
    HS_AUTO_MEM struct event *events = make_events(jobs, n, when);
    HS_AUTO_MEM struct hs_runtimes_run *runs = hs_xcalloc(n, sizeof(*runs));
    double asked_us = 0;
    double ended_us = 0;

    *ret_scores = (struct runtimes_scores){0};
    for (size_t e = 0; e < 3 * n; e++) {
        size_t j = events[e].job_idx;
        struct hs_runtimes_request request = request_of(&jobs[j]);
        int64_t at_s = (int64_t)events[e].at_s;
        double began_us = now_us();

        if (events[e].what == ENDS) {
            hs_runtimes_end(runtimes, &request, j + 1, jobs[j].run_s, &runs[j]);
            ended_us += now_us() - began_us;
        } else if (events[e].what == STARTS) {
            hs_runtimes_start(runtimes, &request, j + 1, at_s);
        } else {
            hs_runtimes_predict(runtimes, &request, at_s, 0, &runs[j]);
            asked_us += now_us() - began_us;
        }
    }
    for (size_t j = 0; j < n; j++) {
        add_score(&ret_scores->halves[j >= n / 2], &jobs[j], &runs[j]);
        add_score(&ret_scores->all, &jobs[j], &runs[j]);
    }
    close_score(&ret_scores->halves[0]);
    close_score(&ret_scores->halves[1]);
    close_score(&ret_scores->all);
    ret_scores->us_per_prediction = asked_us / (double)n;
    ret_scores->us_per_end = ended_us / (double)n;
    ret_scores->n_saved_bytes = measure_saved(runtimes);
}

struct runtimes_job *runtimes_replay_read(const char *path, size_t *ret_n)
{
    struct hs_jobtrace trace = {0};
    struct hs_err err = {0};
    struct runtimes_job *jobs = NULL;
    size_t n = 0;

    *ret_n = 0;
    if (hs_swf_read(path, &trace, &err) != 0) {
        fprintf(stderr, "%s: %s\n", err.where, err.text);
        return NULL;
    }
    jobs = hs_xcalloc(trace.n, sizeof(*jobs));
    for (size_t i = 0; i < trace.n; i++) {
        const struct hs_jobtrace_record *record = &trace.items[i];

        if (!(record->run_s > 0) || !(record->requested_s > 0)) {
            continue;
        }
        jobs[n] = (struct runtimes_job){
            .submit_s = record->submit_s,
            .wait_s = fmax(0, record->wait_s),
            .run_s = record->run_s,
            .requested_s = record->requested_s,
            .vcpus = (uint32_t)record->procs,
            .memory_mib = (uint64_t)record->memory_mib_per_proc,
        };
        snprintf(jobs[n].team, sizeof(jobs[n].team), "u%.0f", record->user);
        n++;
    }
    HS_VEC_FINI(&trace);
    *ret_n = n;
    return jobs;
}

/* xorshift64*, Vigna 2016 */
static double draw(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (double)((*state * UINT64_C(2685821657736338717)) >> 11) * 0x1p-53;
}

struct runtimes_job *runtimes_replay_make(size_t n)
{
    static const double requests_s[] = {3600, 14400, 86400};
    struct runtimes_job *jobs = hs_xcalloc(n, sizeof(*jobs));
    uint64_t state = 11;
    double at_s = 0;

    for (size_t i = 0; i < n; i++) {
        size_t team = (size_t)(draw(&state) * 12);
        size_t kind = (size_t)(draw(&state) * 3);
        double share = 1.0 / (2.0 + 58.0 * (double)((team * 3 + kind) % 36) / 36.0);
        double noise = exp(0.5 * (draw(&state) + draw(&state) + draw(&state) - 1.5));
        int is_failed = draw(&state) < 0.05;

        at_s += -600.0 * log(1.0 - draw(&state));
        jobs[i] = (struct runtimes_job){
            .submit_s = at_s,
            .wait_s = 300.0 * draw(&state),
            .run_s = is_failed ? 5.0 : fmax(1.0, requests_s[kind] * share * noise),
            .requested_s = requests_s[kind],
            .vcpus = 1 + (uint32_t)(team % 4),
            .memory_mib = 2048,
        };
        snprintf(jobs[i].team, sizeof(jobs[i].team), "team%zu", team);
    }
    return jobs;
}
