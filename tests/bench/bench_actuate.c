/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_actuate qemu URI WORK_DIR KERNEL INITRD CMDLINE N | test URI WORK_DIR N - what our hands
 * add.
 *
 * JSON lines: through the compute port beside the bare libvirt calls, by turns. From the decision
 * to the state: the port's answer, after it has read the tag before and the state after; bare:
 * virDomainSuspend() or virDomainResume() alone. Of a listing: bare is what a client asks that
 * wants to know state, size and tag of each, and makes nothing of it.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/libvirt.h>

#include "adapters/compute/compute.h"
#include "adapters/compute/domain_xml.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/reals.h"
#include "scheduler/daemon/reactor.h"

#define JOB_ID 1

struct bench {
    struct hs_reactor *reactor;
    struct hs_clock *clock;
    struct hs_compute *compute;
    virConnectPtr conn; /* its own */
    bool is_up;
    bool is_answered;
    int rc;
    size_t n_machines;
};

static void on_link(void *arg, size_t host_idx, bool up, const char *text)
{
    struct bench *bench = arg;

    bench->is_up = up;
    hs_reactor_stop(bench->reactor);
}

static void on_done(int rc, const struct hs_err *err, void *arg)
{
    struct bench *bench = arg;

    if (rc < 0) {
        fprintf(stderr, "bench_actuate: %s\n", err->text);
    }
    bench->rc = rc;
    bench->is_answered = true;
    hs_reactor_stop(bench->reactor);
}

static void on_list(int rc, const struct hs_err *err, const struct hs_machine *machines, size_t n,
                    void *arg)
{
    struct bench *bench = arg;

    bench->n_machines = n;
    on_done(rc, err, arg);
}

static void wait_for(struct bench *bench, const bool *is_so)
{
    while (!*is_so) {
        hs_reactor_run(bench->reactor);
    }
}

/* --- one step, s --- */

static double act(struct bench *bench, enum hs_action_kind kind)
{
    double from_mono_s = hs_clock_mono_s(bench->clock);

    bench->is_answered = false;
    hs_compute_act(bench->compute, JOB_ID, kind, on_done, bench);
    wait_for(bench, &bench->is_answered);
    return hs_clock_mono_s(bench->clock) - from_mono_s;
}

static double act_bare(struct bench *bench, virDomainPtr domain, enum hs_action_kind kind)
{
    double from_mono_s = hs_clock_mono_s(bench->clock);

    bench->rc = kind == HS_ACTION_SUSPEND ? virDomainSuspend(domain) : virDomainResume(domain);
    return hs_clock_mono_s(bench->clock) - from_mono_s;
}

static double list(struct bench *bench)
{
    double from_mono_s = hs_clock_mono_s(bench->clock);

    bench->is_answered = false;
    hs_compute_list(bench->compute, on_list, bench);
    wait_for(bench, &bench->is_answered);
    return hs_clock_mono_s(bench->clock) - from_mono_s;
}

static double list_bare(struct bench *bench)
{
    double from_mono_s = hs_clock_mono_s(bench->clock);
    virDomainPtr *domains = NULL;
    int n = virConnectListAllDomains(bench->conn, &domains, 0);

    for (int i = 0; i < n; i++) {
        virDomainInfo info;

        (void)virDomainGetInfo(domains[i], &info);
        free(virDomainGetMetadata(domains[i], VIR_DOMAIN_METADATA_ELEMENT, HS_DOMAIN_XML_NAMESPACE,
                                  0));
        (void)virDomainFree(domains[i]);
    }
    free(domains);
    return hs_clock_mono_s(bench->clock) - from_mono_s;
}

static void print(const char *driver, const char *op, double *ours_s, double *bare_s, size_t n,
                  size_t n_machines)
{
    json_auto_t *json = hs_jsonx_object();
    double sum_s = 0;
    HS_AUTO_MEM char *text = NULL;

    for (size_t i = 0; i < n; i++) {
        sum_s += ours_s[i];
    }
    hs_reals_sort(ours_s, n);
    hs_reals_sort(bare_s, n);
    hs_jsonx_set_text(json, "bench", "actuate");
    hs_jsonx_set_text(json, "driver", driver);
    hs_jsonx_set_text(json, "op", op);
    if (n_machines > 0) {
        hs_jsonx_set_int(json, "machines", (int64_t)n_machines);
    }
    hs_jsonx_set_int(json, "n", (int64_t)n);
    hs_jsonx_set_real(json, "ops_per_s", (double)n / sum_s);
    hs_jsonx_set_real(json, "p50_us", ours_s[n / 2] * 1e6);
    hs_jsonx_set_real(json, "p99_us", ours_s[(n * 99) / 100] * 1e6);
    hs_jsonx_set_real(json, "bare_p50_us", bare_s[n / 2] * 1e6);
    hs_jsonx_set_real(json, "bare_ratio", ours_s[n / 2] / bare_s[n / 2]);
    text = hs_jsonx_format(json);
    puts(text);
    fflush(stdout);
}

/* --- the two drivers --- */

static int bench_steps(struct bench *bench, size_t n)
{
    static const enum hs_action_kind kinds[] = {HS_ACTION_SUSPEND, HS_ACTION_RESUME};
    HS_AUTO_MEM double *ours_s = hs_xcalloc(2 * n, sizeof(*ours_s));
    HS_AUTO_MEM double *bare_s = hs_xcalloc(2 * n, sizeof(*bare_s));
    virDomainPtr domain = virDomainLookupByName(bench->conn, "hs-1");

    if (domain == NULL) {
        return 1;
    }
    for (size_t i = 0; i < n && bench->rc == 0; i++) {
        for (size_t k = 0; k < 2; k++) {
            ours_s[k * n + i] = act(bench, kinds[k]);
        }
        for (size_t k = 0; k < 2; k++) {
            bare_s[k * n + i] = act_bare(bench, domain, kinds[k]);
        }
    }
    (void)virDomainFree(domain);
    for (size_t k = 0; k < 2 && bench->rc == 0; k++) {
        print("qemu", hs_action_word(kinds[k]), &ours_s[k * n], &bare_s[k * n], n, 0);
    }
    return bench->rc == 0 ? 0 : 1;
}

static int bench_qemu(struct bench *bench, size_t n)
{
    const struct hs_machine_spec spec = {
        .job_id = JOB_ID, .epoch = 1, .class_word = "service", .vcpus = 1, .memory_mib = 160};
    int status;

    bench->is_answered = false;
    hs_compute_create(bench->compute, &spec, on_done, bench);
    wait_for(bench, &bench->is_answered);
    status = bench->rc == 0 ? bench_steps(bench, n) : 1;
    (void)act(bench, HS_ACTION_DESTROY);
    return status;
}

static int bench_test(struct bench *bench, size_t n)
{
    HS_AUTO_MEM double *ours_s = hs_xcalloc(n, sizeof(*ours_s));
    HS_AUTO_MEM double *bare_s = hs_xcalloc(n, sizeof(*bare_s));

    for (size_t i = 0; i < n && bench->rc == 0; i++) {
        ours_s[i] = list(bench);
        bare_s[i] = list_bare(bench);
    }
    if (bench->rc == 0) {
        print("test", "list", ours_s, bare_s, n, bench->n_machines);
    }
    return bench->rc == 0 ? 0 : 1;
}

static int open_port(struct bench *bench, const struct hs_host *host, const char *work_dir,
                     const struct hs_image *image)
{
    struct hs_compute_options options = {
        .executor = hs_reactor_get_executor(bench->reactor),
        .clock = bench->clock,
        .host = host,
        .images = image,
        .n_images = 1,
        .work_dir = work_dir,
        .listener = {.link = on_link, .arg = bench},
        .call_deadline_s = 120,
    };
    struct hs_err err = {0};
    int rc = hs_compute_new(&options, &bench->compute, &err);

    if (rc < 0) {
        fprintf(stderr, "bench_actuate: %s\n", err.text);
    }
    return rc;
}

int main(int argc, char **argv)
{
    bool is_qemu = argc == 8 && strcmp(argv[1], "qemu") == 0;
    struct bench bench = {0};
    struct hs_host host = {.path = "bench/h1"};
    struct hs_image image = {.kernel = is_qemu ? argv[4] : NULL,
                             .initrd = is_qemu ? argv[5] : NULL,
                             .cmdline = is_qemu ? argv[6] : NULL};
    int status = 1;

    if (!is_qemu && !(argc == 5 && strcmp(argv[1], "test") == 0)) {
        fprintf(stderr, "usage: bench_actuate qemu URI WORK_DIR KERNEL INITRD CMDLINE N | test URI "
                        "WORK_DIR N\n");
        return 2;
    }
    (void)snprintf(host.uri, sizeof(host.uri), "%s", argv[2]);
    bench.clock = hs_clock_new_real();
    if (hs_reactor_new(NULL, &bench.reactor, NULL) == 0
        && open_port(&bench, &host, argv[3], &image) == 0) {
        wait_for(&bench, &bench.is_up);
        (void)list(&bench); /* after the port's own first one */
        bench.conn = virConnectOpen(argv[2]);
        if (bench.conn != NULL && bench.rc == 0) {
            size_t n = strtoul(argv[argc - 1], NULL, 10);

            status = is_qemu ? bench_qemu(&bench, n) : bench_test(&bench, n);
            (void)virConnectClose(bench.conn);
        }
        hs_compute_free(bench.compute);
    }
    hs_reactor_free(bench.reactor);
    hs_clock_free(bench.clock);
    return status;
}
