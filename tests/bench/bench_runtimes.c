/* SPDX-License-Identifier: Apache-2.0 */
/* bench_runtimes - job run times predicted from a log: bench_runtimes [LOG.swf[.gz]]. */
#include <stdio.h>
#include <string.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/jsonx.h"
#include "tests/support/runtimes_replay.h"

#define SYNTHETIC_JOBS 10000

static void print(const char *series, const char *data, const char *when, const char *part,
                  const struct runtimes_score *score, const struct runtimes_scores *scores)
{
    json_t *line = hs_jsonx_object();
    HS_AUTO_MEM char *text = NULL;

    hs_jsonx_set_text(line, "bench", "runtimes");
    hs_jsonx_set_text(line, "series", series);
    hs_jsonx_set_text(line, "data", data);
    hs_jsonx_set_text(line, "when", when);
    hs_jsonx_set_text(line, "jobs", part);
    hs_jsonx_set_int(line, "n", (int64_t)score->n);
    hs_jsonx_set_real(line, "mean_abs_log_error", score->mean_abs_log_error);
    hs_jsonx_set_real(line, "of_requested", score->of_requested);
    hs_jsonx_set_real(line, "ratio", score->ratio);
    hs_jsonx_set_real(line, "share_above_quantile", score->share_above_quantile);
    hs_jsonx_set_real(line, "us_per_prediction", scores->us_per_prediction);
    hs_jsonx_set_real(line, "us_per_end", scores->us_per_end);
    hs_jsonx_set_int(line, "saved_bytes", (int64_t)scores->n_saved_bytes);
    text = hs_jsonx_format(line);
    puts(text);
    json_decref(line);
}

static void measure(const char *series, const char *data, const struct runtimes_job *jobs, size_t n)
{
    static const char *const whens[] = {"submit", "start"};

    for (int when = RUNTIMES_AT_SUBMIT; when <= RUNTIMES_AT_START; when++) {
        struct runtimes_scores scores;

        runtimes_replay(jobs, n, (enum runtimes_when)when, &scores);
        print(series, data, whens[when], "first half", &scores.halves[0], &scores);
        print(series, data, whens[when], "second half", &scores.halves[1], &scores);
        print(series, data, whens[when], "all", &scores.all, &scores);
    }
}

int main(int argc, char **argv)
{
    HS_AUTO_MEM struct runtimes_job *made = runtimes_replay_make(SYNTHETIC_JOBS);
    HS_AUTO_MEM struct runtimes_job *read = NULL;
    size_t n = 0;

    if (argc > 1) {
        read = runtimes_replay_read(argv[1], &n);
        if (n == 0) {
            return 1;
        }
        const char *slash = strrchr(argv[1], '/');

        measure(slash != NULL ? slash + 1 : argv[1], "measured", read, n);
    }
    measure("synthetic", "synthetic", made, SYNTHETIC_JOBS);
    return 0;
}
