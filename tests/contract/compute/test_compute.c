/* SPDX-License-Identifier: Apache-2.0 */
/* What every compute backend must do. A new one adds one row to hs_worlds[]. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/compute/compute.h"
#include "scheduler/base/vec.h"
#include "scheduler/daemon/reactor.h"
#include "tests/contract/compute/compute_worlds.h"

#define SPEED      60.0 /* plan seconds a real one */
#define LONG_RUN_S 864000
#define PATIENCE_S 90.0 /* a guest boots in 5 s on an idle machine; tests share it */
#define EPOCH      3

/* A port on one host and all that it has said. */
struct scene {
    struct hs_world *world;
    struct hs_host host;
    struct hs_compute *compute;
    int n_links;
    bool is_up;
    int n_ended;
    struct hs_machine_end end;
    int n_changed;
    struct hs_machine changed;
};

struct answer {
    bool is_there;
    int rc;
    struct hs_err err;
    struct hs_machine machines[8];
    size_t n;
    char text[4096];
    struct hs_machine_end end;
};

static struct hs_reactor *reactor;
static struct hs_clock *plan_clock;
static uint64_t last_job_id = 100;

/* --- waiting: every callback stops the reactor, so that the waiter looks again --- */

static void stop(void *arg)
{
    hs_reactor_stop(reactor);
}

static void mark_late(void *arg)
{
    *(bool *)arg = true;
    hs_reactor_stop(reactor);
}

typedef bool check_fn(void *arg);

static bool wait_for(check_fn *check, void *arg, double patience_s)
{
    struct hs_executor *executor = hs_reactor_get_executor(reactor);
    bool is_late = false;
    struct hs_timer *timer = hs_executor_timer_add(executor, patience_s, mark_late, &is_late);

    while (!check(arg) && !is_late) {
        hs_reactor_run(reactor);
    }
    hs_executor_timer_remove(executor, timer);
    return check(arg);
}

static bool never(void *arg)
{
    return false;
}

static bool is_answered(void *arg)
{
    return ((struct answer *)arg)->is_there;
}

static bool is_up(void *arg)
{
    return ((struct scene *)arg)->is_up;
}

static bool is_down(void *arg)
{
    return !((struct scene *)arg)->is_up;
}

static bool has_ended(void *arg)
{
    return ((struct scene *)arg)->n_ended > 0;
}

/* --- callbacks --- */

static void on_changed(void *arg, size_t host_idx, const struct hs_machine *machine)
{
    struct scene *scene = arg;

    assert_int_equal(host_idx, 5);
    scene->n_changed++;
    scene->changed = *machine;
    stop(NULL);
}

static void on_ended(void *arg, size_t host_idx, const struct hs_machine_end *end)
{
    struct scene *scene = arg;

    assert_int_equal(host_idx, 5);
    scene->n_ended++;
    scene->end = *end;
    stop(NULL);
}

static void on_link(void *arg, size_t host_idx, bool up, const char *text)
{
    struct scene *scene = arg;

    scene->n_links++;
    scene->is_up = up;
    assert_int_equal(text[0] == '\0', up);
    stop(NULL);
}

static void answer_set(struct answer *answer, int rc, const struct hs_err *err)
{
    assert_false(answer->is_there); /* once only */
    answer->is_there = true;
    answer->rc = rc;
    if (err != NULL) {
        answer->err = *err;
    }
    stop(NULL);
}

static void on_done(int rc, const struct hs_err *err, void *arg)
{
    answer_set(arg, rc, err);
}

static void on_listed(int rc, const struct hs_err *err, const struct hs_machine *machines, size_t n,
                      void *arg)
{
    struct answer *answer = arg;

    for (size_t i = 0; i < n && i < 8; i++) {
        answer->machines[i] = machines[i];
    }
    answer->n = n;
    answer_set(answer, rc, err);
}

static void on_text(int rc, const struct hs_err *err, const char *text, size_t n, void *arg)
{
    struct answer *answer = arg;

    if (rc == 0) {
        (void)snprintf(answer->text, sizeof(answer->text), "%.*s", (int)n, text);
    }
    answer_set(answer, rc, err);
}

static void on_end(int rc, const struct hs_err *err, const struct hs_machine_end *end, void *arg)
{
    struct answer *answer = arg;

    if (rc == 0) {
        answer->end = *end;
    }
    answer_set(answer, rc, err);
}

/* --- asking and waiting for the answer --- */

/* Whose machines are ours in the scenes that open from now on. */
static const char *store_id = "cafe";

static void scene_open_with(struct scene *scene, double deadline_s)
{
    char work_dir[128];
    const struct hs_compute_options options = {
        .executor = hs_reactor_get_executor(reactor),
        .clock = plan_clock,
        .host = &scene->host,
        .host_idx = 5,
        .images = &scene->world->image,
        .n_images = 1,
        .store_id = store_id,
        .work_dir = work_dir,
        .listener = {.changed = on_changed, .ended = on_ended, .link = on_link, .arg = scene},
        .call_deadline_s = deadline_s,
    };

    (void)snprintf(work_dir, sizeof(work_dir), "%s/work", scene->world->dir);
    (void)snprintf(scene->host.path, sizeof(scene->host.path), "site/host");
    (void)snprintf(scene->host.uri, sizeof(scene->host.uri), "%s", scene->world->uri);
    scene->is_up = false;
    assert_int_equal(hs_compute_new(&options, &scene->compute, NULL), 0);
    assert_true(wait_for(is_up, scene, PATIENCE_S));
}

static void scene_open(struct scene *scene)
{
    scene_open_with(scene, 0);
}

static void scene_close(struct scene *scene)
{
    hs_compute_free(HS_STEAL(scene->compute));
}

static void wait_answer(struct answer *answer)
{
    assert_true(wait_for(is_answered, answer, PATIENCE_S));
}

static int create_with(struct scene *scene, uint64_t job_id, uint64_t epoch, const char *script,
                       int64_t duration_s, struct answer *ret_answer)
{
    /* a guest exits with what its script says, a simulated machine with this */
    static const char *const env[] = {"WHO=it's \"$me\"", "EMPTY=", "HSCHED_SIM_EXIT=7"};
    const struct hs_machine_spec spec = {.job_id = job_id,
                                         .epoch = epoch,
                                         .class_word = "batch <&\">",
                                         .image = "tiny",
                                         .script = script,
                                         .env = env,
                                         .n_env = 3,
                                         .vcpus = 1,
                                         .memory_mib = 128,
                                         .duration_s = duration_s};

    *ret_answer = (struct answer){0};
    hs_compute_create(scene->compute, &spec, on_done, ret_answer);
    assert_false(ret_answer->is_there); /* never before the call returned */
    wait_answer(ret_answer);
    return ret_answer->rc;
}

static int create(struct scene *scene, uint64_t job_id)
{
    struct answer answer;

    return create_with(scene, job_id, EPOCH, "while :; do sleep 60; done\n", LONG_RUN_S, &answer);
}

static int act(struct scene *scene, uint64_t job_id, enum hs_action_kind kind)
{
    struct answer answer = {0};

    hs_compute_act(scene->compute, job_id, kind, on_done, &answer);
    assert_false(answer.is_there);
    wait_answer(&answer);
    return answer.rc;
}

static int throttle(struct scene *scene, uint64_t job_id, double share)
{
    struct answer answer = {0};

    hs_compute_throttle(scene->compute, job_id, share, on_done, &answer);
    assert_false(answer.is_there);
    wait_answer(&answer);
    return answer.rc;
}

static int collect(struct scene *scene, uint64_t job_id, struct answer *ret_answer)
{
    *ret_answer = (struct answer){0};
    hs_compute_collect(scene->compute, job_id, on_end, ret_answer);
    wait_answer(ret_answer);
    return ret_answer->rc;
}

static int clean(struct scene *scene, uint64_t job_id)
{
    struct answer answer = {0};

    hs_compute_clean(scene->compute, job_id, on_done, &answer);
    wait_answer(&answer);
    return answer.rc;
}

static int read_log(struct scene *scene, uint64_t job_id, struct answer *ret_answer)
{
    *ret_answer = (struct answer){0};
    hs_compute_log(scene->compute, job_id, 2000, on_text, ret_answer);
    wait_answer(ret_answer);
    return ret_answer->rc;
}

/** The job's machine as listed; false if it is not. */
static bool find(struct scene *scene, const char *name, struct hs_machine *ret_machine)
{
    struct answer answer = {0};

    hs_compute_list(scene->compute, on_listed, &answer);
    wait_answer(&answer);
    assert_int_equal(answer.rc, 0);
    for (size_t i = 0; i < answer.n; i++) {
        if (strcmp(answer.machines[i].name, name) == 0) {
            *ret_machine = answer.machines[i];
            return true;
        }
    }
    return false;
}

static bool find_job(struct scene *scene, uint64_t job_id, struct hs_machine *ret_machine)
{
    char name[32];

    (void)snprintf(name, sizeof(name), "hs-%d", (int)job_id);
    return find(scene, name, ret_machine);
}

static struct scene scene_of(void **state)
{
    struct hs_world *world = *state;

    if (world->absent != NULL) {
        print_message("skipped: %s\n", world->absent);
        skip();
    }
    return (struct scene){.world = world};
}

/* --- cases --- */

static void compute__created_machine_is_listed_with_its_tag(void **state)
{
    struct scene scene = scene_of(state);
    struct hs_machine machine;
    uint64_t job_id = ++last_job_id;

    scene_open(&scene);
    assert_int_equal(create(&scene, job_id), 0);
    assert_true(find_job(&scene, job_id, &machine));
    assert_int_equal(machine.job_id, job_id);
    assert_int_equal(machine.epoch, EPOCH);
    assert_int_equal(machine.state, HS_MACHINE_RUNNING);
    assert_int_equal(machine.vcpus, 1);
    assert_int_equal(machine.memory_mib, 128);
    assert_int_equal(strlen(machine.uuid), 36);
    assert_true(isnan(machine.cpu_s) || machine.cpu_s >= 0);
    assert_int_equal(act(&scene, job_id, HS_ACTION_DESTROY), 0);
    scene_close(&scene);
}

static void compute__create_again_is_success_for_the_same_epoch_only(void **state)
{
    struct scene scene = scene_of(state);
    struct hs_machine first;
    struct hs_machine second;
    struct answer answer;
    uint64_t job_id = ++last_job_id;

    scene_open(&scene);
    assert_int_equal(create(&scene, job_id), 0);
    assert_true(find_job(&scene, job_id, &first));
    assert_int_equal(create(&scene, job_id), 0);
    assert_true(find_job(&scene, job_id, &second));
    assert_string_equal(first.uuid, second.uuid);
    assert_int_equal(create_with(&scene, job_id, EPOCH + 1, NULL, 60, &answer), -HS_E_CONFLICT);
    assert_true(find_job(&scene, job_id, &second));
    assert_string_equal(first.uuid, second.uuid);
    assert_int_equal(act(&scene, job_id, HS_ACTION_DESTROY), 0);
    scene_close(&scene);
}

static void compute__suspends_and_resumes_and_already_so_is_success(void **state)
{
    struct scene scene = scene_of(state);
    struct hs_machine machine;
    uint64_t job_id = ++last_job_id;

    scene_open(&scene);
    assert_int_equal(create(&scene, job_id), 0);
    assert_int_equal(act(&scene, job_id, HS_ACTION_SUSPEND), 0);
    assert_int_equal(act(&scene, job_id, HS_ACTION_SUSPEND), 0);
    assert_true(find_job(&scene, job_id, &machine));
    assert_int_equal(machine.state, HS_MACHINE_PAUSED);
    assert_int_equal(act(&scene, job_id, HS_ACTION_RESUME), 0);
    assert_int_equal(act(&scene, job_id, HS_ACTION_RESUME), 0);
    assert_true(find_job(&scene, job_id, &machine));
    assert_int_equal(machine.state, HS_MACHINE_RUNNING);
    assert_int_equal(act(&scene, job_id, HS_ACTION_DESTROY), 0);
    scene_close(&scene);
}

static void compute__destroyed_machine_ends_once_without_exit_status(void **state)
{
    struct scene scene = scene_of(state);
    struct hs_machine machine;
    uint64_t job_id = ++last_job_id;

    scene_open(&scene);
    assert_int_equal(create(&scene, job_id), 0);
    assert_int_equal(act(&scene, job_id, HS_ACTION_DESTROY), 0);
    assert_true(wait_for(has_ended, &scene, PATIENCE_S));
    assert_int_equal(scene.end.job_id, job_id);
    assert_false(scene.end.has_exit_status);
    assert_int_equal(scene.changed.state, HS_MACHINE_SHUT_OFF);
    assert_false(find_job(&scene, job_id, &machine));
    assert_int_equal(act(&scene, job_id, HS_ACTION_DESTROY), -HS_E_NOTFOUND);
    assert_false(wait_for(never, NULL, 0.3));
    assert_int_equal(scene.n_ended, 1);
    scene_close(&scene);
}

static void compute__foreign_machine_is_listed_and_never_touched(void **state)
{
    static const enum hs_action_kind kinds[] = {HS_ACTION_SUSPEND, HS_ACTION_RESUME,
                                                HS_ACTION_SHUTDOWN, HS_ACTION_DESTROY};
    struct scene scene = scene_of(state);
    struct hs_machine machine;
    struct answer answer;

    scene_open(&scene);
    hs_worlds_make_foreign(scene.world, scene.compute);
    assert_true(find(&scene, FOREIGN_NAME, &machine));
    assert_int_equal(machine.job_id, 0);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(act(&scene, FOREIGN_JOB, kinds[i]), -HS_E_DENIED);
    }
    assert_int_equal(create(&scene, FOREIGN_JOB), -HS_E_CONFLICT);
    assert_int_equal(collect(&scene, FOREIGN_JOB, &answer), -HS_E_NOTFOUND);
    assert_true(find(&scene, FOREIGN_NAME, &machine));
    assert_int_equal(machine.state, HS_MACHINE_RUNNING);
    assert_int_not_equal(hs_worlds_is_running(scene.world, FOREIGN_NAME), 0);
    scene_close(&scene);
}

static void compute__copy_of_one_of_ours_is_foreign(void **state)
{
    struct scene scene = scene_of(state);
    struct hs_machine machine;
    struct answer answer;

    if (scene.world != &hs_worlds[WORLD_TEST]) {
        skip();
    }
    scene_open(&scene);
    assert_true(find(&scene, COPY_NAME, &machine));
    assert_int_equal(machine.job_id, 0);
    assert_int_equal(machine.epoch, 0);
    assert_int_equal(act(&scene, COPY_JOB, HS_ACTION_DESTROY), -HS_E_NOTFOUND);
    assert_int_equal(collect(&scene, COPY_JOB, &answer), -HS_E_NOTFOUND);
    assert_true(find(&scene, COPY_NAME, &machine));
    assert_int_equal(machine.state, HS_MACHINE_RUNNING);
    scene_close(&scene);
}

/* Two hschedd on one host both count their jobs from 1: what the other made is not ours. */
static void compute__machine_of_another_store_is_never_touched(void **state)
{
    struct scene ours = scene_of(state);
    struct scene theirs = scene_of(state);
    struct hs_machine machine;
    uint64_t job_id = ++last_job_id;
    char name[HS_NAME_MAX];

    if (ours.world != &hs_worlds[WORLD_QEMU]) {
        skip();
    }
    (void)snprintf(name, sizeof(name), "hs-%d", (int)job_id);
    scene_open(&ours);
    assert_int_equal(create(&ours, job_id), 0);
    store_id = "beef";
    scene_open(&theirs);
    store_id = "cafe";
    assert_true(find(&theirs, name, &machine));
    assert_int_equal(machine.job_id, 0);
    assert_int_equal(act(&theirs, job_id, HS_ACTION_SUSPEND), -HS_E_DENIED);
    assert_int_equal(act(&theirs, job_id, HS_ACTION_DESTROY), -HS_E_DENIED);
    assert_int_equal(create(&theirs, job_id), -HS_E_CONFLICT);
    assert_true(find_job(&ours, job_id, &machine));
    assert_int_equal(machine.state, HS_MACHINE_RUNNING);
    scene_close(&theirs);
    assert_int_equal(act(&ours, job_id, HS_ACTION_DESTROY), 0);
    scene_close(&ours);
}

static void compute__undefined_machine_that_runs_is_still_counted(void **state)
{
    struct scene scene = scene_of(state);
    struct hs_machine machine;

    if (scene.world != &hs_worlds[WORLD_QEMU]) {
        skip();
    }
    scene_open(&scene);
    hs_worlds_make_foreign(scene.world, scene.compute);
    hs_worlds_define(FOREIGN_NAME);
    assert_false(wait_for(never, NULL, 1.0));
    hs_worlds_undefine(FOREIGN_NAME);
    assert_false(wait_for(never, NULL, 1.0));
    assert_string_equal(scene.changed.name, FOREIGN_NAME);
    assert_int_equal(scene.changed.state, HS_MACHINE_RUNNING);
    assert_true(find(&scene, FOREIGN_NAME, &machine));
    assert_int_equal(machine.state, HS_MACHINE_RUNNING);
    scene_close(&scene);
}

static void compute__exit_status_and_log_are_told_and_kept(void **state)
{
    struct scene scene = scene_of(state);
    struct answer answer;
    uint64_t job_id = ++last_job_id;
    double asked_s;

    if (!scene.world->has_end) {
        skip();
    }
    scene_open(&scene);
    asked_s = hs_clock_mono_s(plan_clock);
    assert_int_equal(create_with(&scene, job_id, EPOCH, "echo \"for $WHO\"\nexit 7\n", 60, &answer),
                     0);
    assert_int_equal(collect(&scene, job_id, &answer), -HS_E_CONFLICT);
    assert_int_equal(clean(&scene, job_id), -HS_E_CONFLICT);
    assert_true(wait_for(has_ended, &scene, PATIENCE_S));
    assert_int_equal(scene.end.job_id, job_id);
    assert_true(scene.end.has_exit_status);
    assert_int_equal(scene.end.exit_status, 7);
    print_message("create to gone: %.2f s\n", hs_clock_mono_s(plan_clock) - asked_s);
    assert_int_equal(read_log(&scene, job_id, &answer), 0);
    assert_non_null(
        strstr(answer.text, scene.world->has_guests ? "for it's \"$me\"\n" : "ran 60 s\n"));
    assert_null(strchr(answer.text, '\r'));
    /* a new life of the daemon asks, and hears the same */
    scene_close(&scene);
    scene.n_ended = 0;
    scene_open(&scene);
    assert_int_equal(collect(&scene, job_id, &answer), 0);
    assert_true(answer.end.has_exit_status);
    assert_int_equal(answer.end.exit_status, 7);
    assert_int_equal(clean(&scene, job_id), 0);
    assert_int_equal(clean(&scene, job_id), 0);
    assert_int_equal(collect(&scene, job_id, &answer), -HS_E_NOTFOUND);
    assert_int_equal(read_log(&scene, job_id, &answer), -HS_E_NOTFOUND);
    assert_int_equal(scene.n_ended, 0);
    scene_close(&scene);
}

static void compute__machine_outlives_the_port_and_is_found_again(void **state)
{
    struct scene scene = scene_of(state);
    struct hs_machine before;
    struct hs_machine after;
    uint64_t job_id = ++last_job_id;

    if (!scene.world->is_lasting) {
        skip();
    }
    scene_open(&scene);
    assert_int_equal(create(&scene, job_id), 0);
    assert_true(find_job(&scene, job_id, &before));
    scene_close(&scene);
    scene_open(&scene);
    assert_true(find_job(&scene, job_id, &after));
    assert_string_equal(before.uuid, after.uuid);
    assert_int_equal(after.job_id, job_id);
    assert_int_equal(act(&scene, job_id, HS_ACTION_DESTROY), 0);
    assert_true(wait_for(has_ended, &scene, PATIENCE_S));
    assert_int_equal(scene.end.job_id, job_id);
    scene_close(&scene);
}

static void compute__suspended_time_does_not_count(void **state)
{
    struct scene scene = scene_of(state);
    struct answer answer;
    uint64_t job_id = ++last_job_id;

    if (scene.world != &hs_worlds[WORLD_SIM]) {
        skip();
    }
    scene_open(&scene);
    assert_int_equal(create_with(&scene, job_id, EPOCH, NULL, 30, &answer), 0); /* 0.5 s */
    assert_int_equal(act(&scene, job_id, HS_ACTION_SUSPEND), 0);
    assert_false(wait_for(has_ended, &scene, 1.0));
    assert_int_equal(act(&scene, job_id, HS_ACTION_RESUME), 0);
    assert_true(wait_for(has_ended, &scene, 5.0));
    assert_true(scene.end.has_exit_status);
    scene_close(&scene);
}

static void compute__throttled_machine_gets_less_done(void **state)
{
    struct scene scene = scene_of(state);
    struct answer answer;
    uint64_t job_id = ++last_job_id;

    if (scene.world != &hs_worlds[WORLD_SIM]) {
        skip();
    }
    scene_open(&scene);
    assert_int_equal(create_with(&scene, job_id, EPOCH, NULL, 30, &answer), 0); /* 0.5 s */
    assert_int_equal(throttle(&scene, job_id, 0.25), 0);
    assert_false(wait_for(has_ended, &scene, 1.0));
    assert_int_equal(throttle(&scene, job_id, 1.0), 0);
    assert_true(wait_for(has_ended, &scene, 5.0));
    assert_true(scene.end.has_exit_status);
    scene_close(&scene);
}

/* A host without control groups says so; either way the machine runs on. */
static void compute__throttle_is_done_or_told_to_be_impossible(void **state)
{
    struct scene scene = scene_of(state);
    struct answer answer;
    struct hs_machine machine;
    uint64_t job_id = ++last_job_id;
    int rc;

    scene_open(&scene);
    assert_int_equal(throttle(&scene, job_id, 0.5), -HS_E_NOTFOUND);
    assert_int_equal(create_with(&scene, job_id, EPOCH, NULL, 3600, &answer), 0);
    rc = throttle(&scene, job_id, 0.5);
    assert_true(rc == -HS_E_UNSUPPORTED || rc == 0);
    assert_true(rc == 0 || scene.world != &hs_worlds[WORLD_SIM]);
    assert_true(find_job(&scene, job_id, &machine));
    assert_int_equal(machine.state, HS_MACHINE_RUNNING);
    assert_int_equal(act(&scene, job_id, HS_ACTION_DESTROY), 0);
    scene_close(&scene);
}

static void compute__bad_requests_are_refused_with_a_reason(void **state)
{
    static const char *const env[] = {"rm -rf=1"};
    struct scene scene = scene_of(state);
    struct hs_machine_spec spec = {.job_id = ++last_job_id,
                                   .epoch = EPOCH,
                                   .class_word = "batch",
                                   .image = "tiny",
                                   .env = env,
                                   .n_env = 1,
                                   .vcpus = 1,
                                   .memory_mib = 128};
    struct answer answer = {0};
    struct hs_machine machine;

    if (scene.world == &hs_worlds[WORLD_SIM]) {
        skip();
    }
    scene_open(&scene);
    hs_compute_create(scene.compute, &spec, on_done, &answer);
    wait_answer(&answer);
    assert_int_equal(answer.rc, -HS_E_INVALID);
    assert_string_equal(answer.err.where, "env");
    spec.image = "vast";
    answer = (struct answer){0};
    hs_compute_create(scene.compute, &spec, on_done, &answer);
    wait_answer(&answer);
    assert_int_equal(answer.rc, -HS_E_NOTFOUND);
    assert_string_equal(answer.err.where, "site/host");
    assert_non_null(strstr(answer.err.text, "vast"));
    assert_false(find_job(&scene, spec.job_id, &machine));
    assert_int_equal(act(&scene, spec.job_id, HS_ACTION_RESUME), -HS_E_NOTFOUND);
    scene_close(&scene);
}

static void compute__free_answers_what_is_pending(void **state)
{
    struct scene scene = scene_of(state);
    struct answer answers[4] = {0};

    scene_open(&scene);
    hs_compute_list(scene.compute, on_listed, &answers[0]);
    hs_compute_act(scene.compute, 999, HS_ACTION_DESTROY, on_done, &answers[1]);
    hs_compute_log(scene.compute, 999, 10, on_text, &answers[2]);
    hs_compute_collect(scene.compute, 999, on_end, &answers[3]);
    scene_close(&scene);
    for (size_t i = 0; i < 4; i++) {
        assert_true(answers[i].is_there);
        assert_int_equal(answers[i].rc, -HS_E_UNAVAILABLE);
    }
    assert_false(wait_for(never, NULL, 0.2)); /* and nothing comes later */
}

static void compute__hung_libvirtd_costs_a_deadline_and_comes_back(void **state)
{
    struct scene scene = scene_of(state);
    struct hs_machine machine;
    struct answer answer = {0};
    double asked_s;
    uint64_t job_id = ++last_job_id;

    if (scene.world != &hs_worlds[WORLD_QEMU]) {
        skip();
    }
    scene_open_with(&scene, 3.0);
    assert_int_equal(create(&scene, job_id), 0);
    hs_worlds_signal_daemon(SIGSTOP);
    asked_s = hs_clock_mono_s(plan_clock);
    hs_compute_list(scene.compute, on_listed, &answer);
    wait_answer(&answer);
    assert_int_equal(answer.rc, -HS_E_TIMEOUT);
    assert_true(hs_clock_mono_s(plan_clock) - asked_s < 5.0);
    /* the console is no matter of libvirtd's */
    assert_int_equal(read_log(&scene, job_id, &answer), 0);
    assert_true(wait_for(is_down, &scene, 20.0));
    assert_int_equal(act(&scene, job_id, HS_ACTION_SUSPEND), -HS_E_UNAVAILABLE);
    hs_worlds_signal_daemon(SIGCONT);
    assert_true(wait_for(is_up, &scene, 10.0));
    assert_true(find_job(&scene, job_id, &machine));
    assert_int_equal(machine.state, HS_MACHINE_RUNNING);
    assert_int_equal(act(&scene, job_id, HS_ACTION_DESTROY), 0);
    scene_close(&scene);
}

static void compute__killed_libvirtd_is_found_again_with_its_guests(void **state)
{
    struct scene scene = scene_of(state);
    struct hs_machine before;
    struct hs_machine after;
    uint64_t job_id = ++last_job_id;
    double back_s;

    if (scene.world != &hs_worlds[WORLD_QEMU]) {
        skip();
    }
    scene_open(&scene);
    assert_int_equal(create(&scene, job_id), 0);
    assert_true(find_job(&scene, job_id, &before));
    hs_worlds_signal_daemon(SIGKILL);
    assert_true(wait_for(is_down, &scene, 10.0));
    hs_worlds_start_daemon();
    back_s = hs_clock_mono_s(plan_clock);
    assert_true(wait_for(is_up, &scene, 10.0));
    assert_true(hs_clock_mono_s(plan_clock) - back_s < 5.0); /* promise 7 */
    assert_true(find_job(&scene, job_id, &after));
    assert_string_equal(before.uuid, after.uuid);
    assert_int_equal(after.state, HS_MACHINE_RUNNING);
    assert_int_equal(scene.n_ended, 0);
    assert_int_equal(act(&scene, job_id, HS_ACTION_DESTROY), 0);
    assert_true(wait_for(has_ended, &scene, PATIENCE_S));
    assert_int_equal(scene.n_ended, 1);
    scene_close(&scene);
}

static void compute__end_while_the_link_was_down_is_still_told(void **state)
{
    struct scene scene = scene_of(state);
    struct answer answer;
    uint64_t job_id = ++last_job_id;

    if (scene.world != &hs_worlds[WORLD_QEMU]) {
        skip();
    }
    scene_open(&scene);
    assert_int_equal(create_with(&scene, job_id, EPOCH, "exit 3\n", 60, &answer), 0);
    hs_worlds_signal_daemon(SIGKILL);
    assert_true(wait_for(is_down, &scene, 10.0));
    /* the guest powers off with nobody to see it */
    assert_false(wait_for(never, NULL, 12.0));
    assert_int_equal(scene.n_ended, 0);
    hs_worlds_start_daemon();
    assert_true(wait_for(has_ended, &scene, PATIENCE_S));
    assert_int_equal(scene.end.job_id, job_id);
    assert_true(scene.end.has_exit_status);
    assert_int_equal(scene.end.exit_status, 3);
    scene_close(&scene);
}

/* --- every case over every world --- */

#define CASE(fn) \
    {            \
#fn, fn  \
    }

static const struct {
    const char *name;
    CMUnitTestFunction fn;
} cases[] = {
    CASE(compute__created_machine_is_listed_with_its_tag),
    CASE(compute__create_again_is_success_for_the_same_epoch_only),
    CASE(compute__suspends_and_resumes_and_already_so_is_success),
    CASE(compute__destroyed_machine_ends_once_without_exit_status),
    CASE(compute__foreign_machine_is_listed_and_never_touched),
    CASE(compute__copy_of_one_of_ours_is_foreign),
    CASE(compute__machine_of_another_store_is_never_touched),
    CASE(compute__undefined_machine_that_runs_is_still_counted),
    CASE(compute__exit_status_and_log_are_told_and_kept),
    CASE(compute__machine_outlives_the_port_and_is_found_again),
    CASE(compute__suspended_time_does_not_count),
    CASE(compute__throttled_machine_gets_less_done),
    CASE(compute__throttle_is_done_or_told_to_be_impossible),
    CASE(compute__bad_requests_are_refused_with_a_reason),
    CASE(compute__free_answers_what_is_pending),
    CASE(compute__hung_libvirtd_costs_a_deadline_and_comes_back),
    CASE(compute__killed_libvirtd_is_found_again_with_its_guests),
    CASE(compute__end_while_the_link_was_down_is_still_told),
};

#define N_CASES (sizeof(cases) / sizeof(cases[0]))

int main(void)
{
    static char names[N_CASES * N_WORLDS][96];
    struct CMUnitTest tests[N_CASES * N_WORLDS];
    const char *only = getenv("HSCHED_TEST_WORLD");     /* for a person who looks closer */
    const char *only_case = getenv("HSCHED_TEST_CASE"); /* part of its name */
    size_t n = 0;
    int n_failed;

    for (size_t w = 0; w < N_WORLDS; w++) {
        for (size_t i = 0; i < N_CASES; i++) {
            if ((only != NULL && strcmp(only, hs_worlds[w].name) != 0)
                || (only_case != NULL && strstr(cases[i].name, only_case) == NULL)) {
                continue;
            }
            (void)snprintf(names[n], sizeof(names[n]), "%s@%s", cases[i].name, hs_worlds[w].name);
            tests[n] = (struct CMUnitTest){
                .name = names[n], .test_func = cases[i].fn, .initial_state = &hs_worlds[w]};
            n++;
        }
    }
    if (hs_reactor_new(NULL, &reactor, NULL) != 0) {
        return 1;
    }
    plan_clock = hs_clock_new_accelerated(0, SPEED);
    hs_worlds_start();
    n_failed = _cmocka_run_group_tests("compute contract", tests, n, NULL, NULL);
    (void)wait_for(never, NULL, 0.5); /* connections close behind us */
    hs_worlds_stop();
    hs_reactor_free(reactor);
    hs_clock_free(plan_clock);
    return n_failed;
}
