/* SPDX-License-Identifier: Apache-2.0 */
/* fences - see fences.h. */
#include "scheduler/daemon/fences.h"

#include <stdio.h>
#include <string.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"

struct hs_fences {
    struct hs_fences_options options;
};

struct hs_fences *hs_fences_new(const struct hs_fences_options *options)
{
    struct hs_fences *fences = hs_xcalloc(1, sizeof(*fences));

    fences->options = *options;
    return fences;
}

void hs_fences_free(struct hs_fences *fences)
{
    free(fences);
}

static void tell_cycle(struct hs_fences *fences, size_t host_idx, const char *who)
{
    struct hs_event event = {.kind = HS_EVENT_HOST_DOWN, .host_idx = host_idx};

    snprintf(event.text, sizeof(event.text), "%s", who);
    hs_inbox_add(fences->options.inbox, &event, HS_INBOX_SOON);
}

/* --- hosts that have left the estate --- */

static bool is_of(const struct hs_job *job, const char *path)
{
    return !hs_job_is_over(job) && strcmp(job->host, path) == 0;
}

static bool is_named(const struct hs_fences *fences, const char *path)
{
    const struct hs_intent *intent;
    double since_mono_s;

    for (size_t i = 0; i < hs_cycle_get_n_jobs(fences->options.cycle); i++) {
        if (is_of(hs_cycle_get_job_at(fences->options.cycle, i), path)) {
            return true;
        }
    }
    for (size_t i = 0;
         (intent = hs_enact_get_open(fences->options.enact, i, &since_mono_s)) != NULL; i++) {
        if (strcmp(intent->host, path) == 0 || strcmp(intent->to, path) == 0) {
            return true;
        }
    }
    return false;
}

static void tell_of_jobs(struct hs_fences *fences, const char *path, const char *who)
{
    for (size_t i = 0; i < hs_cycle_get_n_jobs(fences->options.cycle); i++) {
        const struct hs_job *job = hs_cycle_get_job_at(fences->options.cycle, i);
        struct hs_event event = {
            .kind = HS_EVENT_HOST_DOWN, .host_idx = SIZE_MAX, .job_id = job->id};

        if (is_of(job, path)) {
            snprintf(event.text, sizeof(event.text), "%s", who);
            hs_inbox_add(fences->options.inbox, &event, HS_INBOX_SOON);
        }
    }
}

/* --- all --- */

static void set_down(struct hs_fences *fences, const char *path, const char *who)
{
    size_t host_idx = hs_estate_find_host(fences->options.estate, path);

    if (host_idx == SIZE_MAX) {
        hs_fleet_set_gone(fences->options.fleet, path);
        tell_of_jobs(fences, path, who);
    } else {
        hs_fleet_set_down(fences->options.fleet, host_idx, true);
        tell_cycle(fences, host_idx, who);
    }
}

void hs_fences_restore(struct hs_fences *fences, const char *key, const char *text)
{
    json_auto_t *json = NULL;
    const char *who;

    (void)hs_jsonx_parse(HS_FENCES_TABLE, text, strlen(text), &json, NULL);
    who = json_string_value(json_object_get(json, "who"));
    set_down(fences, key, who != NULL ? who : "an earlier life");
}

int hs_fences_check(const struct hs_fences *fences, const char *path, struct hs_err *err)
{
    size_t host_idx = hs_estate_find_host(fences->options.estate, path);
    struct hs_fleet_view view;

    if (host_idx == SIZE_MAX) {
        return is_named(fences, path) ? 0
                                      : hs_err_set(err, HS_E_NOTFOUND, path,
                                                   "no such host; 'hsched hosts' lists them");
    }
    hs_fleet_get_view(fences->options.fleet, host_idx, &view);
    if (view.is_up) {
        return hs_err_set(
            err, HS_E_CONFLICT, path,
            "host '%s' answers, so it is not down; 'hsched maintenance add --host %s' "
            "takes work off it",
            path, path);
    }
    if (!view.was_tried) {
        return hs_err_set(err, HS_E_CONFLICT, path,
                          "host '%s' has not been tried since hschedd started: ask again in 10 s",
                          path);
    }
    return 0;
}

void hs_fences_confirm(struct hs_fences *fences, const char *path, const char *who, const char *why)
{
    json_auto_t *json = hs_jsonx_object();
    HS_AUTO_MEM char *text = NULL;

    hs_jsonx_set_text(json, "state", "down");
    hs_jsonx_set_at(json, "at", hs_clock_at_s(fences->options.inbox->clock));
    hs_jsonx_set_text(json, "who", who);
    hs_jsonx_set_text(json, "why", why);
    text = hs_jsonx_format(json);
    hs_enact_write(fences->options.enact,
                   &(struct hs_store_op){HS_STORE_PUT, HS_FENCES_TABLE, path, text});
    set_down(fences, path, who);
    hs_reconcile_confirm_down(fences->options.reconcile, path);
}

void hs_fences_listed(struct hs_fences *fences, size_t host_idx, const struct hs_machine *machines,
                      size_t n_machines)
{
    const char *path = fences->options.estate->hosts[host_idx].path;
    struct hs_note note = {.at_s = hs_clock_at_s(fences->options.inbox->clock), .kind = "host"};
    struct hs_fleet_view view;

    hs_fleet_get_view(fences->options.fleet, host_idx, &view);
    if (!view.was_down) {
        return;
    }
    for (size_t i = 0; i < n_machines; i++) {
        const struct hs_job *job = machines[i].job_id != 0
                                       ? hs_cycle_get_job(fences->options.cycle, machines[i].job_id)
                                       : NULL;

        if (job != NULL && !hs_job_is_over(job) && strcmp(job->host, path) != 0) {
            return; /* it went on elsewhere: this one is being removed */
        }
    }
    hs_fleet_set_down(fences->options.fleet, host_idx, false);
    hs_enact_write(fences->options.enact,
                   &(struct hs_store_op){HS_STORE_DELETE, HS_FENCES_TABLE, path, NULL});
    snprintf(note.subject, sizeof(note.subject), "%s", path);
    snprintf(note.text, sizeof(note.text), "answers again after it was confirmed down");
    hs_enact_note(fences->options.enact, &note);
}
