/* SPDX-License-Identifier: Apache-2.0 */
/* host - field table and the power of a host. */
#include "scheduler/model/host.h"

#include <math.h>

#define AT(member) .offset = offsetof(struct hs_host, member)

static const struct hs_conf_field fields[] = {
    {.name = "name",
     .type = HS_CONF_NAME,
     AT(name),
     .size = HS_NAME_MAX,
     .required = true,
     .help = "unique in its site"},
    {.name = "count",
     .type = HS_CONF_UINT32,
     AT(count),
     .min = 1,
     .max = 100000,
     .has_default = true,
     .default_number = 1,
     .help = "this many like it, named NAME-1, NAME-2 … where more than one"},
    {.name = "uri",
     .type = HS_CONF_TEXT,
     AT(uri),
     .size = HS_URI_MAX,
     .required = true,
     .help = "libvirt URI such as `qemu+tls://h1.example/system`, or `sim:` for a simulated host"},
    {.name = "move_uri",
     .type = HS_CONF_TEXT,
     AT(move_uri),
     .size = HS_URI_MAX,
     .help = "address that machines moved here are sent to, as their hosts reach it: "
             "`tcp://h1.example`; of a host on this machine else `tcp://127.0.0.1`"},
    {.name = "vcpus",
     .type = HS_CONF_UINT32,
     AT(vcpus),
     .min = 1,
     .max = 65536,
     .required = true,
     .help = "virtual CPUs it can carry"},
    {.name = "memory_mib",
     .type = HS_CONF_UINT64,
     AT(memory_mib),
     .min = 64,
     .max = 1e9,
     .unit = "MiB",
     .required = true,
     .help = "memory for machines"},
    {.name = "idle_w",
     .type = HS_CONF_REAL,
     AT(idle_w),
     .min = 0,
     .max = 1e6,
     .unit = "W",
     .required = true,
     .help = "electricity with no vCPU busy"},
    {.name = "max_w",
     .type = HS_CONF_REAL,
     AT(max_w),
     .min = 0,
     .max = 1e6,
     .unit = "W",
     .required = true,
     .help = "electricity with all vCPUs busy"},
    {.name = "pinned_vcpus",
     .type = HS_CONF_UINT32,
     AT(pinned_vcpus),
     .min = 0,
     .max = 65536,
     .has_default = true,
     .default_number = 0,
     .help = "always busy, never for jobs"},
    {.name = "points", .type = HS_CONF_ANY, .help = "where its readings come from"},
};

const struct hs_conf_table hs_host_table = {"host", fields, sizeof(fields) / sizeof(fields[0])};

double hs_host_elec_w(const struct hs_host *host, double busy_vcpus)
{
    double w_per_vcpu = (host->max_w - host->idle_w) / (double)host->vcpus;

    return host->sleeps && !(busy_vcpus > 0) ? 0.0 : host->idle_w + w_per_vcpu * busy_vcpus;
}

double hs_host_elec_w_per_vcpu(const struct hs_host *host)
{
    double idle_w = host->sleeps && host->pinned_vcpus == 0 ? 0.0 : host->idle_w;

    return (host->max_w - idle_w) / (double)host->vcpus;
}
