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

void hs_fences_restore(struct hs_fences *fences, const char *key, const char *text)
{
    size_t host_idx = hs_estate_find_host(fences->options.estate, key);
    json_auto_t *json = NULL;
    const char *who;

    if (host_idx == SIZE_MAX) {
        HS_LOG_WARN("store", "host '%s' was confirmed down and is not in the estate", key);
        return;
    }
    (void)hs_jsonx_parse(HS_FENCES_TABLE, text, strlen(text), &json, NULL);
    who = json_string_value(json_object_get(json, "who"));
    hs_fleet_set_down(fences->options.fleet, host_idx, true);
    tell_cycle(fences, host_idx, who != NULL ? who : "an earlier life");
}

int hs_fences_check(const struct hs_fences *fences, size_t host_idx, struct hs_err *err)
{
    const char *path = fences->options.estate->hosts[host_idx].path;
    struct hs_fleet_view view;

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

void hs_fences_confirm(struct hs_fences *fences, size_t host_idx, const char *who, const char *why)
{
    const char *path = fences->options.estate->hosts[host_idx].path;
    json_auto_t *json = hs_jsonx_object();
    HS_AUTO_MEM char *text = NULL;

    hs_jsonx_set_text(json, "state", "down");
    hs_jsonx_set_at(json, "at", hs_clock_at_s(fences->options.inbox->clock));
    hs_jsonx_set_text(json, "who", who);
    hs_jsonx_set_text(json, "why", why);
    text = hs_jsonx_format(json);
    hs_enact_write(fences->options.enact,
                   &(struct hs_store_op){HS_STORE_PUT, HS_FENCES_TABLE, path, text});
    hs_fleet_set_down(fences->options.fleet, host_idx, true);
    tell_cycle(fences, host_idx, who);
    hs_reconcile_confirm_down(fences->options.reconcile, host_idx);
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
