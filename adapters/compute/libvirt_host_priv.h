/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** libvirt_host_priv - what libvirt_host.c and libvirt_migrate.c share. Blocking; lanes only. */

#include "adapters/compute/libvirt_host.h"

/** The last libvirt error as ours. @param what  "list machines" @return -kind */
int hs_libvirt_host_fail(struct hs_err *err, const char *what);

/**
 * The job's machine, if it is there and ours.
 *
 * @param ret_domain  to be freed by the caller
 * @return 0, -HS_E_NOTFOUND, -HS_E_DENIED, or as the host fails
 */
int hs_libvirt_host_find_ours(virConnectPtr conn, const char *store_id, uint64_t job_id,
                              const char *what, virDomainPtr *ret_domain,
                              struct hs_machine *ret_machine, struct hs_err *err);
