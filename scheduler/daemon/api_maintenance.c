/* SPDX-License-Identifier: Apache-2.0 */
/* api_maintenance - add, list and end maintenance. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/daemon/api_priv.h"
#include "scheduler/daemon/upkeep.h"

#define HTTP_CREATED 201
#define PATH         "/v1/maintenance"

static json_t *format_item(const struct hs_api_call *call, const struct hs_maintenance *it)
{
    json_t *json = hs_maintenance_format(it);
    int64_t now_at_s = hs_api_get_at_s(call);

    hs_jsonx_set_text(json, "state",
                      it->until_at_s <= now_at_s  ? "ended"
                      : it->from_at_s <= now_at_s ? "under-way"
                                                  : "planned");
    return json;
}

void hs_api_maintenance_list(struct hs_api_call *call)
{
    json_t *items = hs_jsonx_array();
    size_t n = 0;
    const struct hs_maintenance *all = hs_upkeep_get(hs_daemon_get_upkeep(call->daemon), &n);

    for (size_t i = 0; i < n; i++) {
        hs_jsonx_add(items, format_item(call, &all[i]));
    }
    hs_api_reply_list(call, "MaintenanceList", items);
}

static void on_added(int rc, const struct hs_err *err, uint64_t id, void *arg)
{
    struct hs_api_call *call = arg;
    size_t n = 0;
    const struct hs_maintenance *all = hs_upkeep_get(hs_daemon_get_upkeep(call->daemon), &n);

    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (all[i].id == id) {
            hs_api_reply_thing(call, HTTP_CREATED, "Maintenance", format_item(call, &all[i]));
            return;
        }
    }
    hs_api_reply_error(call, rc != 0 ? rc : -HS_E_UNAVAILABLE, PATH,
                       err != NULL ? err->text : "the daemon is stopping");
}

static void reply_report(struct hs_api_call *call, const struct hs_conf_report *report)
{
    HS_AUTO_MEM char *text = hs_conf_report_format(report);
    size_t n = strlen(text);

    if (n > 0 && text[n - 1] == '\n') {
        text[n - 1] = '\0';
    }
    hs_api_reply_error(call, -HS_E_INVALID, PATH, text);
}

void hs_api_maintenance_add(struct hs_api_call *call)
{
    json_auto_t *json = NULL;
    struct hs_conf_report report = {.text = call->body};
    struct hs_maintenance it;
    struct hs_err err;
    int rc = hs_jsonx_parse("body", call->body, call->n_body_bytes, &json, &err);

    if (rc != 0) {
        hs_api_reply_error(call, rc, err.where, err.text);
        return;
    }
    if (hs_maintenance_parse(json, hs_api_get_at_s(call), &it, &report) != 0) {
        reply_report(call, &report);
        hs_conf_report_fini(&report);
        return;
    }
    if (it.until_at_s <= hs_api_get_at_s(call)) {
        hs_api_reply_error(call, -HS_E_INVALID, "/until", "it would be over already");
        return;
    }
    rc = hs_maintenance_check(&it, hs_daemon_get_config(call->daemon)->estate, &err);
    if (rc != 0) {
        hs_api_reply_error(call, rc, err.where, err.text);
        return;
    }
    hs_upkeep_add(hs_daemon_get_upkeep(call->daemon), &it, hs_api_get_at_s(call), on_added, call);
}

static void on_ended(int rc, const struct hs_err *err, uint64_t id, void *arg)
{
    struct hs_api_call *call = arg;
    json_t *json;

    if (rc != 0) {
        hs_api_reply_error(call, rc, PATH, err->text);
        return;
    }
    json = hs_jsonx_object();
    hs_jsonx_set_int(json, "id", (int64_t)id);
    hs_jsonx_set_text(json, "state", "ended");
    hs_api_reply_thing(call, HTTP_OK, "Maintenance", json);
}

void hs_api_maintenance_end(struct hs_api_call *call)
{
    char *end = NULL;
    uint64_t id = strtoull(call->args[0], &end, 10);

    if (*end != '\0' || !hs_upkeep_end(hs_daemon_get_upkeep(call->daemon), id, on_ended, call)) {
        char text[HS_PATH_MAX];

        snprintf(text, sizeof(text), "no maintenance '%.40s'; 'hsched maintenance list' lists them",
                 call->args[0]);
        hs_api_reply_error(call, -HS_E_NOTFOUND, PATH, text);
    }
}
