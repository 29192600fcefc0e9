/* SPDX-License-Identifier: Apache-2.0 */
/* simoutput - looked at early, written late. */
#include "scheduler/sim/simoutput.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/wholefile.h"

#define SIMOUTPUT_MODE        0666
#define SIMOUTPUT_FOLDER_MODE 0777

struct hs_simoutput {
    char *path; /* NULL: standard output */
    char *real; /* of a plain file, there or to be made; NULL for what is written as it is */
    int fd;     /* of what is written as it is */
    struct hs_wholefile *file; /* while it is written */
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

/** As fail(), for what wholefile said. */
static int fail_file(struct hs_err *err, const char *path)
{
    const struct hs_err why = err != NULL ? *err : (struct hs_err){0};
    int rc = hs_err_set(err, HS_E_SYSTEM, NULL, "cannot write '%s': %s", path, why.text);

    if (err != NULL) {
        err->sys_errno = why.sys_errno;
    }
    return rc;
}

/** Where a file that is not there yet will be, or NULL. Owned (free). */
static char *find_real(const char *path)
{
    HS_AUTO_MEM char *of_dir = hs_xstrdup(path);
    HS_AUTO_MEM char *of_base = hs_xstrdup(path);
    HS_AUTO_MEM char *dir = realpath(dirname(of_dir), NULL);
    char *real = NULL;

    if (dir == NULL || access(dir, W_OK | X_OK) != 0) {
        return NULL;
    }
    if (asprintf(&real, "%s/%s", dir, basename(of_base)) < 0) {
        hs_mem_exhausted();
    }
    return real;
}

/** See that @path can be written, and whether it is a plain file. */
static int look(struct hs_simoutput *output, const char *path)
{
    struct stat status;

    output->path = hs_xstrdup(path);
    output->fd = open(path, O_WRONLY | O_CLOEXEC);
    if (output->fd < 0 && errno != ENOENT) {
        return -1;
    }
    if (output->fd < 0) {
        output->real = find_real(path);
        return output->real != NULL ? 0 : -1;
    }
    if (fstat(output->fd, &status) != 0) {
        return -1;
    }
    if (S_ISREG(status.st_mode)) {
        HS_AUTO_MEM char *real = realpath(path, NULL);

        output->real = real != NULL ? find_real(real) : NULL;
        return output->real != NULL ? 0 : -1;
    }
    return 0;
}

int hs_simoutput_new(const char *path, struct hs_simoutput **ret_output, struct hs_err *err)
{
    HS_AUTO(hs_simoutput) output = hs_xcalloc(1, sizeof(*output));

    output->fd = STDOUT_FILENO;
    if (path != NULL && look(output, path) != 0) {
        return fail(err, path);
    }
    *ret_output = HS_STEAL(output);
    return 0;
}

/** Begin a plain file anew, beside the old one. */
static int begin(struct hs_simoutput *output, struct hs_err *err)
{
    hs_wholefile_free(output->file);
    output->file = NULL;
    return hs_wholefile_new(output->real, SIMOUTPUT_MODE, HS_WHOLEFILE_DURABLE, &output->file, err)
                   == 0
               ? 0
               : fail_file(err, output->path);
}

static int commit(struct hs_simoutput *output, struct hs_err *err)
{
    int rc = hs_wholefile_commit(output->file, err);

    hs_wholefile_free(output->file);
    output->file = NULL;
    return rc == 0 ? 0 : fail_file(err, output->path);
}

int hs_simoutput_write(struct hs_simoutput *output, const char *text, struct hs_err *err)
{
    size_t n_left = strlen(text);
    int rc = output->real != NULL ? begin(output, err) : 0;

    if (rc == 0 && output->real != NULL) {
        return hs_wholefile_write(output->file, text, n_left, err) == 0
                   ? commit(output, err)
                   : fail_file(err, output->path);
    }
    while (rc == 0 && n_left > 0) {
        ssize_t n = write(output->fd, text, n_left);

        if (n < 0 && errno != EINTR) {
            return fail(err, output->path);
        }
        if (n > 0) {
            text += n;
            n_left -= (size_t)n;
        }
    }
    return rc;
}

int hs_simoutput_open_stream(struct hs_simoutput *output, FILE **ret_stream, struct hs_err *err)
{
    int rc = output->real != NULL ? begin(output, err) : 0;
    int fd;

    if (rc < 0) {
        return rc;
    }
    fd = fcntl(output->file != NULL ? hs_wholefile_get_fd(output->file) : output->fd,
               F_DUPFD_CLOEXEC, 0);
    if (fd >= 0) {
        *ret_stream = fdopen(fd, "w");
        if (*ret_stream != NULL) {
            return 0;
        }
    }
    fail(err, output->path);
    if (fd >= 0) {
        (void)close(fd);
    }
    return -HS_E_SYSTEM;
}

int hs_simoutput_close_stream(struct hs_simoutput *output, FILE *stream, struct hs_err *err)
{
    bool is_bad = ferror(stream) != 0;

    if (fclose(stream) != 0 || is_bad) {
        return fail(err, output->path);
    }
    return output->file != NULL ? commit(output, err) : 0;
}

bool hs_simoutput_is_same(const struct hs_simoutput *a, const struct hs_simoutput *b)
{
    return a->real != NULL && b->real != NULL && strcmp(a->real, b->real) == 0;
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
    hs_wholefile_free(output->file);
    if (output->path != NULL && output->fd >= 0) {
        (void)close(output->fd);
    }
    free(output->real);
    free(output->path);
    free(output);
}
