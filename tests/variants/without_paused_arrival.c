/* SPDX-License-Identifier: Apache-2.0 */
/* Without VIR_MIGRATE_PAUSED: a machine runs on arrival, as in a stock live migration. */
#include <libvirt/libvirt.h>

int __real_virDomainMigrateToURI3(virDomainPtr domain, const char *dconnuri,
                                  virTypedParameterPtr params, unsigned nparams, unsigned flags);
int __wrap_virDomainMigrateToURI3(virDomainPtr domain, const char *dconnuri,
                                  virTypedParameterPtr params, unsigned nparams, unsigned flags);

int __wrap_virDomainMigrateToURI3(virDomainPtr domain, const char *dconnuri,
                                  virTypedParameterPtr params, unsigned nparams, unsigned flags)
{
    return __real_virDomainMigrateToURI3(domain, dconnuri, params, nparams,
                                         flags & ~(unsigned)VIR_MIGRATE_PAUSED);
}
