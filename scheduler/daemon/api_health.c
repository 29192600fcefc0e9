/* SPDX-License-Identifier: Apache-2.0 */
/* api_health - whether this hschedd leads, what it waits for, and what is wrong with its store. */
#include <string.h>

#include "adapters/store/store.h"
#include "scheduler/daemon/api_priv.h"
#include "scheduler/daemon/lease.h"

#define DAMAGES_SHOWN 20

static bool is_leading(const struct hs_api_call *call)
{
    return call->cycle != NULL
           && hs_lease_get_role(hs_daemon_get_lease(call->daemon)) == HS_LEASE_LEADER
           && hs_daemon_is_store_up(call->daemon);
}

/** host, pid and since of who leads; null if nobody does or it is not known. */
static json_t *format_leader(const struct hs_lease *lease)
{
    static const char *const keys[] = {"host", "pid", "since"};
    const char *holder = hs_lease_get_holder(lease);
    json_auto_t *json = NULL;
    json_t *leader;

    if (holder[0] == '\0' || hs_jsonx_parse("holder", holder, strlen(holder), &json, NULL) != 0) {
        return json_null();
    }
    leader = hs_jsonx_object();
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        json_t *value = json_object_get(json, keys[i]);

        hs_jsonx_set(leader, keys[i], value != NULL ? json_incref(value) : json_null());
    }
    return leader;
}

static void set_damages(json_t *json, const struct hs_daemon *daemon)
{
    size_t n = 0;
    const struct hs_store_damage *damages = hs_daemon_get_damages(daemon, &n);
    json_t *items = hs_jsonx_array();

    for (size_t i = 0; i < n && i < DAMAGES_SHOWN; i++) {
        json_t *item = hs_jsonx_object();

        hs_jsonx_set_text(item, "table", damages[i].table);
        hs_jsonx_set_text(item, "key", damages[i].key);
        hs_jsonx_set_text(item, "why", damages[i].err.text);
        hs_jsonx_add(items, item);
    }
    hs_jsonx_set_int(json, "damaged", (int64_t)n);
    hs_jsonx_set(json, "damaged_records", items);
}

static const char *find_status(const struct hs_api_call *call)
{
    enum hs_lease_role role = hs_lease_get_role(hs_daemon_get_lease(call->daemon));

    if (is_leading(call)) {
        return "ok";
    }
    return role == HS_LEASE_STANDBY || role == HS_LEASE_REFUSED ? hs_lease_role_word(role)
                                                                : "degraded";
}

const char *hs_api_health_why(const struct hs_api_call *call)
{
    const char *why = hs_lease_get_why(hs_daemon_get_lease(call->daemon));
    const char *fault = hs_daemon_get_store_fault(call->daemon);

    if (why != NULL) {
        return why;
    }
    return fault != NULL ? fault : "the store has not been read yet, try again later";
}

void hs_api_health_show(struct hs_api_call *call)
{
    const struct hs_config *config = hs_daemon_get_config(call->daemon);
    const struct hs_lease *lease = hs_daemon_get_lease(call->daemon);
    bool is_up = hs_daemon_is_store_up(call->daemon);
    const char *status = find_status(call);
    bool is_well = strcmp(status, "ok") == 0 || strcmp(status, "standby") == 0;
    json_t *json = hs_jsonx_object();

    hs_jsonx_set_text(json, "status", status);
    hs_jsonx_set_at(json, "at", call->cycle != NULL ? hs_api_get_at_s(call) : 0);
    hs_jsonx_set_real(json, "speed", config->speed);
    hs_jsonx_set_real(json, "wall_off_s", hs_daemon_get_wall_off_s(call->daemon));
    hs_jsonx_set_text(json, "cell", config->cell);
    hs_jsonx_set_text(json, "role", hs_lease_role_word(hs_lease_get_role(lease)));
    hs_jsonx_set_bool(json, "acting", hs_lease_may_act(lease));
    hs_jsonx_set_text(json, "why", hs_lease_get_why(lease));
    hs_jsonx_set(json, "leader", format_leader(lease));
    if (hs_lease_get_epoch(lease) != 0) {
        hs_jsonx_set_int(json, "epoch", (int64_t)hs_lease_get_epoch(lease));
    } else {
        hs_jsonx_set(json, "epoch", json_null());
    }
    hs_jsonx_set_text(json, "store", is_up ? "up" : "down");
    hs_jsonx_set_text(json, "store_fault", hs_daemon_get_store_fault(call->daemon));
    hs_jsonx_set_text(json, "store_weakness",
                      is_up ? hs_daemon_get_store_weakness(call->daemon) : NULL);
    set_damages(json, call->daemon);
    hs_api_reply_json(call, is_well ? HTTP_OK : HTTP_SERVUNAVAIL, json);
}

void hs_api_health_ready(struct hs_api_call *call)
{
    json_t *json = hs_jsonx_object();
    bool is_ready = is_leading(call);

    hs_jsonx_set_bool(json, "ready", is_ready);
    hs_jsonx_set_text(json, "why", is_ready ? NULL : hs_api_health_why(call));
    hs_jsonx_set_int(json, "jobs_read", (int64_t)hs_daemon_get_n_read(call->daemon));
    hs_api_reply_json(call, is_ready ? HTTP_OK : HTTP_SERVUNAVAIL, json);
}
