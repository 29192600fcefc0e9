/* SPDX-License-Identifier: Apache-2.0 */
/* wholefile - part, fsync, rename, fsync of the folder. */
#include "scheduler/base/wholefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "scheduler/base/mem.h"

#define PART_TRIES 100 /* each lost to a writer that has just ended */

struct hs_wholefile {
    char *path; /* with symbolic links resolved */
    char *part;
    int fd;
    enum hs_wholefile_care care;
    bool is_committed;
};

static int fail(const char *path, const char *what, struct hs_err *err)
{
    int sys_errno = errno;
    size_t n = strlen(path);
    /* the end of a long path says more than its beginning */
    int rc = hs_err_set(err, HS_E_SYSTEM, n < 64 ? path : path + n - 63, "cannot %s: %s", what,
                        strerror(sys_errno));

    if (err != NULL) {
        err->sys_errno = sys_errno;
    }
    return rc;
}

/**
 * Open the part for us alone: a lock that is held means that another process is writing, and one
 * on a file that has been renamed or removed meanwhile is worth nothing.
 */
static int open_part(struct hs_wholefile *file, mode_t mode, struct hs_err *err)
{
    for (int i = 0; i < PART_TRIES; i++) {
        HS_AUTO_FD fd = open(file->part, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode);
        struct stat ours, there;

        if (fd < 0 || fstat(fd, &ours) != 0) {
            return fail(file->part, "make it", err);
        }
        if (!S_ISREG(ours.st_mode)) {
            return hs_err_set(err, HS_E_INVALID, NULL, "'%s' must be a plain file or free",
                              file->part);
        }
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            return errno == EWOULDBLOCK ? hs_err_set(err, HS_E_CONFLICT, NULL,
                                                     "another process is writing '%s'", file->path)
                                        : fail(file->part, "lock it", err);
        }
        if (stat(file->part, &there) == 0 && there.st_ino == ours.st_ino
            && there.st_dev == ours.st_dev) {
            if (ftruncate(fd, 0) != 0) {
                return fail(file->part, "empty it", err);
            }
            file->fd = fd;
            fd = -1;
            return 0;
        }
    }
    return hs_err_set(err, HS_E_CONFLICT, NULL, "other processes keep writing '%s'", file->path);
}

int hs_wholefile_new(const char *path, mode_t mode, enum hs_wholefile_care care,
                     struct hs_wholefile **ret_file, struct hs_err *err)
{
    HS_AUTO(hs_wholefile) file = hs_xcalloc(1, sizeof(*file));
    struct stat status;
    bool is_there = stat(path, &status) == 0;
    int rc;

    file->fd = -1;
    file->care = care;
    if (is_there && !S_ISREG(status.st_mode)) {
        return hs_err_set(err, HS_E_INVALID, NULL, "'%s' is no plain file", path);
    }
    /* a link is followed: what is replaced is the file that it names */
    file->path = is_there ? realpath(path, NULL) : hs_xstrdup(path);
    if (file->path == NULL) {
        return fail(path, "find it", err);
    }
    if (asprintf(&file->part, "%s.part", file->path) < 0) {
        hs_mem_exhausted();
    }
    rc = open_part(file, mode, err);
    if (rc == 0 && is_there && fchmod(file->fd, status.st_mode & 07777) != 0) {
        rc = fail(file->part, "set its mode", err);
    }
    if (rc == 0) {
        *ret_file = HS_STEAL(file);
    }
    return rc;
}

int hs_wholefile_get_fd(const struct hs_wholefile *file)
{
    return file->fd;
}

int hs_wholefile_write(struct hs_wholefile *file, const void *bytes, size_t n_bytes,
                       struct hs_err *err)
{
    const char *rest = bytes;

    while (n_bytes > 0) {
        ssize_t n = write(file->fd, rest, n_bytes);

        if (n < 0 && errno != EINTR) {
            return fail(file->path, "write it", err);
        }
        if (n > 0) {
            rest += n;
            n_bytes -= (size_t)n;
        }
    }
    return 0;
}

static int sync_folder(const char *path, struct hs_err *err)
{
    const char *slash = strrchr(path, '/');
    HS_AUTO_MEM char *folder = NULL;
    HS_AUTO_FD fd = -1;

    folder = slash == NULL   ? hs_xstrdup(".")
             : slash == path ? hs_xstrdup("/")
                             : strndup(path, (size_t)(slash - path));
    if (folder == NULL) {
        hs_mem_exhausted();
    }
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0 ? 0 : fail(folder, "sync the folder", err);
}

int hs_wholefile_commit(struct hs_wholefile *file, struct hs_err *err)
{
    if (file->care == HS_WHOLEFILE_DURABLE && fsync(file->fd) != 0) {
        return fail(file->path, "sync it", err);
    }
    if (rename(file->part, file->path) != 0) {
        return fail(file->path, "put it in place", err);
    }
    file->is_committed = true;
    return file->care == HS_WHOLEFILE_DURABLE ? sync_folder(file->path, err) : 0;
}

void hs_wholefile_free(struct hs_wholefile *file)
{
    if (file == NULL) {
        return;
    }
    if (file->fd >= 0) {
        if (!file->is_committed) {
            (void)unlink(file->part); /* while the lock is held: it is ours */
        }
        (void)close(file->fd);
    }
    free(file->part);
    free(file->path);
    free(file);
}

int hs_wholefile_put(const char *path, mode_t mode, const void *bytes, size_t n_bytes,
                     struct hs_err *err)
{
    HS_AUTO(hs_wholefile) file = NULL;
    int rc = hs_wholefile_new(path, mode, HS_WHOLEFILE_DURABLE, &file, err);

    if (rc == 0) {
        rc = hs_wholefile_write(file, bytes, n_bytes, err);
    }
    return rc == 0 ? hs_wholefile_commit(file, err) : rc;
}
