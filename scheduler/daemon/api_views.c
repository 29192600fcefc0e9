/* SPDX-License-Identifier: Apache-2.0 */
/* api_views - what there is and how it goes: health, estate, machines, forecast, plan, report. */
#include <stdio.h>
#include <string.h>

#include "scheduler/base/conf.h"
#include "scheduler/base/mem.h"
#include "scheduler/daemon/api_priv.h"

static const struct hs_estate *get_estate(const struct hs_api_call *call)
{
    return hs_daemon_get_config(call->daemon)->estate;
}

void hs_api_views_sites(struct hs_api_call *call)
{
    json_t *items = hs_jsonx_array();

    for (size_t i = 0; i < get_estate(call)->n_sites; i++) {
        hs_jsonx_add(items, hs_cycle_format_site(call->cycle, i));
    }
    hs_api_reply_list(call, "SiteList", items);
}

void hs_api_views_loops(struct hs_api_call *call)
{
    json_t *items = hs_jsonx_array();

    for (size_t i = 0; i < get_estate(call)->n_loops; i++) {
        hs_jsonx_add(items, hs_cycle_format_loop(call->cycle, i, hs_api_get_at_s(call)));
    }
    hs_api_reply_list(call, "LoopList", items);
}

static json_t *format_vm(const struct hs_api_call *call, const char *host,
                         const struct hs_machine *machine)
{
    const struct hs_job *job =
        machine->job_id != 0 ? hs_cycle_get_job(call->cycle, machine->job_id) : NULL;
    json_t *json = hs_jsonx_object();

    hs_jsonx_set_text(json, "host", host);
    hs_jsonx_set_text(json, "name", machine->name);
    hs_jsonx_set_text(json, "uuid", machine->uuid);
    hs_jsonx_set_text(json, "state", hs_machine_state_word(machine->state));
    hs_jsonx_set_int(json, "vcpus", machine->vcpus);
    hs_jsonx_set_int(json, "memory_mib", (int64_t)machine->memory_mib);
    hs_jsonx_set_real(json, "cpu_s", machine->cpu_s);
    if (machine->job_id != 0) {
        hs_jsonx_set_int(json, "job", (int64_t)machine->job_id);
    } else {
        hs_jsonx_set(json, "job", json_null());
    }
    if (machine->job_id == 0) {
        hs_jsonx_set_text(json, "class", "pinned");
    } else {
        hs_jsonx_set_text(json, "class", job != NULL ? job->class_name : NULL);
    }
    return json;
}

void hs_api_views_vms(struct hs_api_call *call)
{
    const struct hs_estate *estate = get_estate(call);
    json_t *items = hs_jsonx_array();

    for (size_t i = 0; i < estate->n_hosts; i++) {
        size_t n = 0;
        const struct hs_machine *machines = hs_cycle_get_machines(call->cycle, i, &n);

        for (size_t j = 0; j < n; j++) {
            hs_jsonx_add(items, format_vm(call, estate->hosts[i].path, &machines[j]));
        }
    }
    hs_api_reply_list(call, "VmList", items);
}

/** No loop is called @path: say which is nearest, and how to see them all. */
static void refuse_loop(struct hs_api_call *call, const char *path)
{
    const struct hs_estate *estate = get_estate(call);
    HS_AUTO_MEM const char **names = hs_xcalloc(estate->n_loops + 1, sizeof(*names));
    size_t n_site = strcspn(path, "/") + 1;
    const char *nearest = NULL;
    char text[2 * HS_PATH_MAX + 96];

    for (size_t i = 0; i < estate->n_loops; i++) {
        names[i] = estate->loops[i].path;
    }
    nearest = hs_conf_nearest(names, path);
    for (size_t i = 0; nearest == NULL && i < estate->n_loops; i++) {
        nearest = strncmp(names[i], path, n_site) == 0 ? names[i] : NULL; /* the site is right */
    }
    snprintf(text, sizeof(text), "no heat loop '%s'%s%s%s; 'hsched loops' lists them", path,
             nearest != NULL ? ", did you mean '" : "", nearest != NULL ? nearest : "",
             nearest != NULL ? "'" : "");
    hs_api_reply_error(call, -HS_E_NOTFOUND, path, text);
}

void hs_api_views_forecast(struct hs_api_call *call)
{
    char path[HS_PATH_MAX];
    size_t loop_idx;

    snprintf(path, sizeof(path), "%s/%s", call->args[0], call->args[1]);
    loop_idx = hs_estate_find_loop(get_estate(call), path);
    if (loop_idx == SIZE_MAX) {
        refuse_loop(call, path);
        return;
    }
    hs_api_reply_thing(call, HTTP_OK, "Forecast",
                       hs_cycle_format_forecast(call->cycle, loop_idx, hs_api_get_at_s(call)));
}

void hs_api_views_plan(struct hs_api_call *call)
{
    json_t *json = hs_cycle_format_plan(call->cycle);

    if (json == NULL) {
        hs_api_reply_error(call, -HS_E_UNAVAILABLE, "/v1/plan", "there is no plan yet");
        return;
    }
    hs_api_reply_thing(call, HTTP_OK, "Plan", json);
}

void hs_api_views_report(struct hs_api_call *call)
{
    hs_api_reply_thing(call, HTTP_OK, "Report",
                       hs_cycle_format_report(call->cycle, hs_api_get_at_s(call)));
}
