/* SPDX-License-Identifier: Apache-2.0 */
/* What every executor must do. A new one adds one row to worlds[]. */
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "scheduler/base/clock.h"
#include "scheduler/base/mem.h"
#include "scheduler/daemon/reactor.h"
#include "scheduler/sim/poll_executor.h"
#include "scheduler/sim/virtual_executor.h"
#include "tests/support/near.h"

#define LANES_MAX 8

/* One executor under test. run() drives it until stop(), or until it has nothing left to do. */
struct world {
    const char *name;
    void *(*start)(struct hs_executor **ret_executor);
    void (*run)(void *self);
    void (*stop)(void *self);
    void (*end)(void *self);
    bool is_real;     /* time is, and there are descriptors */
    bool has_threads; /* blocking calls really run beside the loop */
};

static void *reactor_start(struct hs_executor **ret_executor)
{
    /* Two threads, four with the parked ones: few enough to be exhausted by a test. */
    static const struct hs_workers_options options = {.n_threads = 2, .n_threads_max = 4};
    struct hs_reactor *reactor = NULL;

    assert_int_equal(hs_reactor_new(&options, &reactor, NULL), 0);
    *ret_executor = hs_reactor_get_executor(reactor);
    return reactor;
}

static void reactor_run(void *self)
{
    hs_reactor_run(self);
}

static void reactor_stop(void *self)
{
    hs_reactor_stop(self);
}

static void reactor_end(void *self)
{
    hs_reactor_free(self);
}

/* hsim's: a queue in virtual time. */
struct virtual_world {
    struct hs_clock *clock;
    struct hs_virtual_executor *executor;
    bool is_stopped;
};

static void *virtual_start(struct hs_executor **ret_executor)
{
    struct virtual_world *self = hs_xcalloc(1, sizeof(*self));

    self->clock = hs_clock_new_virtual(0);
    self->executor = hs_virtual_executor_new(self->clock);
    *ret_executor = hs_virtual_executor_get(self->executor);
    return self;
}

static void virtual_run(void *arg)
{
    struct virtual_world *self = arg;

    while (!self->is_stopped && isfinite(hs_virtual_executor_next_at_s(self->executor))) {
        hs_virtual_executor_advance(self->executor, hs_virtual_executor_next_at_s(self->executor));
    }
    self->is_stopped = false;
}

static void virtual_stop(void *arg)
{
    ((struct virtual_world *)arg)->is_stopped = true;
}

static void virtual_end(void *arg)
{
    struct virtual_world *self = arg;

    hs_virtual_executor_free(self->executor);
    hs_clock_free(self->clock);
    free(self);
}

/* That of `hsim serve`: real time and sockets on one thread. */
static void *poll_start(struct hs_executor **ret_executor)
{
    struct hs_poll_executor *executor = hs_poll_executor_new();

    *ret_executor = hs_poll_executor_get(executor);
    return executor;
}

static void poll_run(void *self)
{
    hs_poll_executor_run(self);
}

static void poll_stop(void *self)
{
    hs_poll_executor_stop(self);
}

static void poll_end(void *self)
{
    hs_poll_executor_free(self);
}

static const struct world worlds[] = {
    {"reactor", reactor_start, reactor_run, reactor_stop, reactor_end, true, true},
    {"virtual", virtual_start, virtual_run, virtual_stop, virtual_end, false, false},
    {"poll", poll_start, poll_run, poll_stop, poll_end, true, false},
};

struct fixture {
    const struct world *world;
    void *self;
    struct hs_executor *executor;
    const struct hs_clock *clock;
    struct hs_timer *guard;
    struct hs_timer *timer;
    struct hs_watch *watch;
    struct hs_lane *lane;
    int pipe_fds[2];
    int n_wanted; /* stop when so many things have happened */
    int n_seen;
    char log[64]; /* one letter an event */
    unsigned events;
    bool is_guarded;
};

static void overdue(void *arg)
{
    struct fixture *f = arg;

    f->is_guarded = true;
    f->world->stop(f->self);
}

static void seen(struct fixture *f, char letter)
{
    size_t n = strlen(f->log);

    if (n + 1 < sizeof(f->log)) {
        f->log[n] = letter;
    }
    if (++f->n_seen >= f->n_wanted) {
        f->world->stop(f->self);
    }
}

static void run_until(struct fixture *f, int n_wanted)
{
    f->n_wanted = n_wanted;
    f->n_seen = 0;
    f->is_guarded = false;
    memset(f->log, 0, sizeof(f->log));
    hs_executor_timer_set(f->executor, f->guard, 20.0);
    f->world->run(f->self);
    hs_executor_timer_set(f->executor, f->guard, -1.0);
    assert_false(f->is_guarded);
}

static int setup(void **state)
{
    struct fixture *f = hs_xcalloc(1, sizeof(*f));

    f->world = *state;
    f->self = f->world->start(&f->executor);
    f->clock = hs_clock_new_real();
    f->guard = hs_executor_timer_add(f->executor, -1.0, overdue, f);
    assert_int_equal(pipe2(f->pipe_fds, O_CLOEXEC | O_NONBLOCK), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    hs_executor_timer_remove(f->executor, f->guard);
    hs_executor_timer_remove(f->executor, f->timer);
    hs_executor_watch_remove(f->executor, f->watch);
    hs_executor_lane_remove(f->executor, f->lane);
    f->world->end(f->self);
    hs_clock_free((struct hs_clock *)f->clock);
    (void)close(f->pipe_fds[0]);
    (void)close(f->pipe_fds[1]);
    free(f);
    return 0;
}

/* ---- post ---- */

static void post_a(void *arg)
{
    seen(arg, 'a');
}

static void post_b_and_a(void *arg)
{
    struct fixture *f = arg;

    hs_executor_post(f->executor, post_a, f);
    seen(f, 'b');
}

static void executor__posts_run_later_and_in_order(void **state)
{
    struct fixture *f = *state;

    hs_executor_post(f->executor, post_b_and_a, f);
    hs_executor_post(f->executor, post_a, f);
    assert_string_equal(f->log, "");
    run_until(f, 3);
    assert_string_equal(f->log, "baa");
}

static void *post_from_thread(void *arg)
{
    struct fixture *f = arg;

    for (int i = 0; i < 1000; i++) {
        hs_executor_post(f->executor, post_a, f);
    }
    return NULL;
}

static void executor__posts_from_other_threads_arrive_once(void **state)
{
    struct fixture *f = *state;
    pthread_t threads[2];

    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, post_from_thread, f), 0);
    }
    run_until(f, 2000);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    hs_executor_post(f->executor, post_b_and_a, f);
    run_until(f, 2);
    assert_string_equal(f->log, "ba");
}

/* ---- timers ---- */

static void timer_again(void *arg)
{
    struct fixture *f = arg;

    if (strlen(f->log) < 2) {
        hs_executor_timer_set(f->executor, f->timer, 0.001);
    }
    seen(f, 't');
}

static void executor__timer_can_be_armed_again_from_its_callback(void **state)
{
    struct fixture *f = *state;

    f->timer = hs_executor_timer_add(f->executor, 0.0, timer_again, f);
    run_until(f, 3);
    assert_string_equal(f->log, "ttt");
}

static void timer_removes_itself(void *arg)
{
    struct fixture *f = arg;

    hs_executor_timer_remove(f->executor, f->timer);
    f->timer = NULL;
    seen(f, 'r');
}

static void executor__timer_can_be_removed_in_its_callback(void **state)
{
    struct fixture *f = *state;

    f->timer = hs_executor_timer_add(f->executor, 0.0, timer_removes_itself, f);
    run_until(f, 1);
    assert_string_equal(f->log, "r");
}

static void executor__timers_fire_by_due_time_and_not_when_disarmed(void **state)
{
    struct fixture *f = *state;
    struct hs_timer *late = hs_executor_timer_add(f->executor, 0.02, post_a, f);
    struct hs_timer *never = hs_executor_timer_add(f->executor, 0.001, post_a, f);

    hs_executor_timer_set(f->executor, never, -1.0);
    f->timer = hs_executor_timer_add(f->executor, 0.005, timer_removes_itself, f);
    run_until(f, 2);
    assert_string_equal(f->log, "ra");
    hs_executor_timer_remove(f->executor, late);
    hs_executor_timer_remove(f->executor, never);
}

static void spend(double span_s)
{
    struct timespec left = {.tv_nsec = (long)(span_s * 1e9)};

    while (nanosleep(&left, &left) != 0) {
    }
}

static void arm_after_long_callback(void *arg)
{
    struct fixture *f = arg;

    spend(0.05);
    hs_executor_timer_set(f->executor, f->timer, 0.03);
}

static void executor__timer_counts_from_the_call_not_from_the_callback(void **state)
{
    struct fixture *f = *state;
    double begun_mono_s = hs_clock_mono_s(f->clock);

    f->timer = hs_executor_timer_add(f->executor, -1.0, post_a, f);
    hs_executor_post(f->executor, arm_after_long_callback, f);
    run_until(f, 1);
    assert_true(hs_clock_mono_s(f->clock) - begun_mono_s >= 0.0795);
}

/* ---- watches ---- */

static void pipe_ready(int fd, unsigned events, void *arg)
{
    struct fixture *f = arg;
    char byte;

    f->events |= events;
    if ((events & HS_WATCH_READ) != 0 && read(fd, &byte, 1) == 1) {
        seen(f, byte);
    } else {
        hs_executor_watch_remove(f->executor, f->watch);
        f->watch = NULL;
        seen(f, '.');
    }
}

static void executor__watch_is_level_triggered_and_tells_of_a_hangup(void **state)
{
    struct fixture *f = *state;

    f->watch = hs_executor_watch_add(f->executor, f->pipe_fds[0], HS_WATCH_READ, pipe_ready, f);
    assert_int_equal(write(f->pipe_fds[1], "xy", 2), 2);
    run_until(f, 2);
    assert_string_equal(f->log, "xy");
    assert_int_equal(f->events, HS_WATCH_READ);
    (void)close(f->pipe_fds[1]);
    f->pipe_fds[1] = -1;
    run_until(f, 1);
    assert_string_equal(f->log, ".");
    assert_true((f->events & HS_WATCH_HANGUP) != 0);
}

static void resume_watch(void *arg)
{
    struct fixture *f = arg;

    hs_executor_watch_set(f->executor, f->watch, HS_WATCH_READ);
    seen(f, 'w');
}

static void executor__watch_set_to_nothing_reports_nothing(void **state)
{
    struct fixture *f = *state;

    f->watch = hs_executor_watch_add(f->executor, f->pipe_fds[0], HS_WATCH_READ, pipe_ready, f);
    hs_executor_watch_set(f->executor, f->watch, 0);
    assert_int_equal(write(f->pipe_fds[1], "x", 1), 1);
    f->timer = hs_executor_timer_add(f->executor, 0.02, resume_watch, f);
    run_until(f, 2);
    assert_string_equal(f->log, "wx");
}

/* ---- lanes ---- */

/* A piece of work that can be held inside its call. */
struct job {
    struct fixture *f;
    sem_t *hold; /* nullable: wait for it inside the call */
    char letter;
    int rc;
    int n_done;
    int n_released;
    bool has_run;
};

static void job_work(void *arg)
{
    struct job *job = arg;

    if (job->hold != NULL) {
        while (sem_wait(job->hold) != 0) {
        }
    }
    job->has_run = true;
}

static void job_done(int rc, void *arg)
{
    struct job *job = arg;

    job->rc = rc;
    job->n_done++;
    seen(job->f, job->letter);
}

static void job_release(void *arg)
{
    struct job *job = arg;

    job->n_released++;
    seen(job->f, '/');
}

static void run_job(struct job *job, struct hs_lane *lane, double deadline_s)
{
    hs_executor_run(job->f->executor, lane, deadline_s, job_work, job_done, job_release, job);
}

static void executor__lane_runs_calls_in_order(void **state)
{
    struct fixture *f = *state;
    struct job jobs[3] = {{f, .letter = '1'}, {f, .letter = '2'}, {f, .letter = '3'}};

    f->lane = hs_executor_lane_add(f->executor, "one");
    for (int i = 0; i < 3; i++) {
        run_job(&jobs[i], f->lane, 5.0);
    }
    assert_string_equal(f->log, "");
    run_until(f, 6);
    assert_string_equal(f->log, "1/2/3/");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(jobs[i].rc, 0);
        assert_true(jobs[i].has_run);
        assert_int_equal(jobs[i].n_done, 1);
        assert_int_equal(jobs[i].n_released, 1);
    }
}

static void executor__hung_call_costs_its_own_lane_only(void **state)
{
    struct fixture *f = *state;
    sem_t hold;
    struct job hung = {f, .hold = &hold, .letter = 'h'};
    struct job behind = {f, .letter = 'b'};
    struct job other = {f, .letter = 'o'};
    struct hs_lane *side = hs_executor_lane_add(f->executor, "side");

    sem_init(&hold, 0, 0);
    f->lane = hs_executor_lane_add(f->executor, "hung");
    run_job(&hung, f->lane, 0.03);
    run_job(&behind, f->lane, 0.06);
    run_job(&other, side, 5.0);
    run_until(f, 5);
    /* The hung call is reported but not released; the one behind it never ran. */
    assert_string_equal(f->log, "o/hb/");
    assert_int_equal(hung.rc, -HS_E_TIMEOUT);
    assert_int_equal(behind.rc, -HS_E_TIMEOUT);
    assert_false(behind.has_run);
    assert_int_equal(hung.n_released, 0);
    sem_post(&hold);
    run_until(f, 1);
    assert_string_equal(f->log, "/");
    assert_int_equal(hung.n_done, 1);
    assert_int_equal(hung.n_released, 1);
    /* The lane is free again. */
    run_job(&other, f->lane, 5.0);
    run_until(f, 2);
    assert_int_equal(other.rc, 0);
    hs_executor_lane_remove(f->executor, side);
    sem_destroy(&hold);
}

static void executor__parked_threads_let_the_pool_grow_to_its_bound(void **state)
{
    struct fixture *f = *state;
    sem_t hold;
    struct job jobs[LANES_MAX] = {0};
    struct hs_lane *lanes[LANES_MAX];
    struct job last = {f, .letter = 'l'};
    struct hs_workers_stats stats;

    sem_init(&hold, 0, 0);
    f->lane = hs_executor_lane_add(f->executor, "last");
    for (int i = 0; i < LANES_MAX; i++) {
        lanes[i] = hs_executor_lane_add(f->executor, "hung");
        jobs[i] = (struct job){f, .hold = &hold, .letter = (char)('0' + i)};
    }
    /* Two hang, which is the whole pool; once they are parked it grows. */
    for (int i = 0; i < 2; i++) {
        run_job(&jobs[i], lanes[i], 0.2);
    }
    run_job(&last, f->lane, 5.0);
    run_until(f, 4);
    assert_int_equal(last.rc, 0);
    /* Two more hang, which is its bound: the others get no thread, and their deadlines hold. */
    for (int i = 2; i < LANES_MAX; i++) {
        run_job(&jobs[i], lanes[i], 0.2);
    }
    run_until(f, LANES_MAX - 2 + LANES_MAX - 4);
    hs_workers_get_stats(hs_reactor_get_workers(f->self), &stats);
    assert_int_equal(stats.n_threads, 4);
    assert_int_equal(stats.n_parked, 4);
    assert_int_equal(stats.n_ready, 0);
    for (int i = 0; i < LANES_MAX; i++) {
        assert_int_equal(jobs[i].rc, -HS_E_TIMEOUT);
        sem_post(&hold);
    }
    run_until(f, 4);
    for (int i = 0; i < LANES_MAX; i++) {
        assert_int_equal(jobs[i].n_released, 1);
        hs_executor_lane_remove(f->executor, lanes[i]);
    }
    sem_destroy(&hold);
}

static void executor__removed_lane_ends_its_calls_as_unavailable(void **state)
{
    struct fixture *f = *state;
    sem_t hold;
    struct job flying = {f, .hold = &hold, .letter = 'f'};
    struct job queued = {f, .letter = 'q'};
    struct hs_lane *lane = hs_executor_lane_add(f->executor, "gone");

    sem_init(&hold, 0, 0);
    f->timer = hs_executor_timer_add(f->executor, 0.02, post_a, f);
    run_job(&flying, lane, 5.0);
    run_job(&queued, lane, 5.0);
    run_until(f, 1);
    hs_executor_lane_remove(f->executor, lane);
    assert_int_equal(flying.n_done + queued.n_done, 0);
    run_until(f, 3);
    assert_int_equal(queued.rc, -HS_E_UNAVAILABLE);
    assert_int_equal(queued.n_released, 1);
    assert_int_equal(flying.rc, -HS_E_UNAVAILABLE);
    assert_int_equal(flying.n_released, 0);
    sem_post(&hold);
    run_until(f, 1);
    assert_int_equal(flying.n_done, 1);
    assert_int_equal(flying.n_released, 1);
    assert_false(queued.has_run);
    sem_destroy(&hold);
}

/* ---- the reactor alone ---- */

static void reactor__free_ends_calls_that_still_wait(void **state)
{
    static const struct hs_workers_options options = {.n_threads = 1, .grace_s = 5.0};
    struct fixture f = {.world = &worlds[0], .n_wanted = 99};
    sem_t hold;
    struct job flying = {&f, .hold = &hold, .letter = 'f'};
    struct job queued = {&f, .letter = 'q'};
    struct hs_reactor *reactor = NULL;
    struct hs_lane *lane;

    sem_init(&hold, 0, 1);
    assert_int_equal(hs_reactor_new(&options, &reactor, NULL), 0);
    f.executor = hs_reactor_get_executor(reactor);
    lane = hs_executor_lane_add(f.executor, "held");
    run_job(&flying, lane, 5.0);
    run_job(&queued, lane, 5.0);
    hs_reactor_free(reactor);
    assert_int_equal(flying.n_done, 1);
    assert_int_equal(flying.n_released, 1);
    assert_int_equal(queued.n_done, 1);
    assert_int_equal(queued.n_released, 1);
    assert_int_equal(queued.rc, -HS_E_UNAVAILABLE);
    sem_destroy(&hold);
}

static void on_signal(void *arg)
{
    seen(arg, 's');
}

static void reactor__signal_arrives_on_the_loop(void **state)
{
    struct fixture f = {.world = &worlds[0], .n_wanted = 1};
    HS_AUTO(hs_reactor) reactor = NULL;

    assert_int_equal(hs_reactor_new(NULL, &reactor, NULL), 0);
    f.self = reactor;
    assert_int_equal(hs_reactor_watch_signal(reactor, SIGUSR1, on_signal, &f, NULL), 0);
    (void)raise(SIGUSR1);
    assert_string_equal(f.log, "");
    hs_reactor_run(reactor);
    assert_string_equal(f.log, "s");
}

#define CASE(fn)                                     \
    {                                                \
#fn, fn, setup, teardown, (void *)&worlds[0] \
    }

/* All cases over one world. */
#define RUN(world, cases)                                                    \
    ({                                                                       \
        for (size_t k_ = 0; k_ < sizeof(cases) / sizeof((cases)[0]); k_++) { \
            (cases)[k_].initial_state = (void *)(world);                     \
        }                                                                    \
        cmocka_run_group_tests_name((world)->name, cases, NULL, NULL);       \
    })

int main(void)
{
    struct CMUnitTest cases[] = {
        CASE(executor__posts_run_later_and_in_order),
        CASE(executor__timer_can_be_armed_again_from_its_callback),
        CASE(executor__timer_can_be_removed_in_its_callback),
        CASE(executor__timers_fire_by_due_time_and_not_when_disarmed),
        CASE(executor__lane_runs_calls_in_order),
    };
    /* What only a world with descriptors and real time can show. */
    struct CMUnitTest real_cases[] = {
        CASE(executor__timer_counts_from_the_call_not_from_the_callback),
        CASE(executor__watch_is_level_triggered_and_tells_of_a_hangup),
        CASE(executor__watch_set_to_nothing_reports_nothing),
    };
    /* And only one with threads. */
    struct CMUnitTest thread_cases[] = {
        CASE(executor__posts_from_other_threads_arrive_once),
        CASE(executor__hung_call_costs_its_own_lane_only),
        CASE(executor__parked_threads_let_the_pool_grow_to_its_bound),
        CASE(executor__removed_lane_ends_its_calls_as_unavailable),
    };
    const struct CMUnitTest own[] = {
        cmocka_unit_test(reactor__free_ends_calls_that_still_wait),
        cmocka_unit_test(reactor__signal_arrives_on_the_loop),
    };
    int n_failed = cmocka_run_group_tests_name("reactor", own, NULL, NULL);

    for (size_t i = 0; i < sizeof(worlds) / sizeof(worlds[0]); i++) {
        n_failed += RUN(&worlds[i], cases);
        n_failed += worlds[i].is_real ? RUN(&worlds[i], real_cases) : 0;
        n_failed += worlds[i].has_threads ? RUN(&worlds[i], thread_cases) : 0;
    }
    return n_failed;
}
