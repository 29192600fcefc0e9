/* SPDX-License-Identifier: Apache-2.0 */
/* localintent - lines of `checksum key text`, appended and synced one by one. */
#include "scheduler/daemon/localintent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <zlib.h>

#include "scheduler/base/mem.h"

#define FILE_NAME    "intents.local"
#define SUM_DIGITS   8
#define SUM_FORMAT   "%08x "
#define READ_MAX_MIB 64 /* 200,000 lines; a file of ours never comes near */

struct hs_localintent {
    char *dir;
    char *path;
    int fd;         /* -1 until the first line */
    off_t good_end; /* what follows is a line that could not be written whole */
};

static int fail(const struct hs_localintent *local, const char *what, struct hs_err *err)
{
    return hs_err_set(err, HS_E_SYSTEM, FILE_NAME, "cannot %s '%s': %s", what, local->path,
                      strerror(errno));
}

static unsigned sum_of(const char *text, size_t n)
{
    return (unsigned)crc32(0, (const unsigned char *)text, (uInt)n);
}

static int sync_dir(const struct hs_localintent *local, struct hs_err *err)
{
    HS_AUTO_FD dir = open(local->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return dir >= 0 && fsync(dir) == 0 ? 0 : fail(local, "sync the folder of", err);
}

struct hs_localintent *hs_localintent_new(const char *state_dir)
{
    struct hs_localintent *local = hs_xcalloc(1, sizeof(*local));

    local->fd = -1;
    local->dir = hs_xstrdup(state_dir);
    if (asprintf(&local->path, "%s/" FILE_NAME, state_dir) < 0) {
        hs_mem_exhausted();
    }
    return local;
}

/* ---- reading ---- */

static int read_all(const struct hs_localintent *local, char **ret_text, size_t *ret_n,
                    struct hs_err *err)
{
    HS_AUTO_FD fd = open(local->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    HS_AUTO_MEM char *text = NULL;
    struct stat status;
    size_t n = 0;
    ssize_t n_now = 1;

    if (fd < 0 && errno == ENOENT) {
        *ret_n = 0;
        return 0;
    }
    if (fd < 0 || fstat(fd, &status) != 0) {
        return fail(local, "read", err);
    }
    if (status.st_size > (off_t)READ_MAX_MIB * 1024 * 1024) {
        return hs_err_set(err, HS_E_SYSTEM, FILE_NAME, "'%s' is longer than %d MiB", local->path,
                          READ_MAX_MIB);
    }
    text = hs_xcalloc(1, (size_t)status.st_size + 1);
    while (n_now > 0 && n < (size_t)status.st_size) {
        n_now = read(fd, text + n, (size_t)status.st_size - n);
        n += n_now > 0 ? (size_t)n_now : 0;
    }
    if (n_now < 0) {
        return fail(local, "read", err);
    }
    *ret_text = HS_STEAL(text);
    *ret_n = n;
    return 0;
}

/** Split "sum key text" in place. */
static bool parse_line(char *line, size_t n, char **ret_key, char **ret_text)
{
    char *body = line + SUM_DIGITS + 1;
    char *end = NULL;
    char *space;

    if (n <= SUM_DIGITS + 1 || line[SUM_DIGITS] != ' ' || memchr(line, '\0', n) != NULL
        || strtoul(line, &end, 16) != sum_of(body, n - SUM_DIGITS - 1)
        || end != line + SUM_DIGITS) {
        return false;
    }
    space = strchr(body, ' ');
    if (space == NULL) {
        return false;
    }
    *space = '\0';
    *ret_key = body;
    *ret_text = space + 1;
    return true;
}

/** @param ret_end  of the last line that ends in a newline, good or bad */
static int walk(const struct hs_localintent *local, hs_localintent_row_fn *row, void *arg,
                size_t *ret_n_bad, size_t *ret_end, struct hs_err *err)
{
    HS_AUTO_MEM char *text = NULL;
    size_t n = 0, at = 0;
    int rc = read_all(local, &text, &n, err);

    *ret_n_bad = 0;
    *ret_end = 0;
    while (rc == 0 && at < n) {
        char *newline = memchr(text + at, '\n', n - at);
        char *key, *body;
        size_t n_line;

        if (newline == NULL) {
            break; /* the torn end */
        }
        *newline = '\0';
        n_line = (size_t)(newline - (text + at));
        if (!parse_line(text + at, n_line, &key, &body)) {
            ++*ret_n_bad;
        } else if (row != NULL) {
            row(key, body, arg);
        }
        at += n_line + 1;
        *ret_end = at;
    }
    return rc;
}

int hs_localintent_read(const struct hs_localintent *local, hs_localintent_row_fn *row, void *arg,
                        size_t *ret_n_bad, struct hs_err *err)
{
    size_t end;

    return walk(local, row, arg, ret_n_bad, &end, err);
}

/* ---- writing ---- */

/** Open for appending, behind the last line that is whole. */
static int open_file(struct hs_localintent *local, struct hs_err *err)
{
    size_t n_bad, end = 0;
    int rc = walk(local, NULL, NULL, &n_bad, &end, err);

    if (rc < 0) {
        return rc;
    }
    local->fd = open(local->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (local->fd < 0) {
        return fail(local, "open", err);
    }
    local->good_end = (off_t)end;
    return sync_dir(local, err);
}

int hs_localintent_add(struct hs_localintent *local, const char *key, const char *text,
                       struct hs_err *err)
{
    HS_AUTO_MEM char *body = NULL;
    HS_AUTO_MEM char *line = NULL;
    int n = 0;
    int n_body;
    int rc = local->fd < 0 ? open_file(local, err) : 0;

    if (rc < 0) {
        return rc;
    }
    if (strpbrk(key, " \n") != NULL || strchr(text, '\n') != NULL) {
        return hs_err_set(err, HS_E_INVALID, FILE_NAME, "an intent must be one line");
    }
    n_body = asprintf(&body, "%s %s", key, text);
    n = n_body < 0 ? -1 : asprintf(&line, SUM_FORMAT "%s\n", sum_of(body, (size_t)n_body), body);
    if (n < 0) {
        hs_mem_exhausted();
    }
    /* over what an earlier try may have left, so that no half line is ever followed by another */
    if (ftruncate(local->fd, local->good_end) != 0
        || pwrite(local->fd, line, (size_t)n, local->good_end) != n || fsync(local->fd) != 0) {
        return fail(local, "write", err);
    }
    local->good_end += n;
    return 0;
}

int hs_localintent_clear(struct hs_localintent *local, struct hs_err *err)
{
    if (local->fd >= 0) {
        (void)close(local->fd);
        local->fd = -1;
    }
    if (unlink(local->path) != 0 && errno != ENOENT) {
        return fail(local, "remove", err);
    }
    return sync_dir(local, err);
}

void hs_localintent_free(struct hs_localintent *local)
{
    if (local != NULL) {
        if (local->fd >= 0) {
            (void)close(local->fd);
        }
        free(local->path);
        free(local->dir);
        free(local);
    }
}
