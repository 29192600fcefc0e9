/* SPDX-License-Identifier: Apache-2.0 */
/* libvirt_move - see libvirt_move.h. */
#include "adapters/compute/libvirt_move.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "adapters/compute/libvirt_migrate.h"
#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"
#include "scheduler/model/movetable.h"

#define DEADLINE_MIN_S 10.0 /* of a move, real */
#define SLOW_MIB_PER_S 32.0 /* what a network is thought to carry where no bandwidth is set */
#define TIMES_MEMORY   2.0  /* a guest writes to its memory while that is sent */
#define STOP_AGAIN_S   3.0  /* between tries to break a move off */
/* After its deadline, for what cannot be broken off: a source that waits for a destination's last
 * word gives up after libvirt's own keepalive of 5 s, 5 times over. */
#define LAST_WORD_S 45.0

struct hs_libvirt_move {
    LIST_ENTRY(hs_libvirt_move) out; /* of from */
    LIST_ENTRY(hs_libvirt_move) in;  /* of to */
    struct compute_libvirt *from;    /* NULL once over */
    struct compute_libvirt *to;
    uint64_t job_id;
    struct hs_machine machine; /* as it was at the source */
    struct hs_timer *timer;
    size_t n_refs; /* itself and its steps */
    size_t n_looks;
    enum hs_move_side here;
    enum hs_move_side there;
    struct hs_machine arrived;
    int rc; /* of the migration */
    struct hs_err err;
    hs_compute_done_fn *done;
    void *arg;
};

/** One blocking call on its way, with copies of all it needs: it may outlive both hosts. */
struct step {
    struct hs_libvirt_move *move; /* executor's thread only */
    bool is_there;                /* at the destination */
    char store_id[HS_NAME_MAX];
    uint64_t job_id;
    enum hs_action_kind action;
    struct hs_job_files source;
    struct hs_job_files files; /* at the destination */
    struct hs_libvirt_uri uri; /* the destination's */
    char to_uri[HS_URI_MAX];
    char move_uri[HS_URI_MAX];
    double bandwidth_mib_per_s;
    struct hs_machine machine; /* looked at */
};

/* --- steps --- */

static void move_unref(struct hs_libvirt_move *move)
{
    if (--move->n_refs == 0) {
        free(move);
    }
}

static void step_release(void *arg)
{
    struct step *step = arg;

    move_unref(step->move);
    free(step);
}

static struct step *step_new(struct hs_libvirt_move *move, bool is_there)
{
    const struct compute_libvirt *from = move->from;
    const struct compute_libvirt *to = move->to;
    const struct hs_host *host = to->options.host;
    struct step *step = hs_xcalloc(1, sizeof(*step));

    step->move = move;
    move->n_refs++;
    step->is_there = is_there;
    step->job_id = move->job_id;
    step->uri = to->uri;
    step->bandwidth_mib_per_s = from->options.move_mib_per_s;
    (void)snprintf(step->store_id, sizeof(step->store_id), "%s",
                   from->options.store_id != NULL ? from->options.store_id : "");
    (void)snprintf(step->to_uri, sizeof(step->to_uri), "%s", host->uri);
    (void)snprintf(step->move_uri, sizeof(step->move_uri), "%s",
                   host->move_uri[0] != '\0' ? host->move_uri : "tcp://127.0.0.1");
    (void)hs_job_files_find(from->work_dir, move->job_id, &step->source, NULL);
    (void)hs_job_files_find(to->work_dir, move->job_id, &step->files, NULL);
    return step;
}

/** @return false, and nothing is done, while that side's link is down */
static bool step_send(struct step *step, hs_libvirt_link_work_fn *work, hs_lane_call_done_fn *done)
{
    struct compute_libvirt *lv = step->is_there ? step->move->to : step->move->from;

    if (!hs_libvirt_link_call(lv->link, work, done, step_release, step)) {
        step_release(step);
        return false;
    }
    return true;
}

static int look_work(virConnectPtr conn, void *arg, struct hs_err *err)
{
    struct step *step = arg;

    return hs_libvirt_host_look(conn, step->store_id, step->job_id, &step->machine, err);
}

static int prepare_work(virConnectPtr conn, void *arg, struct hs_err *err)
{
    struct step *step = arg;
    struct hs_job_files_owner owner;
    struct hs_machine machine;
    int rc = hs_libvirt_host_look(conn, step->store_id, step->job_id, &machine, err);

    if (rc != -HS_E_NOTFOUND) {
        return rc < 0 ? rc
                      : hs_err_set(err, HS_E_CONFLICT, NULL, "another machine is named '%s' there",
                                   machine.name);
    }
    hs_libvirt_uri_find_owner(&step->uri, &owner);
    return hs_job_files_make_for_move(&step->files, &step->source, &owner, err);
}

static int migrate_work(virConnectPtr conn, void *arg, struct hs_err *err)
{
    const struct step *step = arg;

    return hs_libvirt_migrate_start(
        conn,
        &(struct hs_libvirt_migrate){.job_id = step->job_id,
                                     .store_id = step->store_id,
                                     .from_dir = step->source.dir,
                                     .to_dir = step->files.dir,
                                     .to_uri = step->to_uri,
                                     .move_uri = step->move_uri,
                                     .bandwidth_mib_per_s = step->bandwidth_mib_per_s},
        err);
}

static int stop_work(virConnectPtr conn, void *arg, struct hs_err *err)
{
    const struct step *step = arg;

    return hs_libvirt_migrate_stop(conn, step->store_id, step->job_id, err);
}

/** It is there and nowhere else: its files are, and it goes on if it is to run. */
static int arrive_work(virConnectPtr conn, void *arg, struct hs_err *err)
{
    const struct step *step = arg;
    int rc = hs_job_files_take(&step->files, err);

    if (rc == 0 && step->action == HS_ACTION_RESUME) {
        rc = hs_libvirt_host_act(conn, step->store_id, step->job_id, step->action, err);
    }
    return rc;
}

/** It stays where it was: nothing of it is left there. */
static int clear_work(virConnectPtr conn, void *arg, struct hs_err *err)
{
    const struct step *step = arg;
    int rc = 0;

    if (step->action == HS_ACTION_DESTROY) {
        rc = hs_libvirt_host_act(conn, step->store_id, step->job_id, step->action, err);
    }
    return rc < 0 && rc != -HS_E_NOTFOUND ? rc : hs_job_files_remove(&step->files, err);
}

/* --- ends --- */

static void forget(struct compute_libvirt *lv, const char *uuid)
{
    struct hs_known_machine *known = hs_known_machines_find(&lv->known, uuid);

    if (known != NULL) {
        hs_known_machines_remove(&lv->known, known);
    }
}

static void set_moving(struct hs_libvirt_move *move, bool is_moving)
{
    struct hs_known_machine *here = hs_known_machines_find(&move->from->known, move->machine.uuid);
    struct hs_known_machine *there = hs_known_machines_find(&move->to->known, move->machine.uuid);

    if (here != NULL) {
        here->is_leaving = is_moving;
    }
    if (there != NULL) {
        there->is_coming = is_moving;
    }
}

/** Over for both hosts; its steps may still be on their way. */
static void move_close(struct hs_libvirt_move *move)
{
    LIST_REMOVE(move, out);
    LIST_REMOVE(move, in);
    hs_executor_timer_remove(move->from->options.executor, move->timer);
    move->timer = NULL;
    set_moving(move, false);
    move->from = NULL;
    move->to = NULL;
}

static void move_end(struct hs_libvirt_move *move, int rc, const struct hs_err *err)
{
    struct compute_libvirt *from = move->from;
    struct compute_libvirt *to = move->to;
    struct hs_err named = err != NULL ? *err : (struct hs_err){0};

    if (named.where[0] == '\0') {
        (void)snprintf(named.where, sizeof(named.where), "%.63s", from->options.host->path);
    }
    move_close(move);
    if (rc != 0) {
        forget(to, move->machine.uuid); /* what a listing shows there is learned anew */
    }
    move->done(rc, rc < 0 ? &named : NULL, move->arg);
    if (rc == 0) {
        struct hs_machine left = move->machine;

        left.state = HS_MACHINE_SHUT_OFF;
        hs_compute_libvirt_tell_changed(from, &left);
        hs_compute_libvirt_tell_changed(to, &move->arrived);
    }
    move_unref(move);
}

/** Nobody can say now where it is: people are not asked, both hosts are, later. */
static void move_end_unknown(struct hs_libvirt_move *move, const char *why)
{
    struct hs_err err = {0};
    int rc = hs_err_set(&err, HS_E_TIMEOUT, NULL, "outcome unknown, %s: %.120s", why,
                        move->rc < 0 ? move->err.text : "the host said yes");

    move_end(move, rc, &err);
}

/** It is where it was, as it was. */
static void move_end_failed(struct hs_libvirt_move *move)
{
    struct hs_err err = move->err;
    int rc = move->rc;

    if (rc == 0) {
        rc = hs_err_set(&err, HS_E_SYSTEM, NULL, "the host said yes, and it is where it was");
    } else if (hs_err_is_transient(rc)) {
        /* what was not known when it was said is known now */
        err.kind = HS_E_SYSTEM;
        rc = -HS_E_SYSTEM;
    }
    move_end(move, rc, &err);
}

static void move_end_arrived(struct hs_libvirt_move *move)
{
    struct hs_known_machine *there;

    forget(move->from, move->machine.uuid);
    hs_known_machines_set_stopped(&move->from->known, move->machine.uuid, true);
    hs_known_machines_set_stopped(&move->to->known, move->machine.uuid, false);
    there = hs_known_machines_add(&move->to->known, &move->arrived);
    if (there != NULL) {
        there->is_sure = true;
    }
    move_end(move, 0, NULL);
}

/* --- what the table says --- */

static void arrive_done(int rc, const struct hs_err *err, void *arg)
{
    struct step *step = arg;
    struct hs_libvirt_move *move = step->move;

    if (move->from == NULL) {
        return;
    }
    if (rc < 0) {
        move->rc = rc;
        move->err = *err;
        move_end_unknown(move, "it came and was not taken in");
        return;
    }
    move->arrived.state =
        step->action == HS_ACTION_RESUME ? HS_MACHINE_RUNNING : move->arrived.state;
    move_end_arrived(move);
}

static void clear_done(int rc, const struct hs_err *err, void *arg)
{
    struct hs_libvirt_move *move = ((struct step *)arg)->move;

    if (move->from == NULL) {
        return;
    }
    if (rc < 0) {
        move_end_unknown(move, "a copy may be left there");
    } else {
        move_end_failed(move);
    }
}

static void act_there(struct hs_libvirt_move *move, enum hs_action_kind action,
                      hs_libvirt_link_work_fn *work, hs_lane_call_done_fn *done)
{
    struct step *step = step_new(move, true);

    step->action = action;
    if (!step_send(step, work, done)) {
        move_end_unknown(move, "the destination is gone");
    }
}

static void decide(struct hs_libvirt_move *move)
{
    bool was_running = move->machine.state == HS_MACHINE_RUNNING;

    switch (hs_movetable_find(move->here, move->there, was_running)) {
    case HS_MOVE_RESUME:
        act_there(move, HS_ACTION_RESUME, arrive_work, arrive_done);
        return;
    case HS_MOVE_ARRIVED:
        act_there(move, HS_ACTION_MOVE, arrive_work, arrive_done);
        return;
    case HS_MOVE_CLEAR:
        act_there(move, HS_ACTION_DESTROY, clear_work, clear_done);
        return;
    case HS_MOVE_STAYS:
        if (move->there == HS_MOVE_NONE) {
            act_there(move, HS_ACTION_MOVE, clear_work, clear_done);
        } else {
            move_end_unknown(move, "the destination does not answer");
        }
        return;
    case HS_MOVE_WAIT:
        move_end_unknown(move, "a host does not answer");
        return;
    case HS_MOVE_ALARM:
        move_end_unknown(move, "it runs on both hosts");
        return;
    case HS_MOVE_LOST:
        move_end_unknown(move, "it is on neither host");
        return;
    }
}

/* --- look at both --- */

static void take_look(struct hs_libvirt_move *move, bool is_there, int rc,
                      const struct hs_machine *machine)
{
    enum hs_move_side side = HS_MOVE_SILENT;

    if (rc == 0) {
        /* a namesake is not it, and says nothing of where it is */
        side = machine->job_id == move->job_id ? hs_movetable_get_side(machine) : HS_MOVE_UNCLEAR;
    } else if (rc == -HS_E_NOTFOUND) {
        side = HS_MOVE_NONE;
    }
    if (is_there) {
        move->there = side;
        move->arrived = rc == 0 ? *machine : move->machine;
    } else {
        move->here = side;
    }
    if (--move->n_looks == 0) {
        decide(move);
    }
}

static void look_done(int rc, const struct hs_err *err, void *arg)
{
    struct step *step = arg;

    if (step->move->from != NULL) {
        take_look(step->move, step->is_there, rc, rc == 0 ? &step->machine : NULL);
    }
}

static void look_at_both(struct hs_libvirt_move *move)
{
    move->n_looks = 2;
    for (int is_there = 0; is_there < 2; is_there++) {
        if (!step_send(step_new(move, is_there == 1), look_work, look_done)) {
            take_look(move, is_there == 1, -HS_E_UNAVAILABLE, NULL);
        }
    }
}

/* --- migrate --- */

static void migrate_done(int rc, const struct hs_err *err, void *arg)
{
    struct hs_libvirt_move *move = ((struct step *)arg)->move;

    if (move->from == NULL) {
        return;
    }
    hs_executor_timer_set(move->from->options.executor, move->timer, -1);
    move->rc = rc;
    if (rc < 0) {
        move->err = *err;
    }
    if (rc == -HS_E_TIMEOUT) {
        move_end_unknown(move, "the move goes on"); /* so nothing that is seen now holds */
    } else {
        look_at_both(move);
    }
}

/** Success or not, the answer is migrate_done(). */
static void stop_done(int rc, const struct hs_err *err, void *arg)
{
    const struct hs_libvirt_move *move = ((struct step *)arg)->move;

    if (rc < 0 && move->from != NULL) {
        HS_LOG_DEBUG("compute", "job %" PRIu64 ": %s", move->job_id, err->text);
    }
}

static void on_deadline(void *arg)
{
    struct hs_libvirt_move *move = arg;

    (void)step_send(step_new(move, false), stop_work, stop_done);
    hs_executor_timer_set(move->from->options.executor, move->timer, STOP_AGAIN_S);
}

/** How long the move may take: sending its memory twice over is ample, or it will never end. */
static double get_deadline_s(const struct hs_libvirt_move *move)
{
    double mib_per_s = move->from->options.move_mib_per_s;

    return DEADLINE_MIN_S
           + TIMES_MEMORY * (double)move->machine.memory_mib
                 / (mib_per_s > 0 ? mib_per_s : SLOW_MIB_PER_S);
}

static void prepare_done(int rc, const struct hs_err *err, void *arg)
{
    struct hs_libvirt_move *move = ((struct step *)arg)->move;
    double deadline_s;
    struct step *step;

    if (move->from == NULL) {
        return;
    }
    if (rc == -HS_E_TIMEOUT) {
        struct hs_err none = {0};

        /* the machine itself was not touched, so its outcome is known */
        move_end(move, hs_err_set(&none, HS_E_UNAVAILABLE, NULL, "the destination does not answer"),
                 &none);
        return;
    }
    if (rc < 0) {
        move_end(move, rc, err);
        return;
    }
    deadline_s = get_deadline_s(move);
    step = step_new(move, false);
    if (!hs_libvirt_link_call_apart(move->from->link, deadline_s + LAST_WORD_S, migrate_work,
                                    migrate_done, step_release, step)) {
        step_release(step);
        move->rc = hs_err_set(&move->err, HS_E_UNAVAILABLE, NULL, "the link is down");
        move_end(move, move->rc, &move->err);
        return;
    }
    move->timer =
        hs_executor_timer_add(move->from->options.executor, deadline_s, on_deadline, move);
}

/* --- begin --- */

/** From now on its comings and goings are told by the end of the move, not by each host. */
static void note_moving(struct hs_libvirt_move *move)
{
    struct hs_machine coming = move->machine;
    struct hs_known_machine *here = hs_known_machines_add(&move->from->known, &move->machine);

    if (here != NULL) {
        here->is_sure = true;
    }
    coming.state = HS_MACHINE_UNKNOWN;
    hs_known_machines_set_stopped(&move->to->known, coming.uuid, false);
    (void)hs_known_machines_add(&move->to->known, &coming);
    set_moving(move, true);
}

static void found_done(int rc, const struct hs_err *err, void *arg)
{
    struct step *step = arg;
    struct hs_libvirt_move *move = step->move;
    struct hs_err why = {0};

    if (move->from == NULL) {
        return;
    }
    if (rc == 0 && step->machine.job_id != move->job_id) {
        rc = hs_err_set(&why, HS_E_DENIED, NULL, "machine '%s' is not ours", step->machine.name);
    } else if (rc == 0 && step->machine.state != HS_MACHINE_RUNNING
               && step->machine.state != HS_MACHINE_PAUSED) {
        rc = hs_err_set(&why, HS_E_CONFLICT, NULL, "machine '%s' is %s", step->machine.name,
                        hs_machine_state_word(step->machine.state));
    } else if (rc < 0) {
        why = *err;
    }
    if (rc == -HS_E_TIMEOUT) {
        rc = hs_err_set(&why, HS_E_UNAVAILABLE, NULL, "the source does not answer");
    }
    if (rc < 0) {
        move_end(move, rc, &why);
        return;
    }
    move->machine = step->machine;
    note_moving(move);
    if (!step_send(step_new(move, true), prepare_work, prepare_done)) {
        move_end(move,
                 hs_err_set(&why, HS_E_UNAVAILABLE, NULL, "the link to the destination is down"),
                 &why);
    }
}

static void refused_answer(bool cancelled, void *arg)
{
    struct hs_libvirt_move *move = arg;
    struct hs_err err = {0};

    if (move->from == NULL) {
        move_unref(move); /* closed since, and answered */
        return;
    }
    move->n_refs--;
    move_end(move, hs_err_set(&err, HS_E_UNAVAILABLE, NULL, "the link is down"), &err);
}

void hs_libvirt_move_start(struct compute_libvirt *from, uint64_t job_id,
                           struct compute_libvirt *to, hs_compute_done_fn *done, void *arg)
{
    struct hs_libvirt_move *move = hs_xcalloc(1, sizeof(*move));

    move->from = from;
    move->to = to;
    move->job_id = job_id;
    move->n_refs = 1;
    move->done = done;
    move->arg = arg;
    LIST_INSERT_HEAD(&from->leaving, move, out);
    LIST_INSERT_HEAD(&to->coming, move, in);
    if (!step_send(step_new(move, false), look_work, found_done)) {
        move->n_refs++;
        hs_answers_add(&from->answers, refused_answer, move);
    }
}

void hs_libvirt_move_close(struct compute_libvirt *lv)
{
    struct hs_libvirt_move *move;

    while ((move = LIST_FIRST(&lv->leaving)) != NULL || (move = LIST_FIRST(&lv->coming)) != NULL) {
        struct hs_err err = {0};
        int rc = hs_err_set(&err, HS_E_UNAVAILABLE, NULL, "the host was closed");

        move_close(move);
        move->done(rc, &err, move->arg);
        move_unref(move);
    }
}
