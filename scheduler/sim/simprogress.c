/* SPDX-License-Identifier: Apache-2.0 */
/* simprogress - one line, now and then. */
#include "scheduler/sim/simprogress.h"

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "scheduler/base/clock.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"

#define SIMPROGRESS_LIVE_EVERY_S 0.2
#define SIMPROGRESS_LINE_EVERY_S 5.0
#define SIMPROGRESS_REST_AFTER_S 1.0 /* a rest estimated from less is a guess */

struct hs_simprogress {
    struct hs_clock *clock;
    bool is_live;
    bool is_line_open;
    const char *name;
    double from_at_s;
    double to_at_s;
    double begun_mono_s;
    double next_mono_s;
};

struct hs_simprogress *hs_simprogress_new(void)
{
    struct hs_simprogress *progress = hs_xcalloc(1, sizeof(*progress));

    progress->clock = hs_clock_new_real();
    progress->is_live = isatty(STDERR_FILENO);
    return progress;
}

static double get_every_s(const struct hs_simprogress *progress)
{
    return progress->is_live ? SIMPROGRESS_LIVE_EVERY_S : SIMPROGRESS_LINE_EVERY_S;
}

void hs_simprogress_start(struct hs_simprogress *progress, const char *name, double from_at_s,
                          double to_at_s)
{
    progress->name = name;
    progress->from_at_s = from_at_s;
    progress->to_at_s = to_at_s;
    progress->begun_mono_s = hs_clock_mono_s(progress->clock);
    progress->next_mono_s = progress->begun_mono_s + get_every_s(progress);
}

void hs_simprogress_set(struct hs_simprogress *progress, double done_ratio)
{
    double mono_s = hs_clock_mono_s(progress->clock);
    double took_s = mono_s - progress->begun_mono_s;
    double at_s = progress->from_at_s + done_ratio * (progress->to_at_s - progress->from_at_s);
    char at[HS_TIMETEXT_MAX], rest[HS_TIMETEXT_MAX] = "", line[160];

    if (mono_s < progress->next_mono_s) {
        return;
    }
    progress->next_mono_s = mono_s + get_every_s(progress);
    hs_timetext_format((int64_t)at_s, at);
    if (took_s >= SIMPROGRESS_REST_AFTER_S && done_ratio > 0) {
        hs_timetext_format_duration((int64_t)(took_s * (1 - done_ratio) / done_ratio + 1), rest);
    }
    snprintf(line, sizeof(line), "%-12s %.10s  %3.0f %%%s%s", progress->name, at, done_ratio * 100,
             rest[0] != '\0' ? ", rest about " : "", rest);
    if (progress->is_live) {
        fprintf(stderr, "\r%-60s", line);
        progress->is_line_open = true;
    } else {
        fprintf(stderr, "%s\n", line);
    }
    fflush(stderr);
}

void hs_simprogress_stop(struct hs_simprogress *progress)
{
    if (progress->is_line_open) {
        fprintf(stderr, "\r%-60s\r", "");
        fflush(stderr);
        progress->is_line_open = false;
    }
}

void hs_simprogress_free(struct hs_simprogress *progress)
{
    if (progress != NULL) {
        hs_clock_free(progress->clock);
        free(progress);
    }
}
