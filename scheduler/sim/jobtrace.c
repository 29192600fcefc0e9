/* SPDX-License-Identifier: Apache-2.0 */
/* jobtrace - records to machines, as simulator.md pins it. */
#include "scheduler/sim/jobtrace.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "adapters/signal/csvtable.h"
#include "adapters/signal/filetext.h"
#include "scheduler/sim/swf.h"

#define JOBTRACE_MIB_PER_VCPU 2048.0
#define JOBTRACE_SEED_STRIDE  1000003U
#define JOBTRACE_S_MAX        1e11 /* 3,000 years: also stamps since 1970, which offset_s brings in */
#define JOBTRACE_PROCS_MAX    1e8
#define JOBTRACE_JOBS_MAX     5000000U

uint64_t hs_jobtrace_splitmix64(uint64_t state)
{
    uint64_t z = state + UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static int check_figure(const char *name, double value, double max, const char *unit,
                        const char *where, struct hs_err *err)
{
    if (fabs(value) > max) {
        return hs_err_set(err, HS_E_INVALID, where,
                          "%s %g%s is more than a trace can hold; write at most %g%s", name, value,
                          unit, max, unit);
    }
    return 0;
}

int hs_jobtrace_check_record(const struct hs_jobtrace_record *record, const char *where,
                             struct hs_err *err)
{
    int rc = check_figure("submit time", record->submit_s, JOBTRACE_S_MAX, " s", where, err);

    rc = rc != 0 ? rc : check_figure("run time", record->run_s, JOBTRACE_S_MAX, " s", where, err);
    rc = rc != 0 ? rc
                 : check_figure("requested time", record->requested_s, JOBTRACE_S_MAX, " s", where,
                                err);
    return rc != 0 ? rc
                   : check_figure("processors", record->procs, JOBTRACE_PROCS_MAX, "", where, err);
}

int hs_jobtrace_read_csv(const char *path, struct hs_jobtrace *ret_trace, struct hs_err *err)
{
    HS_AUTO(hs_csvtable) table = NULL;
    size_t submit = 0, run = 0, cpus = 0, requested = 0;
    bool has_requested;
    int rc = hs_csvtable_read(path, &table, err);

    rc = rc != 0 ? rc : hs_csvtable_find(table, "arrival_s", &submit, err);
    rc = rc != 0 ? rc : hs_csvtable_find(table, "run_s", &run, err);
    rc = rc != 0 ? rc : hs_csvtable_find(table, "cpus", &cpus, err);
    has_requested = rc == 0 && hs_csvtable_has(table, "requested_s");
    if (has_requested) {
        rc = hs_csvtable_find(table, "requested_s", &requested, err);
    }
    for (size_t row = 0; rc == 0 && row < table->n_rows; row++) {
        struct hs_jobtrace_record record = {0};
        char where[HS_FILETEXT_WHERE_MAX];

        rc = hs_csvtable_get_number(table, row, submit, &record.submit_s, err);
        rc = rc != 0 ? rc : hs_csvtable_get_number(table, row, run, &record.run_s, err);
        rc = rc != 0 ? rc : hs_csvtable_get_number(table, row, cpus, &record.procs, err);
        if (rc == 0 && has_requested) {
            rc = hs_csvtable_get_number(table, row, requested, &record.requested_s, err);
            record.requested_s = record.requested_s > 0 ? record.requested_s : 0;
        }
        hs_csvtable_format_where(table, row, where);
        rc = rc != 0 ? rc : hs_jobtrace_check_record(&record, where, err);
        if (rc == 0) {
            HS_VEC_PUSH(ret_trace, record);
        }
    }
    return rc;
}

static uint32_t get_free_vcpus(const struct hs_host *host)
{
    return host->vcpus > host->pinned_vcpus ? host->vcpus - host->pinned_vcpus : 0;
}

/** The host with most vCPUs for jobs, or NULL without any. */
static const struct hs_host *find_largest_host(const struct hs_estate *estate)
{
    const struct hs_host *largest = NULL;

    for (size_t h = 0; h < estate->n_hosts; h++) {
        uint32_t free_vcpus = get_free_vcpus(&estate->hosts[h]);

        if (free_vcpus > 0 && (largest == NULL || free_vcpus > get_free_vcpus(largest))) {
            largest = &estate->hosts[h];
        }
    }
    return largest;
}

static bool is_drawn(uint64_t seed, double ratio, uint64_t record_idx)
{
    uint64_t mixed = hs_jobtrace_splitmix64(seed * JOBTRACE_SEED_STRIDE + record_idx);

    return (double)mixed / 18446744073709551616.0 < ratio; /* 2^64 */
}

/**
 * Memory of a piece: what the trace says, spread over its vCPUs, but no larger share of a host
 * than its vCPUs are (logs record a job's whole memory under this field, which no host has).
 */
static uint64_t get_memory_mib(const struct hs_jobtrace_record *record, double scale_cpus,
                               const struct hs_host *host, uint32_t vcpus)
{
    double per_vcpu_mib = JOBTRACE_MIB_PER_VCPU;
    double share_mib = (double)host->memory_mib / (double)host->vcpus;

    if (record->memory_mib_per_proc > 0) {
        per_vcpu_mib = fmin(record->memory_mib_per_proc / scale_cpus, share_mib);
    }
    return (uint64_t)fmax(1, floor((double)vcpus * per_vcpu_mib));
}

/** Cut a record into pieces, full ones first. */
static void add_pieces(const struct hs_jobtrace_record *record, struct hs_simjob job,
                       double scale_cpus, const struct hs_host *host, struct hs_simjobs *jobs)
{
    uint32_t largest = get_free_vcpus(host);
    double scaled = floor(record->procs * scale_cpus + 0.5);
    uint64_t left = scaled < 1 ? 1 : (uint64_t)scaled;

    while (left > 0 && jobs->n <= JOBTRACE_JOBS_MAX) {
        job.vcpus = left < largest ? (uint32_t)left : largest;
        job.memory_mib = get_memory_mib(record, scale_cpus, host, job.vcpus);
        HS_VEC_PUSH(jobs, job);
        left -= job.vcpus;
        job.piece++;
    }
}

static void make_jobs(const struct hs_scenario *scenario, const struct hs_scenario_trace *trace,
                      const struct hs_jobtrace *records, uint64_t first_record_idx,
                      struct hs_simjobs *jobs)
{
    double span_s = (double)(hs_scenario_end_at_s(scenario) - scenario->start_at_s);
    const struct hs_host *largest = find_largest_host(scenario->estate);
    int64_t n_kept = 0;

    for (size_t i = 0; i < records->n && largest != NULL && jobs->n <= JOBTRACE_JOBS_MAX; i++) {
        const struct hs_jobtrace_record *record = &records->items[i];
        double submit_s = record->submit_s - trace->offset_s;
        uint64_t record_idx = first_record_idx + i;
        double basis_s, due_s;

        if (isnan(record->submit_s)) {
            jobs->n_bad++;
            continue;
        }
        if (!(submit_s >= 0 && submit_s < span_s) || (trace->limit > 0 && n_kept >= trace->limit)) {
            jobs->n_outside++;
            continue;
        }
        n_kept++;
        if (!(record->run_s > 0) || !(record->procs > 0)) {
            jobs->n_bad++;
            continue;
        }
        if (trace->max_run_s > 0 && record->run_s > trace->max_run_s) {
            jobs->n_long++;
            continue;
        }
        basis_s = trace->is_due_from_requested && record->requested_s > 0 ? record->requested_s
                                                                          : record->run_s;
        due_s = submit_s + fmax(basis_s * (1 + trace->slack_ratio), basis_s + trace->min_slack_s);
        if (due_s > span_s) {
            jobs->n_after_end++;
            continue;
        }
        struct hs_simjob job = {
            .submit_at_s = (double)scenario->start_at_s + submit_s,
            .run_s = record->run_s,
            .estimate_s = record->requested_s > 0 ? record->requested_s : record->run_s,
            .due_at_s = (double)scenario->start_at_s + due_s,
            .interruptible = is_drawn(scenario->seed, trace->interruptible_ratio, record_idx),
            .elastic = is_drawn(~scenario->seed, trace->elastic_ratio, record_idx),
            .user = (uint32_t)fmin(record->user, UINT32_MAX),
            .record_idx = record_idx,
        };

        add_pieces(record, job, trace->scale_cpus, largest, jobs);
    }
}

/** Add the jobs of one trace; none, or far too many, is a mistake in its entry. */
static int take_trace(const struct hs_scenario *scenario, const struct hs_scenario_trace *trace,
                      const struct hs_jobtrace *records, uint64_t first_record_idx,
                      struct hs_simjobs *jobs, struct hs_err *err)
{
    struct hs_simjobs before = *jobs;
    char where[HS_FILETEXT_WHERE_MAX];

    hs_filetext_format_where(trace->path, 0, where);
    if (find_largest_host(scenario->estate) == NULL) {
        return hs_err_set(err, HS_E_INVALID, where,
                          "no host of the estate has a vCPU for jobs: all are pinned, or there is "
                          "no host; lower pinned_vcpus");
    }
    make_jobs(scenario, trace, records, first_record_idx, jobs);
    if (jobs->n > JOBTRACE_JOBS_MAX) {
        return hs_err_set(err, HS_E_INVALID, where,
                          "the records become more than %u machines; lower scale_cpus or limit",
                          JOBTRACE_JOBS_MAX);
    }
    if (records->n == 0) {
        return hs_err_set(err, HS_E_INVALID, where, "the log has no record; name another");
    }
    if (jobs->n == before.n) {
        return hs_err_set(err, HS_E_INVALID, where,
                          "none of %zu records is a job of this run: %zu submitted outside it, %zu "
                          "without run time or processors, %zu too long, %zu due after its end; "
                          "check offset_s and days",
                          records->n, jobs->n_outside - before.n_outside,
                          jobs->n_bad - before.n_bad, jobs->n_long - before.n_long,
                          jobs->n_after_end - before.n_after_end);
    }
    return 0;
}

static int compare_jobs(const void *a, const void *b)
{
    const struct hs_simjob *x = a, *y = b;

    if (x->submit_at_s != y->submit_at_s) {
        return x->submit_at_s < y->submit_at_s ? -1 : 1;
    }
    if (x->record_idx != y->record_idx) {
        return x->record_idx < y->record_idx ? -1 : 1;
    }
    return x->piece < y->piece ? -1 : x->piece > y->piece;
}

int hs_jobtrace_make(const struct hs_scenario *scenario, struct hs_simjobs *ret_jobs,
                     struct hs_err *err)
{
    uint64_t first_record_idx = 0;

    for (size_t i = 0; i < scenario->n_traces; i++) {
        const struct hs_scenario_trace *trace = &scenario->traces[i];
        struct hs_jobtrace records = {0};
        int rc = trace->is_swf ? hs_swf_read(trace->path, &records, err)
                               : hs_jobtrace_read_csv(trace->path, &records, err);

        if (rc == 0) {
            rc = take_trace(scenario, trace, &records, first_record_idx, ret_jobs, err);
            first_record_idx += records.n;
        }
        HS_VEC_FINI(&records);
        if (rc != 0) {
            return rc;
        }
    }
    if (ret_jobs->n > 1) { /* a scenario without jobs has no items to sort */
        qsort(ret_jobs->items, ret_jobs->n, sizeof(*ret_jobs->items), compare_jobs);
    }
    return 0;
}

void hs_jobtrace_format_name(const struct hs_simjob *job, char *ret_text, size_t size)
{
    snprintf(ret_text, size, "trace-%" PRIu64 "-%" PRIu32, job->record_idx, job->piece);
}

void hs_jobtrace_fini(struct hs_simjobs *jobs)
{
    HS_VEC_FINI(jobs);
}
