/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/daemon/fleet.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/vec.h"
#include "scheduler/daemon/statedir.h"

#define DIR_MAX        1024
#define RETRY_PERIOD_S 10.0 /* after a listing that failed */

struct fleet_host {
    struct hs_fleet *fleet;
    size_t host_idx;
    struct hs_compute *compute;
    struct hs_timer *list_timer;
    double list_at_mono_s; /* when list_timer fires */
    bool is_listing;
    bool is_up;
    bool was_tried;
    bool is_down; /* as was said; it holds, once it answers, for what it still has */
    double since_mono_s;
    double asking_mono_s; /* when the listing that is out was asked for */
    double asked_mono_s;  /* the same of the last that came */
    bool is_stale;        /* a listing was asked for while one was out */
};

struct hs_fleet {
    struct hs_fleet_options options;
    struct fleet_host *hosts; /* [n_hosts] */
    size_t n_hosts;
    HS_VEC(char *) gone; /* paths of hosts that are not in the estate and are off */
    bool is_closing;
};

static void list_now(void *arg);

static const char *get_path(const struct fleet_host *host)
{
    return host->fleet->options.estate->hosts[host->host_idx].path;
}

static void set_list_timer(struct fleet_host *host, double after_s)
{
    host->list_at_mono_s = hs_clock_mono_s(host->fleet->options.clock) + after_s;
    hs_executor_timer_set(host->fleet->options.executor, host->list_timer, after_s);
}

void hs_fleet_list(struct hs_fleet *fleet, size_t host_idx, double after_s)
{
    struct fleet_host *host = &fleet->hosts[host_idx];

    if (host->is_listing) {
        host->is_stale = true; /* the answer on its way may be older than the question */
    } else if (hs_clock_mono_s(fleet->options.clock) + after_s < host->list_at_mono_s) {
        set_list_timer(host, after_s);
    }
}

void hs_fleet_get_view(const struct hs_fleet *fleet, size_t host_idx,
                       struct hs_fleet_view *ret_view)
{
    const struct fleet_host *host = &fleet->hosts[host_idx];

    *ret_view = (struct hs_fleet_view){
        .is_up = host->is_up,
        .was_tried = host->was_tried,
        .is_down = host->is_down && !host->is_up,
        .was_down = host->is_down && host->is_up,
        .since_mono_s = host->since_mono_s,
        .asked_mono_s = host->asked_mono_s,
        .settle_s = hs_compute_get_settle_s(fleet->options.estate->hosts[host_idx].uri),
    };
}

void hs_fleet_set_down(struct hs_fleet *fleet, size_t host_idx, bool is_down)
{
    fleet->hosts[host_idx].is_down = is_down;
}

bool hs_fleet_is_gone(const struct hs_fleet *fleet, const char *path)
{
    for (size_t i = 0; i < fleet->gone.n; i++) {
        if (strcmp(fleet->gone.items[i], path) == 0) {
            return true;
        }
    }
    return false;
}

void hs_fleet_set_gone(struct hs_fleet *fleet, const char *path)
{
    if (!hs_fleet_is_gone(fleet, path)) {
        HS_VEC_PUSH(&fleet->gone, hs_xstrdup(path));
    }
}

/* --- what a host says --- */

static void tell_lost(struct fleet_host *host, const char *text)
{
    struct hs_event event = {.kind = HS_EVENT_HOST_LOST, .host_idx = host->host_idx};

    if (host->is_up) {
        HS_LOG_WARN("compute", "host '%s' is lost: %s", get_path(host), text);
    }
    if (host->is_up || !host->was_tried) {
        host->since_mono_s = hs_clock_mono_s(host->fleet->options.clock);
    }
    host->is_up = false;
    host->was_tried = true;
    snprintf(event.text, sizeof(event.text), "%s", text);
    hs_inbox_add(host->fleet->options.inbox, &event, HS_INBOX_SOON);
}

static void on_list(int rc, const struct hs_err *err, const struct hs_machine *machines,
                    size_t n_machines, void *arg)
{
    struct fleet_host *host = arg;
    struct hs_fleet *fleet = host->fleet;
    struct hs_event event = {.kind = HS_EVENT_HOST_LISTED,
                             .host_idx = host->host_idx,
                             .machines = machines,
                             .n_machines = n_machines};

    host->is_listing = false;
    if (fleet->is_closing) {
        return;
    }
    set_list_timer(host, host->is_stale ? 0 : rc != 0 ? RETRY_PERIOD_S : HS_FLEET_LIST_PERIOD_S);
    host->is_stale = false;
    if (rc != 0) {
        HS_LOG_DEBUG("compute", "host '%s' was not listed: %s", get_path(host),
                     err != NULL ? err->text : hs_err_word(rc));
        if (host->is_up) {
            tell_lost(host, err != NULL ? err->text : hs_err_word(rc));
        }
        return;
    }
    if (!host->is_up) {
        HS_LOG_INFO("compute", "host '%s' is up with %zu machines", get_path(host), n_machines);
        host->since_mono_s = hs_clock_mono_s(fleet->options.clock);
    }
    host->is_up = true;
    host->was_tried = true;
    host->asked_mono_s = host->asking_mono_s;
    if (fleet->options.listed(fleet->options.arg, host->host_idx, machines, n_machines)) {
        hs_inbox_add(fleet->options.inbox, &event, HS_INBOX_SOON);
    }
}

static void list_now(void *arg)
{
    struct fleet_host *host = arg;

    host->list_at_mono_s = INFINITY;
    host->is_listing = true;
    host->asking_mono_s = hs_clock_mono_s(host->fleet->options.clock);
    hs_compute_list(host->compute, on_list, host);
}

static void on_changed(void *arg, size_t host_idx, const struct hs_machine *machine)
{
    struct hs_fleet *fleet = arg;
    struct hs_event event = {
        .kind = HS_EVENT_MACHINE_CHANGED, .host_idx = host_idx, .machine = *machine};

    hs_inbox_add(fleet->options.inbox, &event, HS_INBOX_SOON);
}

static void on_ended(void *arg, size_t host_idx, const struct hs_machine_end *end)
{
    struct hs_fleet *fleet = arg;
    struct hs_event event = {.kind = HS_EVENT_MACHINE_ENDED,
                             .host_idx = host_idx,
                             .job_id = end->job_id,
                             .has_exit_status = end->has_exit_status,
                             .exit_status = end->exit_status};

    hs_inbox_add(fleet->options.inbox, &event, HS_INBOX_SOON);
}

static void on_link(void *arg, size_t host_idx, bool up, const char *text)
{
    struct hs_fleet *fleet = arg;
    struct fleet_host *host = &fleet->hosts[host_idx];

    if (fleet->is_closing) {
        return;
    }
    if (up) {
        hs_fleet_list(fleet, host_idx, 0);
    } else {
        tell_lost(host, text != NULL && text[0] != '\0' ? text : "the link went down");
    }
}

/* --- life --- */

static int open_host(struct hs_fleet *fleet, size_t i, struct hs_err *err)
{
    const struct hs_fleet_options *options = &fleet->options;
    struct fleet_host *host = &fleet->hosts[i];
    char work_dir[DIR_MAX];
    struct hs_compute_options compute_options = {
        .executor = options->executor,
        .clock = options->clock,
        .host = &options->estate->hosts[i],
        .host_idx = i,
        .images = options->images,
        .n_images = options->n_images,
        .store_id = options->store_id,
        .work_dir = work_dir,
        .move_mib_per_s = options->move_mib_per_s,
        .listener = {.changed = on_changed, .ended = on_ended, .link = on_link, .arg = fleet},
    };
    int rc;

    host->fleet = fleet;
    host->host_idx = i;
    host->asked_mono_s = -INFINITY;
    host->list_timer = hs_executor_timer_add(options->executor, -1, list_now, host);
    set_list_timer(host, HS_FLEET_LIST_PERIOD_S);
    snprintf(work_dir, sizeof(work_dir), "%s/hosts/%s", options->state_dir,
             options->estate->hosts[i].path);
    rc = hs_statedir_make(work_dir, err);
    return rc != 0 ? rc : hs_compute_new(&compute_options, &host->compute, err);
}

int hs_fleet_new(const struct hs_fleet_options *options, struct hs_fleet **ret_fleet,
                 struct hs_err *err)
{
    HS_AUTO(hs_fleet) fleet = hs_xcalloc(1, sizeof(*fleet));

    fleet->options = *options;
    fleet->n_hosts = options->estate->n_hosts;
    fleet->hosts = hs_xcalloc(fleet->n_hosts, sizeof(*fleet->hosts));
    for (size_t i = 0; i < fleet->n_hosts; i++) {
        int rc = open_host(fleet, i, err);

        if (rc != 0) {
            return rc;
        }
    }
    *ret_fleet = HS_STEAL(fleet);
    return 0;
}

struct hs_compute *hs_fleet_get_compute(const struct hs_fleet *fleet, size_t host_idx)
{
    return fleet->hosts[host_idx].compute;
}

void hs_fleet_free(struct hs_fleet *fleet)
{
    if (fleet == NULL) {
        return;
    }
    fleet->is_closing = true;
    for (size_t i = 0; i < fleet->n_hosts; i++) {
        hs_executor_timer_remove(fleet->options.executor, fleet->hosts[i].list_timer);
        hs_compute_free(fleet->hosts[i].compute);
    }
    for (size_t i = 0; i < fleet->gone.n; i++) {
        free(fleet->gone.items[i]);
    }
    HS_VEC_FINI(&fleet->gone);
    free(fleet->hosts);
    free(fleet);
}
