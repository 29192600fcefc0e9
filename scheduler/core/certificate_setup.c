/* SPDX-License-Identifier: Apache-2.0 */
/* certificate_setup - what hosts and jobs come down to; see certificate_priv.h. */
#include <math.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"
#include "scheduler/core/certificate_priv.h"

#define LATE_RATIO 10.0 /* of the dearest electricity and heat of the work */
#define MW_PER_W   1e-3 /* fit counts in whole mW: so much may a job be off */

/* --- hosts --- */

static size_t find_kind(struct hs_certificate *cert, const struct hs_host *host)
{
    double elec_w = hs_host_elec_w_per_vcpu(host);
    double capture_ratio = cert->estate->racks[host->rack_idx].capture_ratio;
    size_t k = cert->n_kinds;

    while (k > 0
           && !(cert->kinds[k - 1].loop_idx == host->loop_idx
                && cert->kinds[k - 1].site_idx == host->site_idx
                && fabs(cert->kinds[k - 1].elec_w - elec_w) < 1e-9
                && fabs(cert->kinds[k - 1].capture_ratio - capture_ratio) < 1e-9)) {
        k--;
    }
    if (k > 0) {
        return k - 1;
    }
    cert->kinds[cert->n_kinds] = (struct hs_certificate_kind){.site_idx = host->site_idx,
                                                              .loop_idx = host->loop_idx,
                                                              .elec_w = elec_w,
                                                              .capture_ratio = capture_ratio};
    return cert->n_kinds++;
}

void hs_certificate_set_kinds(struct hs_certificate *cert)
{
    const struct hs_estate *estate = cert->estate;

    cert->kinds = hs_xcalloc(estate->n_hosts, sizeof(*cert->kinds));
    cert->kind_of_host = hs_xcalloc(estate->n_hosts, sizeof(*cert->kind_of_host));
    for (size_t h = 0; h < estate->n_hosts; h++) {
        cert->kind_of_host[h] = find_kind(cert, &estate->hosts[h]);
    }
}

static void fill_row(struct hs_certificate *cert, size_t k)
{
    struct hs_certificate_kind *kind = &cert->kinds[k];
    const double *elec_cur_per_mwh = &cert->elec_cur_per_mwh[kind->site_idx * cert->n_slots];
    double *elec_sum = &cert->elec_sum[k * (cert->n_slots + 1)];
    double slot_wh = hs_wh_from_w(kind->elec_w, cert->slot_s);
    double slots = 0.0;

    for (size_t t = 0; t < cert->n_slots; t++) {
        size_t i = k * cert->n_slots + t;

        cert->elec_cur[i] = hs_cur_from_wh(slot_wh * cert->len[t], elec_cur_per_mwh[t]);
        cert->heat_wh[i] = slot_wh * cert->len[t] * kind->capture_ratio;
        cert->stop_cur[i] =
            hs_cur_from_wh(hs_wh_from_w(kind->elec_w, cert->stop_s), fabs(elec_cur_per_mwh[t]));
        elec_sum[t + 1] = elec_sum[t] + cert->elec_cur[i];
        slots += cert->len[t];
    }
    kind->tail_cur = elec_sum[cert->n_slots] / slots
                     - slot_wh * kind->capture_ratio * cert->inputs[kind->loop_idx].end_cur_per_wh;
}

static double find_dearest_cur_per_mwh(const struct hs_certificate *cert)
{
    double dearest = 0.0;

    for (size_t i = 0; i < cert->estate->n_sites * cert->n_slots; i++) {
        dearest = fmax(dearest, cert->elec_cur_per_mwh[i]);
    }
    for (size_t l = 0; l < cert->n_loops; l++) {
        dearest = fmax(dearest, cert->heat_max_cur[l] * 1e6);
    }
    return dearest;
}

void hs_certificate_set_hosts(struct hs_certificate *cert)
{
    const struct hs_estate *estate = cert->estate;
    size_t n = cert->n_slots;

    double elec_w = 0.0;

    for (size_t k = 0; k < cert->n_kinds; k++) {
        fill_row(cert, k);
        elec_w = fmax(elec_w, cert->kinds[k].elec_w);
    }
    cert->late_cur =
        LATE_RATIO
        * hs_cur_from_wh(hs_wh_from_w(elec_w, cert->slot_s), find_dearest_cur_per_mwh(cert));
    for (size_t r = 0; r < estate->n_racks; r++) {
        for (size_t t = 0; t < n; t++) {
            cert->rack_left_w[r * n + t] = estate->racks[r].limit_w;
        }
    }
    for (size_t h = 0; h < estate->n_hosts; h++) {
        const struct hs_host *host = &estate->hosts[h];

        cert->barred[h] = false;
        for (size_t t = 0; t < n; t++) {
            cert->free_vcpus[h * n + t] = (int32_t)(host->vcpus - host->pinned_vcpus);
            cert->rack_left_w[host->rack_idx * n + t] -= hs_host_elec_w(host, host->pinned_vcpus);
        }
    }
}

void hs_certificate_reserve_slots(struct hs_certificate *cert, size_t host_idx,
                                  const struct hs_fit_size *size, size_t first, size_t last)
{
    const struct hs_host *host = &cert->estate->hosts[host_idx];
    double elec_w = hs_host_elec_w_per_vcpu(host) * size->vcpus;

    for (size_t t = first; t <= last && t < cert->n_slots; t++) {
        cert->free_vcpus[host_idx * cert->n_slots + t] -= size->vcpus;
        cert->rack_left_w[host->rack_idx * cert->n_slots + t] -= elec_w;
    }
}

/* The least power of a vCPU on a rack's hosts: it decides how many the rack can feed. */
static double find_least_w(const struct hs_certificate *cert, const struct hs_rack *rack)
{
    double least_w = INFINITY;

    for (size_t h = rack->first_host_idx; h < rack->first_host_idx + rack->n_hosts; h++) {
        if (!cert->barred[h]) {
            least_w = fmin(least_w, cert->kinds[cert->kind_of_host[h]].elec_w - MW_PER_W);
        }
    }
    return least_w;
}

/* What runs there already may go on in a slot that has no room for anything else. */
static void add_rack(struct hs_certificate *cert, const struct hs_rack *rack, size_t loop_idx,
                     size_t rack_idx)
{
    size_t n = cert->n_slots;
    double least_w = find_least_w(cert, rack);

    for (size_t t = 0; t < n; t++) {
        double vcpus = 0.0;
        double held_vcpus = 0.0;

        for (size_t h = rack->first_host_idx; h < rack->first_host_idx + rack->n_hosts; h++) {
            double free_vcpus = cert->barred[h] ? 0.0 : cert->free_vcpus[h * n + t];

            vcpus += fmax(cert->held_vcpus[h], free_vcpus);
            held_vcpus += cert->held_vcpus[h];
        }
        if (least_w > 0) {
            double fed = (cert->rack_left_w[rack_idx * n + t] + MW_PER_W) / least_w;

            vcpus = fmin(vcpus, fmax(held_vcpus, fed));
        }
        cert->room_vcpus[loop_idx * n + t] += vcpus;
    }
}

void hs_certificate_set_room(struct hs_certificate *cert)
{
    const struct hs_estate *estate = cert->estate;
    size_t n = cert->n_slots;

    for (size_t i = 0; i < cert->n_loops * n; i++) {
        cert->room_vcpus[i] = 0.0;
        cert->heat_max_wh[i] = 0.0;
    }
    for (size_t r = 0; r < estate->n_racks; r++) {
        const struct hs_rack *rack = &estate->racks[r];

        if (rack->n_hosts > 0) {
            add_rack(cert, rack, estate->hosts[rack->first_host_idx].loop_idx, r);
        }
    }
    for (size_t k = 0; k < cert->n_kinds; k++) {
        size_t l = cert->kinds[k].loop_idx;

        for (size_t t = 0; t < n; t++) {
            double heat_wh = cert->heat_wh[k * n + t] * cert->room_vcpus[l * n + t];

            cert->heat_max_wh[l * n + t] = fmax(cert->heat_max_wh[l * n + t], heat_wh);
        }
    }
}

/* --- jobs --- */

static double slot_start_at_s(const struct hs_certificate *cert, size_t t)
{
    return t == 0 ? (double)cert->now_at_s : (double)cert->from_at_s + (double)t * cert->slot_s;
}

/* First slot that a job may start in, n_slots if none. */
static size_t first_slot(const struct hs_certificate *cert, const struct hs_place_job *job)
{
    if (job->earliest_at_s <= cert->now_at_s) {
        return 0;
    }
    double slots = (double)(job->earliest_at_s - cert->from_at_s) / cert->slot_s;

    return (size_t)fmin(ceil(slots - 1e-9), (double)cert->n_slots);
}

static double soonest_end_at_s(const struct hs_certificate *cert, const struct hs_place_job *job,
                               size_t first)
{
    return fmax(slot_start_at_s(cert, first), (double)job->earliest_at_s) + job->remaining_s;
}

static bool is_hopeless(const struct hs_certificate *cert, const struct hs_place_job *job)
{
    return job->is_hopeless
           || soonest_end_at_s(cert, job, first_slot(cert, job)) > (double)job->due_at_s + 0.5;
}

/* Work in a job's last slot when it takes whole ones before that. */
static double find_last_part(double need)
{
    return need - (ceil(need - 1e-9) - 1.0);
}

/* Slots before this one may be used: the one that holds its due time only if the rest fits. */
static size_t find_end(const struct hs_certificate *cert, const struct hs_certificate_job *job,
                       double due_slots)
{
    double whole = floor(due_slots);
    double part = due_slots - whole + 1e-9;
    bool fits = find_last_part(job->need) <= part
                || (job->first == 0 && job->need > cert->len[0]
                    && find_last_part(job->need - cert->len[0]) <= part)
                || job->need <= cert->len[0];

    if (due_slots >= (double)cert->n_slots) {
        return cert->n_slots;
    }
    return (size_t)fmax(0.0, whole + (fits || job->is_elastic ? 1.0 : 0.0));
}

/* How @job looks here. Fixed jobs have no use for it. */
static void read_job(const struct hs_certificate *cert, const struct hs_place_job *job,
                     struct hs_certificate_job *ret_job)
{
    size_t n = cert->n_slots;
    double end_at_s = slot_start_at_s(cert, n);
    bool is_elastic = hs_place_is_elastic(job) && job->freedom != HS_PLACE_FILLER;
    bool at_once =
        !is_elastic && (job->freedom == HS_PLACE_AT_ONCE || job->freedom == HS_PLACE_FIXED);
    enum hs_place_freedom freedom = is_elastic ? HS_PLACE_INTERRUPTIBLE : job->freedom;
    double due_at_s = is_hopeless(cert, job) ? (double)INFINITY : (double)job->due_at_s + 0.5;
    size_t first = first_slot(cert, job);
    double starts = floor((due_at_s - job->remaining_s - (double)cert->from_at_s) / cert->slot_s);

    *ret_job = (struct hs_certificate_job){
        .need = fmax(job->remaining_s / cert->slot_s, 1e-6), /* the least that is work */
        .tail_max = at_once ? (double)INFINITY : (due_at_s - end_at_s) / cert->slot_s,
        .vcpus = job->size.vcpus * hs_place_get_full_share(job),
        .first = (uint16_t)first,
        .freedom = (uint8_t)(at_once ? HS_PLACE_AT_ONCE : freedom),
        .is_running = job->is_running,
        .is_elastic = is_elastic,
    };
    if (!is_hopeless(cert, job)) {
        ret_job->late_cur = cert->late_cur * fmin(ret_job->need, (double)n);
    }
    starts = at_once ? (double)first : starts;
    ret_job->can_start =
        first < n && starts >= (double)first
        && (first > 0 || slot_start_at_s(cert, 0) + job->remaining_s <= due_at_s || at_once);
    ret_job->last_start = (uint16_t)fmax(0.0, fmin(starts, (double)(n - 1)));
    ret_job->end =
        (uint16_t)find_end(cert, ret_job, (due_at_s - (double)cert->from_at_s) / cert->slot_s);
}

static bool may_use(const struct hs_certificate *cert, const struct hs_place_job *job, size_t k)
{
    const struct hs_certificate_kind *kind = &cert->kinds[k];

    if (job->host_idx != SIZE_MAX && (!job->is_movable || cert->kind_of_host[job->host_idx] == k)) {
        return cert->kind_of_host[job->host_idx] == k;
    }
    return (job->site_allowed == NULL || job->site_allowed[kind->site_idx])
           && job->size.vcpus <= kind->vcpus_max && job->size.memory_mib <= kind->memory_max_mib;
}

static void add_kinds(struct hs_certificate *cert, const struct hs_place_job *job,
                      struct hs_certificate_job *io_job)
{
    io_job->set_first = (uint32_t)cert->sets.n;
    for (size_t k = 0; k < cert->n_kinds; k++) {
        if (may_use(cert, job, k)) {
            (void)HS_VEC_PUSH(&cert->sets, (uint32_t)k);
        }
    }
    io_job->set_n = (uint32_t)cert->sets.n - io_job->set_first;
}

/* The most that a filler's work within the horizon can be worth. */
static double find_fill_cur(const struct hs_certificate *cert, const struct hs_place_job *job,
                            const struct hs_certificate_job *mine)
{
    bool may_be_none = !(job->ceiling_cur_per_mwh > 0) && mine->tail_max > 0;
    double most_cur = may_be_none ? 0.0 : -INFINITY;

    for (size_t i = 0; i < mine->set_n; i++) {
        double wh = hs_wh_from_w(cert->kinds[cert->sets.items[mine->set_first + i]].elec_w,
                                 cert->slot_s * fmin(mine->need, cert->n_len));

        most_cur = fmax(most_cur, hs_cur_from_wh(wh, job->ceiling_cur_per_mwh));
    }
    return mine->set_n > 0 ? most_cur : 0.0;
}

/* What runs and cannot be stopped is base load. */
static void fix_job(struct hs_certificate *cert, const struct hs_place_job *job)
{
    size_t k = cert->kind_of_host[job->host_idx];
    size_t l = cert->kinds[k].loop_idx;
    double left = job->remaining_s / cert->slot_s;
    double vcpus = job->size.vcpus * hs_place_get_full_share(job);

    for (size_t t = 0; t < cert->n_slots && left > 1e-12; t++) {
        double part = fmin(left, cert->len[t]);

        cert->captured_wh[l * cert->n_slots + t] +=
            cert->heat_wh[k * cert->n_slots + t] * part / cert->len[t] * vcpus;
        hs_certificate_reserve_slots(cert, job->host_idx, &job->size, t, t);
        left -= part;
    }
}

/* Largest host of each kind that may take a job. */
static void set_largest(struct hs_certificate *cert)
{
    for (size_t k = 0; k < cert->n_kinds; k++) {
        cert->kinds[k].vcpus_max = -1;
        cert->kinds[k].memory_max_mib = -1;
    }
    for (size_t h = 0; h < cert->estate->n_hosts; h++) {
        const struct hs_host *host = &cert->estate->hosts[h];
        struct hs_certificate_kind *kind = &cert->kinds[cert->kind_of_host[h]];
        int32_t vcpus = (int32_t)(host->vcpus - host->pinned_vcpus);

        if (!cert->barred[h]) {
            kind->vcpus_max = vcpus > kind->vcpus_max ? vcpus : kind->vcpus_max;
            kind->memory_max_mib = (int64_t)host->memory_mib > kind->memory_max_mib
                                       ? (int64_t)host->memory_mib
                                       : kind->memory_max_mib;
        }
    }
}

void hs_certificate_add_jobs(struct hs_certificate *cert)
{
    set_largest(cert);
    memset(cert->held_vcpus, 0, cert->estate->n_hosts * sizeof(double));
    cert->sets.n = 0;
    cert->n_jobs = 0;
    for (size_t i = 0; i < cert->n_given; i++) {
        const struct hs_place_job *job = &cert->given[i];

        if (hs_certificate_is_fixed(job)) {
            fix_job(cert, job);
            continue;
        }
        struct hs_certificate_job *mine = &cert->jobs[cert->n_jobs++];

        read_job(cert, job, mine);
        add_kinds(cert, job, mine);
        mine->fill_cur = job->freedom == HS_PLACE_FILLER ? find_fill_cur(cert, job, mine) : 0.0;
        if (job->is_running && job->host_idx != SIZE_MAX) {
            cert->held_vcpus[job->host_idx] += job->size.vcpus;
        }
    }
}
