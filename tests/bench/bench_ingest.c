/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_ingest feed|read|bare URL ESTATE.json N - readings through a stream.
 *
 * feed adds N readings of all sinks' points. read takes N in as hschedd does: plant_redis, its
 * checks, the estimator. bare reads N entries with XREAD and does nothing with them. Both say
 * "ready" when they listen, and at the end the CPU seconds and seconds that it took, from the first
 * entry on.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <hiredis/hiredis.h>

#include "adapters/plant/plant.h"
#include "adapters/redis/redis_access.h"
#include "adapters/signal/filetext.h"
#include "scheduler/base/mem.h"
#include "scheduler/core/estimator.h"
#include "scheduler/daemon/reactor.h"

#define CELL      "bench"
#define KEY       "hs:{" CELL "}:readings"
#define AT        "2026-01-05T10:00:00Z"
#define NOW_AT_S  1767607200
#define PIPELINE  1000
#define POINT_MAX 128

struct tally {
    struct hs_reactor *reactor;
    struct hs_estimator *estimator;
    size_t n_wanted;
    size_t n_good;
    size_t n_refused;
    double cpu_s; /* at the first one */
    double mono_s;
    struct hs_clock *clock;
};

static double get_cpu_s(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
           + 1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void begin_count(struct tally *tally)
{
    tally->cpu_s = get_cpu_s();
    tally->mono_s = hs_clock_mono_s(tally->clock);
}

static void print_result(const struct tally *tally)
{
    printf("%zu %zu %.6f %.6f\n", tally->n_good, tally->n_refused, get_cpu_s() - tally->cpu_s,
           hs_clock_mono_s(tally->clock) - tally->mono_s);
}

static redisContext *open_redis(const char *url)
{
    redisContext *redis = redisConnectUnix(url + strlen("unix:"));

    if (redis == NULL || redis->err != 0) {
        fprintf(stderr, "bench_ingest: no redis at '%s'\n", url);
        exit(1);
    }
    return redis;
}

static int feed(const char *url, const struct hs_estate *estate, size_t n)
{
    redisContext *redis = open_redis(url);

    for (size_t i = 0; i < n; i += PIPELINE) {
        size_t n_sent = n - i < PIPELINE ? n - i : PIPELINE;

        for (size_t k = 0; k < n_sent; k++) {
            size_t sink_idx = (i + k) % estate->n_sinks;

            redisAppendCommand(redis, "XADD %s * point %s/demand_heat_w value %d at %s", KEY,
                               estate->sinks[sink_idx].path, (int)((i + k) % 30000), AT);
        }
        for (size_t k = 0; k < n_sent; k++) {
            redisReply *reply = NULL;

            if (redisGetReply(redis, (void **)&reply) != REDIS_OK) {
                return 1;
            }
            freeReplyObject(reply);
        }
    }
    redisFree(redis);
    return 0;
}

static int bare(const char *url, size_t n)
{
    redisContext *redis = open_redis(url);
    struct tally tally = {.clock = hs_clock_new_real()};
    char cursor[48] = "$";

    puts("ready");
    fflush(stdout);
    while (tally.n_good < n) {
        redisReply *reply =
            redisCommand(redis, "XREAD COUNT 1000 BLOCK 1000 STREAMS %s %s", KEY, cursor);

        if (reply == NULL) {
            return 1;
        }
        if (reply->type == REDIS_REPLY_ARRAY) {
            const redisReply *entries = reply->element[0]->element[1];

            if (tally.n_good == 0) {
                begin_count(&tally);
            }
            tally.n_good += entries->elements;
            snprintf(cursor, sizeof(cursor), "%s",
                     entries->element[entries->elements - 1]->element[0]->str);
        }
        freeReplyObject(reply);
    }
    print_result(&tally);
    hs_clock_free(tally.clock);
    redisFree(redis);
    return 0;
}

static void on_reading(void *arg, const struct hs_reading *reading)
{
    struct tally *tally = arg;

    if (tally->n_good == 0) {
        begin_count(tally);
    }
    hs_estimator_add(tally->estimator, reading);
    if (++tally->n_good == tally->n_wanted) {
        hs_reactor_stop(tally->reactor);
    }
}

static void on_refused(void *arg, const char *text)
{
    struct tally *tally = arg;

    if (tally->n_refused++ == 0) {
        fprintf(stderr, "bench_ingest: %s\n", text);
    }
}

/* The plant listens within this; nothing is in the stream before. */
static void say_ready(void *arg)
{
    puts("ready");
    fflush(stdout);
}

static int take(const char *url, const struct hs_estate *estate, size_t n)
{
    struct tally tally = {.n_wanted = n, .clock = hs_clock_new_accelerated(NOW_AT_S, 1.0)};
    struct hs_plant_options options = {
        .clock = tally.clock,
        .estate = estate,
        .listener = {.reading = on_reading, .refused = on_refused, .arg = &tally},
    };
    const struct hs_redis_access access = {.url = url};
    struct hs_plant *plant = NULL;
    struct hs_timer *ready;

    if (hs_reactor_new(NULL, &tally.reactor, NULL) != 0) {
        return 1;
    }
    tally.estimator = hs_estimator_new(estate, NOW_AT_S);
    options.executor = hs_reactor_get_executor(tally.reactor);
    if (hs_plant_redis_new(&options, &access, CELL, &plant, NULL) != 0) {
        return 1;
    }
    hs_plant_start(plant);
    ready = hs_executor_timer_add(options.executor, 0.5, say_ready, NULL);
    hs_reactor_run(tally.reactor);
    print_result(&tally);
    hs_executor_timer_remove(options.executor, ready);
    hs_plant_free(plant);
    hs_estimator_free(tally.estimator);
    hs_reactor_free(tally.reactor);
    hs_clock_free(tally.clock);
    return 0;
}

int main(int argc, char **argv)
{
    HS_AUTO(hs_estate) estate = NULL;
    HS_AUTO_MEM char *text = NULL;
    struct hs_conf_report report = {0};
    size_t n_bytes = 0;
    size_t n = argc == 5 ? strtoull(argv[4], NULL, 10) : 0;

    if (n == 0 || strncmp(argv[2], "unix:", 5) != 0
        || hs_filetext_read(argv[3], &text, &n_bytes, NULL) != 0
        || hs_estate_parse(argv[3], text, &report, &estate) != 0) {
        fprintf(stderr, "usage: bench_ingest feed|read|bare unix:/PATH ESTATE.json N\n");
        return 2;
    }
    if (strcmp(argv[1], "feed") == 0) {
        return feed(argv[2], estate, n);
    }
    return strcmp(argv[1], "bare") == 0 ? bare(argv[2], n) : take(argv[2], estate, n);
}
