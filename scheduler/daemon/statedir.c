/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/daemon/statedir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "scheduler/base/mem.h"

#define DIR_MAX 1024

struct hs_statedir_lock {
    int fd;
    char home[HS_STATEDIR_HOME_MAX];
};

int hs_statedir_make(const char *path, struct hs_err *err)
{
    char part[DIR_MAX];

    snprintf(part, sizeof(part), "%s", path);
    for (char *slash = strchr(part + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash != NULL) {
            *slash = '\0';
        }
        if (mkdir(part, 0755) != 0 && errno != EEXIST) {
            return hs_err_set(err, HS_E_SYSTEM, NULL, "directory '%s' cannot be made: %s", part,
                              strerror(errno));
        }
        if (slash == NULL) {
            return 0;
        }
        *slash = '/';
    }
}

/** This boot of this machine; "" where the kernel does not say: then no home is known again. */
static void read_boot_id(char *ret_id, size_t size)
{
    HS_AUTO_FD fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, ret_id, size - 1) : -1;

    ret_id[n > 0 ? n : 0] = '\0';
    ret_id[strcspn(ret_id, "\n")] = '\0';
}

static int refuse(const char *path, int fd, struct hs_err *err)
{
    char pid[24] = "";
    ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

    pid[n > 0 ? n : 0] = '\0';
    pid[strspn(pid, "0123456789")] = '\0';
    return hs_err_set(err, HS_E_CONFLICT, NULL, "process %s works in '%.100s' already",
                      pid[0] != '\0' ? pid : "?", path);
}

int hs_statedir_lock(const char *path, struct hs_statedir_lock **ret_lock, struct hs_err *err)
{
    HS_AUTO_FD fd = -1;
    struct hs_statedir_lock *lock;
    char file[DIR_MAX + 8];
    char boot_id[48];
    struct stat st;

    snprintf(file, sizeof(file), "%.*s/lock", DIR_MAX, path);
    fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0 || fstat(fd, &st) != 0) {
        return hs_err_set(err, HS_E_SYSTEM, NULL, "'%.100s' cannot be opened: %s", file,
                          strerror(errno));
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK
                   ? refuse(path, fd, err)
                   : hs_err_set(err, HS_E_SYSTEM, NULL, "'%.100s' cannot be locked: %s", file,
                                strerror(errno));
    }
    /* the number is for people: who reads it never relies on it */
    if (ftruncate(fd, 0) != 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
        return hs_err_set(err, HS_E_SYSTEM, NULL, "'%.100s' cannot be written: %s", file,
                          strerror(errno));
    }
    lock = hs_xcalloc(1, sizeof(*lock));
    read_boot_id(boot_id, sizeof(boot_id));
    if (boot_id[0] != '\0') {
        snprintf(lock->home, sizeof(lock->home), "%s:%" PRIu64 ":%" PRIu64, boot_id,
                 (uint64_t)st.st_dev, (uint64_t)st.st_ino);
    }
    lock->fd = fd;
    fd = -1;
    *ret_lock = lock;
    return 0;
}

const char *hs_statedir_get_home(const struct hs_statedir_lock *lock)
{
    return lock->home;
}

void hs_statedir_lock_free(struct hs_statedir_lock *lock)
{
    if (lock != NULL) {
        (void)close(lock->fd);
        free(lock);
    }
}
