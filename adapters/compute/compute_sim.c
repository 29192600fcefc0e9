/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compute_sim - machines that only run down a clock.
 *
 * Every port call becomes a request that a timer works off in order, so answers and events keep
 * the order a real host would give them: the answer first, then what came of it.
 */
#include "adapters/compute/compute_sim.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "adapters/compute/answers.h"
#include "adapters/compute/sim_machine.h"
#include "scheduler/base/log.h"

struct compute_sim {
    struct hs_compute base;
    struct hs_executor *executor;
    const struct hs_clock *clock;
    struct hs_compute_listener listener;
    struct hs_answers answers;
    char *work_dir; /* nullable */
    HS_VEC(struct hs_sim_machine *) machines;
};

struct request {
    struct compute_sim *sim;
    uint64_t job_id;
    uint64_t epoch;
    uint32_t vcpus;
    uint64_t memory_mib;
    double need_s;
    int exit_status;
    enum hs_action_kind kind;
    struct compute_sim *to; /* of a move */
    double share;           /* of a throttle */
    size_t n_max_bytes;
    hs_compute_done_fn *done;
    hs_compute_list_fn *list_done;
    hs_compute_text_fn *text_done;
    hs_compute_end_fn *end_done;
    void *arg;
};

/** A number of the job's own environment ("NAME=12.5"), or @fallback. */
static double read_env(const struct hs_machine_spec *spec, const char *name, double fallback)
{
    size_t n_name = strlen(name);

    for (size_t i = 0; i < spec->n_env; i++) {
        const char *entry = spec->env[i];
        char *end = NULL;
        double value;

        if (strncmp(entry, name, n_name) != 0 || entry[n_name] != '=') {
            continue;
        }
        value = strtod(entry + n_name + 1, &end);
        if (end != entry + n_name + 1 && *end == '\0' && value >= 0) {
            return value;
        }
    }
    return fallback;
}

/** The job's machine, else one that merely has its name, else NULL. */
static struct hs_sim_machine *machine_find(struct compute_sim *sim, uint64_t job_id)
{
    struct hs_sim_machine *namesake = NULL;
    char name[HS_NAME_MAX];

    (void)snprintf(name, sizeof(name), "hs-%" PRIu64, job_id);
    for (size_t i = 0; i < sim->machines.n; i++) {
        struct hs_sim_machine *machine = sim->machines.items[i];

        if (machine->shown.job_id == job_id) {
            return machine;
        }
        if (strcmp(machine->shown.name, name) == 0) {
            namesake = machine;
        }
    }
    return namesake;
}

static void machine_save(struct compute_sim *sim, const struct hs_sim_machine *machine)
{
    struct hs_err err;

    if (sim->work_dir != NULL && machine->shown.job_id != 0
        && hs_sim_machine_write(machine, sim->work_dir, &err) < 0) {
        HS_LOG_DEBUG("compute", "%s %s", err.where, err.text);
    }
}

static void machine_touch(struct compute_sim *sim, struct hs_sim_machine *machine)
{
    hs_sim_machine_set_mono(machine, hs_clock_mono_s(sim->clock), hs_clock_get_speed(sim->clock));
}

static void machine_set_state(struct compute_sim *sim, struct hs_sim_machine *machine,
                              enum hs_machine_state state)
{
    double left_s;

    machine_touch(sim, machine);
    machine->shown.state = state;
    left_s = (machine->need_s - machine->ran_s) / (hs_clock_get_speed(sim->clock) * machine->share);
    hs_executor_timer_set(sim->executor, machine->timer,
                          state == HS_MACHINE_RUNNING ? left_s : -1.0);
    machine_save(sim, machine);
}

static void machine_end(struct compute_sim *sim, struct hs_sim_machine *machine,
                        bool has_exit_status)
{
    struct hs_machine shown;
    struct hs_machine_end end = {.job_id = machine->shown.job_id,
                                 .has_exit_status = has_exit_status,
                                 .exit_status = has_exit_status ? machine->exit_status : 0};

    machine->over = true;
    machine->has_exit_status = has_exit_status;
    machine_set_state(sim, machine, HS_MACHINE_SHUT_OFF);
    shown = machine->shown;
    /* copies: the owner may clean the machine away in a callback */
    if (sim->listener.changed != NULL) {
        sim->listener.changed(sim->listener.arg, sim->base.host_idx, &shown);
    }
    if (sim->listener.ended != NULL) {
        sim->listener.ended(sim->listener.arg, sim->base.host_idx, &end);
    }
}

static void machine_fire(void *arg)
{
    struct hs_sim_machine *machine = arg;
    struct compute_sim *sim = machine->owner;

    machine_touch(sim, machine);
    /* a timer may come a hair early; the machine ran what it had to all the same */
    machine->ran_s = machine->need_s;
    machine_end(sim, machine, true);
}

static void machine_free(struct compute_sim *sim, struct hs_sim_machine *machine)
{
    hs_executor_timer_remove(sim->executor, machine->timer);
    free(machine);
}

static void machine_remove(struct compute_sim *sim, struct hs_sim_machine *machine)
{
    for (size_t i = 0; i < sim->machines.n; i++) {
        if (sim->machines.items[i] == machine) {
            HS_VEC_SWAP_REMOVE(&sim->machines, i);
            break;
        }
    }
    machine_free(sim, machine);
}

static struct hs_sim_machine *machine_add(struct compute_sim *sim,
                                          const struct hs_sim_machine *first)
{
    struct hs_sim_machine *machine = hs_xcalloc(1, sizeof(*machine));

    *machine = *first;
    machine->owner = sim;
    machine->timer = hs_executor_timer_add(sim->executor, -1.0, machine_fire, machine);
    HS_VEC_PUSH(&sim->machines, machine);
    return machine;
}

static void tell_changed(struct compute_sim *sim, const struct hs_sim_machine *machine)
{
    struct hs_machine shown = machine->shown;

    if (sim->listener.changed != NULL) {
        sim->listener.changed(sim->listener.arg, sim->base.host_idx, &shown);
    }
}

/* --- requests, as they are worked off --- */

static struct request *request_new(struct hs_compute *compute, uint64_t job_id, void *arg)
{
    struct request *request = hs_xcalloc(1, sizeof(*request));

    request->sim = (struct compute_sim *)compute;
    request->job_id = job_id;
    request->arg = arg;
    return request;
}

static int request_cancel(struct hs_err *err)
{
    return hs_err_set(err, HS_E_UNAVAILABLE, "sim:", "the host was closed");
}

static int create_now(struct request *request, struct hs_sim_machine **ret_made, struct hs_err *err)
{
    struct compute_sim *sim = request->sim;
    struct hs_sim_machine *old = machine_find(sim, request->job_id);
    struct hs_sim_machine first = {0};
    struct hs_sim_machine *machine;

    if (old != NULL && !old->over) {
        if (old->shown.job_id == request->job_id && old->shown.epoch == request->epoch) {
            return 0;
        }
        return hs_err_set(err, HS_E_CONFLICT, "sim:", "another machine is named '%s'",
                          old->shown.name);
    }
    if (old != NULL) {
        machine_remove(sim, old);
    }
    hs_sim_machine_set_job(&first, request->job_id, request->epoch);
    first.shown.vcpus = request->vcpus;
    first.shown.memory_mib = request->memory_mib;
    first.shown.state = HS_MACHINE_PAUSED;
    first.since_mono_s = hs_clock_mono_s(sim->clock);
    first.need_s = request->need_s;
    first.share = 1.0;
    first.exit_status = request->exit_status;
    machine = machine_add(sim, &first);
    machine_set_state(sim, machine, HS_MACHINE_RUNNING);
    *ret_made = machine;
    return 0;
}

static void create_answer(bool cancelled, void *arg)
{
    HS_AUTO_MEM struct request *request = arg;
    struct hs_sim_machine *made = NULL;
    struct hs_err err = {0};
    int rc = cancelled ? request_cancel(&err) : create_now(request, &made, &err);
    struct hs_machine shown = made != NULL ? made->shown : (struct hs_machine){0};

    request->done(rc, rc < 0 ? &err : NULL, request->arg);
    if (made != NULL && request->sim->listener.changed != NULL) {
        request->sim->listener.changed(request->sim->listener.arg, request->sim->base.host_idx,
                                       &shown);
    }
}

static void compute_sim_create(struct hs_compute *compute, const struct hs_machine_spec *spec,
                               hs_compute_done_fn *done, void *arg)
{
    struct request *request = request_new(compute, spec->job_id, arg);

    request->epoch = spec->epoch;
    request->vcpus = spec->vcpus;
    request->memory_mib = spec->memory_mib;
    request->need_s = read_env(spec, "HSCHED_SIM_RUN_S", (double)spec->duration_s);
    request->exit_status = (int)read_env(spec, "HSCHED_SIM_EXIT", 0.0);
    request->done = done;
    hs_answers_add(&request->sim->answers, create_answer, request);
}

/* What may be asked of the job's machine: that it is there, and ours. */
static int find_ours(struct request *request, struct hs_sim_machine **ret_machine,
                     struct hs_err *err)
{
    struct hs_sim_machine *machine = machine_find(request->sim, request->job_id);

    if (machine == NULL || machine->over) {
        return hs_err_set(err, HS_E_NOTFOUND, "sim:", "no machine 'hs-%" PRIu64 "'",
                          request->job_id);
    }
    if (machine->shown.job_id == 0) {
        return hs_err_set(err, HS_E_DENIED, "sim:", "machine '%s' is not ours",
                          machine->shown.name);
    }
    *ret_machine = machine;
    return 0;
}

static void act_answer(bool cancelled, void *arg)
{
    HS_AUTO_MEM struct request *request = arg;
    struct compute_sim *sim = request->sim;
    struct hs_sim_machine *machine = NULL;
    bool suspend = request->kind == HS_ACTION_SUSPEND;
    struct hs_err err = {0};
    int rc = cancelled ? request_cancel(&err) : find_ours(request, &machine, &err);

    if (rc < 0) {
        request->done(rc, &err, request->arg);
        return;
    }
    if (request->kind == HS_ACTION_SHUTDOWN || request->kind == HS_ACTION_DESTROY) {
        request->done(0, NULL, request->arg);
        machine_end(sim, machine, false);
        return;
    }
    machine_set_state(sim, machine, suspend ? HS_MACHINE_PAUSED : HS_MACHINE_RUNNING);
    request->done(0, NULL, request->arg);
    tell_changed(sim, machine);
}

static void compute_sim_act(struct hs_compute *compute, uint64_t job_id, enum hs_action_kind kind,
                            hs_compute_done_fn *done, void *arg)
{
    struct request *request = request_new(compute, job_id, arg);

    request->kind = kind;
    request->done = done;
    hs_answers_add(&request->sim->answers, act_answer, request);
}

static void forget_file(struct compute_sim *sim, uint64_t job_id)
{
    char path[4096];

    if (sim->work_dir != NULL) {
        (void)snprintf(path, sizeof(path), "%s/sim-%" PRIu64 ".json", sim->work_dir, job_id);
        (void)remove(path);
    }
}

static int move_now(struct request *request, struct hs_machine *ret_left,
                    struct hs_sim_machine **ret_there, struct hs_err *err)
{
    struct compute_sim *sim = request->sim;
    struct hs_sim_machine *machine = NULL;
    struct hs_sim_machine *old = machine_find(request->to, request->job_id);
    enum hs_machine_state state;
    int rc = find_ours(request, &machine, err);

    if (rc == 0 && old != NULL && !old->over) {
        rc = hs_err_set(err, HS_E_CONFLICT, "sim:", "another machine is named '%s'",
                        old->shown.name);
    }
    if (rc != 0) {
        return rc;
    }
    if (old != NULL) { /* its log of an earlier stay */
        machine_remove(request->to, old);
    }
    machine_touch(sim, machine);
    *ret_there = machine_add(request->to, machine);
    *ret_left = machine->shown;
    ret_left->state = HS_MACHINE_SHUT_OFF;
    /* as a hypervisor does it: it arrives paused, leaves, and goes on; whoever dies in between
     * finds it on both, not on none, and never running twice */
    state = machine->shown.state;
    machine_set_state(request->to, *ret_there, HS_MACHINE_PAUSED);
    forget_file(sim, request->job_id);
    machine_remove(sim, machine);
    if (state != HS_MACHINE_PAUSED) {
        machine_set_state(request->to, *ret_there, state);
    }
    return 0;
}

static void move_answer(bool cancelled, void *arg)
{
    HS_AUTO_MEM struct request *request = arg;
    struct compute_sim *sim = request->sim;
    struct compute_sim *to = request->to;
    struct hs_sim_machine *there = NULL;
    struct hs_machine left;
    struct hs_err err = {0};
    int rc = cancelled ? request_cancel(&err) : move_now(request, &left, &there, &err);

    request->done(rc, rc < 0 ? &err : NULL, request->arg);
    if (rc == 0) {
        if (sim->listener.changed != NULL) {
            sim->listener.changed(sim->listener.arg, sim->base.host_idx, &left);
        }
        tell_changed(to, there);
    }
}

static void compute_sim_move(struct hs_compute *compute, uint64_t job_id, struct hs_compute *to,
                             hs_compute_done_fn *done, void *arg)
{
    struct request *request = request_new(compute, job_id, arg);

    request->to = (struct compute_sim *)to;
    request->done = done;
    hs_answers_add(&request->sim->answers, move_answer, request);
}

static void throttle_answer(bool cancelled, void *arg)
{
    HS_AUTO_MEM struct request *request = arg;
    struct hs_sim_machine *machine = NULL;
    struct hs_err err = {0};
    int rc = cancelled ? request_cancel(&err) : find_ours(request, &machine, &err);

    if (rc == 0) {
        machine_touch(request->sim, machine);
        machine->share = request->share;
        machine_set_state(request->sim, machine, machine->shown.state);
    }
    request->done(rc, rc < 0 ? &err : NULL, request->arg);
}

static void compute_sim_throttle(struct hs_compute *compute, uint64_t job_id, double share,
                                 hs_compute_done_fn *done, void *arg)
{
    struct request *request = request_new(compute, job_id, arg);

    request->share = share;
    request->done = done;
    hs_answers_add(&request->sim->answers, throttle_answer, request);
}

static void list_answer(bool cancelled, void *arg)
{
    HS_AUTO_MEM struct request *request = arg;
    struct compute_sim *sim = request->sim;
    HS_AUTO_MEM struct hs_machine *shown = NULL;
    struct hs_err err = {0};
    size_t n = 0;

    if (cancelled) {
        request->list_done(request_cancel(&err), &err, NULL, 0, request->arg);
        return;
    }
    shown = hs_xcalloc(sim->machines.n, sizeof(*shown));
    for (size_t i = 0; i < sim->machines.n; i++) {
        struct hs_sim_machine *machine = sim->machines.items[i];

        if (!machine->over) {
            machine_touch(sim, machine);
            shown[n++] = machine->shown;
        }
    }
    request->list_done(0, NULL, shown, n, request->arg);
}

static void compute_sim_list(struct hs_compute *compute, hs_compute_list_fn *done, void *arg)
{
    struct request *request = request_new(compute, 0, arg);

    request->list_done = done;
    hs_answers_add(&request->sim->answers, list_answer, request);
}

static void log_answer(bool cancelled, void *arg)
{
    HS_AUTO_MEM struct request *request = arg;
    struct compute_sim *sim = request->sim;
    struct hs_sim_machine *machine = cancelled ? NULL : machine_find(sim, request->job_id);
    struct hs_err err = {0};
    char text[160];
    size_t n_bytes;
    size_t n_cut;

    if (machine == NULL || machine->shown.job_id == 0) {
        int rc = cancelled ? request_cancel(&err)
                           : hs_err_set(&err, HS_E_NOTFOUND, "sim:", "no console of job %" PRIu64,
                                        request->job_id);

        request->text_done(rc, &err, NULL, 0, request->arg);
        return;
    }
    if (!machine->over) {
        machine_touch(sim, machine);
    }
    n_bytes = (size_t)snprintf(text, sizeof(text), "simulated job %" PRIu64 " %s %.0f s\n",
                               request->job_id, machine->over ? "ran" : "is running, so far",
                               machine->ran_s);
    n_cut = n_bytes > request->n_max_bytes ? n_bytes - request->n_max_bytes : 0;
    request->text_done(0, NULL, text + n_cut, n_bytes - n_cut, request->arg);
}

static void compute_sim_log(struct hs_compute *compute, uint64_t job_id, size_t n_max_bytes,
                            hs_compute_text_fn *done, void *arg)
{
    struct request *request = request_new(compute, job_id, arg);

    request->n_max_bytes = n_max_bytes;
    request->text_done = done;
    hs_answers_add(&request->sim->answers, log_answer, request);
}

static void collect_answer(bool cancelled, void *arg)
{
    HS_AUTO_MEM struct request *request = arg;
    struct hs_sim_machine *machine = cancelled ? NULL : machine_find(request->sim, request->job_id);
    struct hs_machine_end end = {.job_id = request->job_id};
    struct hs_err err = {0};
    int rc = 0;

    if (cancelled) {
        rc = request_cancel(&err);
    } else if (machine == NULL || machine->shown.job_id == 0) {
        rc = hs_err_set(&err, HS_E_NOTFOUND, "sim:", "job %" PRIu64 " never ran here",
                        request->job_id);
    } else if (!machine->over) {
        rc = hs_err_set(&err, HS_E_CONFLICT, "sim:", "machine '%s' is still there",
                        machine->shown.name);
    } else {
        end.has_exit_status = machine->has_exit_status;
        end.exit_status = machine->has_exit_status ? machine->exit_status : 0;
    }
    request->end_done(rc, rc < 0 ? &err : NULL, rc < 0 ? NULL : &end, request->arg);
}

static void compute_sim_collect(struct hs_compute *compute, uint64_t job_id,
                                hs_compute_end_fn *done, void *arg)
{
    struct request *request = request_new(compute, job_id, arg);

    request->end_done = done;
    hs_answers_add(&request->sim->answers, collect_answer, request);
}

static void clean_answer(bool cancelled, void *arg)
{
    HS_AUTO_MEM struct request *request = arg;
    struct compute_sim *sim = request->sim;
    struct hs_sim_machine *machine = cancelled ? NULL : machine_find(sim, request->job_id);
    struct hs_err err = {0};

    if (cancelled) {
        request->done(request_cancel(&err), &err, request->arg);
        return;
    }
    if (machine != NULL && !machine->over) {
        int rc = hs_err_set(&err, HS_E_CONFLICT, "sim:", "machine '%s' is still there",
                            machine->shown.name);

        request->done(rc, &err, request->arg);
        return;
    }
    if (machine != NULL) {
        forget_file(sim, request->job_id);
        machine_remove(sim, machine);
    }
    request->done(0, NULL, request->arg);
}

static void compute_sim_clean(struct hs_compute *compute, uint64_t job_id, hs_compute_done_fn *done,
                              void *arg)
{
    struct request *request = request_new(compute, job_id, arg);

    request->done = done;
    hs_answers_add(&request->sim->answers, clean_answer, request);
}

/* --- life --- */

static void link_answer(bool cancelled, void *arg)
{
    struct compute_sim *sim = arg;

    if (!cancelled && sim->listener.link != NULL) {
        sim->listener.link(sim->listener.arg, sim->base.host_idx, true, "");
    }
}

static void machine_load(struct compute_sim *sim, const char *path)
{
    struct hs_sim_machine kept;
    struct hs_sim_machine *machine;
    double mono_s = hs_clock_mono_s(sim->clock);

    if (hs_sim_machine_read(path, &kept, NULL) < 0) {
        return;
    }
    if (kept.since_mono_s > mono_s && !kept.over) {
        /* the monotonic clock went back: the computer was booted and took the machine along */
        kept.over = true;
        kept.has_exit_status = false;
        kept.shown.state = HS_MACHINE_SHUT_OFF;
    }
    machine = machine_add(sim, &kept);
    machine_touch(sim, machine);
    if (!machine->over && machine->ran_s >= machine->need_s) {
        machine->over = true;
        machine->has_exit_status = true;
        machine->shown.state = HS_MACHINE_SHUT_OFF;
    }
    machine_set_state(sim, machine, machine->shown.state);
}

static void load_all(struct compute_sim *sim)
{
    DIR *dir = opendir(sim->work_dir);
    struct dirent *entry;
    char path[4096];

    if (dir == NULL) {
        return;
    }
    while ((entry = readdir(dir)) != NULL) {
        const char *dot = strrchr(entry->d_name, '.');

        if (strncmp(entry->d_name, "sim-", 4) == 0 && dot != NULL && strcmp(dot, ".json") == 0
            && (size_t)snprintf(path, sizeof(path), "%s/%s", sim->work_dir, entry->d_name)
                   < sizeof(path)) {
            machine_load(sim, path);
        }
    }
    (void)closedir(dir);
}

static int compute_sim_new(const struct hs_compute_options *options,
                           struct hs_compute **ret_compute, struct hs_err *err)
{
    struct compute_sim *sim = hs_xcalloc(1, sizeof(*sim));

    sim->base.ops = &hs_compute_sim_ops;
    sim->base.host_idx = options->host_idx;
    sim->executor = options->executor;
    sim->clock = options->clock;
    sim->listener = options->listener;
    sim->work_dir = hs_xstrdup(options->work_dir);
    hs_answers_init(&sim->answers, options->executor);
    if (sim->work_dir != NULL) {
        load_all(sim);
    }
    hs_answers_add(&sim->answers, link_answer, sim);
    *ret_compute = &sim->base;
    return 0;
}

static void compute_sim_destroy(struct hs_compute *compute)
{
    struct compute_sim *sim = (struct compute_sim *)compute;

    hs_answers_fini(&sim->answers);
    for (size_t i = 0; i < sim->machines.n; i++) {
        machine_free(sim, sim->machines.items[i]);
    }
    HS_VEC_FINI(&sim->machines);
    free(sim->work_dir);
    free(sim);
}

void hs_compute_sim_add_foreign(struct hs_compute *compute, const char *name, uint32_t vcpus,
                                uint64_t memory_mib)
{
    struct compute_sim *sim = (struct compute_sim *)compute;
    struct hs_sim_machine first = {
        .shown = {.state = HS_MACHINE_RUNNING, .vcpus = vcpus, .memory_mib = memory_mib},
        .need_s = INFINITY,
        .share = 1.0,
        .since_mono_s = hs_clock_mono_s(sim->clock)};

    (void)snprintf(first.shown.name, sizeof(first.shown.name), "%s", name);
    (void)snprintf(first.shown.uuid, sizeof(first.shown.uuid), "ffffffff-0000-4000-8000-%012zx",
                   sim->machines.n);
    (void)machine_add(sim, &first);
}

void hs_compute_sim_add_need(struct hs_compute *compute, uint64_t job_id, double more_s)
{
    struct compute_sim *sim = (struct compute_sim *)compute;
    struct hs_sim_machine *machine = machine_find(sim, job_id);

    if (machine != NULL && !machine->over && machine->shown.job_id == job_id && more_s > 0) {
        machine->need_s += more_s;
        machine_set_state(sim, machine, machine->shown.state);
    }
}

const struct hs_compute_ops hs_compute_sim_ops = {
    .name = "sim",
    .summary = "machines that only run down a clock, in plan time",
    .uri_prefix = "sim:",
    .new = compute_sim_new,
    .list = compute_sim_list,
    .create = compute_sim_create,
    .act = compute_sim_act,
    .move = compute_sim_move,
    .throttle = compute_sim_throttle,
    .log = compute_sim_log,
    .collect = compute_sim_collect,
    .clean = compute_sim_clean,
    .destroy = compute_sim_destroy,
};
