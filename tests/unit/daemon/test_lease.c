/* SPDX-License-Identifier: Apache-2.0 */
/* Who leads, for how long, and what is refused: in virtual time, over a store in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/daemon/epochfile.h"
#include "scheduler/daemon/lease.h"
#include "scheduler/daemon/statedir.h"
#include "scheduler/sim/virtual_executor.h"

#define START_AT_S INT64_C(1767600000)
#define OTHER      "{\"host\":\"far\",\"pid\":77,\"since\":\"2026-01-05T07:00:00Z\",\"lease_s\":15}"

struct world {
    struct hs_clock *clock;
    struct hs_virtual_executor *executor;
    struct hs_store *store;
    struct hs_store_ops ops; /* of store, which can be away */
    struct hs_lease *lease;
    char dir[32];
    double now_s;
    int n_led;
    int n_lost;
    int n_released;
    char lost[200];
    struct hs_store_lease seen;
};

static bool is_up;
static const struct hs_store_ops *mem_ops;
static struct hs_executor *fake_executor;

static bool fake_is_up(const struct hs_store *store)
{
    return is_up;
}

/* A call for the lease while the store is away. */
struct missed {
    hs_store_lease_fn *fn;
    void *arg;
};

static void answer_missed(void *arg)
{
    HS_AUTO_MEM struct missed *missed = arg;
    struct hs_err err;

    missed->fn(hs_err_set(&err, HS_E_UNAVAILABLE, NULL, "away"), &err, NULL, missed->arg);
}

static void fake_lease(struct hs_store *store, const struct hs_store_lease_call *call,
                       hs_store_lease_fn *fn, void *arg)
{
    struct missed *missed;

    if (is_up) {
        mem_ops->lease(store, call, fn, arg);
        return;
    }
    missed = hs_xcalloc(1, sizeof(*missed));
    *missed = (struct missed){fn, arg};
    hs_executor_post(fake_executor, answer_missed, missed);
}

static int start(void **state)
{
    struct world *w = hs_xcalloc(1, sizeof(*w));

    *state = w;
    is_up = true;
    w->clock = hs_clock_new_virtual(START_AT_S);
    w->executor = hs_virtual_executor_new(w->clock);
    w->store = hs_store_mem_new(hs_virtual_executor_get(w->executor));
    mem_ops = w->store->ops;
    fake_executor = hs_virtual_executor_get(w->executor);
    w->ops = *mem_ops;
    w->ops.is_up = fake_is_up;
    w->ops.lease = fake_lease;
    w->store->ops = &w->ops;
    (void)snprintf(w->dir, sizeof(w->dir), "/tmp/hsl-XXXXXX");
    return mkdtemp(w->dir) != NULL ? 0 : -1;
}

static int stop(void **state)
{
    struct world *w = *state;
    char command[64];
    int rc;

    hs_store_free(w->store);
    hs_lease_free(w->lease);
    hs_virtual_executor_free(w->executor);
    hs_clock_free(w->clock);
    (void)snprintf(command, sizeof(command), "rm -r %s", w->dir);
    rc = system(command);
    free(w);
    return rc;
}

static void on_led(void *arg)
{
    ((struct world *)arg)->n_led++;
}

static void on_lost(void *arg, const struct hs_err *err)
{
    struct world *w = arg;

    w->n_lost++;
    assert_int_equal(err->kind, HS_E_STALE);
    (void)snprintf(w->lost, sizeof(w->lost), "%s", err->text);
}

static void on_released(void *arg)
{
    ((struct world *)arg)->n_released++;
}

static int open_lease(struct world *w, const char *dir)
{
    const struct hs_lease_options options = {.executor = hs_virtual_executor_get(w->executor),
                                             .clock = w->clock,
                                             .store = w->store,
                                             .cell = "main",
                                             .state_dir = dir,
                                             .lease_s = 15,
                                             .led = on_led,
                                             .lost = on_lost,
                                             .arg = w};

    return hs_lease_new(&options, &w->lease, NULL);
}

static void advance(struct world *w, double by_s)
{
    w->now_s += by_s;
    hs_virtual_executor_advance(w->executor, (double)START_AT_S + w->now_s);
}

static void on_seen(int rc, const struct hs_err *err, const struct hs_store_lease *lease, void *arg)
{
    struct world *w = arg;

    assert_true(rc == 0);
    w->seen = *lease;
}

static void look(struct world *w)
{
    hs_store_lease_look(w->store, on_seen, w);
    advance(w, 0.001);
}

/* Another hschedd acquires the lease; our own store goes on with our epoch. */
static void usurp(struct world *w, const char *holder)
{
    uint64_t epoch = w->store->epoch;
    struct hs_store_claim claim = {.store_id = "cafe", .holder = holder};

    look(w);
    claim.seen_epoch = w->seen.epoch;
    claim.seen_beat = w->seen.beat;
    hs_store_lease_acquire(w->store, &claim, on_seen, w);
    advance(w, 0.001);
    w->store->epoch = epoch;
}

/* The other one shows a beat. */
static void beat(struct world *w)
{
    uint64_t epoch = w->store->epoch;

    look(w);
    w->store->epoch = w->seen.epoch;
    hs_store_lease_renew(w->store, on_seen, w);
    advance(w, 0.001);
    w->store->epoch = epoch;
}

static void lease__that_is_free_is_taken_at_once(void **state)
{
    struct world *w = *state;

    assert_int_equal(open_lease(w, NULL), 0);
    assert_false(hs_lease_may_act(w->lease));
    advance(w, 0.5);
    assert_int_equal(w->n_led, 1);
    assert_int_equal(hs_lease_get_epoch(w->lease), 1);
    assert_int_equal(strlen(hs_lease_get_store_id(w->lease)), 16);
    assert_true(hs_lease_may_act(w->lease));
    assert_null(hs_lease_get_why(w->lease));
    advance(w, 600);
    assert_true(hs_lease_may_act(w->lease));
    assert_int_equal(w->n_led, 1);
    assert_int_equal(w->n_lost, 0);
}

static void lease__of_another_is_waited_for_by_its_beats(void **state)
{
    struct world *w = *state;

    usurp(w, OTHER);
    assert_int_equal(open_lease(w, NULL), 0);
    for (int i = 0; i < 20; i++) {
        advance(w, 5);
        beat(w);
        assert_int_equal(hs_lease_get_role(w->lease), HS_LEASE_STANDBY);
    }
    assert_non_null(strstr(hs_lease_get_why(w->lease), "'far' (pid 77)"));
    assert_non_null(strstr(hs_lease_get_why(w->lease), "2026-01-05T07:00:00Z"));
    advance(w, 14.9); /* no beat any more */
    assert_int_equal(w->n_led, 0);
    advance(w, 2.2);
    assert_int_equal(w->n_led, 1);
    assert_int_equal(hs_lease_get_epoch(w->lease), 2);
}

static void lease__is_waited_for_as_long_as_its_holder_says(void **state)
{
    struct world *w = *state;

    usurp(w, "{\"host\":\"far\",\"pid\":77,\"since\":\"?\",\"lease_s\":60}");
    assert_int_equal(open_lease(w, NULL), 0);
    advance(w, 59);
    assert_int_equal(w->n_led, 0);
    advance(w, 3);
    assert_int_equal(w->n_led, 1);
}

static void lease__time_in_which_nobody_could_look_does_not_count(void **state)
{
    struct world *w = *state;

    usurp(w, OTHER);
    assert_int_equal(open_lease(w, NULL), 0);
    advance(w, 3);
    is_up = false; /* for the holder as well: it could not show a beat */
    advance(w, 60);
    is_up = true;
    advance(w, 10);
    assert_int_equal(w->n_led, 0);
    advance(w, 8);
    assert_int_equal(w->n_led, 1);
}

static void lease__that_is_not_renewed_stops_actions_after_two_thirds(void **state)
{
    struct world *w = *state;

    assert_int_equal(open_lease(w, NULL), 0);
    advance(w, 1);
    is_up = false;
    advance(w, 8);
    assert_true(hs_lease_may_act(w->lease));
    advance(w, 2);
    assert_false(hs_lease_may_act(w->lease));
    assert_non_null(strstr(hs_lease_get_why(w->lease), "not been renewed"));
    advance(w, 3600); /* nobody else came: it is still ours */
    assert_int_equal(hs_lease_get_role(w->lease), HS_LEASE_LEADER);
    assert_false(hs_lease_may_act(w->lease));
    is_up = true;
    advance(w, 1.1);
    assert_true(hs_lease_may_act(w->lease));
    assert_int_equal(w->n_led, 1);
    assert_int_equal(w->n_lost, 0);
}

/* A long plan lets nothing out: with a beat just before it, actions may go on behind it. */
static void lease__that_shows_a_beat_before_a_long_plan_is_good_after_it(void **state)
{
    struct world *w = *state;

    assert_int_equal(open_lease(w, NULL), 0);
    assert_false(hs_lease_beat(w->lease, 1)); /* not ours yet */
    advance(w, 4.5);
    assert_true(hs_lease_beat(w->lease, 1));
    assert_false(hs_lease_beat(w->lease, 1)); /* on its way */
    advance(w, 0.01);
    assert_false(hs_lease_beat(w->lease, 1)); /* there */
    is_up = false;
    advance(w, 9);
    assert_true(hs_lease_may_act(w->lease)); /* the last one of its own is 13.5 s old */
    is_up = true;
    advance(w, 1.1);
    assert_int_equal(w->n_lost, 0);
}

static void lease__that_another_took_is_lost(void **state)
{
    struct world *w = *state;

    assert_int_equal(open_lease(w, NULL), 0);
    advance(w, 1);
    usurp(w, OTHER);
    advance(w, 5.1);
    assert_int_equal(w->n_lost, 1);
    assert_false(hs_lease_may_act(w->lease));
    assert_non_null(strstr(w->lost, "epoch 1 is over"));
    advance(w, 60); /* begins anew with another hs_lease, or not at all */
    assert_int_equal(w->n_lost, 1);
    assert_int_equal(w->n_led, 1);
}

static void lease__is_given_back_at_a_clean_stop(void **state)
{
    struct world *w = *state;

    assert_int_equal(open_lease(w, NULL), 0);
    advance(w, 1);
    hs_lease_release(w->lease, on_released, w);
    assert_false(hs_lease_may_act(w->lease));
    advance(w, 0.1);
    assert_int_equal(w->n_released, 1);
    look(w);
    assert_string_equal(w->seen.holder, "");
    assert_int_equal(w->seen.epoch, 1);
}

static void lease__of_a_dead_process_of_this_directory_is_taken_at_once(void **state)
{
    struct world *w = *state;

    assert_int_equal(open_lease(w, w->dir), 0);
    advance(w, 1);
    assert_int_equal(w->n_led, 1);
    hs_lease_free(w->lease); /* as kill -9: nothing is given back, but the kernel's lock is */
    w->store->epoch = 0;
    assert_int_equal(open_lease(w, w->dir), 0);
    advance(w, 0.5);
    assert_int_equal(w->n_led, 2);
    assert_int_equal(hs_lease_get_epoch(w->lease), 2);
}

static void lease__waits_for_who_has_its_directory(void **state)
{
    struct world *w = *state;
    struct hs_statedir_lock *lock = NULL;
    char why[64];

    assert_int_equal(hs_statedir_lock(w->dir, &lock, NULL), 0);
    assert_int_equal(open_lease(w, w->dir), 0);
    advance(w, 60);
    assert_int_equal(w->n_led, 0);
    (void)snprintf(why, sizeof(why), "process %ld works in", (long)getpid());
    assert_non_null(strstr(hs_lease_get_why(w->lease), why));
    hs_statedir_lock_free(lock);
    advance(w, 1.1);
    assert_int_equal(w->n_led, 1);
}

static void lease__keeps_its_epoch_outside_the_store(void **state)
{
    struct world *w = *state;
    struct hs_epochfile file;

    assert_int_equal(open_lease(w, w->dir), 0);
    advance(w, 1);
    assert_int_equal(hs_epochfile_read(w->dir, "main", &file, NULL), 0);
    assert_int_equal(file.epoch, 1);
    assert_string_equal(file.store_id, hs_lease_get_store_id(w->lease));
    assert_int_equal(hs_epochfile_read(w->dir, "other", &file, NULL), 0);
    assert_int_equal(file.epoch, 0);
}

static void expect_refusal(struct world *w, const struct hs_epochfile *file, const char *words)
{
    assert_int_equal(hs_epochfile_write(w->dir, "main", file, NULL), 0);
    assert_int_equal(open_lease(w, w->dir), 0);
    advance(w, 60);
    assert_int_equal(w->n_led, 0);
    assert_int_equal(hs_lease_get_role(w->lease), HS_LEASE_REFUSED);
    assert_non_null(strstr(hs_lease_get_why(w->lease), words));
    assert_non_null(strstr(hs_lease_get_why(w->lease), "--accept-older-state"));
}

static void lease__of_an_older_epoch_than_was_led_is_refused(void **state)
{
    struct world *w = *state;

    usurp(w, OTHER);
    expect_refusal(w, &(struct hs_epochfile){.epoch = 5, .store_id = "cafe"},
                   "at epoch 1, but epoch 5");
}

static void lease__of_fewer_writes_than_were_known_is_refused(void **state)
{
    struct world *w = *state;

    usurp(w, OTHER);
    expect_refusal(w, &(struct hs_epochfile){.epoch = 1, .writes = 7, .store_id = "cafe"},
                   "shows 0 writes, but has acknowledged 7");
}

static void lease__of_another_store_is_refused(void **state)
{
    struct world *w = *state;

    usurp(w, OTHER);
    expect_refusal(w, &(struct hs_epochfile){.epoch = 1, .store_id = "beef"},
                   "holds store cafe, but this host has led store beef");
}

static void lease__of_an_emptied_store_is_refused(void **state)
{
    struct world *w = *state;

    expect_refusal(w, &(struct hs_epochfile){.epoch = 3, .store_id = "beef"},
                   "holds nothing of this cell");
}

static void lease__of_a_state_that_was_accepted_begins_after_all_others(void **state)
{
    struct world *w = *state;
    struct hs_epochfile file = {.epoch = 40, .store_id = "cafe"};

    usurp(w, OTHER);
    expect_refusal(w, &file, "at epoch 1, but epoch 40");
    file.is_accepted = true;
    file.accepted_epoch = 1;
    (void)snprintf(file.accepted_store_id, sizeof(file.accepted_store_id), "cafe");
    assert_int_equal(hs_epochfile_write(w->dir, "main", &file, NULL), 0);
    advance(w, 20);
    assert_int_equal(w->n_led, 1);
    assert_int_equal(hs_lease_get_epoch(w->lease), 41);
    assert_int_equal(hs_epochfile_read(w->dir, "main", &file, NULL), 0);
    assert_false(file.is_accepted); /* once */
    assert_int_equal(file.epoch, 41);
}

static void lease__is_refused_where_the_file_is_damaged(void **state)
{
    struct world *w = *state;
    char path[64];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/epoch-main.json", w->dir);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("{\"api\":\"hsched.epoch/v1\",\"epo", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(open_lease(w, w->dir), 0);
    advance(w, 10);
    assert_int_equal(w->n_led, 0);
    assert_non_null(strstr(hs_lease_get_why(w->lease), "is damaged"));
}

static void lease__ends_where_a_machine_shows_a_newer_epoch(void **state)
{
    struct world *w = *state;
    struct hs_epochfile file;

    assert_int_equal(open_lease(w, w->dir), 0);
    advance(w, 1);
    hs_lease_refuse_epoch(w->lease, 9, "machine 'hs-12' on 'pool/h1'");
    assert_int_equal(w->n_lost, 1);
    assert_non_null(strstr(w->lost, "'hs-12' on 'pool/h1' was made in epoch 9, we are in 1"));
    assert_int_equal(hs_epochfile_read(w->dir, "main", &file, NULL), 0);
    assert_int_equal(file.epoch, 9);
    hs_lease_free(w->lease);
    assert_int_equal(open_lease(w, w->dir), 0);
    advance(w, 30);
    assert_int_equal(w->n_led, 1);
    assert_int_equal(hs_lease_get_role(w->lease), HS_LEASE_REFUSED);
}

static void lease__that_was_stepped_back_from_is_tried_again_later(void **state)
{
    struct world *w = *state;

    assert_int_equal(open_lease(w, NULL), 0);
    advance(w, 1);
    hs_lease_step_back(w->lease, "too new");
    advance(w, 30);
    assert_int_equal(w->n_led, 1);
    assert_string_equal(hs_lease_get_why(w->lease), "too new");
    look(w);
    assert_string_equal(w->seen.holder, ""); /* another may be able to */
    advance(w, 40);
    assert_int_equal(w->n_led, 2);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(lease__that_is_free_is_taken_at_once),
        CASE(lease__of_another_is_waited_for_by_its_beats),
        CASE(lease__is_waited_for_as_long_as_its_holder_says),
        CASE(lease__time_in_which_nobody_could_look_does_not_count),
        CASE(lease__that_is_not_renewed_stops_actions_after_two_thirds),
        CASE(lease__that_shows_a_beat_before_a_long_plan_is_good_after_it),
        CASE(lease__that_another_took_is_lost),
        CASE(lease__is_given_back_at_a_clean_stop),
        CASE(lease__of_a_dead_process_of_this_directory_is_taken_at_once),
        CASE(lease__waits_for_who_has_its_directory),
        CASE(lease__keeps_its_epoch_outside_the_store),
        CASE(lease__of_an_older_epoch_than_was_led_is_refused),
        CASE(lease__of_fewer_writes_than_were_known_is_refused),
        CASE(lease__of_another_store_is_refused),
        CASE(lease__of_an_emptied_store_is_refused),
        CASE(lease__of_a_state_that_was_accepted_begins_after_all_others),
        CASE(lease__is_refused_where_the_file_is_damaged),
        CASE(lease__ends_where_a_machine_shows_a_newer_epoch),
        CASE(lease__that_was_stepped_back_from_is_tried_again_later),
    };
    return cmocka_run_group_tests_name("lease", tests, NULL, NULL);
}
