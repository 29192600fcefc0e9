/* SPDX-License-Identifier: Apache-2.0 */
/* libvirt_uri - a libvirt URI taken apart by libxml2. */
#include "adapters/compute/libvirt_uri.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libxml/uri.h>
#include <libxml/xmlmemory.h>

static void find_socket(const char *query, char *ret_socket, size_t size)
{
    const char *p = query;

    while (p != NULL && *p != '\0') {
        size_t n = strcspn(p, "&;");

        if (n > 7 && strncmp(p, "socket=", 7) == 0) {
            char *path = xmlURIUnescapeString(p + 7, (int)(n - 7), NULL);

            if (path != NULL) {
                (void)snprintf(ret_socket, size, "%s", path);
                xmlFree(path);
            }
            return;
        }
        p += n + (p[n] != '\0' ? 1 : 0);
    }
}

int hs_libvirt_uri_parse(const char *uri, struct hs_libvirt_uri *ret_uri, struct hs_err *err)
{
    struct hs_libvirt_uri found = {0};
    xmlURI *parts = xmlParseURI(uri);
    const char *transport;

    if (parts == NULL || parts->scheme == NULL) {
        xmlFreeURI(parts);
        return hs_err_set(err, HS_E_INVALID, NULL,
                          "'%s' is not a URI such as 'qemu:///system' or "
                          "'qemu+tls://host/system'",
                          uri);
    }
    transport = strchr(parts->scheme, '+');
    found.is_local = (transport == NULL || strcmp(transport, "+unix") == 0)
                     && (parts->server == NULL || parts->server[0] == '\0');
    found.is_session = parts->path != NULL && strcmp(parts->path, "/session") == 0;
    find_socket(parts->query_raw, found.socket, sizeof(found.socket));
    xmlFreeURI(parts);
    *ret_uri = found;
    return 0;
}

void hs_libvirt_uri_find_owner(const struct hs_libvirt_uri *uri,
                               struct hs_job_files_owner *ret_owner)
{
    struct stat st;

    *ret_owner = (struct hs_job_files_owner){0};
    if (!uri->is_session) {
        return; /* libvirt's security driver hands the files to QEMU's user */
    }
    ret_owner->is_known = true;
    ret_owner->uid = geteuid();
    ret_owner->gid = getegid();
    if (uri->socket[0] != '\0' && stat(uri->socket, &st) == 0) {
        ret_owner->uid = st.st_uid;
        ret_owner->gid = st.st_gid;
    }
}
