/* SPDX-License-Identifier: Apache-2.0 */
/* simoutput - opened early, written late. */
#include "scheduler/sim/simoutput.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "scheduler/base/mem.h"

#define SIMOUTPUT_MODE        0666
#define SIMOUTPUT_FOLDER_MODE 0777

struct hs_simoutput {
    char *path; /* NULL: standard output */
    int fd;
    bool is_made_here;
    bool is_written;
};

static int fail(struct hs_err *err, const char *path)
{
    int sys_errno = errno;
    int rc = hs_err_set(err, HS_E_SYSTEM, NULL, "cannot write '%s': %s",
                        path != NULL ? path : "standard output", strerror(sys_errno));

    if (err != NULL) {
        err->sys_errno = sys_errno;
    }
    return rc;
}

int hs_simoutput_new(const char *path, struct hs_simoutput **ret_output, struct hs_err *err)
{
    HS_AUTO(hs_simoutput) output = hs_xcalloc(1, sizeof(*output));

    output->fd = STDOUT_FILENO;
    if (path != NULL) {
        output->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, SIMOUTPUT_MODE);
        output->is_made_here = output->fd >= 0;
        if (output->fd < 0 && errno == EEXIST) {
            output->fd = open(path, O_WRONLY | O_CLOEXEC);
        }
        if (output->fd < 0) {
            return fail(err, path);
        }
        output->path = hs_xstrdup(path);
    }
    *ret_output = HS_STEAL(output);
    return 0;
}

/** Only a file has an old end to cut; a pipe or a terminal has none. */
static int cut(const struct hs_simoutput *output)
{
    struct stat status;

    if (output->path == NULL || fstat(output->fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        return 0;
    }
    return ftruncate(output->fd, 0);
}

int hs_simoutput_write(struct hs_simoutput *output, const char *text, struct hs_err *err)
{
    size_t n_left = strlen(text);

    if (cut(output) != 0) {
        return fail(err, output->path);
    }
    output->is_written = true;
    while (n_left > 0) {
        ssize_t n = write(output->fd, text, n_left);

        if (n < 0 && errno != EINTR) {
            return fail(err, output->path);
        }
        if (n > 0) {
            text += n;
            n_left -= (size_t)n;
        }
    }
    return 0;
}

int hs_simoutput_open_stream(struct hs_simoutput *output, FILE **ret_stream, struct hs_err *err)
{
    int fd = fcntl(output->fd, F_DUPFD_CLOEXEC, 0);

    if (fd >= 0 && cut(output) == 0) {
        *ret_stream = fdopen(fd, "w");
        if (*ret_stream != NULL) {
            output->is_written = true;
            return 0;
        }
    }
    fail(err, output->path);
    if (fd >= 0) {
        (void)close(fd);
    }
    return -HS_E_SYSTEM;
}

bool hs_simoutput_is_same(const struct hs_simoutput *a, const struct hs_simoutput *b)
{
    struct stat of_a, of_b;

    return fstat(a->fd, &of_a) == 0 && fstat(b->fd, &of_b) == 0 && S_ISREG(of_a.st_mode)
           && of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

int hs_simoutput_check_folder(const char *path, struct hs_err *err)
{
    struct stat status;

    if (mkdir(path, SIMOUTPUT_FOLDER_MODE) != 0 && errno != EEXIST) {
        return fail(err, path);
    }
    if (stat(path, &status) != 0 || access(path, W_OK | X_OK) != 0) {
        return fail(err, path);
    }
    if (!S_ISDIR(status.st_mode)) {
        errno = ENOTDIR;
        return fail(err, path);
    }
    return 0;
}

void hs_simoutput_free(struct hs_simoutput *output)
{
    if (output == NULL) {
        return;
    }
    if (output->path != NULL && output->fd >= 0) {
        (void)close(output->fd);
        if (output->is_made_here && !output->is_written) {
            (void)unlink(output->path);
        }
    }
    free(output->path);
    free(output);
}
