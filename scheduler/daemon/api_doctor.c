/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_doctor - GET /v1/doctor: what an operator would look at first, each with its next step.
 *
 * A check is ok, warn (it goes on, but not as promised) or fail. Answered by every hschedd, also
 * by one that does not lead.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "adapters/store/store.h"
#include "scheduler/base/timetext.h"
#include "scheduler/daemon/api_priv.h"
#include "scheduler/daemon/epochfile.h"
#include "scheduler/daemon/lease.h"

#define TEXT_MAX        640
#define OLD_SLOTS       4 /* as long as readings of pumps hold: docs/operate.md */
#define DISK_FAIL_BYTES (64.0 * 1024 * 1024)
#define DISK_WARN_BYTES (1024.0 * 1024 * 1024)
#define MIB_BYTES       (1024.0 * 1024)

static void add(json_t *items, const char *check, const char *result, const char *text,
                const char *next)
{
    json_t *item = hs_jsonx_object();

    hs_jsonx_set_text(item, "check", check);
    hs_jsonx_set_text(item, "result", result);
    hs_jsonx_set_text(item, "text", text);
    hs_jsonx_set_text(item, "next", strcmp(result, "ok") == 0 ? NULL : next);
    hs_jsonx_add(items, item);
}

/* --- the store and who leads --- */

static void check_store(const struct hs_api_call *call, json_t *items)
{
    const char *fault = hs_daemon_get_store_fault(call->daemon);
    const char *weakness = hs_daemon_get_store_weakness(call->daemon);
    bool is_up = hs_daemon_is_store_up(call->daemon);

    add(items, "store", is_up ? "ok" : "fail",
        is_up           ? "redis is up"
        : fault != NULL ? fault
                        : "redis is down",
        "look at redis and at redis.url in hschedd.json; what runs goes on, nothing new begins");
    if (is_up) {
        add(items, "durability", weakness != NULL ? "warn" : "ok",
            weakness != NULL ? weakness : "an acknowledged write survives a crash",
            "set what is named in redis.conf and restart redis");
    }
}

static void check_leadership(const struct hs_api_call *call, json_t *items)
{
    const struct hs_lease *lease = hs_daemon_get_lease(call->daemon);
    enum hs_lease_role role = hs_lease_get_role(lease);
    const char *why = hs_lease_get_why(lease);
    char text[TEXT_MAX];

    if (role == HS_LEASE_LEADER && hs_lease_may_act(lease)) {
        (void)snprintf(text, sizeof(text), "this hschedd leads cell '%s' in epoch %" PRIu64,
                       hs_daemon_get_config(call->daemon)->cell, hs_lease_get_epoch(lease));
        add(items, "leadership", "ok", text, NULL);
    } else if (role == HS_LEASE_STANDBY) {
        add(items, "leadership", "warn", why,
            "ask that one; this one takes over when it ends. Stop this one if it was started by "
            "mistake");
    } else {
        add(items, "leadership", "fail", why != NULL ? why : "nobody leads yet",
            role == HS_LEASE_REFUSED ? "see 'State that was rolled back' in docs/operate.md"
                                     : "see the store above");
    }
}

static void check_epoch(const struct hs_api_call *call, json_t *items)
{
    const struct hs_config *config = hs_daemon_get_config(call->daemon);
    uint64_t epoch = hs_lease_get_epoch(hs_daemon_get_lease(call->daemon));
    struct hs_epochfile file;
    struct hs_err err;
    char text[TEXT_MAX];

    if (strcmp(config->store, "mem") == 0) {
        return;
    }
    if (hs_epochfile_read(config->state_dir, config->cell, &file, &err) != 0) {
        add(items, "epoch", "fail", err.text,
            "make the state directory readable, or see 'State that was rolled back' in "
            "docs/operate.md");
        return;
    }
    (void)snprintf(text, sizeof(text), "this host has led up to epoch %" PRIu64 " of store '%s'",
                   file.epoch, file.store_id);
    add(items, "epoch", epoch == 0 || epoch == file.epoch ? "ok" : "warn", text,
        "the file is not of this epoch: look at the log for why it could not be written");
}

static void check_records(const struct hs_api_call *call, json_t *items)
{
    size_t n = 0;
    const struct hs_store_damage *damages = hs_daemon_get_damages(call->daemon, &n);
    char text[TEXT_MAX];

    if (n == 0) {
        add(items, "records", "ok", "no damaged record was met", NULL);
        return;
    }
    (void)snprintf(text, sizeof(text), "%zu damaged, the first: %s", n, damages[0].err.text);
    add(items, "records", "fail", text, "see 'Damaged records' in docs/operate.md");
}

/* --- hosts and readings --- */

static void check_hosts(const struct hs_api_call *call, json_t *items)
{
    const struct hs_estate *estate = hs_daemon_get_config(call->daemon)->estate;
    char text[TEXT_MAX];
    size_t n_up = 0;

    for (size_t i = 0; i < estate->n_hosts; i++) {
        json_auto_t *host = hs_cycle_format_host(call->cycle, i);
        const char *state = json_string_value(json_object_get(host, "state"));
        const char *next = json_string_value(json_object_get(host, "next"));

        if (state != NULL && strcmp(state, "up") == 0) {
            n_up++;
            continue;
        }
        (void)snprintf(text, sizeof(text), "'%s' is %s", estate->hosts[i].path,
                       state != NULL ? state : "not known");
        /* one that an operator has confirmed down is known to be so */
        add(items, "host", state != NULL && strcmp(state, "down") == 0 ? "warn" : "fail", text,
            next != NULL ? next : "make its libvirt daemon answer: virsh -c URI list");
    }
    (void)snprintf(text, sizeof(text), "%zu of %zu answer", n_up, estate->n_hosts);
    add(items, "hosts", n_up == estate->n_hosts ? "ok" : "warn", text, "see each above");
}

/** Demand and tank are what a plan needs; the rest is for the account. */
static bool is_needed(const char *point)
{
    return strstr(point, "/demand_heat_w") != NULL || strstr(point, "/tank/") != NULL;
}

static void check_reading(json_t *items, const json_t *reading, int64_t now_at_s, int64_t old_s)
{
    const char *point = json_string_value(json_object_get(reading, "point"));
    const char *at = json_string_value(json_object_get(reading, "at"));
    int64_t at_s = 0;
    char text[TEXT_MAX];

    if (point == NULL || !is_needed(point)) {
        return;
    }
    if (at == NULL || hs_timetext_parse(at, now_at_s, &at_s, NULL) != 0) {
        (void)snprintf(text, sizeof(text), "'%s' has never had a good value", point);
    } else if (now_at_s - at_s > old_s) {
        (void)snprintf(text, sizeof(text), "'%s' is %" PRId64 " s old", point, now_at_s - at_s);
    } else {
        return;
    }
    add(items, "reading", "warn", text,
        "look at what feeds it; until then the forecast stands for it");
}

static void check_readings(const struct hs_api_call *call, json_t *items)
{
    const struct hs_estate *estate = hs_daemon_get_config(call->daemon)->estate;
    int64_t now_at_s = hs_api_get_at_s(call);
    size_t n_before = json_array_size(items);

    for (size_t i = 0; i < estate->n_loops; i++) {
        json_auto_t *loop = hs_cycle_format_loop(call->cycle, i, now_at_s);
        const json_t *readings = json_object_get(loop, "readings");

        for (size_t j = 0; j < json_array_size(readings); j++) {
            check_reading(items, json_array_get(readings, j), now_at_s,
                          OLD_SLOTS * (int64_t)estate->slot_s);
        }
    }
    if (json_array_size(items) == n_before) {
        add(items, "readings", "ok", "demand and tanks are fresh", NULL);
    }
}

static void check_clock(const struct hs_api_call *call, json_t *items)
{
    double off_s = hs_daemon_get_wall_off_s(call->daemon);
    char text[TEXT_MAX];

    (void)snprintf(text, sizeof(text), "the wall clock is %.0f s %s plan time, and is not followed",
                   off_s < 0 ? -off_s : off_s, off_s > 0 ? "ahead of" : "behind");
    add(items, "clock", off_s == 0 ? "ok" : "warn",
        off_s == 0 ? "the wall clock agrees with plan time" : text,
        "set the wall clock right; see 'The clock' in docs/operate.md");
}

/* --- the disk --- */

static void check_disk(const struct hs_api_call *call, json_t *items)
{
    const char *dir = hs_daemon_get_config(call->daemon)->state_dir;
    struct statvfs fs;
    double free_bytes;
    char text[TEXT_MAX];
    const char *result;

    if (statvfs(dir, &fs) != 0 || access(dir, W_OK) != 0) {
        (void)snprintf(text, sizeof(text), "'%s' cannot be used: %s", dir, strerror(errno));
        add(items, "disk", "fail", text, "make it a directory that hschedd's user may write to");
        return;
    }
    free_bytes = (double)fs.f_bavail * (double)fs.f_frsize;
    result = free_bytes < DISK_FAIL_BYTES ? "fail" : free_bytes < DISK_WARN_BYTES ? "warn" : "ok";
    (void)snprintf(text, sizeof(text), "%.0f MiB free for '%s'", free_bytes / MIB_BYTES, dir);
    add(items, "disk", result, text, "make room: seeds and consoles of jobs are kept there");
}

void hs_api_doctor_show(struct hs_api_call *call)
{
    json_t *items = hs_jsonx_array();

    add(items, "daemon", "ok", "it answers", NULL);
    check_store(call, items);
    check_leadership(call, items);
    check_epoch(call, items);
    check_records(call, items);
    if (call->cycle != NULL) {
        check_clock(call, items);
        check_hosts(call, items);
        check_readings(call, items);
    }
    check_disk(call, items);
    hs_api_reply_list(call, "CheckList", items);
}
