/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_store URL - commits a second through the store port, beside bare HSET on the same server.
 *
 * Prints one JSON line for one write in flight and one for 64 (bare: pipelines of 64). A commit
 * is what a job's change costs: one PUT and one APPEND.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "adapters/store/store.h"
#include "adapters/store/store_lease.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/daemon/reactor.h"

#define BENCH_S     2.0
#define N_IN_FLIGHT 64
#define JOB_BYTES   700 /* about what hs_job_format() writes */

struct bench {
    const struct hs_clock *clock;
    struct hs_reactor *reactor;
    struct hs_store *store;
    char text[JOB_BYTES + 1];
    double end_mono_s;
    size_t n_in_flight;
    size_t n_done;
    size_t n_started;
    int rc;
};

static double bare_per_s(const struct hs_clock *clock, redisContext *redis, const char *text,
                         size_t n_in_flight)
{
    double from_mono_s = hs_clock_mono_s(clock);
    double now_mono_s = from_mono_s;
    size_t n = 0;

    while (now_mono_s < from_mono_s + BENCH_S) {
        for (size_t i = 0; i < n_in_flight; i++) {
            redisAppendCommand(redis, "HSET bench:bare %lu %s", (unsigned long)(n + i), text);
        }
        for (size_t i = 0; i < n_in_flight; i++) {
            void *reply = NULL;

            if (redisGetReply(redis, &reply) != REDIS_OK) {
                return 0;
            }
            freeReplyObject(reply);
        }
        n += n_in_flight;
        now_mono_s = hs_clock_mono_s(clock);
    }
    return (double)n / (now_mono_s - from_mono_s);
}

static void commit_one(struct bench *bench);

static void on_commit(int rc, const struct hs_err *err, void *arg)
{
    struct bench *bench = arg;

    bench->n_in_flight--;
    if (rc < 0) {
        fprintf(stderr, "bench_store: %s\n", err->text);
        bench->rc = rc;
    } else {
        bench->n_done++;
    }
    if (rc == 0 && hs_clock_mono_s(bench->clock) < bench->end_mono_s) {
        commit_one(bench);
    } else if (bench->n_in_flight == 0) {
        hs_reactor_stop(bench->reactor);
    }
}

static void commit_one(struct bench *bench)
{
    char key[32];
    struct hs_store_op ops[] = {
        {.kind = HS_STORE_PUT, .table = "jobs", .key = key, .text = bench->text},
        {.kind = HS_STORE_APPEND, .table = "journal", .text = "{\"what\":\"started\",\"job\":1}"},
    };

    snprintf(key, sizeof(key), "%zu", ++bench->n_started);
    bench->n_in_flight++;
    hs_store_commit(bench->store, ops, sizeof(ops) / sizeof(ops[0]), on_commit, bench);
}

static double store_per_s(struct bench *bench, size_t n_in_flight)
{
    double from_mono_s = hs_clock_mono_s(bench->clock);

    bench->end_mono_s = from_mono_s + BENCH_S;
    bench->n_done = 0;
    for (size_t i = 0; i < n_in_flight; i++) {
        commit_one(bench);
    }
    hs_reactor_run(bench->reactor);
    return (double)bench->n_done / (hs_clock_mono_s(bench->clock) - from_mono_s);
}

static void stop(void *arg)
{
    struct bench *bench = arg;

    hs_reactor_stop(bench->reactor);
}

static void wait_until_up(struct bench *bench)
{
    struct hs_executor *executor = hs_reactor_get_executor(bench->reactor);
    double deadline_mono_s = hs_clock_mono_s(bench->clock) + 5;
    struct hs_timer *pause = hs_executor_timer_add(executor, -1, stop, bench);

    while (!hs_store_is_up(bench->store) && hs_clock_mono_s(bench->clock) < deadline_mono_s) {
        hs_executor_timer_set(executor, pause, 0.02);
        hs_reactor_run(bench->reactor);
    }
    hs_executor_timer_remove(executor, pause);
}

static void on_acquired(int rc, const struct hs_err *err, const struct hs_store_lease *lease,
                        void *arg)
{
    struct bench *bench = arg;

    bench->rc = rc;
    hs_reactor_stop(bench->reactor);
}

static void on_looked(int rc, const struct hs_err *err, const struct hs_store_lease *lease,
                      void *arg)
{
    struct bench *bench = arg;

    if (rc != 0) {
        on_acquired(rc, err, lease, arg);
        return;
    }
    hs_store_lease_acquire(bench->store,
                           &(struct hs_store_claim){.seen_epoch = lease->epoch,
                                                    .seen_beat = lease->beat,
                                                    .store_id = "bench",
                                                    .holder = "bench"},
                           on_acquired, arg);
}

/** Without the lease nothing is written. */
static void lead(struct bench *bench)
{
    hs_store_lease_look(bench->store, on_looked, bench);
    hs_reactor_run(bench->reactor);
}

static void print_figures(struct bench *bench, redisContext *redis, size_t n_in_flight)
{
    double bare = bare_per_s(bench->clock, redis, bench->text, n_in_flight);
    double commits = store_per_s(bench, n_in_flight);
    json_auto_t *line = hs_jsonx_object();
    HS_AUTO_MEM char *text = NULL;

    hs_jsonx_set_text(line, "bench", "store");
    hs_jsonx_set_int(line, "in_flight", (int64_t)n_in_flight);
    hs_jsonx_set_real(line, "commits_per_s", commits);
    hs_jsonx_set_real(line, "bare_hset_per_s", bare);
    hs_jsonx_set_real(line, "bare_ratio", bare > 0 ? commits / bare : NAN);
    text = hs_jsonx_format(line);
    puts(text);
}

int main(int argc, char **argv)
{
    HS_AUTO(hs_clock) clock = hs_clock_new_real();
    struct bench bench = {.clock = clock};
    HS_AUTO(hs_reactor) reactor = NULL;
    HS_AUTO(hs_store) store = NULL;
    struct hs_err err = {0};
    redisContext *redis;

    if (argc != 2 || strncmp(argv[1], "unix:", 5) != 0) {
        fprintf(stderr, "usage: bench_store unix:/path/to/redis.sock\n");
        return 2;
    }
    if (hs_reactor_new(NULL, &reactor, &err) < 0
        || hs_store_redis_new(hs_reactor_get_executor(reactor), argv[1], "bench", &store, &err)
               < 0) {
        fprintf(stderr, "bench_store: %s\n", err.text);
        return 1;
    }
    bench.reactor = reactor;
    bench.store = store;
    memset(bench.text, 'x', JOB_BYTES);
    bench.text[0] = bench.text[JOB_BYTES - 1] = '"';
    redis = redisConnectUnix(argv[1] + 5);
    wait_until_up(&bench);
    if (redis == NULL || redis->err != 0 || !hs_store_is_up(store)) {
        fprintf(stderr, "bench_store: cannot reach '%s'\n", argv[1]);
        return 1;
    }
    lead(&bench);
    if (bench.rc == 0) {
        print_figures(&bench, redis, 1);
    }
    if (bench.rc == 0) {
        print_figures(&bench, redis, N_IN_FLIGHT);
    }
    redisFree(redis);
    return bench.rc == 0 ? 0 : 1;
}
