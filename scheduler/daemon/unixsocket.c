/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/daemon/unixsocket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "scheduler/base/auto.h"

#define BACKLOG     1024 /* a crowd comes at once; one that does not fit is refused by the kernel */
#define SOCKET_MODE 0666 /* who may speak is decided by credentials */

/** Remove a socket that nobody answers on any more. */
static int clear_stale(const char *path, const struct sockaddr_un *address, struct hs_err *err)
{
    HS_AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct stat st;

    if (stat(path, &st) != 0) {
        return 0;
    }
    if (!S_ISSOCK(st.st_mode)) {
        return hs_err_set(err, HS_E_INVALID, NULL, "'%s' is there and is not a socket", path);
    }
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0) {
        return hs_err_set(err, HS_E_CONFLICT, NULL, "another daemon answers on '%s'", path);
    }
    (void)unlink(path);
    return 0;
}

int hs_unixsocket_open(const char *path, int *ret_fd, struct hs_err *err)
{
    HS_AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int rc;

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    rc = clear_stale(path, &address, err);
    if (rc != 0) {
        return rc;
    }
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0
        || chmod(path, SOCKET_MODE) != 0 || listen(fd, BACKLOG) != 0) {
        return hs_err_set(err, HS_E_SYSTEM, NULL, "cannot listen on '%s': %s", path,
                          strerror(errno));
    }
    *ret_fd = fd;
    fd = -1;
    return 0;
}
