/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtual_executor - a binary heap of events by (time, number of asking).
 *
 * A timer's entry is not searched for when the timer changes: each arming has a number, and an
 * entry whose number is no longer the timer's is dropped when it comes up.
 */
#include "scheduler/sim/virtual_executor.h"

#include <assert.h>
#include <math.h>

#include "scheduler/base/heap.h"
#include "scheduler/base/mem.h"

struct hs_timer {
    hs_executor_fn *fn;
    void *arg;
    uint64_t armed_no; /* entry that fires it; 0 disarmed */
    size_t n_entries;  /* entries in the heap that point here */
    bool is_removed;   /* free it with its last entry */
};

struct hs_lane {
    bool is_removed;
    size_t n_queued;
};

/** Work on its way through a lane: first turn runs it, second tells the end. */
struct virtual_work {
    struct hs_lane *lane;
    hs_work_fn *work;
    hs_work_done_fn *done;
    hs_executor_fn *release;
    void *arg;
    bool is_done;
    int rc;
};

struct virtual_event {
    double at_s;
    uint64_t no;
    struct hs_timer *timer;    /* or */
    struct virtual_work *work; /* or */
    hs_executor_fn *fn;        /* a post */
    void *arg;
};

struct hs_virtual_executor {
    struct hs_executor base;
    struct hs_clock *clock;
    HS_VEC(struct virtual_event) heap;
    uint64_t last_no;
};

static bool is_before(const struct virtual_event *a, const struct virtual_event *b)
{
    return a->at_s < b->at_s || (a->at_s == b->at_s && a->no < b->no);
}

static uint64_t push(struct hs_virtual_executor *executor, struct virtual_event event)
{
    event.no = ++executor->last_no;
    HS_HEAP_PUSH(&executor->heap, event, is_before);
    return event.no;
}

static double now_s(const struct hs_virtual_executor *executor)
{
    return hs_clock_at_exact_s(executor->clock);
}

static void virtual_post(struct hs_executor *base, hs_executor_fn *fn, void *arg)
{
    struct hs_virtual_executor *executor = (struct hs_virtual_executor *)base;

    push(executor, (struct virtual_event){.at_s = now_s(executor), .fn = fn, .arg = arg});
}

static void virtual_timer_set(struct hs_executor *base, struct hs_timer *timer, double after_s)
{
    struct hs_virtual_executor *executor = (struct hs_virtual_executor *)base;

    if (after_s < 0) {
        timer->armed_no = 0;
        return;
    }
    timer->n_entries++;
    timer->armed_no =
        push(executor, (struct virtual_event){.at_s = now_s(executor) + after_s, .timer = timer});
}

static struct hs_timer *virtual_timer_add(struct hs_executor *base, double after_s,
                                          hs_executor_fn *fn, void *arg)
{
    struct hs_timer *timer = hs_xcalloc(1, sizeof(*timer));

    timer->fn = fn;
    timer->arg = arg;
    virtual_timer_set(base, timer, after_s);
    return timer;
}

static void free_if_unused(struct hs_timer *timer)
{
    if (timer->is_removed && timer->n_entries == 0) {
        free(timer);
    }
}

static void virtual_timer_remove(struct hs_executor *base, struct hs_timer *timer)
{
    timer->armed_no = 0;
    timer->is_removed = true;
    free_if_unused(timer);
}

static struct hs_watch *virtual_watch_add(struct hs_executor *base, int fd, unsigned events,
                                          hs_watch_fn *fn, void *arg)
{
    assert(!"a simulated world has no descriptors to watch");
    return NULL;
}

static void virtual_watch_set(struct hs_executor *base, struct hs_watch *watch, unsigned events)
{
    assert(!"a simulated world has no descriptors to watch");
}

static void virtual_watch_remove(struct hs_executor *base, struct hs_watch *watch)
{
    assert(!"a simulated world has no descriptors to watch");
}

static struct hs_lane *virtual_lane_add(struct hs_executor *base, const char *name)
{
    return hs_xcalloc(1, sizeof(struct hs_lane));
}

static void virtual_lane_remove(struct hs_executor *base, struct hs_lane *lane)
{
    lane->is_removed = true;
    if (lane->n_queued == 0) {
        free(lane);
    }
}

static void virtual_run(struct hs_executor *base, struct hs_lane *lane, double deadline_s,
                        hs_work_fn *work, hs_work_done_fn *done, hs_executor_fn *release, void *arg)
{
    struct hs_virtual_executor *executor = (struct hs_virtual_executor *)base;
    struct virtual_work *item = hs_xcalloc(1, sizeof(*item));

    assert(deadline_s > 0);
    *item = (struct virtual_work){
        .lane = lane, .work = work, .done = done, .release = release, .arg = arg};
    lane->n_queued++;
    push(executor, (struct virtual_event){.at_s = now_s(executor), .work = item});
}

static void finish_work(struct virtual_work *item)
{
    struct hs_lane *lane = item->lane;

    item->done(item->rc, item->arg);
    if (item->release != NULL) {
        item->release(item->arg);
    }
    free(item);
    if (--lane->n_queued == 0 && lane->is_removed) {
        free(lane);
    }
}

static void do_work(struct hs_virtual_executor *executor, struct virtual_work *item)
{
    if (item->is_done) {
        finish_work(item);
        return;
    }
    item->is_done = true;
    if (item->lane->is_removed) {
        item->rc = -HS_E_UNAVAILABLE;
    } else {
        item->work(item->arg);
    }
    push(executor, (struct virtual_event){.at_s = now_s(executor), .work = item});
}

static void do_event(struct hs_virtual_executor *executor, const struct virtual_event *event)
{
    if (event->work != NULL) {
        do_work(executor, event->work);
        return;
    }
    if (event->timer == NULL) {
        event->fn(event->arg);
        return;
    }
    /* the entry is held while the timer's own callback runs, in which it may be removed */
    if (event->timer->armed_no == event->no) {
        event->timer->armed_no = 0;
        event->timer->fn(event->timer->arg);
    }
    event->timer->n_entries--;
    free_if_unused(event->timer);
}

static const struct hs_executor_ops virtual_executor_ops = {
    .post = virtual_post,
    .timer_add = virtual_timer_add,
    .timer_set = virtual_timer_set,
    .timer_remove = virtual_timer_remove,
    .watch_add = virtual_watch_add,
    .watch_set = virtual_watch_set,
    .watch_remove = virtual_watch_remove,
    .lane_add = virtual_lane_add,
    .lane_remove = virtual_lane_remove,
    .run = virtual_run,
};

struct hs_virtual_executor *hs_virtual_executor_new(struct hs_clock *clock)
{
    struct hs_virtual_executor *executor = hs_xcalloc(1, sizeof(*executor));

    executor->base.ops = &virtual_executor_ops;
    executor->clock = clock;
    return executor;
}

struct hs_executor *hs_virtual_executor_get(struct hs_virtual_executor *executor)
{
    return &executor->base;
}

double hs_virtual_executor_next_at_s(const struct hs_virtual_executor *executor)
{
    return executor->heap.n > 0 ? executor->heap.items[0].at_s : (double)INFINITY;
}

void hs_virtual_executor_advance(struct hs_virtual_executor *executor, double at_s)
{
    while (hs_virtual_executor_next_at_s(executor) <= at_s) {
        struct virtual_event event =
            HS_HEAP_TAKE(executor->heap.items, &executor->heap.n, is_before);

        hs_clock_set(executor->clock, event.at_s);
        do_event(executor, &event);
    }
    hs_clock_set(executor->clock, at_s);
}

void hs_virtual_executor_free(struct hs_virtual_executor *executor)
{
    if (executor == NULL) {
        return;
    }
    while (executor->heap.n > 0) {
        struct virtual_event event =
            HS_HEAP_TAKE(executor->heap.items, &executor->heap.n, is_before);

        if (event.work != NULL) {
            if (!event.work->is_done) {
                event.work->rc = -HS_E_UNAVAILABLE;
            }
            finish_work(event.work);
        } else if (event.timer != NULL) {
            event.timer->n_entries--;
            free_if_unused(event.timer);
        }
    }
    HS_VEC_FINI(&executor->heap);
    free(executor);
}
