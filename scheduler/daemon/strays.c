/* SPDX-License-Identifier: Apache-2.0 */
/* strays - see strays.h. */
#include "scheduler/daemon/strays.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/vec.h"
#include "scheduler/daemon/history.h"

#define KEY_MAX  24
#define RELIST_S 1.0 /* real */

/** Said once in a life: it stays so until somebody has looked. */
struct told {
    uint64_t job_id;
    size_t host_idx;
    const char *kind; /* static */
};

struct hs_strays {
    const struct hs_settle *settle;
    struct hs_store *store;
    HS_VEC(struct told) told;
    HS_VEC(uint64_t) asked_job_ids; /* the store is asked about them */
    HS_VEC(size_t) kept_host_idxs;  /* orphans there wait until every host was listed */
};

/** One question to the store. */
struct stray_question {
    struct hs_strays *strays;
    uint64_t job_id;
    size_t host_idx;
    bool is_over; /* the question is whether its job is over; else whether there is one */
    bool is_known;
};

__attribute__((format(printf, 5, 6))) static void tell(struct hs_strays *strays, uint64_t job_id,
                                                       size_t host_idx, const char *kind,
                                                       const char *fmt, ...)
{
    struct hs_note note = {.at_s = hs_clock_at_s(strays->settle->inbox->clock)};
    struct told now = {job_id, host_idx, kind};
    va_list args;

    for (size_t i = 0; i < strays->told.n; i++) {
        if (strays->told.items[i].job_id == job_id && strays->told.items[i].host_idx == host_idx
            && strcmp(strays->told.items[i].kind, kind) == 0) {
            return;
        }
    }
    HS_VEC_PUSH(&strays->told, now);
    snprintf(note.kind, sizeof(note.kind), "%s", kind);
    snprintf(note.subject, sizeof(note.subject), "%" PRIu64, job_id);
    va_start(args, fmt);
    (void)vsnprintf(note.text, sizeof(note.text), fmt, args);
    va_end(args);
    hs_enact_note(strays->settle->enact, &note);
}

static const char *get_path(const struct hs_strays *strays, size_t host_idx)
{
    return strays->settle->estate->hosts[host_idx].path;
}

/* --- orphans --- */

static void take_row(const char *key, const char *text, void *arg)
{
    ((struct stray_question *)arg)->is_known = true;
}

static void on_answer(int rc, const struct hs_err *err, void *arg);

static void ask_table(struct stray_question *question, const char *table)
{
    char key[KEY_MAX];

    snprintf(key, sizeof(key), "%" PRIu64, question->job_id);
    hs_store_get(question->strays->store, table, key, take_row, on_answer, question);
}

static void forget_question(struct hs_strays *strays, uint64_t job_id)
{
    for (size_t i = strays->asked_job_ids.n; i-- > 0;) {
        if (strays->asked_job_ids.items[i] == job_id) {
            HS_VEC_SWAP_REMOVE(&strays->asked_job_ids, i);
        }
    }
}

/** A host that nobody has looked at since this life began, nor said to be off; SIZE_MAX if none. */
static size_t find_unseen(const struct hs_strays *strays)
{
    const struct hs_settle *settle = strays->settle;

    for (size_t h = 0; h < settle->estate->n_hosts; h++) {
        struct hs_fleet_view view;

        hs_fleet_get_view(settle->fleet, h, &view);
        if (isinf(hs_sighting_get_mono_s(settle->sighting, h)) && !view.is_down) {
            return h;
        }
    }
    return SIZE_MAX;
}

/**
 * No record knows it: either it is left over, or the store was rolled back, which a tag on another
 * host may show. So it stays until all of them have been looked at.
 */
static bool must_wait(struct hs_strays *strays, const struct stray_question *question)
{
    size_t unseen = find_unseen(strays);

    if (question->is_known || unseen == SIZE_MAX) {
        return false;
    }
    tell(strays, question->job_id, question->host_idx, "alarm",
         "machine 'hs-%" PRIu64
         "' on '%.60s' is ours and no record knows its job: left alone until "
         "'%.60s' answers or is confirmed down",
         question->job_id, get_path(strays, question->host_idx), get_path(strays, unseen));
    for (size_t i = 0; i < strays->kept_host_idxs.n; i++) {
        if (strays->kept_host_idxs.items[i] == question->host_idx) {
            return true;
        }
    }
    HS_VEC_PUSH(&strays->kept_host_idxs, question->host_idx);
    return true;
}

/** The last host was looked at: what waited for that is looked at again. */
static void look_again(struct hs_strays *strays)
{
    if (strays->kept_host_idxs.n == 0 || find_unseen(strays) != SIZE_MAX) {
        return;
    }
    for (size_t i = 0; i < strays->kept_host_idxs.n; i++) {
        hs_fleet_list(strays->settle->fleet, strays->kept_host_idxs.items[i], 0);
    }
    strays->kept_host_idxs.n = 0;
}

static void remove_orphan(struct hs_strays *strays, const struct stray_question *question)
{
    const char *why = question->is_known ? "its job is over" : "no record knows its job";

    tell(strays, question->job_id, question->host_idx, "orphan",
         "machine 'hs-%" PRIu64 "' on '%.100s' is ours and %s: removed", question->job_id,
         get_path(strays, question->host_idx), why);
    hs_enact_do(strays->settle->enact, question->job_id, HS_ACTION_DESTROY, question->host_idx,
                why);
}

static void on_answer(int rc, const struct hs_err *err, void *arg)
{
    struct stray_question *question = arg;
    struct hs_strays *strays = question->strays;

    if (rc == 0 && !question->is_known && !question->is_over) {
        question->is_over = true;
        ask_table(question, HS_HISTORY_TABLE);
        return;
    }
    forget_question(strays, question->job_id);
    if (rc != 0 || hs_cycle_get_job(strays->settle->cycle, question->job_id) != NULL) {
        free(question); /* asked again at the next listing */
        return;
    }
    if (question->is_known && !question->is_over) {
        tell(strays, question->job_id, question->host_idx, "alarm",
             "its machine runs on '%.100s' and its record cannot be read: left alone",
             get_path(strays, question->host_idx));
    } else if (!must_wait(strays, question)) {
        remove_orphan(strays, question);
    }
    free(question);
}

static void ask(struct hs_strays *strays, size_t host_idx, uint64_t job_id)
{
    struct stray_question *question;

    for (size_t i = 0; i < strays->asked_job_ids.n; i++) {
        if (strays->asked_job_ids.items[i] == job_id) {
            return;
        }
    }
    HS_VEC_PUSH(&strays->asked_job_ids, job_id);
    question = hs_xcalloc(1, sizeof(*question));
    *question = (struct stray_question){.strays = strays, .job_id = job_id, .host_idx = host_idx};
    ask_table(question, "jobs");
}

/* --- seconds --- */

static bool has_open_intent(const struct hs_strays *strays, uint64_t job_id)
{
    const struct hs_intent *intent;
    double since_mono_s;

    for (size_t i = 0;
         (intent = hs_enact_get_open(strays->settle->enact, i, &since_mono_s)) != NULL; i++) {
        if (intent->job_id == job_id) {
            return true;
        }
    }
    return false;
}

static void part(struct hs_strays *strays, size_t host_idx, const struct hs_job *job,
                 const struct hs_machine *machine)
{
    const struct hs_settle *settle = strays->settle;
    size_t own = hs_estate_find_host(settle->estate, job->host);
    struct hs_fleet_view own_view = {0};
    struct hs_fleet_view view;

    if (own != SIZE_MAX) {
        hs_fleet_get_view(settle->fleet, own, &own_view);
    }
    hs_fleet_get_view(settle->fleet, host_idx, &view);
    if (view.was_down) {
        tell(strays, job->id, host_idx, "orphan",
             "its machine on '%.100s' came back though that host was confirmed down: removed",
             get_path(strays, host_idx));
        hs_enact_do(settle->enact, job->id, HS_ACTION_DESTROY, host_idx,
                    "its host was confirmed down, and it goes on elsewhere");
    } else if (own_view.is_up && hs_sighting_find(settle->sighting, own, job->id) != NULL) {
        tell(strays, job->id, host_idx, "alarm",
             "has a machine on '%.70s', its own, and on '%.70s': the second is suspended; look at "
             "both and destroy one",
             job->host, get_path(strays, host_idx));
        if (machine->state == HS_MACHINE_RUNNING) {
            hs_enact_do(settle->enact, job->id, HS_ACTION_SUSPEND, host_idx,
                        "it runs elsewhere too");
        }
    } else if (!own_view.is_up) {
        tell(strays, job->id, host_idx, "alarm",
             "has a machine on '%.70s' while its own host '%.70s' does not answer: left alone",
             get_path(strays, host_idx), job->host);
    }
}

void hs_strays_apply(struct hs_strays *strays, size_t host_idx, const struct hs_machine *machines,
                     size_t n_machines)
{
    const struct hs_settle *settle = strays->settle;

    look_again(strays);
    for (size_t i = 0; i < n_machines; i++) {
        const struct hs_machine *machine = &machines[i];
        const struct hs_job *job =
            machine->job_id != 0 ? hs_cycle_get_job(settle->cycle, machine->job_id) : NULL;

        bool is_at_home = job != NULL && strcmp(job->host, get_path(strays, host_idx)) == 0;

        if (machine->job_id == 0 || machine->state == HS_MACHINE_SHUT_OFF || is_at_home
            || has_open_intent(strays, machine->job_id)) {
            continue;
        }
        if (hs_enact_is_busy(settle->enact, machine->job_id)) {
            hs_fleet_list(settle->fleet, host_idx, RELIST_S); /* when that is over */
            continue;
        }
        if (job == NULL) {
            ask(strays, host_idx, machine->job_id);
        } else if (!hs_job_is_over(job) && job->host[0] != '\0') {
            part(strays, host_idx, job, machine);
        } /* of a job that is over: the cycle destroys it */
    }
}

struct hs_strays *hs_strays_new(const struct hs_settle *settle, struct hs_store *store)
{
    struct hs_strays *strays = hs_xcalloc(1, sizeof(*strays));

    strays->settle = settle;
    strays->store = store;
    return strays;
}

void hs_strays_free(struct hs_strays *strays)
{
    if (strays != NULL) {
        HS_VEC_FINI(&strays->told);
        HS_VEC_FINI(&strays->asked_job_ids);
        HS_VEC_FINI(&strays->kept_host_idxs);
        free(strays);
    }
}
