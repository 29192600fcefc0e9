/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_over - jobs that are over: counted for good, shown on demand, and let go of. */
#include <math.h>
#include <stdlib.h>

#include "scheduler/core/cycle_priv.h"

/* --- counting --- */

/* @param end_at_s  when it ended, or now */
static void add_to(struct hs_cycle_tally *tally, const struct hs_job *job, int64_t end_at_s)
{
    tally->n_total++;
    tally->n_done += job->state == HS_JOB_DONE;
    tally->moves += job->moves;
    tally->suspends += job->suspends;
    if (job->started_at_s > 0) {
        tally->n_started++;
        tally->wait_s += (double)(job->started_at_s - job->submitted_at_s);
    }
    if (job->due_at_s > 0 && end_at_s > job->due_at_s && job->state != HS_JOB_CANCELLED) {
        tally->n_late++;
        tally->late_s_max = fmax(tally->late_s_max, (double)(end_at_s - job->due_at_s));
    }
}

void hs_cycle_count_over(struct hs_cycle *cycle, const struct hs_job *job)
{
    add_to(&cycle->over, job, job->ended_at_s);
}

void hs_cycle_get_tally(const struct hs_cycle *cycle, int64_t now_at_s,
                        struct hs_cycle_tally *ret_tally)
{
    *ret_tally = cycle->over;
    for (size_t i = 0; i < cycle->live.n; i++) {
        const struct hs_job *job = hs_cycle_get_live(cycle, i)->job;

        if (!hs_job_is_over(job)) {
            add_to(ret_tally, job, now_at_s);
        }
    }
}

json_t *hs_cycle_save_tally(const struct hs_cycle *cycle)
{
    json_t *json = hs_jsonx_object();

    hs_jsonx_set_int(json, "total", cycle->over.n_total);
    hs_jsonx_set_int(json, "done", cycle->over.n_done);
    hs_jsonx_set_int(json, "late", cycle->over.n_late);
    hs_jsonx_set_int(json, "started", cycle->over.n_started);
    hs_jsonx_set_int(json, "moves", cycle->over.moves);
    hs_jsonx_set_int(json, "suspends", cycle->over.suspends);
    hs_jsonx_set_real(json, "late_s_max", cycle->over.late_s_max);
    hs_jsonx_set_real(json, "wait_s", cycle->over.wait_s);
    return json;
}

void hs_cycle_restore_tally(struct hs_cycle *cycle, const json_t *saved)
{
    cycle->over = (struct hs_cycle_tally){
        .n_total = json_integer_value(json_object_get(saved, "total")),
        .n_done = json_integer_value(json_object_get(saved, "done")),
        .n_late = json_integer_value(json_object_get(saved, "late")),
        .n_started = json_integer_value(json_object_get(saved, "started")),
        .moves = json_integer_value(json_object_get(saved, "moves")),
        .suspends = json_integer_value(json_object_get(saved, "suspends")),
        .late_s_max = json_number_value(json_object_get(saved, "late_s_max")),
        .wait_s = json_number_value(json_object_get(saved, "wait_s")),
    };
}

/* --- showing one that is no longer here --- */

json_t *hs_cycle_format_over(const struct hs_cycle *cycle, const struct hs_job *job,
                             int64_t now_at_s)
{
    HS_AUTO(hs_job) copy = hs_job_dup(job);
    struct hs_cycle_entry entry;
    json_t *json;

    hs_cycle_init_entry(cycle, copy, &entry);
    json = hs_cycle_format_entry(cycle, &entry, now_at_s);
    free(entry.site_allowed);
    return json;
}

json_t *hs_cycle_explain_over(const struct hs_cycle *cycle, const struct hs_job *job,
                              int64_t now_at_s)
{
    HS_AUTO(hs_job) copy = hs_job_dup(job);
    struct hs_cycle_entry entry;
    json_t *json;

    hs_cycle_init_entry(cycle, copy, &entry);
    json = hs_cycle_explain_entry(cycle, &entry, now_at_s);
    hs_cycle_set_choices(cycle, &entry, json);
    free(entry.site_allowed);
    return json;
}

/* --- letting go --- */

typedef HS_VEC(uint64_t) id_list;

static int compare_ids(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a;
    uint64_t other = *(const uint64_t *)b;

    return one < other ? -1 : one > other;
}

static bool has_id(const id_list *ids, uint64_t id)
{
    return ids->n > 0 && bsearch(&id, ids->items, ids->n, sizeof(id), compare_ids) != NULL;
}

static void sort_ids(id_list *ids)
{
    if (ids->n > 0) {
        qsort(ids->items, ids->n, sizeof(*ids->items), compare_ids);
    }
}

/* Jobs whose end others wait for, whose machine was seen, or that an action is about. */
static void find_needed(const struct hs_cycle *cycle, id_list *ret_ids)
{
    for (size_t i = 0; i < cycle->live.n; i++) {
        const struct hs_job *job = hs_cycle_get_live(cycle, i)->job;

        (void)HS_VEC_PUSH(ret_ids, job->id);
        for (size_t k = 0; k < job->n_after; k++) {
            struct hs_job_after after;

            if (hs_job_parse_after(job->after[k], &after, NULL) == 0 && after.job_id != 0) {
                (void)HS_VEC_PUSH(ret_ids, after.job_id);
            }
        }
    }
    for (size_t h = 0; h < cycle->estate->n_hosts; h++) {
        for (size_t i = 0; i < cycle->hosts[h].machines.n; i++) {
            (void)HS_VEC_PUSH(ret_ids, cycle->hosts[h].machines.items[i].job_id);
        }
    }
    sort_ids(ret_ids);
}

size_t hs_cycle_forget(struct hs_cycle *cycle, uint64_t *io_ids, size_t n)
{
    id_list needed = {0};
    id_list asked = {0};
    size_t n_kept = 0;
    size_t n_left = 0;
    size_t at_live = 0;

    find_needed(cycle, &needed);
    for (size_t i = 0; i < n; i++) {
        if (has_id(&needed, io_ids[i])) {
            io_ids[n_left++] = io_ids[i];
        } else {
            (void)HS_VEC_PUSH(&asked, io_ids[i]);
        }
    }
    sort_ids(&asked);
    for (size_t i = 0; i < cycle->entries.n; i++) {
        struct hs_cycle_entry *entry = &cycle->entries.items[i];

        if (hs_job_is_over(entry->job) && has_id(&asked, entry->job->id)) {
            hs_job_free(entry->job);
            free(entry->site_allowed);
            continue;
        }
        if (at_live < cycle->live.n && cycle->live.items[at_live] == i) {
            cycle->live.items[at_live++] = n_kept;
        }
        if (n_kept != i) {
            cycle->entries.items[n_kept] = *entry;
        }
        n_kept++;
    }
    cycle->entries.n = n_kept;
    HS_VEC_FINI(&asked);
    HS_VEC_FINI(&needed);
    return n_left;
}
