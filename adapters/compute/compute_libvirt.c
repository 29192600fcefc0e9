/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compute_libvirt - any libvirt host behind the compute port.
 *
 * Two lanes: calls into libvirt (libvirt_link) and reads of the jobs' files, so that a log can
 * be read while libvirtd hangs. Here is only the executor's side: requests go out, answers and
 * events come in, and known_machines puts them in order, so that each end is told once:
 *
 *   create -> (known, creating) -> answered -> (known, sure) -> stop event, or a list without
 *   it -> read the exit file -> listener.ended
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "adapters/compute/compute_libvirt_priv.h"
#include "adapters/compute/libvirt_move.h"
#include "adapters/compute/libvirt_request.h"
#include "scheduler/base/mem.h"

#define CALL_DEADLINE_S 10.0

/* --- telling --- */

void hs_compute_libvirt_tell_changed(struct compute_libvirt *lv, const struct hs_machine *machine)
{
    struct hs_machine told = *machine; /* the owner may call back in and move our tables */

    if (lv->options.listener.changed != NULL) {
        lv->options.listener.changed(lv->options.listener.arg, lv->base.host_idx, &told);
    }
}

/** The host's name in front of what went wrong, once. */
static const struct hs_err *name_host(const struct compute_libvirt *lv, const struct hs_err *err,
                                      struct hs_err *ret_err)
{
    if (err == NULL) {
        return NULL;
    }
    *ret_err = *err;
    if (ret_err->where[0] == '\0') {
        (void)snprintf(ret_err->where, sizeof(ret_err->where), "%.63s", lv->options.host->path);
    }
    return ret_err;
}

/* --- requests --- */

static struct hs_libvirt_request *request_new(struct hs_compute *compute, uint64_t job_id,
                                              void *arg)
{
    struct compute_libvirt *lv = (struct compute_libvirt *)compute;
    struct hs_libvirt_request *request = hs_xcalloc(1, sizeof(*request));

    request->owner = lv;
    request->job_id = job_id;
    request->arg = arg;
    request->uri = lv->uri;
    (void)snprintf(request->store_id, sizeof(request->store_id), "%s",
                   lv->options.store_id != NULL ? lv->options.store_id : "");
    /* the length of work_dir was checked when the host was opened */
    (void)hs_job_files_find(lv->work_dir, job_id, &request->files, NULL);
    return request;
}

static void request_answer(int rc, const struct hs_err *err, void *arg)
{
    struct hs_libvirt_request *request = arg;
    struct hs_err named;

    err = name_host(request->owner, err, &named);
    if (request->done != NULL) {
        request->done(rc, err, request->arg);
    } else if (request->text_done != NULL) {
        request->text_done(rc, err, rc == 0 ? request->text : NULL, rc == 0 ? request->n_bytes : 0,
                           request->arg);
    } else if (request->end_done != NULL) {
        request->end_done(rc, err, rc == 0 ? &request->end : NULL, request->arg);
    } else if (request->list_done != NULL) {
        request->list_done(rc, err, rc == 0 ? request->machines.items : NULL,
                           rc == 0 ? request->machines.n : 0, request->arg);
    }
}

static void refused_answer(bool cancelled, void *arg)
{
    struct hs_libvirt_request *request = arg;

    request_answer(request->rc, &request->err, request);
    hs_libvirt_request_free(request);
}

/** Answer without asking the host. @return -kind, as hs_err_set() */
static void refuse(struct hs_libvirt_request *request, int rc)
{
    request->rc = rc;
    hs_answers_add(&request->owner->answers, refused_answer, request);
}

static void send(struct hs_libvirt_request *request, hs_libvirt_link_work_fn *work,
                 hs_lane_call_done_fn *done)
{
    if (!hs_libvirt_link_call(request->owner->link, work, done, hs_libvirt_request_free, request)) {
        refuse(request, hs_err_set(&request->err, HS_E_UNAVAILABLE, NULL, "the link is down"));
    }
}

/* --- ends --- */

static void end_done(int rc, const struct hs_err *err, void *arg)
{
    struct hs_libvirt_request *request = arg;
    struct hs_compute_listener *listener = &request->owner->options.listener;
    struct hs_machine_end end = {.job_id = request->job_id};

    if (rc == -HS_E_CONFLICT) {
        return; /* it was to come from another host and never ran here */
    }
    if (rc == -HS_E_UNAVAILABLE || rc == -HS_E_TIMEOUT) {
        return; /* closed, or the files cannot be read now: hs_compute_collect() is asked later */
    }
    if (rc == 0) {
        end = request->end;
    }
    if ((request->is_told_always || end.has_exit_status) && listener->ended != NULL) {
        listener->ended(listener->arg, request->owner->base.host_idx, &end);
    }
}

/** A machine of ours is no longer there: tell so, then how it ended. Removes @known. */
static void machine_gone(struct compute_libvirt *lv, struct hs_known_machine *known)
{
    struct hs_machine machine = known->machine;
    struct hs_libvirt_request *request = request_new(&lv->base, machine.job_id, NULL);

    request->is_told_always = known->is_sure;
    hs_known_machines_set_stopped(&lv->known, machine.uuid, true);
    hs_known_machines_remove(&lv->known, known);
    hs_lane_calls_add(&lv->files, hs_libvirt_request_read_end, end_done, hs_libvirt_request_free,
                      request);
    machine.state = HS_MACHINE_SHUT_OFF;
    hs_compute_libvirt_tell_changed(lv, &machine);
}

/* --- list --- */

static bool list_has(const struct hs_machine_list *list, const char *uuid)
{
    for (size_t i = 0; i < list->n; i++) {
        if (list->items[i].state != HS_MACHINE_SHUT_OFF && strcmp(list->items[i].uuid, uuid) == 0) {
            return true;
        }
    }
    return false;
}

/** Learn from a complete list: what is new, and what is no longer there. */
static void list_learn(struct compute_libvirt *lv, struct hs_machine_list *list)
{
    size_t i = 0;

    while (i < list->n) {
        const struct hs_machine *machine = &list->items[i];
        struct hs_known_machine *known = NULL;

        if (machine->job_id != 0 && machine->state != HS_MACHINE_SHUT_OFF) {
            known = hs_known_machines_add(&lv->known, machine);
            if (known == NULL) {
                HS_VEC_SWAP_REMOVE(list, i); /* it stopped since the list was made */
                continue;
            }
            known->is_sure = true;
        }
        i++;
    }
    i = 0;
    while (i < lv->known.known.n) {
        struct hs_known_machine *known = &lv->known.known.items[i];

        if (known->is_creating || known->is_leaving || known->is_coming
            || list_has(list, known->machine.uuid)) {
            i++;
        } else {
            machine_gone(lv, known);
        }
    }
}

static void list_done(int rc, const struct hs_err *err, void *arg)
{
    struct hs_libvirt_request *request = arg;

    if (rc == 0) {
        list_learn(request->owner, &request->machines);
    }
    request_answer(rc, err, request);
}

static void compute_libvirt_list(struct hs_compute *compute, hs_compute_list_fn *done, void *arg)
{
    struct hs_libvirt_request *request = request_new(compute, 0, arg);

    request->list_done = done;
    send(request, hs_libvirt_request_list, list_done);
}

/** Our own look when the link is up: whatever happened while it was down. */
static void resync_done(int rc, const struct hs_err *err, void *arg)
{
    struct hs_libvirt_request *request = arg;

    if (rc < 0) {
        return;
    }
    list_learn(request->owner, &request->machines);
    for (size_t i = 0; i < request->machines.n; i++) {
        hs_compute_libvirt_tell_changed(request->owner, &request->machines.items[i]);
    }
}

/* --- events --- */

static void find_done(int rc, const struct hs_err *err, void *arg)
{
    struct hs_libvirt_request *request = arg;
    struct compute_libvirt *lv = request->owner;
    struct hs_known_machine *known = NULL;

    if (rc == -HS_E_NOTFOUND) {
        /* libvirtd loses the stop event of a guest that quits while it is starting itself */
        known = hs_known_machines_find(&lv->known, request->uuid);
        if (known != NULL && !known->is_creating && !known->is_leaving && !known->is_coming) {
            machine_gone(lv, known);
        }
    }
    if (rc < 0 || hs_known_machines_check_stopped(&lv->known, request->machine.uuid)) {
        return;
    }
    if (request->machine.job_id != 0 && request->machine.state != HS_MACHINE_SHUT_OFF) {
        known = hs_known_machines_add(&lv->known, &request->machine);
        if (known != NULL) {
            known->is_sure = true;
        }
    }
    hs_compute_libvirt_tell_changed(lv, &request->machine);
}

/** It goes on elsewhere, by a move that nobody here waits for: it has not ended. */
static void machine_left(struct compute_libvirt *lv, struct hs_known_machine *known)
{
    struct hs_machine machine = known->machine;

    hs_known_machines_set_stopped(&lv->known, machine.uuid, true);
    hs_known_machines_remove(&lv->known, known);
    machine.state = HS_MACHINE_SHUT_OFF;
    hs_compute_libvirt_tell_changed(lv, &machine);
}

static void stopped(struct compute_libvirt *lv, const struct hs_libvirt_event *event)
{
    struct hs_known_machine *known = hs_known_machines_find(&lv->known, event->uuid);
    struct hs_machine machine = {.state = HS_MACHINE_SHUT_OFF, .cpu_s = NAN};
    bool is_moved = event->detail == VIR_DOMAIN_EVENT_STOPPED_MIGRATED;

    if (known != NULL && (known->is_coming || (known->is_leaving && is_moved))) {
        return; /* the move tells */
    }
    if (known != NULL && is_moved) {
        machine_left(lv, known);
        return;
    }
    if (known != NULL) {
        known->is_sure = true;
        if (known->is_creating) {
            known->is_stopped = true; /* its create is answered first */
        } else {
            machine_gone(lv, known);
        }
        return;
    }
    if (hs_known_machines_check_stopped(&lv->known, event->uuid)) {
        return; /* told already */
    }
    (void)snprintf(machine.name, sizeof(machine.name), "%s", event->name);
    (void)snprintf(machine.uuid, sizeof(machine.uuid), "%s", event->uuid);
    hs_compute_libvirt_tell_changed(lv, &machine);
}

static void on_event(const struct hs_libvirt_event *event, void *arg)
{
    struct compute_libvirt *lv = arg;
    struct hs_libvirt_request *request;

    /* undefined is not stopped: what runs without a definition is still there, and is looked at */
    if (event->event == VIR_DOMAIN_EVENT_STOPPED) {
        stopped(lv, event);
        return;
    }
    if (event->event == VIR_DOMAIN_EVENT_STARTED) {
        hs_known_machines_set_stopped(&lv->known, event->uuid, false);
    }
    request = request_new(&lv->base, 0, NULL);
    (void)snprintf(request->uuid, sizeof(request->uuid), "%s", event->uuid);
    send(request, hs_libvirt_request_find, find_done);
}

static void on_state(bool is_up, const char *text, void *arg)
{
    struct compute_libvirt *lv = arg;

    if (is_up) {
        send(request_new(&lv->base, 0, NULL), hs_libvirt_request_list, resync_done);
    }
    if (lv->options.listener.link != NULL) {
        lv->options.listener.link(lv->options.listener.arg, lv->base.host_idx, is_up, text);
    }
}

/* --- create --- */

static void create_done(int rc, const struct hs_err *err, void *arg)
{
    struct hs_libvirt_request *request = arg;
    struct compute_libvirt *lv = request->owner;
    struct hs_known_machine *known = hs_known_machines_find(&lv->known, request->uuid);
    bool is_over = rc == 0 && request->is_over;

    if (known != NULL) {
        known->is_creating = false;
        if (rc == 0 && !is_over) {
            known->machine = request->machine;
        }
        known->is_sure = known->is_sure || rc == 0;
        is_over = is_over || known->is_stopped;
        if (rc < 0 && rc != -HS_E_TIMEOUT && !known->is_sure) {
            hs_known_machines_remove(&lv->known, known);
        }
    }
    request_answer(rc, err, request);
    if (rc == -HS_E_UNAVAILABLE) {
        return; /* perhaps being closed: look no further */
    }
    known = hs_known_machines_find_job(&lv->known, request->job_id);
    if (known != NULL && is_over) {
        machine_gone(lv, known);
    } else if (known != NULL && rc == 0) {
        hs_compute_libvirt_tell_changed(lv, &known->machine);
    }
}

static const struct hs_image *image_find(const struct compute_libvirt *lv, const char *name)
{
    if (name == NULL || name[0] == '\0') {
        return lv->options.n_images == 1 ? &lv->options.images[0] : NULL;
    }
    for (size_t i = 0; i < lv->options.n_images; i++) {
        if (strcmp(lv->options.images[i].name, name) == 0) {
            return &lv->options.images[i];
        }
    }
    return NULL;
}

/** A random uuid (RFC 4122, version 4). */
static void uuid_make(char *ret_uuid, size_t size)
{
    unsigned char b[16];

    if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b)) {
        abort(); /* cannot happen for 16 bytes once the system is up */
    }
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    (void)snprintf(ret_uuid, size,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                   b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
                   b[14], b[15]);
}

/** Remember before the call what may come of it; a repeated create keeps the first uuid. */
static void create_note(struct compute_libvirt *lv, struct hs_libvirt_request *request,
                        const struct hs_machine_spec *spec)
{
    struct hs_known_machine *known = hs_known_machines_find_job(&lv->known, spec->job_id);
    struct hs_machine machine = {.state = HS_MACHINE_UNKNOWN,
                                 .vcpus = spec->vcpus,
                                 .memory_mib = spec->memory_mib,
                                 .cpu_s = NAN,
                                 .job_id = spec->job_id,
                                 .epoch = spec->epoch};

    if (known != NULL) {
        request->is_repeat = true;
        known->is_creating = true; /* a list from before it must not tell that it is gone */
        (void)snprintf(request->uuid, sizeof(request->uuid), "%s", known->machine.uuid);
        return;
    }
    uuid_make(request->uuid, sizeof(request->uuid));
    (void)snprintf(machine.name, sizeof(machine.name), "hs-%" PRIu64, spec->job_id);
    (void)snprintf(machine.uuid, sizeof(machine.uuid), "%s", request->uuid);
    known = hs_known_machines_add(&lv->known, &machine);
    if (known != NULL) {
        known->is_creating = true;
    }
}

static void compute_libvirt_create(struct hs_compute *compute, const struct hs_machine_spec *spec,
                                   hs_compute_done_fn *done, void *arg)
{
    struct compute_libvirt *lv = (struct compute_libvirt *)compute;
    struct hs_libvirt_request *request = request_new(compute, spec->job_id, arg);
    const struct hs_image *image = image_find(lv, spec->image);

    request->done = done;
    if (image == NULL) {
        refuse(request, hs_err_set(&request->err, HS_E_NOTFOUND, NULL, "no image '%s'",
                                   spec->image != NULL ? spec->image : ""));
        return;
    }
    if (!lv->uri.is_local) {
        refuse(request, hs_err_set(&request->err, HS_E_UNSUPPORTED, NULL,
                                   "jobs run on hosts reached by a local socket only, not '%s'",
                                   lv->options.host->uri));
        return;
    }
    hs_libvirt_request_set_spec(request, spec, image);
    create_note(lv, request, spec);
    if (!hs_libvirt_link_call(lv->link, hs_libvirt_request_create, create_done,
                              hs_libvirt_request_free, request)) {
        struct hs_known_machine *known = hs_known_machines_find(&lv->known, request->uuid);

        if (known != NULL && request->is_repeat) {
            known->is_creating = false;
        } else if (known != NULL) {
            hs_known_machines_remove(&lv->known, known);
        }
        refuse(request, hs_err_set(&request->err, HS_E_UNAVAILABLE, NULL, "the link is down"));
    }
}

/* --- the rest of the port --- */

static void act_done(int rc, const struct hs_err *err, void *arg)
{
    struct hs_libvirt_request *request = arg;
    struct compute_libvirt *lv = request->owner;
    struct hs_known_machine *known;
    bool is_gone = rc == -HS_E_NOTFOUND || (rc == 0 && request->is_over);

    request_answer(rc, err, request);
    known = is_gone ? hs_known_machines_find_job(&lv->known, request->job_id) : NULL;
    if (known != NULL && !known->is_creating) {
        machine_gone(lv, known);
    }
}

static void compute_libvirt_act(struct hs_compute *compute, uint64_t job_id,
                                enum hs_action_kind kind, hs_compute_done_fn *done, void *arg)
{
    struct hs_libvirt_request *request = request_new(compute, job_id, arg);

    request->action = kind;
    request->done = done;
    send(request, hs_libvirt_request_act, act_done);
}

/** Jobs run on hosts of this machine only (create), of drivers that can move at all. */
static bool compute_libvirt_can_move(const char *from_uri, const char *to_uri)
{
    const char *const uris[] = {from_uri, to_uri};

    for (size_t i = 0; i < 2; i++) {
        struct hs_libvirt_uri uri;

        if (strncmp(uris[i], "qemu", 4) != 0 || hs_libvirt_uri_parse(uris[i], &uri, NULL) < 0
            || !uri.is_local) {
            return false;
        }
    }
    return strcmp(from_uri, to_uri) != 0;
}

static void compute_libvirt_move(struct hs_compute *compute, uint64_t job_id, struct hs_compute *to,
                                 hs_compute_done_fn *done, void *arg)
{
    hs_libvirt_move_start((struct compute_libvirt *)compute, job_id, (struct compute_libvirt *)to,
                          done, arg);
}

/** Quotas need control groups, which only the system's own QEMU driver has. */
static bool compute_libvirt_can_throttle(const char *uri)
{
    return strncmp(uri, "qemu", 4) == 0 && strstr(uri, "/system") != NULL;
}

static void compute_libvirt_throttle(struct hs_compute *compute, uint64_t job_id, double share,
                                     hs_compute_done_fn *done, void *arg)
{
    struct hs_libvirt_request *request = request_new(compute, job_id, arg);

    request->share = share;
    request->done = done;
    send(request, hs_libvirt_request_throttle, act_done);
}

static void compute_libvirt_collect(struct hs_compute *compute, uint64_t job_id,
                                    hs_compute_end_fn *done, void *arg)
{
    struct hs_libvirt_request *request = request_new(compute, job_id, arg);

    request->end_done = done;
    send(request, hs_libvirt_request_collect, request_answer);
}

static void compute_libvirt_log(struct hs_compute *compute, uint64_t job_id, size_t n_max_bytes,
                                hs_compute_text_fn *done, void *arg)
{
    struct hs_libvirt_request *request = request_new(compute, job_id, arg);

    request->n_max_bytes = n_max_bytes;
    request->text_done = done;
    hs_lane_calls_add(&request->owner->files, hs_libvirt_request_read_log, request_answer,
                      hs_libvirt_request_free, request);
}

static void compute_libvirt_clean(struct hs_compute *compute, uint64_t job_id,
                                  hs_compute_done_fn *done, void *arg)
{
    struct hs_libvirt_request *request = request_new(compute, job_id, arg);

    request->done = done;
    if (hs_known_machines_find_job(&request->owner->known, job_id) != NULL) {
        refuse(request, hs_err_set(&request->err, HS_E_CONFLICT, NULL,
                                   "machine 'hs-%" PRIu64 "' is still there", job_id));
        return;
    }
    hs_lane_calls_add(&request->owner->files, hs_libvirt_request_clean, request_answer,
                      hs_libvirt_request_free, request);
}

static int compute_libvirt_new(const struct hs_compute_options *options,
                               struct hs_compute **ret_compute, struct hs_err *err)
{
    struct hs_libvirt_uri uri;
    struct hs_job_files files;
    struct compute_libvirt *lv;
    HS_AUTO_MEM char *work_dir = NULL;
    int rc = hs_libvirt_uri_parse(options->host->uri, &uri, err);

    if (rc == 0 && options->work_dir == NULL) {
        rc = hs_err_set(err, HS_E_INVALID, options->host->path, "has no work_dir for its jobs");
    }
    if (rc == 0) {
        /* libvirt takes absolute paths only */
        work_dir = realpath(options->work_dir, NULL);
        rc = work_dir == NULL ? hs_err_set(err, HS_E_INVALID, options->host->path,
                                           "work_dir '%s': %s", options->work_dir, strerror(errno))
                              : hs_job_files_find(work_dir, 1, &files, err);
    }
    if (rc < 0) {
        return rc;
    }
    lv = hs_xcalloc(1, sizeof(*lv));
    lv->base.ops = &hs_compute_libvirt_ops;
    lv->base.host_idx = options->host_idx;
    lv->options = *options;
    lv->uri = uri;
    lv->work_dir = HS_STEAL(work_dir);
    lv->options.work_dir = lv->work_dir;
    if (!(lv->options.call_deadline_s > 0)) {
        lv->options.call_deadline_s = CALL_DEADLINE_S;
    }
    hs_answers_init(&lv->answers, options->executor);
    hs_lane_calls_init(&lv->files, options->executor, "files", lv->options.call_deadline_s);
    lv->link = hs_libvirt_link_new(
        &(struct hs_libvirt_link_options){.executor = options->executor,
                                          .uri = options->host->uri,
                                          .deadline_s = lv->options.call_deadline_s,
                                          .state = on_state,
                                          .event = on_event,
                                          .arg = lv});
    *ret_compute = &lv->base;
    return 0;
}

static void compute_libvirt_destroy(struct hs_compute *compute)
{
    struct compute_libvirt *lv = (struct compute_libvirt *)compute;

    hs_libvirt_move_close(lv);
    hs_libvirt_link_free(lv->link);
    hs_lane_calls_fini(&lv->files);
    hs_answers_fini(&lv->answers);
    hs_known_machines_fini(&lv->known);
    free(lv->work_dir);
    free(lv);
}

const struct hs_compute_ops hs_compute_libvirt_ops = {
    .name = "libvirt",
    .summary = "virtual machines on any libvirt host",
    .uri_prefix = "",
    .settle_s = 5.0, /* libvirtd goes on with what it has read; a machine is made in 0.5 s */
    .new = compute_libvirt_new,
    .list = compute_libvirt_list,
    .create = compute_libvirt_create,
    .act = compute_libvirt_act,
    .can_move = compute_libvirt_can_move,
    .move = compute_libvirt_move,
    .can_throttle = compute_libvirt_can_throttle,
    .throttle = compute_libvirt_throttle,
    .log = compute_libvirt_log,
    .collect = compute_libvirt_collect,
    .clean = compute_libvirt_clean,
    .destroy = compute_libvirt_destroy,
};
