/* SPDX-License-Identifier: Apache-2.0 */
/* secretfile - see secretfile.h. */
#include "adapters/redis/secretfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/mem.h"

/**
 * systemd gives a credential to the service's user by an access list, whose mask shows in the
 * bits of the group; nobody else gets into the folder.
 */
static bool is_credential(const char *path)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    size_t n = folder != NULL ? strlen(folder) : 0;

    return n > 0 && strncmp(path, folder, n) == 0 && path[n] == '/'
           && strstr(path + n, "/../") == NULL;
}

static int check(int fd, const char *path, struct hs_err *err)
{
    struct stat status;

    if (fstat(fd, &status) != 0) {
        return hs_err_set(err, HS_E_SYSTEM, NULL, "cannot read '%s': %s", path, strerror(errno));
    }
    if (!S_ISREG(status.st_mode) || status.st_size > HS_SECRETFILE_MAX_BYTES) {
        return hs_err_set(err, HS_E_INVALID, NULL, "'%s' must be a plain file of at most %d KiB",
                          path, HS_SECRETFILE_MAX_BYTES / 1024);
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0 && !is_credential(path)) {
        return hs_err_set(err, HS_E_DENIED, NULL,
                          "'%s' holds a secret that its group or others may reach (mode %04o): "
                          "chmod 600 it",
                          path, (unsigned)(status.st_mode & 07777));
    }
    return 0;
}

int hs_secretfile_read(const char *path, char **ret_text, size_t *ret_n_bytes, struct hs_err *err)
{
    HS_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    HS_AUTO_MEM char *text = NULL;
    size_t n_bytes = 0;
    ssize_t n = 1;
    int rc;

    if (fd < 0) {
        return hs_err_set(err, HS_E_SYSTEM, NULL, "cannot read '%s': %s", path, strerror(errno));
    }
    rc = check(fd, path, err);
    if (rc < 0) {
        return rc;
    }
    text = hs_xcalloc(1, HS_SECRETFILE_MAX_BYTES + 1);
    while (n > 0 && n_bytes < HS_SECRETFILE_MAX_BYTES) {
        n = read(fd, text + n_bytes, HS_SECRETFILE_MAX_BYTES - n_bytes);
        n_bytes += n > 0 ? (size_t)n : 0;
    }
    if (n < 0) {
        return hs_err_set(err, HS_E_SYSTEM, NULL, "cannot read '%s': %s", path, strerror(errno));
    }
    *ret_text = HS_STEAL(text);
    *ret_n_bytes = n_bytes;
    return 0;
}

int hs_secretfile_read_line(const char *path, char **ret_text, struct hs_err *err)
{
    HS_AUTO_MEM char *text = NULL;
    size_t n_bytes = 0;
    int rc = hs_secretfile_read(path, &text, &n_bytes, err);
    size_t n_line;

    if (rc < 0) {
        return rc;
    }
    n_line = strcspn(text, "\r\n");
    if (n_line == 0 || strspn(text + n_line, "\r\n") != n_bytes - n_line) {
        return hs_err_set(err, HS_E_INVALID, NULL, "'%s' must hold one line, the password", path);
    }
    text[n_line] = '\0';
    *ret_text = HS_STEAL(text);
    return 0;
}
