/* SPDX-License-Identifier: Apache-2.0 */
/* libvirt_host - list, create and act through one libvirt connection. */
#include "adapters/compute/libvirt_host.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <libvirt/virterror.h>

#include "adapters/compute/domain_xml.h"
#include "adapters/compute/libvirt_host_priv.h"

#define QUOTA_PERIOD_US 100000 /* libvirt's own default */
#define QUOTA_NONE      (-1)

static void domain_release(virDomainPtr *domain)
{
    if (*domain != NULL) {
        (void)virDomainFree(*domain);
    }
}

#define AUTO_DOMAIN HS_CLEANUP(domain_release) virDomainPtr

static enum hs_err_kind kind_of(const virError *error)
{
    switch (error->code) {
    case VIR_ERR_NO_DOMAIN:
        return HS_E_NOTFOUND;
    case VIR_ERR_AUTH_FAILED:
    case VIR_ERR_AUTH_CANCELLED:
    case VIR_ERR_AUTH_UNAVAILABLE:
    case VIR_ERR_ACCESS_DENIED:
    case VIR_ERR_OPERATION_DENIED:
        return HS_E_DENIED;
    case VIR_ERR_NO_CONNECT:
    case VIR_ERR_INVALID_CONN:
        return HS_E_UNAVAILABLE;
    case VIR_ERR_OPERATION_TIMEOUT:
        return HS_E_TIMEOUT;
    case VIR_ERR_NO_SUPPORT:
    case VIR_ERR_OPERATION_UNSUPPORTED:
        return HS_E_UNSUPPORTED;
    default:
        /* the client side of a broken connection: "client socket is closed" and its like */
        return error->domain == VIR_FROM_RPC ? HS_E_UNAVAILABLE : HS_E_SYSTEM;
    }
}

int hs_libvirt_host_fail(struct hs_err *err, const char *what)
{
    const virError *error = virGetLastError();

    if (error == NULL) {
        return hs_err_set(err, HS_E_SYSTEM, NULL, "cannot %s: libvirt gives no reason", what);
    }
    return hs_err_set(err, kind_of(error), NULL, "cannot %s: %s", what,
                      error->message != NULL ? error->message : "libvirt gives no reason");
}

/** As hs_libvirt_host_fail(), for a call that changes something: with the connection lost it may
 * have worked. */
static int fail_changing(struct hs_err *err, const char *what)
{
    int rc = hs_libvirt_host_fail(err, what);

    if (rc == -HS_E_UNAVAILABLE) {
        const virError *error = virGetLastError();

        rc = hs_err_set(err, HS_E_TIMEOUT, NULL, "outcome unknown, connection lost: cannot %s: %s",
                        what, error != NULL && error->message != NULL ? error->message : "");
    }
    return rc;
}

static enum hs_machine_state state_from(int state)
{
    switch (state) {
    case VIR_DOMAIN_RUNNING:
    case VIR_DOMAIN_BLOCKED:
    case VIR_DOMAIN_SHUTDOWN: /* on its way, still drawing power */
        return HS_MACHINE_RUNNING;
    case VIR_DOMAIN_PAUSED:
    case VIR_DOMAIN_PMSUSPENDED:
        return HS_MACHINE_PAUSED;
    case VIR_DOMAIN_SHUTOFF:
        return HS_MACHINE_SHUT_OFF;
    case VIR_DOMAIN_CRASHED:
        return HS_MACHINE_CRASHED;
    default:
        return HS_MACHINE_UNKNOWN;
    }
}

/** Who made it: fills job and epoch, or leaves 0 where tag and name do not say that we did. */
static int read_tag(virDomainPtr domain, const char *store_id, struct hs_machine *machine,
                    struct hs_err *err)
{
    HS_AUTO_MEM char *text =
        virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, HS_DOMAIN_XML_NAMESPACE, 0);
    char name[32];

    machine->job_id = 0;
    machine->epoch = 0;
    if (text == NULL) {
        const virError *error = virGetLastError();
        bool has_none = error != NULL && error->code == VIR_ERR_NO_DOMAIN_METADATA;

        return has_none ? 0 : hs_libvirt_host_fail(err, "read the tag of a machine");
    }
    /* somebody else's use of our namespace: not ours, so left alone */
    (void)hs_domain_xml_parse_tag(text, store_id, &machine->job_id, &machine->epoch);
    (void)snprintf(name, sizeof(name), "hs-%" PRIu64, machine->job_id);
    if (strcmp(machine->name, name) != 0) {
        /* a copy of one of ours carries its tag along, and is somebody else's */
        machine->job_id = 0;
        machine->epoch = 0;
    }
    return 0;
}

/** Known without asking once it was asked. */
static bool is_qemu(virConnectPtr conn)
{
    const char *driver = virConnectGetType(conn);

    return driver != NULL && strcasecmp(driver, "qemu") == 0;
}

/**
 * Is a machine of ours on its way? Then it is in no state of its own: its move may end either way.
 * What was paused for a move that nobody drives any more is just paused. A destination cannot tell
 * of the job, a driver that moves nothing neither.
 */
static bool is_on_its_way(virDomainPtr domain, int state, int reason)
{
    bool is_held =
        state == VIR_DOMAIN_PAUSED
        && (reason == VIR_DOMAIN_PAUSED_MIGRATION || reason == VIR_DOMAIN_PAUSED_STARTING_UP);
    virDomainJobInfo job;

    if ((!is_held && state != VIR_DOMAIN_RUNNING) || !is_qemu(virDomainGetConnect(domain))) {
        return false;
    }
    return virDomainGetJobInfo(domain, &job) < 0 ? is_held : job.type != VIR_DOMAIN_JOB_NONE;
}

static void read_way(virDomainPtr domain, int state, int reason, struct hs_machine *machine)
{
    if (machine->job_id != 0 && is_on_its_way(domain, state, reason)) {
        machine->state = HS_MACHINE_UNKNOWN;
    }
}

static int read_info(virDomainPtr domain, struct hs_machine *machine, struct hs_err *err)
{
    virDomainInfo info;

    if (virDomainGetInfo(domain, &info) < 0) {
        return hs_libvirt_host_fail(err, "look at a machine");
    }
    machine->state = state_from(info.state);
    machine->vcpus = info.nrVirtCpu;
    machine->memory_mib = info.maxMem / 1024;
    machine->cpu_s = (double)info.cpuTime * 1e-9;
    return 0;
}

static int read_name(virDomainPtr domain, struct hs_machine *machine, struct hs_err *err)
{
    const char *name = virDomainGetName(domain);
    char uuid[VIR_UUID_STRING_BUFLEN];

    if (name == NULL || virDomainGetUUIDString(domain, uuid) < 0) {
        return hs_libvirt_host_fail(err, "name a machine");
    }
    (void)snprintf(machine->name, sizeof(machine->name), "%s", name);
    (void)snprintf(machine->uuid, sizeof(machine->uuid), "%s", uuid);
    return 0;
}

static int read_machine(virDomainPtr domain, const char *store_id, struct hs_machine *ret_machine,
                        struct hs_err *err)
{
    struct hs_machine machine = {0};
    int state = VIR_DOMAIN_NOSTATE;
    int reason = 0;
    int rc = read_name(domain, &machine, err);

    if (rc == 0) {
        rc = read_info(domain, &machine, err);
    }
    if (rc == 0) {
        rc = read_tag(domain, store_id, &machine, err);
    }
    if (rc == 0 && machine.job_id != 0 && virDomainGetState(domain, &state, &reason, 0) == 0) {
        read_way(domain, state, reason, &machine);
    }
    if (rc == 0) {
        *ret_machine = machine;
    }
    return rc;
}

/** From bulk statistics, where the driver gives enough of them; else asked one by one. */
static int read_record(const virDomainStatsRecord *record, const char *store_id,
                       struct hs_machine *ret_machine, struct hs_err *err)
{
    virTypedParameterPtr params = record->params;
    struct hs_machine machine = {0};
    unsigned long long cpu_ns = 0;
    unsigned long long memory_kib = 0;
    unsigned vcpus = 0;
    int state = 0;
    int reason = 0;
    int rc = read_name(record->dom, &machine, err);

    if (rc < 0) {
        return rc;
    }
    if (virTypedParamsGetInt(params, record->nparams, "state.state", &state) == 1
        && virTypedParamsGetUInt(params, record->nparams, "vcpu.current", &vcpus) == 1
        && virTypedParamsGetULLong(params, record->nparams, "balloon.maximum", &memory_kib) == 1
        && virTypedParamsGetULLong(params, record->nparams, "cpu.time", &cpu_ns) == 1) {
        (void)virTypedParamsGetInt(params, record->nparams, "state.reason", &reason);
        machine.state = state_from(state);
        machine.vcpus = vcpus;
        machine.memory_mib = memory_kib / 1024;
        machine.cpu_s = (double)cpu_ns * 1e-9;
    } else {
        rc = read_info(record->dom, &machine, err);
    }
    if (rc == 0) {
        rc = read_tag(record->dom, store_id, &machine, err);
    }
    if (rc == 0) {
        read_way(record->dom, state, reason, &machine);
        *ret_machine = machine;
    }
    return rc;
}

int hs_libvirt_host_list(virConnectPtr conn, const char *store_id,
                         struct hs_machine_list *ret_machines, struct hs_err *err)
{
    const unsigned wanted = VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_CPU_TOTAL
                            | VIR_DOMAIN_STATS_VCPU | VIR_DOMAIN_STATS_BALLOON;
    virDomainStatsRecordPtr *records = NULL;
    struct hs_machine_list machines = {0};
    /* a guest whose monitor hangs must not hold up the list; not every driver knows it */
    unsigned flags = is_qemu(conn) ? VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT : 0;
    int n = virConnectGetAllDomainStats(conn, wanted, &records, flags);
    int rc = 0;

    if (n < 0 && flags != 0) {
        n = virConnectGetAllDomainStats(conn, wanted, &records, 0);
    }
    if (n < 0) {
        return hs_libvirt_host_fail(err, "list machines");
    }
    for (int i = 0; i < n && rc == 0; i++) {
        struct hs_machine machine;

        rc = read_record(records[i], store_id, &machine, err);
        if (rc == 0) {
            HS_VEC_PUSH(&machines, machine);
        } else if (rc == -HS_E_NOTFOUND) {
            rc = 0; /* it went while we were looking */
        }
    }
    virDomainStatsRecordListFree(records);
    if (rc < 0) {
        HS_VEC_FINI(&machines);
        return rc;
    }
    *ret_machines = machines;
    return 0;
}

int hs_libvirt_host_find(virConnectPtr conn, const char *store_id, const char *uuid,
                         struct hs_machine *ret_machine, struct hs_err *err)
{
    AUTO_DOMAIN domain = virDomainLookupByUUIDString(conn, uuid);

    return domain != NULL ? read_machine(domain, store_id, ret_machine, err)
                          : hs_libvirt_host_fail(err, "find a machine");
}

static virDomainPtr lookup(virConnectPtr conn, uint64_t job_id)
{
    char name[32];

    (void)snprintf(name, sizeof(name), "hs-%" PRIu64, job_id);
    return virDomainLookupByName(conn, name);
}

int hs_libvirt_host_look(virConnectPtr conn, const char *store_id, uint64_t job_id,
                         struct hs_machine *ret_machine, struct hs_err *err)
{
    AUTO_DOMAIN domain = lookup(conn, job_id);

    return domain != NULL ? read_machine(domain, store_id, ret_machine, err)
                          : hs_libvirt_host_fail(err, "look for the job's machine");
}

int hs_libvirt_host_check(virConnectPtr conn, const char *store_id, uint64_t job_id,
                          struct hs_err *err)
{
    struct hs_machine machine = {0};
    int rc = hs_libvirt_host_look(conn, store_id, job_id, &machine, err);

    if (rc == 0) {
        return machine.job_id == job_id ? 1 : 0; /* a namesake tells nothing of ours */
    }
    return rc == -HS_E_NOTFOUND ? 0 : rc;
}

static const char *domain_type(virConnectPtr conn)
{
    const char *driver = virConnectGetType(conn);
    HS_AUTO_MEM char *capabilities = NULL;

    if (driver != NULL && strcasecmp(driver, "test") == 0) {
        return "test";
    }
    capabilities = virConnectGetDomainCapabilities(conn, NULL, NULL, NULL, "kvm", 0);
    return capabilities != NULL ? "kvm" : "qemu";
}

/** 1: ours for this job and epoch is there already; 0: the name is free; or -kind. */
static int check_name(virConnectPtr conn, const struct hs_libvirt_create *create,
                      struct hs_machine *ret_machine, struct hs_err *err)
{
    AUTO_DOMAIN domain = lookup(conn, create->job_id);
    struct hs_machine machine;
    int rc;

    if (domain == NULL) {
        rc = hs_libvirt_host_fail(err, "look for the job's machine");
        return rc == -HS_E_NOTFOUND ? 0 : rc;
    }
    rc = read_machine(domain, create->store_id, &machine, err);
    if (rc < 0) {
        return rc;
    }
    if (machine.job_id != create->job_id || machine.epoch != create->epoch) {
        return hs_err_set(err, HS_E_CONFLICT, NULL, "another machine is named '%s'", machine.name);
    }
    *ret_machine = machine;
    return 1;
}

int hs_libvirt_host_create(virConnectPtr conn, const struct hs_libvirt_create *create,
                           struct hs_machine *ret_machine, struct hs_err *err)
{
    const struct hs_domain_xml xml = {
        .type = domain_type(conn),
        .uuid = create->uuid,
        .job_id = create->job_id,
        .epoch = create->epoch,
        .store_id = create->store_id,
        .class_word = create->class_word,
        .vcpus = create->vcpus,
        .memory_mib = create->memory_mib,
        .kernel = create->image->kernel,
        .initrd = create->image->initrd,
        .cmdline = create->image->cmdline,
        .seed = create->files->seed,
        .console = create->files->console,
        .exit = create->files->exit,
    };
    HS_AUTO_MEM char *text = NULL;
    virDomainPtr domain;
    int rc = check_name(conn, create, ret_machine, err);

    if (rc != 0) {
        return rc < 0 ? rc : 0;
    }
    rc = hs_domain_xml_format(&xml, &text, err);
    if (rc == 0) {
        rc = hs_job_files_make(create->files, create->seed, create->owner, err);
    }
    if (rc < 0) {
        return rc;
    }
    domain = virDomainCreateXML(conn, text, VIR_DOMAIN_NONE);
    if (domain == NULL) {
        rc = fail_changing(err, "create the machine");
        if (rc != -HS_E_TIMEOUT) {
            /* it never booted, so it has no end to tell of */
            (void)hs_job_files_remove(create->files, NULL);
        }
        return rc;
    }
    *ret_machine = (struct hs_machine){.state = HS_MACHINE_RUNNING,
                                       .vcpus = create->vcpus,
                                       .memory_mib = create->memory_mib,
                                       .cpu_s = NAN,
                                       .job_id = create->job_id,
                                       .epoch = create->epoch};
    /* a guest may be over before we look; it was made all the same */
    rc = read_name(domain, ret_machine, NULL);
    (void)virDomainFree(domain);
    return rc;
}

/** One step on a machine in @state; already so is success. */
static int take_step(virDomainPtr domain, enum hs_machine_state state, enum hs_action_kind kind)
{
    bool is_active = state != HS_MACHINE_SHUT_OFF;

    switch (kind) {
    case HS_ACTION_SUSPEND:
        return state == HS_MACHINE_PAUSED ? 0 : virDomainSuspend(domain);
    case HS_ACTION_RESUME:
        return state == HS_MACHINE_RUNNING ? 0 : virDomainResume(domain);
    case HS_ACTION_SHUTDOWN:
        return !is_active ? 0 : virDomainShutdown(domain);
    case HS_ACTION_DESTROY:
        return !is_active ? 0 : virDomainDestroy(domain);
    case HS_ACTION_START:
    case HS_ACTION_MOVE:
    case HS_ACTION_THROTTLE:
        break;
    }
    return -1;
}

/** What a step must know: whose it is, and how it is. Each question is a call to the host. */
static int read_ours(virDomainPtr domain, const char *store_id, struct hs_machine *ret_machine,
                     struct hs_err *err)
{
    struct hs_machine machine = {.cpu_s = NAN};
    int state = VIR_DOMAIN_NOSTATE;
    int rc = read_name(domain, &machine, err);

    if (rc == 0) {
        rc = read_tag(domain, store_id, &machine, err);
    }
    if (rc == 0 && virDomainGetState(domain, &state, NULL, 0) < 0) {
        rc = hs_libvirt_host_fail(err, "look at a machine");
    }
    if (rc == 0) {
        machine.state = state_from(state);
        *ret_machine = machine;
    }
    return rc;
}

int hs_libvirt_host_find_ours(virConnectPtr conn, const char *store_id, uint64_t job_id,
                              const char *what, virDomainPtr *ret_domain,
                              struct hs_machine *ret_machine, struct hs_err *err)
{
    AUTO_DOMAIN domain = lookup(conn, job_id);
    int rc;

    if (domain == NULL) {
        return hs_libvirt_host_fail(err, what);
    }
    rc = read_ours(domain, store_id, ret_machine, err);
    if (rc == 0 && ret_machine->job_id != job_id) {
        rc = hs_err_set(err, HS_E_DENIED, NULL, "machine '%s' is not ours", ret_machine->name);
    }
    if (rc == 0) {
        *ret_domain = HS_STEAL(domain);
    }
    return rc;
}

/** A driver that knows no quotas, or a host without the control groups they need. */
static bool is_no_quota(virDomainPtr domain)
{
    const virError *error = virGetLastError();

    return error != NULL
           && (error->code == VIR_ERR_INVALID_ARG || error->code == VIR_ERR_ARGUMENT_UNSUPPORTED
               || error->code == VIR_ERR_CONFIG_UNSUPPORTED
               || (error->code == VIR_ERR_OPERATION_INVALID && virDomainIsActive(domain) == 1));
}

int hs_libvirt_host_throttle(virConnectPtr conn, const char *store_id, uint64_t job_id,
                             double share, struct hs_err *err)
{
    AUTO_DOMAIN domain = NULL;
    struct hs_machine machine;
    virTypedParameterPtr params = NULL;
    int n_params = 0;
    int n_max = 0;
    long long quota_us = share < 1 ? llround(share * QUOTA_PERIOD_US) : QUOTA_NONE;
    char what[48];
    int rc;

    (void)snprintf(what, sizeof(what), "throttle 'hs-%" PRIu64 "'", job_id);
    rc = hs_libvirt_host_find_ours(conn, store_id, job_id, what, &domain, &machine, err);
    if (rc < 0) {
        return rc;
    }
    if (virTypedParamsAddULLong(&params, &n_params, &n_max, VIR_DOMAIN_SCHEDULER_VCPU_PERIOD,
                                QUOTA_PERIOD_US)
            < 0
        || virTypedParamsAddLLong(&params, &n_params, &n_max, VIR_DOMAIN_SCHEDULER_VCPU_QUOTA,
                                  quota_us)
               < 0
        || virDomainSetSchedulerParametersFlags(domain, params, n_params, VIR_DOMAIN_AFFECT_LIVE)
               < 0) {
        bool has_none = is_no_quota(domain);
        struct hs_err cause;

        rc = fail_changing(&cause, what);
        rc = hs_err_set(err, has_none ? HS_E_UNSUPPORTED : (enum hs_err_kind) - rc, NULL, "%s",
                        cause.text);
    }
    virTypedParamsFree(params, n_params);
    return rc;
}

/** Is what was asked for so? A machine that has gone meanwhile is told of by its end. */
static int read_back(virDomainPtr domain, enum hs_action_kind kind, const char *what,
                     struct hs_err *err)
{
    int state = VIR_DOMAIN_NOSTATE;
    bool is_so = true;

    if (virDomainGetState(domain, &state, NULL, 0) < 0) {
        return 0;
    }
    if (kind == HS_ACTION_SUSPEND || kind == HS_ACTION_DESTROY) {
        is_so = state != VIR_DOMAIN_RUNNING;
    } else if (kind == HS_ACTION_RESUME) {
        is_so = state != VIR_DOMAIN_PAUSED;
    }
    return is_so ? 0
                 : hs_err_set(err, HS_E_CONFLICT, NULL, "%s: the host said yes, and it is %s still",
                              what, state == VIR_DOMAIN_RUNNING ? "running" : "paused");
}

int hs_libvirt_host_act(virConnectPtr conn, const char *store_id, uint64_t job_id,
                        enum hs_action_kind kind, struct hs_err *err)
{
    AUTO_DOMAIN domain = NULL;
    struct hs_machine machine;
    char what[48];
    int rc;

    (void)snprintf(what, sizeof(what), "%s 'hs-%" PRIu64 "'", hs_action_word(kind), job_id);
    rc = hs_libvirt_host_find_ours(conn, store_id, job_id, what, &domain, &machine, err);
    if (rc < 0) {
        return rc;
    }
    if (take_step(domain, machine.state, kind) < 0) {
        rc = fail_changing(err, what);
        if (rc == -HS_E_NOTFOUND && (kind == HS_ACTION_DESTROY || kind == HS_ACTION_SHUTDOWN)) {
            return 1;
        }
        return rc;
    }
    return read_back(domain, kind, what, err);
}
