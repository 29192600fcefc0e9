/* SPDX-License-Identifier: Apache-2.0 */
/* What lies between a decision and its machine: intents, ends that nobody saw, old files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/daemon/enact.h"
#include "scheduler/daemon/reconcile.h"
#include "scheduler/daemon/sweep.h"
#include "scheduler/model/movetable.h"
#include "scheduler/sim/virtual_executor.h"
#include "tests/unit/core/small_estate.h"

#define START_AT_S INT64_C(1767600000)
#define EPOCH      4

/* A store that holds its only commit until the test answers it. */
struct held_store {
    struct hs_store base;
    int n_commits;
    char intent[512];      /* the last one put */
    char ended[512];       /* the last line of the journal */
    char dropped[64];      /* keys of intents taken away, in order */
    const char *known_job; /* a key that its table "jobs" has */
    bool is_down;
    hs_store_done_fn *done;
    void *arg;
};

static struct held_store held;
static struct hs_clock *plan_clock;
static struct hs_virtual_executor *executor;
static struct hs_policy policy;
static struct hs_cycle *cycle;
static struct hs_inbox inbox;
static struct hs_fleet *fleet;
static struct hs_enact *enact;
static struct hs_localintent *local;
static struct hs_reconcile *reconcile;
static char state_dir[32];
static double now_s;

static void held_commit(struct hs_store *store, const struct hs_store_op *ops, size_t n_ops,
                        hs_store_done_fn *done, void *arg)
{
    held.n_commits++;
    held.done = done;
    held.arg = arg;
    for (size_t i = 0; i < n_ops; i++) {
        if (strcmp(ops[i].table, "intents") == 0 && ops[i].kind == HS_STORE_PUT) {
            (void)snprintf(held.intent, sizeof(held.intent), "%s %s", ops[i].key, ops[i].text);
        } else if (strcmp(ops[i].table, "intents") == 0) {
            size_t n_bytes = strlen(held.dropped);

            (void)snprintf(held.dropped + n_bytes, sizeof(held.dropped) - n_bytes, "%s ",
                           ops[i].key);
        } else if (strcmp(ops[i].table, "journal") == 0) {
            (void)snprintf(held.ended, sizeof(held.ended), "%s", ops[i].text);
        }
    }
}

static bool held_is_up(const struct hs_store *store)
{
    return !held.is_down;
}

/* The port never answers before it has returned; nobody here can tell. */
static void held_get(struct hs_store *store, const char *table, const char *key,
                     hs_store_row_fn *row, hs_store_done_fn *done, void *arg)
{
    if (held.known_job != NULL && strcmp(key, held.known_job) == 0) {
        row(key, "{\"damaged\": true}", arg);
    }
    done(0, NULL, arg);
}

static const struct hs_store_ops held_ops = {
    .name = "held", .summary = "", .commit = held_commit, .get = held_get, .is_up = held_is_up};

static void held_answer(int rc)
{
    struct hs_err err = {.text = "not today"};

    held.done(rc, rc < 0 ? &err : NULL, held.arg);
}

static bool on_listed(void *arg, size_t host_idx, const struct hs_machine *machines, size_t n)
{
    return false;
}

static void on_due(void *arg)
{
}

static void advance(double by_s)
{
    now_s += by_s;
    hs_virtual_executor_advance(executor, (double)START_AT_S + now_s);
}

static int start(void **state)
{
    const struct hs_estate *estate = small_estate();
    struct hs_fleet_options options = {.estate = estate, .inbox = &inbox, .listed = on_listed};

    held = (struct held_store){.base.ops = &held_ops};
    now_s = 0;
    plan_clock = hs_clock_new_virtual(START_AT_S);
    executor = hs_virtual_executor_new(plan_clock);
    inbox = (struct hs_inbox){.clock = plan_clock, .due = on_due};
    (void)snprintf(state_dir, sizeof(state_dir), "/tmp/hsd-XXXXXX");
    if (mkdtemp(state_dir) == NULL) {
        return -1;
    }
    cycle = hs_cycle_new(&(struct hs_cycle_options){
        .estate = estate, .policy = &policy, .now_at_s = START_AT_S, .n_slots = 8});
    local = hs_localintent_new(state_dir);
    enact = hs_enact_new(&(struct hs_enact_options){.store = &held.base,
                                                    .cycle = cycle,
                                                    .estate = estate,
                                                    .inbox = &inbox,
                                                    .local = local,
                                                    .epoch = EPOCH});
    reconcile = hs_reconcile_new(cycle, estate, enact, &inbox, &held.base);
    options.executor = hs_virtual_executor_get(executor);
    options.clock = plan_clock;
    options.state_dir = state_dir;
    if (hs_fleet_new(&options, &fleet, NULL) != 0) {
        return -1;
    }
    hs_enact_set_fleet(enact, fleet);
    hs_reconcile_set_fleet(reconcile, fleet);
    advance(1);
    return 0;
}

static int end(void **state)
{
    char command[64];

    hs_fleet_free(fleet);
    hs_reconcile_free(reconcile);
    hs_enact_free(enact);
    hs_localintent_free(local);
    hs_inbox_release(&inbox.events, false);
    hs_cycle_free(cycle);
    hs_virtual_executor_free(executor);
    hs_clock_free(plan_clock);
    (void)snprintf(command, sizeof(command), "rm -r %s", state_dir);
    return system(command);
}

/* A job as the store remembers it. */
static void add_job(uint64_t job_id, enum hs_job_state job_state, int64_t ended_at_s)
{
    struct hs_event event = {.kind = HS_EVENT_JOB, .at_s = START_AT_S, .job_id = job_id};
    struct hs_decision decision;

    event.job = hs_job_new();
    event.job->id = job_id;
    event.job->state = job_state;
    event.job->ended_at_s = ended_at_s;
    event.job->since_at_s = START_AT_S;
    if (job_state != HS_JOB_WAITING) {
        (void)snprintf(event.job->host, sizeof(event.job->host), "pool/h1");
    }
    hs_cycle_step(cycle, START_AT_S, &event, 1, &decision);
}

static void on_done(int rc, const struct hs_err *err, void *arg)
{
    *(int *)arg = rc;
}

static void make_machine(uint64_t job_id)
{
    const struct hs_machine_spec spec = {.job_id = job_id,
                                         .epoch = EPOCH,
                                         .class_word = "batch",
                                         .vcpus = 1,
                                         .memory_mib = 128,
                                         .duration_s = 86400};
    int rc = 1;

    hs_compute_create(hs_fleet_get_compute(fleet, 0), &spec, on_done, &rc);
    advance(0.1);
    assert_int_equal(rc, 0);
}

static void destroy_machine(uint64_t job_id)
{
    int rc = 1;

    hs_compute_act(hs_fleet_get_compute(fleet, 0), job_id, HS_ACTION_DESTROY, on_done, &rc);
    advance(0.1);
    assert_int_equal(rc, 0);
}

static void on_counted(int rc, const struct hs_err *err, const struct hs_machine *machines,
                       size_t n, void *arg)
{
    *(size_t *)arg = n;
}

static size_t count_machines(void)
{
    size_t n = SIZE_MAX;

    hs_compute_list(hs_fleet_get_compute(fleet, 0), on_counted, &n);
    advance(0.1);
    return n;
}

static const struct hs_event *find_event(enum hs_event_kind kind)
{
    for (size_t i = 0; i < inbox.events.n; i++) {
        if (inbox.events.items[i].kind == kind) {
            return &inbox.events.items[i];
        }
    }
    return NULL;
}

static void forget_events(void)
{
    hs_inbox_events events;

    hs_inbox_take(&inbox, &events);
    hs_inbox_release(&events, false);
}

static void apply_start(uint64_t job_id)
{
    const struct hs_action action = {
        .op_id = 40, .kind = HS_ACTION_START, .job_id = job_id, .why = "a test"};
    const struct hs_decision decision = {.actions = &action, .n_actions = 1};

    assert_true(hs_enact_apply(enact, &decision, NULL, NULL));
}

static void enact__calls_no_host_before_the_intent_is_durable(void **state)
{
    add_job(7, HS_JOB_WAITING, 0);
    apply_start(7);
    assert_int_equal(held.n_commits, 1);
    assert_memory_equal(held.intent, "40 ", 3);
    assert_non_null(strstr(held.intent, "\"INTENT\""));
    assert_non_null(strstr(held.intent, "pool/h1"));
    advance(5);
    assert_int_equal(count_machines(), 0);
    assert_true(hs_enact_is_busy(enact, 7));
    held_answer(0);
    assert_int_equal(count_machines(), 1);
    assert_false(hs_enact_is_busy(enact, 7));
    assert_int_equal(find_event(HS_EVENT_ACTION_DONE)->rc, 0);
}

static void enact__does_nothing_where_the_intent_did_not_land(void **state)
{
    static const int rcs[] = {-HS_E_UNAVAILABLE, -HS_E_TIMEOUT, -HS_E_PROTOCOL};

    add_job(7, HS_JOB_WAITING, 0);
    for (size_t i = 0; i < 3; i++) {
        apply_start(7);
        held_answer(rcs[i]);
        advance(5);
        assert_int_equal(count_machines(), 0);
        assert_int_equal(find_event(HS_EVENT_ACTION_DONE)->rc, -HS_E_UNAVAILABLE);
        assert_false(hs_enact_is_busy(enact, 7));
        forget_events();
    }
}

/* --- shedding for safety while the store is away --- */

static void on_state(int rc, const struct hs_err *err, const struct hs_machine *machines, size_t n,
                     void *arg)
{
    *(enum hs_machine_state *)arg = n > 0 ? machines[0].state : HS_MACHINE_UNKNOWN;
}

static enum hs_machine_state machine_state(void)
{
    enum hs_machine_state found = HS_MACHINE_UNKNOWN;

    hs_compute_list(hs_fleet_get_compute(fleet, 0), on_state, &found);
    advance(0.1);
    return found;
}

static void apply_without_store(enum hs_action_kind kind, bool is_safety)
{
    const struct hs_action action = {
        .op_id = 41, .kind = kind, .job_id = 7, .share = 0.5, .is_safety = is_safety, .why = "hot"};
    const struct hs_decision decision = {.actions = &action, .n_actions = 1};

    held.is_down = true;
    (void)hs_enact_apply(enact, &decision, NULL, NULL);
    advance(0.1);
}

static size_t count_local(void)
{
    HS_AUTO_MEM char *path = NULL;
    size_t n = 0;
    FILE *file;
    int c;

    assert_true(asprintf(&path, "%s/intents.local", state_dir) > 0);
    file = fopen(path, "r");
    while (file != NULL && (c = fgetc(file)) != EOF) {
        n += c == '\n';
    }
    return file != NULL && fclose(file) == 0 ? n : 0;
}

static void enact__sheds_for_safety_without_the_store(void **state)
{
    add_job(7, HS_JOB_RUNNING, 0);
    make_machine(7);
    apply_without_store(HS_ACTION_SUSPEND, true);
    assert_int_equal(machine_state(), HS_MACHINE_PAUSED);
    assert_int_equal(held.n_commits, 0);
    assert_int_equal(count_local(), 1);
    assert_int_equal(find_event(HS_EVENT_ACTION_DONE)->rc, 0);
    /* the store is back: the intent and its end are in one commit, and the file is gone */
    held.is_down = false;
    assert_true(hs_enact_apply(enact, &(struct hs_decision){0}, NULL, NULL));
    assert_memory_equal(held.intent, "41 ", 3);
    assert_string_equal(held.dropped, "41 ");
    assert_non_null(strstr(held.ended, "DONE"));
    assert_int_equal(count_local(), 1);
    held_answer(0);
    assert_int_equal(count_local(), 0);
}

static void enact__does_nothing_else_without_the_store(void **state)
{
    static const enum hs_action_kind kinds[] = {HS_ACTION_DESTROY, HS_ACTION_SHUTDOWN,
                                                HS_ACTION_RESUME, HS_ACTION_MOVE};

    add_job(7, HS_JOB_RUNNING, 0);
    make_machine(7);
    apply_without_store(HS_ACTION_SUSPEND, false);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        apply_without_store(kinds[i], true);
    }
    assert_int_equal(machine_state(), HS_MACHINE_RUNNING);
    assert_int_equal(count_local(), 0);
}

static void enact__calls_no_host_where_no_local_intent_can_be_written(void **state)
{
    HS_AUTO_MEM char *path = NULL;

    add_job(7, HS_JOB_RUNNING, 0);
    make_machine(7);
    assert_true(asprintf(&path, "%s/intents.local", state_dir) > 0);
    assert_int_equal(mkdir(path, 0700), 0);
    apply_without_store(HS_ACTION_SUSPEND, true);
    assert_int_equal(machine_state(), HS_MACHINE_RUNNING);
    assert_int_equal(find_event(HS_EVENT_ACTION_DONE)->rc, -HS_E_UNAVAILABLE);
}

static void enact__next_life_settles_what_was_shed(void **state)
{
    double since_mono_s;

    add_job(7, HS_JOB_RUNNING, 0);
    make_machine(7);
    apply_without_store(HS_ACTION_SUSPEND, true);
    hs_enact_free(enact); /* killed before the store was back */
    held.is_down = false;
    enact = hs_enact_new(&(struct hs_enact_options){.store = &held.base,
                                                    .cycle = cycle,
                                                    .estate = small_estate(),
                                                    .inbox = &inbox,
                                                    .local = local,
                                                    .epoch = EPOCH + 1});
    hs_enact_set_fleet(enact, fleet);
    assert_int_equal(hs_enact_get_open(enact, 0, &since_mono_s)->op_id, 41);
    assert_true(hs_enact_apply(enact, &(struct hs_decision){0}, NULL, NULL));
    assert_memory_equal(held.intent, "41 ", 3);
    held_answer(0);
    assert_int_equal(count_local(), 0);
}

static void reconcile__asks_again_about_a_machine_that_was_there_after_all(void **state)
{
    add_job(7, HS_JOB_RUNNING, 0);
    make_machine(7);
    /* a listing that missed it */
    assert_false(hs_reconcile_check(reconcile, 0, NULL, 0));
    advance(0.1);
    assert_null(find_event(HS_EVENT_MACHINE_ENDED));
    destroy_machine(7);
    forget_events(); /* the end of it is lost */
    assert_false(hs_reconcile_check(reconcile, 0, NULL, 0));
    advance(0.1);
    assert_non_null(find_event(HS_EVENT_MACHINE_ENDED));
}

/* --- intents that nobody saw the end of --- */

/** Commit what is due as a tick does. */
static void commit(void)
{
    const struct hs_decision nothing = {0};

    held.ended[0] = '\0';
    held.dropped[0] = '\0';
    if (hs_enact_apply(enact, &nothing, NULL, NULL)) {
        held_answer(0);
    }
    advance(0.1);
}

static void adopt(uint64_t op_id, enum hs_action_kind kind, bool was_running)
{
    struct hs_intent intent = {.op_id = op_id,
                               .epoch = EPOCH - 1,
                               .job_id = 7,
                               .kind = kind,
                               .host = "pool/h1",
                               .was_running = was_running};

    if (kind == HS_ACTION_MOVE) {
        (void)snprintf(intent.to, sizeof(intent.to), "office/h1");
    }
    hs_enact_adopt(enact, &intent);
    advance(0.1);
}

static struct hs_machine machine_in(enum hs_machine_state machine_state)
{
    return (struct hs_machine){
        .name = "hs-7", .state = machine_state, .vcpus = 1, .memory_mib = 128, .job_id = 7};
}

static void list(size_t host_idx, enum hs_machine_state machine_state)
{
    struct hs_machine machine = machine_in(machine_state);

    (void)hs_reconcile_check(reconcile, host_idx, &machine, 1);
}

static void settle__an_intent_ends_as_its_host_shows(void **state)
{
    add_job(7, HS_JOB_RUNNING, 0);
    adopt(31, HS_ACTION_SUSPEND, false);
    list(0, HS_MACHINE_PAUSED);
    commit();
    assert_string_equal(held.dropped, "31 ");
    assert_non_null(strstr(held.ended, "suspend on 'pool/h1': DONE"));
    adopt(32, HS_ACTION_DESTROY, false);
    list(0, HS_MACHINE_RUNNING);
    commit();
    assert_string_equal(held.dropped, "32 ");
    assert_non_null(strstr(held.ended, "FAILED"));
}

static void settle__a_listing_of_before_tells_nothing(void **state)
{
    add_job(7, HS_JOB_RUNNING, 0);
    list(0, HS_MACHINE_RUNNING);
    adopt(31, HS_ACTION_SUSPEND, false);
    list(1, HS_MACHINE_UNKNOWN);
    commit();
    assert_string_equal(held.dropped, "");
}

/* The machine on both hosts of a move, in these states; -1: none. Then what is asked of whom. */
static void look_at_both(int there, int here)
{
    add_job(7, HS_JOB_MIGRATING, 0);
    adopt(31, HS_ACTION_MOVE, true);
    if (there >= 0) {
        list(1, (enum hs_machine_state)there);
    } else {
        (void)hs_reconcile_check(reconcile, 1, NULL, 0);
    }
    if (here >= 0) {
        list(0, (enum hs_machine_state)here);
    } else {
        /* the source is asked how it ended, and knows nothing */
        (void)hs_reconcile_check(reconcile, 0, NULL, 0);
        advance(0.1);
        (void)hs_reconcile_check(reconcile, 0, NULL, 0);
    }
    held.intent[0] = '\0';
    commit();
}

/* The host is asked, and shows the machine so. */
static void ask_and_list(size_t host_idx, enum hs_machine_state machine_state)
{
    advance(0.1);
    hs_fleet_list(fleet, host_idx, 0);
    advance(0.1);
    list(host_idx, machine_state);
}

static void settle__a_copy_beside_its_running_source_is_destroyed(void **state)
{
    look_at_both(HS_MACHINE_PAUSED, HS_MACHINE_RUNNING);
    assert_string_equal(held.intent, ""); /* the source may have left since it was asked */
    ask_and_list(0, HS_MACHINE_RUNNING);
    commit();
    assert_non_null(strstr(held.intent, "\"destroy\""));
    assert_non_null(strstr(held.intent, "office/h1"));
    assert_null(find_event(HS_EVENT_MOVE_SETTLED));
    (void)hs_reconcile_check(reconcile, 1, NULL, 0);
    commit();
    assert_int_equal(find_event(HS_EVENT_MOVE_SETTLED)->host_idx, 0);
    assert_non_null(strstr(held.ended, "move on 'pool/h1' to 'office/h1': FAILED"));
}

static void settle__what_arrived_and_left_is_resumed_there(void **state)
{
    look_at_both(HS_MACHINE_PAUSED, -1);
    assert_non_null(strstr(held.intent, "\"resume\""));
    assert_non_null(strstr(held.intent, "office/h1"));
    list(1, HS_MACHINE_RUNNING);
    commit();
    assert_int_equal(find_event(HS_EVENT_MOVE_SETTLED)->host_idx, 1);
    assert_int_equal(find_event(HS_EVENT_MOVE_SETTLED)->rc, 0);
    assert_non_null(strstr(held.ended, "DONE"));
}

static void settle__what_runs_on_both_is_suspended_on_one_with_an_alarm(void **state)
{
    look_at_both(HS_MACHINE_RUNNING, HS_MACHINE_RUNNING);
    assert_non_null(strstr(held.intent, "\"suspend\""));
    assert_non_null(strstr(held.intent, "office/h1"));
    assert_int_equal(find_event(HS_EVENT_MOVE_SETTLED)->host_idx, 0);
}

static void settle__the_only_copy_is_resumed_though_the_source_was_seen_before(void **state)
{
    look_at_both(HS_MACHINE_PAUSED, HS_MACHINE_RUNNING);
    (void)hs_reconcile_check(reconcile, 0, NULL, 0); /* asks how it ended */
    advance(0.1);
    (void)hs_reconcile_check(reconcile, 0, NULL, 0);
    commit();
    assert_non_null(strstr(held.intent, "\"resume\""));
    assert_non_null(strstr(held.intent, "office/h1"));
}

static void settle__what_is_on_its_way_is_left_alone(void **state)
{
    look_at_both(HS_MACHINE_UNKNOWN, HS_MACHINE_RUNNING);
    ask_and_list(0, HS_MACHINE_RUNNING);
    commit();
    assert_string_equal(held.intent, "");
    assert_string_equal(held.dropped, "");
    assert_null(find_event(HS_EVENT_MOVE_SETTLED));
}

/* Its destination was silent, so it was said to be where it was; the move went on all the same. */
static void settle__a_late_arrival_is_resumed_and_never_destroyed(void **state)
{
    add_job(7, HS_JOB_RUNNING, 0);
    adopt(31, HS_ACTION_MOVE, true);
    (void)hs_reconcile_check(reconcile, 0, NULL, 0);
    advance(0.1);
    held.intent[0] = '\0';
    list(1, HS_MACHINE_PAUSED);
    commit();
    assert_non_null(strstr(held.intent, "\"resume\""));
    assert_non_null(strstr(held.intent, "office/h1"));
    list(1, HS_MACHINE_RUNNING);
    commit();
    assert_non_null(strstr(held.ended, "DONE"));
}

static void settle__a_copy_waits_while_its_source_is_silent(void **state)
{
    add_job(7, HS_JOB_MIGRATING, 0);
    adopt(31, HS_ACTION_MOVE, true);
    held.intent[0] = '\0';
    list(1, HS_MACHINE_PAUSED); /* the source has not been listed since */
    commit();
    assert_string_equal(held.intent, "");
    assert_string_equal(held.dropped, "");
    assert_null(find_event(HS_EVENT_MOVE_SETTLED));
}

static void settle__a_source_that_left_the_estate_lets_go_once_it_is_confirmed_down(void **state)
{
    struct hs_intent intent = {.op_id = 31,
                               .epoch = EPOCH - 1,
                               .job_id = 7,
                               .kind = HS_ACTION_MOVE,
                               .host = "pool/gone",
                               .to = "office/h1",
                               .was_running = true};

    add_job(7, HS_JOB_MIGRATING, 0);
    hs_enact_adopt(enact, &intent);
    advance(0.1);
    held.intent[0] = '\0';
    list(1, HS_MACHINE_PAUSED);
    commit();
    assert_string_equal(held.intent, ""); /* it may run there still */
    hs_fleet_set_gone(fleet, "pool/gone");
    hs_reconcile_confirm_down(reconcile, "pool/gone");
    commit();
    assert_non_null(strstr(held.intent, "\"resume\""));
    assert_non_null(strstr(held.intent, "office/h1"));
}

static void movetable__says_what_promises_say(void **state)
{
    static const struct {
        enum hs_move_side source;
        enum hs_move_side destination;
        enum hs_move_verdict verdict;
    } rows[] = {
        {HS_MOVE_NONE, HS_MOVE_PAUSED, HS_MOVE_RESUME},
        {HS_MOVE_RUNNING, HS_MOVE_PAUSED, HS_MOVE_CLEAR},
        {HS_MOVE_RUNNING, HS_MOVE_NONE, HS_MOVE_STAYS},
        {HS_MOVE_RUNNING, HS_MOVE_RUNNING, HS_MOVE_ALARM},
        {HS_MOVE_SILENT, HS_MOVE_PAUSED, HS_MOVE_WAIT},
        {HS_MOVE_RUNNING, HS_MOVE_SILENT, HS_MOVE_STAYS},
        {HS_MOVE_NONE, HS_MOVE_RUNNING, HS_MOVE_ARRIVED},
        {HS_MOVE_NONE, HS_MOVE_NONE, HS_MOVE_LOST},
        {HS_MOVE_NONE, HS_MOVE_SILENT, HS_MOVE_WAIT},
        {HS_MOVE_NONE, HS_MOVE_UNCLEAR, HS_MOVE_WAIT},
        {HS_MOVE_RUNNING, HS_MOVE_UNCLEAR, HS_MOVE_WAIT},
        {HS_MOVE_UNCLEAR, HS_MOVE_PAUSED, HS_MOVE_WAIT},
        {HS_MOVE_UNCLEAR, HS_MOVE_NONE, HS_MOVE_WAIT},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(hs_movetable_find(rows[i].source, rows[i].destination, true),
                         rows[i].verdict);
    }
    assert_int_equal(hs_movetable_find(HS_MOVE_NONE, HS_MOVE_PAUSED, false), HS_MOVE_ARRIVED);
    for (int to = HS_MOVE_SILENT; to <= HS_MOVE_RUNNING; to++) {
        /* nothing is done beside a source that may run still */
        assert_int_equal(hs_movetable_find(HS_MOVE_SILENT, (enum hs_move_side)to, true),
                         HS_MOVE_WAIT);
    }
}

static void list_all_empty(void)
{
    for (size_t h = 0; h < small_estate()->n_hosts; h++) {
        (void)hs_reconcile_check(reconcile, h, NULL, 0);
    }
}

static void strays__an_orphan_is_removed_with_an_intent(void **state)
{
    list_all_empty();
    held.intent[0] = '\0';
    list(0, HS_MACHINE_RUNNING);
    commit();
    assert_non_null(strstr(held.intent, "\"destroy\""));
    assert_non_null(strstr(held.ended, "no record knows"));
}

static void strays__an_orphan_stays_until_every_host_was_listed(void **state)
{
    size_t last = small_estate()->n_hosts - 1;

    held.intent[0] = '\0';
    for (size_t h = 1; h < last; h++) {
        (void)hs_reconcile_check(reconcile, h, NULL, 0);
    }
    list(0, HS_MACHINE_RUNNING);
    commit();
    assert_string_equal(held.intent, "");
    assert_non_null(strstr(held.ended, "left alone until"));
    assert_non_null(strstr(held.ended, small_estate()->hosts[last].path));
    list(0, HS_MACHINE_RUNNING);
    commit();
    assert_string_equal(held.intent, "");
    assert_string_equal(held.ended, ""); /* said once */
    (void)hs_reconcile_check(reconcile, last, NULL, 0);
    list(0, HS_MACHINE_RUNNING);
    commit();
    assert_non_null(strstr(held.intent, "\"destroy\""));
}

static void strays__a_machine_whose_record_is_damaged_is_left_alone(void **state)
{
    held.known_job = "7";
    held.intent[0] = '\0';
    list(0, HS_MACHINE_RUNNING);
    commit();
    assert_string_equal(held.intent, "");
    assert_non_null(strstr(held.ended, "left alone"));
}

static void strays__a_second_machine_is_suspended_with_an_alarm(void **state)
{
    add_job(7, HS_JOB_RUNNING, 0);
    list(0, HS_MACHINE_RUNNING);
    held.intent[0] = '\0';
    list(1, HS_MACHINE_RUNNING);
    commit();
    assert_non_null(strstr(held.intent, "\"suspend\""));
    assert_non_null(strstr(held.intent, "office/h1"));
    assert_non_null(strstr(held.ended, "alarm"));
}

static void strays__a_foreign_machine_is_never_touched(void **state)
{
    struct hs_machine machine = machine_in(HS_MACHINE_RUNNING);

    machine.job_id = 0;
    held.intent[0] = '\0';
    (void)hs_reconcile_check(reconcile, 0, &machine, 1);
    commit();
    assert_string_equal(held.intent, "");
}

static void on_text(int rc, const struct hs_err *err, const char *text, size_t n, void *arg)
{
    *(int *)arg = rc;
}

static bool has_log(uint64_t job_id)
{
    int rc = 1;

    hs_compute_log(hs_fleet_get_compute(fleet, 0), job_id, 100, on_text, &rc);
    advance(0.1);
    assert_true(rc == 0 || rc == -HS_E_NOTFOUND);
    return rc == 0;
}

static void sweep__keeps_the_newest_logs_and_all_that_is_not_over(void **state)
{
    HS_AUTO(hs_sweep) sweep = hs_sweep_new(small_estate(), fleet, enact, 2);
    /* by the order of their ends: 3, 1, 4, 2 */
    static const int64_t ends[] = {20, 40, 10, 30};

    for (uint64_t id = 1; id <= 4; id++) {
        make_machine(id);
        destroy_machine(id);
        hs_sweep_add(sweep, "pool/h1", id, START_AT_S - 100 + ends[id - 1]);
    }
    make_machine(5);
    make_machine(6);
    destroy_machine(6);       /* nobody has heard of its end yet */
    hs_sweep_apply(sweep, 1); /* another host */
    assert_true(has_log(3));
    hs_sweep_apply(sweep, 0);
    hs_sweep_apply(sweep, 0);
    assert_false(has_log(3));
    assert_false(has_log(1));
    assert_true(has_log(4));
    assert_true(has_log(2));
    assert_true(has_log(5));
    assert_true(has_log(6));
    assert_int_equal(count_machines(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(enact__calls_no_host_before_the_intent_is_durable, start,
                                        end),
        cmocka_unit_test_setup_teardown(enact__sheds_for_safety_without_the_store, start, end),
        cmocka_unit_test_setup_teardown(enact__does_nothing_else_without_the_store, start, end),
        cmocka_unit_test_setup_teardown(enact__calls_no_host_where_no_local_intent_can_be_written,
                                        start, end),
        cmocka_unit_test_setup_teardown(enact__next_life_settles_what_was_shed, start, end),
        cmocka_unit_test_setup_teardown(enact__does_nothing_where_the_intent_did_not_land, start,
                                        end),
        cmocka_unit_test_setup_teardown(
            reconcile__asks_again_about_a_machine_that_was_there_after_all, start, end),
        cmocka_unit_test_setup_teardown(
            settle__a_source_that_left_the_estate_lets_go_once_it_is_confirmed_down, start, end),
        cmocka_unit_test(movetable__says_what_promises_say),
        cmocka_unit_test_setup_teardown(settle__an_intent_ends_as_its_host_shows, start, end),
        cmocka_unit_test_setup_teardown(settle__a_listing_of_before_tells_nothing, start, end),
        cmocka_unit_test_setup_teardown(settle__a_copy_beside_its_running_source_is_destroyed,
                                        start, end),
        cmocka_unit_test_setup_teardown(settle__what_arrived_and_left_is_resumed_there, start, end),
        cmocka_unit_test_setup_teardown(settle__what_runs_on_both_is_suspended_on_one_with_an_alarm,
                                        start, end),
        cmocka_unit_test_setup_teardown(
            settle__the_only_copy_is_resumed_though_the_source_was_seen_before, start, end),
        cmocka_unit_test_setup_teardown(settle__what_is_on_its_way_is_left_alone, start, end),
        cmocka_unit_test_setup_teardown(settle__a_late_arrival_is_resumed_and_never_destroyed,
                                        start, end),
        cmocka_unit_test_setup_teardown(settle__a_copy_waits_while_its_source_is_silent, start,
                                        end),
        cmocka_unit_test_setup_teardown(strays__an_orphan_is_removed_with_an_intent, start, end),
        cmocka_unit_test_setup_teardown(strays__an_orphan_stays_until_every_host_was_listed, start,
                                        end),
        cmocka_unit_test_setup_teardown(strays__a_machine_whose_record_is_damaged_is_left_alone,
                                        start, end),
        cmocka_unit_test_setup_teardown(strays__a_second_machine_is_suspended_with_an_alarm, start,
                                        end),
        cmocka_unit_test_setup_teardown(strays__a_foreign_machine_is_never_touched, start, end),
        cmocka_unit_test_setup_teardown(sweep__keeps_the_newest_logs_and_all_that_is_not_over,
                                        start, end),
    };

    return cmocka_run_group_tests_name("hands", tests, NULL, NULL);
}
