/* SPDX-License-Identifier: Apache-2.0 */
/*
 * easyshadow - walk the ends in order of time until the head fits.
 *
 * A host whose rack and site can carry everything looks at its own ends only, which its list has
 * in order. One under a limit that may bind looks at the ends of its whole site, sorted once.
 */
#include "scheduler/sim/easyshadow.h"

#include <math.h>
#include <stdlib.h>

#include "scheduler/base/vec.h"
#include "scheduler/sim/simroom.h"

/** An end on some host of a site, by the estimates. */
struct site_end {
    double at_s;
    size_t host_idx;
    uint32_t vcpus;
};

const struct hs_easyshadow hs_easyshadow_none = {.host_idx = SIZE_MAX,
                                                 .at_s = (double)INFINITY,
                                                 .spare_rack_w = (double)INFINITY,
                                                 .spare_site_w = (double)INFINITY};

/** vCPUs of a host's jobs that are past their estimate; they come first in its order. */
static uint32_t count_overrun(const struct hs_simrun *run, const struct hs_simqueue_host *host,
                              size_t *ret_n)
{
    uint32_t vcpus = 0;
    size_t n = 0;

    while (n < host->running.n && host->running.items[n].expected_at_s <= run->at_s) {
        vcpus += run->jobs->items[host->running.items[n++].job_idx].vcpus;
    }
    *ret_n = n;
    return vcpus;
}

/** When one host has room for @vcpus by the estimates, INFINITY if never; and what is left then. */
static double find_room_at_s(const struct hs_simqueue *queue, size_t host_idx, uint32_t vcpus,
                             uint32_t *ret_spare)
{
    const struct hs_simrun *run = queue->run;
    const struct hs_simqueue_host *host = &queue->hosts[host_idx];
    double overrun_at_s = run->at_s + (double)run->scenario->slot_s;
    uint32_t room = hs_simrun_get_free_vcpus(run, host_idx);
    double room_at_s = (double)INFINITY;
    size_t i = 0;
    uint32_t overrun_vcpus = count_overrun(run, host, &i);

    /* the ends in order of time, the overrunning jobs among them as one; all that end at the
     * very time of the shadow count */
    for (;;) {
        bool has_next = i < host->running.n;
        double at_s = has_next ? host->running.items[i].expected_at_s : (double)INFINITY;
        bool is_overrun = overrun_vcpus > 0 && overrun_at_s <= at_s;

        at_s = is_overrun ? overrun_at_s : at_s;
        if ((!has_next && !is_overrun) || at_s > room_at_s) {
            break;
        }
        if (is_overrun) {
            room += overrun_vcpus;
            overrun_vcpus = 0;
        } else {
            room += run->jobs->items[host->running.items[i++].job_idx].vcpus;
        }
        if (room >= vcpus) {
            room_at_s = at_s;
        }
    }
    *ret_spare = room >= vcpus ? room - vcpus : 0;
    return room_at_s;
}

static int compare_ends(const void *a, const void *b)
{
    const struct site_end *x = a, *y = b;

    if (x->at_s != y->at_s) {
        return x->at_s < y->at_s ? -1 : 1;
    }
    return x->host_idx < y->host_idx ? -1 : x->host_idx > y->host_idx;
}

/** Ends of all jobs that run at a site. @return owned by the caller; NULL if there are none */
static struct site_end *make_site_ends(const struct hs_simqueue *queue, size_t site_idx,
                                       size_t *ret_n)
{
    const struct hs_simrun *run = queue->run;
    HS_VEC(struct site_end) ends = {0};

    for (size_t h = 0; h < run->scenario->estate->n_hosts; h++) {
        const struct hs_simqueue_host *host = &queue->hosts[h];
        bool is_ours = run->scenario->estate->hosts[h].site_idx == site_idx;

        for (size_t i = 0; is_ours && i < host->running.n; i++) {
            struct site_end end = {host->running.items[i].expected_at_s, h,
                                   run->jobs->items[host->running.items[i].job_idx].vcpus};

            if (end.at_s <= run->at_s) {
                end.at_s = run->at_s + (double)run->scenario->slot_s;
            }
            HS_VEC_PUSH(&ends, end);
        }
    }
    if (ends.n > 1) {
        qsort(ends.items, ends.n, sizeof(*ends.items), compare_ends);
    }
    *ret_n = ends.n;
    return ends.items;
}

/** As find_room_at_s(), with the power of rack and site. */
static struct hs_easyshadow find_limited(const struct hs_simqueue *queue, size_t host_idx,
                                         uint32_t vcpus, const struct site_end *ends, size_t n_ends)
{
    const struct hs_simrun *run = queue->run;
    const struct hs_estate *estate = run->scenario->estate;
    const struct hs_host *host = &estate->hosts[host_idx];
    double need_w = hs_host_elec_w_per_vcpu(host) * (double)vcpus;
    double rack_w = estate->racks[host->rack_idx].limit_w - run->rack_elec_w[host->rack_idx];
    double site_w =
        estate->sites[host->site_idx].limit_w - hs_simroom_get_site_w(run, host->site_idx);
    uint32_t room = hs_simrun_get_free_vcpus(run, host_idx);
    struct hs_easyshadow shadow = hs_easyshadow_none;

    for (size_t i = 0; i < n_ends && ends[i].at_s <= shadow.at_s; i++) {
        const struct hs_host *from = &estate->hosts[ends[i].host_idx];
        double back_w = hs_host_elec_w_per_vcpu(from) * (double)ends[i].vcpus;

        room += ends[i].host_idx == host_idx ? ends[i].vcpus : 0;
        rack_w += from->rack_idx == host->rack_idx ? back_w : 0;
        site_w += back_w;
        if (room >= vcpus && fmin(rack_w, site_w) + HS_SIMROOM_SLACK_W >= need_w) {
            shadow = (struct hs_easyshadow){host_idx, ends[i].at_s, room - vcpus, rack_w - need_w,
                                            site_w - need_w};
        }
    }
    return shadow;
}

struct hs_easyshadow hs_easyshadow_find(const struct hs_simqueue *queue, uint32_t vcpus)
{
    const struct hs_estate *estate = queue->run->scenario->estate;
    struct hs_easyshadow best = hs_easyshadow_none;
    struct site_end *ends = NULL;
    size_t ends_site_idx = SIZE_MAX, n_ends = 0;

    for (size_t h = 0; h < estate->n_hosts; h++) {
        struct hs_easyshadow shadow = hs_easyshadow_none;

        if (!queue->is_limited[h]) {
            shadow.host_idx = h;
            shadow.at_s = find_room_at_s(queue, h, vcpus, &shadow.spare_vcpus);
        } else {
            if (estate->hosts[h].site_idx != ends_site_idx) {
                free(ends);
                ends_site_idx = estate->hosts[h].site_idx;
                ends = make_site_ends(queue, ends_site_idx, &n_ends);
            }
            shadow = find_limited(queue, h, vcpus, ends, n_ends);
        }
        if (shadow.at_s < best.at_s) {
            best = shadow;
        }
    }
    free(ends);
    return best;
}

bool hs_easyshadow_check(const struct hs_easyshadow *shadow, const struct hs_estate *estate,
                         size_t host_idx, uint32_t vcpus, double end_at_s)
{
    const struct hs_host *host = &estate->hosts[host_idx], *head;
    double need_w = hs_host_elec_w_per_vcpu(host) * (double)vcpus;

    if (shadow->host_idx == SIZE_MAX || end_at_s <= shadow->at_s) {
        return true;
    }
    head = &estate->hosts[shadow->host_idx];
    return (host_idx != shadow->host_idx || vcpus <= shadow->spare_vcpus)
           && (host->rack_idx != head->rack_idx
               || need_w <= shadow->spare_rack_w + HS_SIMROOM_SLACK_W)
           && (host->site_idx != head->site_idx
               || need_w <= shadow->spare_site_w + HS_SIMROOM_SLACK_W);
}

void hs_easyshadow_take(struct hs_easyshadow *shadow, const struct hs_estate *estate,
                        size_t host_idx, uint32_t vcpus, double end_at_s)
{
    const struct hs_host *host = &estate->hosts[host_idx], *head;
    double need_w = hs_host_elec_w_per_vcpu(host) * (double)vcpus;

    if (shadow->host_idx == SIZE_MAX || end_at_s <= shadow->at_s) {
        return;
    }
    head = &estate->hosts[shadow->host_idx];
    shadow->spare_vcpus -= host_idx == shadow->host_idx ? vcpus : 0;
    shadow->spare_rack_w -= host->rack_idx == head->rack_idx ? need_w : 0;
    shadow->spare_site_w -= host->site_idx == head->site_idx ? need_w : 0;
}
