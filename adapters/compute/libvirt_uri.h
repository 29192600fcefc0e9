/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** libvirt_uri - what a libvirt URI says about where a guest's files must lie and whose they are.
 */

#include <stdbool.h>

#include "adapters/compute/job_files.h"

struct hs_libvirt_uri {
    bool is_local;     /* the daemon shares our file system */
    bool is_session;   /* an ordinary user's libvirtd, else the system's */
    char socket[4096]; /* `socket=` of a qemu+unix URI, "" if none */
};

/** @return 0 or -HS_E_INVALID */
int hs_libvirt_uri_parse(const char *uri, struct hs_libvirt_uri *ret_uri, struct hs_err *err);

/** The user whose guests must read and write the job's files. Looks at the socket: may block. */
void hs_libvirt_uri_find_owner(const struct hs_libvirt_uri *uri,
                               struct hs_job_files_owner *ret_owner);
