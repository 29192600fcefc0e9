/* SPDX-License-Identifier: Apache-2.0 */
/* libvirt_migrate - virDomainMigrateToURI3() with the one set of flags that was found safe. */
#include "adapters/compute/libvirt_migrate.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include <libvirt/virterror.h>

#include "adapters/compute/domain_xml.h"
#include "adapters/compute/libvirt_host_priv.h"

static void domain_release(virDomainPtr *domain)
{
    if (*domain != NULL) {
        (void)virDomainFree(*domain);
    }
}

#define AUTO_DOMAIN HS_CLEANUP(domain_release) virDomainPtr

struct params {
    virTypedParameterPtr items;
    int n;
    int n_max;
};

static bool add_text(struct params *params, const char *name, const char *text)
{
    return virTypedParamsAddString(&params->items, &params->n, &params->n_max, name, text) == 0;
}

static bool add_all(struct params *params, const struct hs_libvirt_migrate *migrate,
                    const char *xml)
{
    double mib_per_s = ceil(migrate->bandwidth_mib_per_s);

    return add_text(params, VIR_MIGRATE_PARAM_DEST_XML, xml)
           && add_text(params, VIR_MIGRATE_PARAM_URI, migrate->move_uri)
           && (!(mib_per_s > 0)
               || virTypedParamsAddULLong(&params->items, &params->n, &params->n_max,
                                          VIR_MIGRATE_PARAM_BANDWIDTH,
                                          (unsigned long long)mib_per_s)
                      == 0);
}

static int fail_moving(struct hs_err *err, const char *what)
{
    const virError *error = virGetLastError();

    /* neither will change by waiting: other processors, a device that cannot be carried */
    if (error != NULL
        && (error->code == VIR_ERR_CONFIG_UNSUPPORTED
            || error->code == VIR_ERR_ARGUMENT_UNSUPPORTED)) {
        return hs_err_set(err, HS_E_UNSUPPORTED, NULL, "cannot %s: %s", what,
                          error->message != NULL ? error->message : "libvirt gives no reason");
    }
    return hs_libvirt_host_fail(err, what);
}

int hs_libvirt_migrate_start(virConnectPtr conn, const struct hs_libvirt_migrate *migrate,
                             struct hs_err *err)
{
    const unsigned flags = VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_PAUSED
                           | VIR_MIGRATE_NON_SHARED_DISK | VIR_MIGRATE_ABORT_ON_ERROR;
    AUTO_DOMAIN domain = NULL;
    HS_AUTO_MEM char *text = NULL;
    HS_AUTO_MEM char *moved = NULL;
    struct params params = {0};
    struct hs_machine machine;
    char what[48];
    int rc;

    (void)snprintf(what, sizeof(what), "move 'hs-%" PRIu64 "'", migrate->job_id);
    rc = hs_libvirt_host_find_ours(conn, migrate->store_id, migrate->job_id, what, &domain,
                                   &machine, err);
    if (rc < 0) {
        return rc;
    }
    text = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_MIGRATABLE | VIR_DOMAIN_XML_SECURE);
    if (text == NULL) {
        return hs_libvirt_host_fail(err, what);
    }
    rc = hs_domain_xml_format_moved(text, migrate->from_dir, migrate->to_dir, &moved, err);
    if (rc == 0
        && (!add_all(&params, migrate, moved)
            || virDomainMigrateToURI3(domain, migrate->to_uri, params.items, (unsigned)params.n,
                                      flags)
                   < 0)) {
        rc = fail_moving(err, what);
    }
    virTypedParamsFree(params.items, params.n);
    return rc;
}

int hs_libvirt_migrate_stop(virConnectPtr conn, const char *store_id, uint64_t job_id,
                            struct hs_err *err)
{
    AUTO_DOMAIN domain = NULL;
    struct hs_machine machine;
    int rc = hs_libvirt_host_find_ours(conn, store_id, job_id, "break off a move", &domain,
                                       &machine, err);

    if (rc < 0) {
        return rc;
    }
    return virDomainAbortJob(domain) == 0 ? 0 : hs_libvirt_host_fail(err, "break off a move");
}

int hs_libvirt_migrate_set_downtime(virConnectPtr conn, const char *store_id, uint64_t job_id,
                                    unsigned downtime_ms, struct hs_err *err)
{
    AUTO_DOMAIN domain = NULL;
    struct hs_machine machine;
    int rc = hs_libvirt_host_find_ours(conn, store_id, job_id, "set a move's downtime", &domain,
                                       &machine, err);

    if (rc < 0) {
        return rc;
    }
    return virDomainMigrateSetMaxDowntime(domain, downtime_ms, 0) == 0
               ? 0
               : hs_libvirt_host_fail(err, "set a move's downtime");
}
