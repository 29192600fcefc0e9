/* SPDX-License-Identifier: Apache-2.0 */
/* storewatch - one timer, and what was said last. */
#include "scheduler/daemon/storewatch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"

#define LOOK_S  1.0
#define START_S 3.0 /* to connect for the first time without a word */
/* A store that comes and goes is said to be down so often at once, then once in so long. */
#define LINES_MAX   10.0
#define LINES_PER_S 0.1

struct hs_storewatch {
    struct hs_executor *executor;
    const struct hs_clock *clock;
    struct hs_store *store;
    struct hs_timer *timer;
    bool was_up;
    bool has_been_up;
    bool is_said_down;  /* the log's last word on it */
    double down_mono_s; /* since when */
    double lines_left;  /* that may be written now */
    double looked_mono_s;
    char said_fault[256]; /* in it */
    char said_weakness[256];
};

static void say_down(struct hs_storewatch *watch, double now_mono_s)
{
    const char *fault = hs_store_get_fault(watch->store);

    fault = fault != NULL ? fault : "it is being read";
    if (!watch->has_been_up && now_mono_s - watch->down_mono_s < START_S) {
        return;
    }
    if ((watch->is_said_down && strcmp(fault, watch->said_fault) == 0) || watch->lines_left < 1) {
        return;
    }
    HS_LOG_WARN("store", "is down, no new action until it is %s: %s",
                watch->has_been_up ? "back" : "there", fault);
    watch->is_said_down = true;
    watch->lines_left -= 1;
    (void)snprintf(watch->said_fault, sizeof(watch->said_fault), "%s", fault);
}

static void say_up(struct hs_storewatch *watch, double now_mono_s)
{
    const char *weakness = hs_store_get_weakness(watch->store);

    if (watch->is_said_down) {
        HS_LOG_INFO("store", "is up after %.1f s", now_mono_s - watch->down_mono_s);
    } else if (!watch->has_been_up) {
        HS_LOG_INFO("store", "is up");
    }
    watch->is_said_down = false;
    watch->has_been_up = true;
    if (weakness != NULL && strcmp(weakness, watch->said_weakness) != 0) {
        HS_LOG_WARN("store", "is weaker than promised: %s", weakness);
    }
    (void)snprintf(watch->said_weakness, sizeof(watch->said_weakness), "%s",
                   weakness != NULL ? weakness : "");
}

void hs_storewatch_look(struct hs_storewatch *watch)
{
    double now_mono_s = hs_clock_mono_s(watch->clock);
    bool is_up = hs_store_is_up(watch->store);

    watch->lines_left =
        fmin(LINES_MAX, watch->lines_left + (now_mono_s - watch->looked_mono_s) * LINES_PER_S);
    watch->looked_mono_s = now_mono_s;
    if (!is_up && watch->was_up) {
        watch->down_mono_s = now_mono_s;
    }
    if (is_up) {
        say_up(watch, now_mono_s);
    } else {
        say_down(watch, now_mono_s);
    }
    watch->was_up = is_up;
}

static void on_timer(void *arg)
{
    struct hs_storewatch *watch = arg;

    hs_storewatch_look(watch);
    hs_executor_timer_set(watch->executor, watch->timer, LOOK_S);
}

struct hs_storewatch *hs_storewatch_new(struct hs_executor *executor, const struct hs_clock *clock,
                                        struct hs_store *store)
{
    struct hs_storewatch *watch = hs_xcalloc(1, sizeof(*watch));

    watch->executor = executor;
    watch->clock = clock;
    watch->store = store;
    watch->down_mono_s = hs_clock_mono_s(clock);
    watch->looked_mono_s = watch->down_mono_s;
    watch->lines_left = LINES_MAX;
    watch->timer = hs_executor_timer_add(executor, LOOK_S, on_timer, watch);
    return watch;
}

void hs_storewatch_free(struct hs_storewatch *watch)
{
    if (watch != NULL) {
        hs_executor_timer_remove(watch->executor, watch->timer);
        free(watch);
    }
}
