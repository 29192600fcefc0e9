/* SPDX-License-Identifier: Apache-2.0 */
/* filetext - zlib reads plain files and gzip alike; growth by doubling. */
#include "adapters/signal/filetext.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <zlib.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/mem.h"

#define FILETEXT_FIRST_BYTES ((size_t)64 << 10)
#define FILETEXT_NAME_MAX    48
#define FILETEXT_PATH_MAX    120 /* of a path within a message */

static void close_gz(gzFile *file)
{
    if (*file != NULL) {
        (void)gzclose_r(*file);
    }
}

static bool ends_in_gz(const char *path)
{
    size_t n = strlen(path);

    return n >= 3 && strcmp(path + n - 3, ".gz") == 0;
}

/** The end of @text, at most @n_max bytes. */
static const char *get_end(const char *text, size_t n_max)
{
    size_t n = strlen(text);

    return n > n_max ? text + n - n_max : text;
}

void hs_filetext_format_where(const char *path, unsigned line, char *ret_where)
{
    const char *slash = strrchr(path, '/');
    const char *name =
        get_end(slash != NULL && slash[1] != '\0' ? slash + 1 : path, FILETEXT_NAME_MAX);

    if (line > 0) {
        snprintf(ret_where, HS_FILETEXT_WHERE_MAX, "%s:%u", name, line);
    } else {
        snprintf(ret_where, HS_FILETEXT_WHERE_MAX, "%s", name);
    }
}

static unsigned count_lines(const char *text, size_t n_bytes)
{
    unsigned n = 1;

    for (const char *at = text; (at = memchr(at, '\n', (size_t)(text + n_bytes - at))) != NULL;
         at++) {
        n++;
    }
    return n;
}

/* --- opening --- */

static enum hs_err_kind kind_of(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return HS_E_NOTFOUND;
    case EACCES:
    case EPERM:
        return HS_E_DENIED;
    case ELOOP:
    case ENAMETOOLONG:
        return HS_E_INVALID;
    default:
        return HS_E_SYSTEM;
    }
}

/** @return a descriptor, or -kind */
static int open_file(const char *path, struct hs_err *err)
{
    HS_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
    char where[HS_FILETEXT_WHERE_MAX];
    struct stat seen;
    int opened;

    hs_filetext_format_where(path, 0, where);
    if (fd < 0 || fstat(fd, &seen) != 0) {
        return hs_err_set(err, kind_of(errno), where, "cannot open '%s': %s",
                          get_end(path, FILETEXT_PATH_MAX), strerror(errno));
    }
    if (S_ISDIR(seen.st_mode)) {
        return hs_err_set(err, HS_E_INVALID, where, "'%s' is a directory; name a file",
                          get_end(path, FILETEXT_PATH_MAX));
    }
    opened = fd;
    fd = -1;
    return opened;
}

int hs_filetext_check(const char *path, struct hs_err *err)
{
    int fd = open_file(path, err);

    if (fd >= 0) {
        (void)close(fd);
    }
    return fd < 0 ? fd : 0;
}

/* --- reading --- */

/** zlib's own words without the "<fd:3>: " before them. */
static const char *get_cause(const char *text)
{
    const char *colon = strstr(text, ": ");

    return colon != NULL ? colon + 2 : text;
}

static int fail_reading(gzFile file, const char *path, unsigned line, struct hs_err *err)
{
    char where[HS_FILETEXT_WHERE_MAX];
    int zlib_rc = Z_OK;
    const char *text = gzerror(file, &zlib_rc);

    hs_filetext_format_where(path, line, where);
    if (zlib_rc == Z_ERRNO) {
        return hs_err_set(err, HS_E_SYSTEM, where, "cannot read on: %s", strerror(errno));
    }
    if (zlib_rc == Z_BUF_ERROR) {
        return hs_err_set(err, HS_E_INVALID, where,
                          "the gzip is cut short in this line; fetch the whole file again");
    }
    return hs_err_set(err, HS_E_INVALID, where,
                      "the gzip is damaged from here on (%s); fetch the file again",
                      get_cause(text));
}

static int check_text(const char *path, const char *text, size_t n_bytes, struct hs_err *err)
{
    const char *nul = memchr(text, '\0', n_bytes);
    char where[HS_FILETEXT_WHERE_MAX];

    if (n_bytes >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)) {
        hs_filetext_format_where(path, 1, where);
        return hs_err_set(err, HS_E_INVALID, where, "the file is UTF-16; save it as UTF-8");
    }
    if (nul != NULL) {
        hs_filetext_format_where(path, count_lines(text, (size_t)(nul - text)), where);
        return hs_err_set(err, HS_E_INVALID, where,
                          "a byte 0 stands here, so the file is no text; name a text file, plain "
                          "or .gz");
    }
    return 0;
}

/** Read to the end. @param text  grown as needed, also on failure */
static int read_all(gzFile file, const char *path, char **text, size_t *ret_n, struct hs_err *err)
{
    char where[HS_FILETEXT_WHERE_MAX];
    size_t n = 0, n_max = FILETEXT_FIRST_BYTES;
    int zlib_rc = Z_OK, got;

    *text = hs_xrealloc(NULL, n_max, 1);
    while ((got = gzread(file, *text + n, (unsigned)(n_max - n - 1))) > 0) {
        n += (size_t)got;
        if (n > HS_FILETEXT_MAX_BYTES) {
            hs_filetext_format_where(path, 0, where);
            return hs_err_set(err, HS_E_INVALID, where, "the file is larger than %zu MiB",
                              HS_FILETEXT_MAX_BYTES >> 20);
        }
        if (n_max - n - 1 < FILETEXT_FIRST_BYTES / 2) {
            n_max *= 2;
            *text = hs_xrealloc(*text, n_max, 1);
        }
    }
    (void)gzerror(file, &zlib_rc);
    /* a gzip cut short reads well up to the cut; only the error state tells */
    if (got < 0 || zlib_rc == Z_BUF_ERROR) {
        return fail_reading(file, path, count_lines(*text, n), err);
    }
    if (ends_in_gz(path) && n > 0 && gzdirect(file)) {
        hs_filetext_format_where(path, 1, where);
        return hs_err_set(err, HS_E_INVALID, where,
                          "the file is named .gz but is no gzip; rename it or compress it");
    }
    (*text)[n] = '\0';
    *ret_n = n;
    return 0;
}

int hs_filetext_read(const char *path, char **ret_text, size_t *ret_n_bytes, struct hs_err *err)
{
    HS_AUTO_FD fd = open_file(path, err);
    HS_CLEANUP(close_gz) gzFile file = fd >= 0 ? gzdopen(fd, "rb") : NULL;
    HS_AUTO_MEM char *text = NULL;
    size_t n = 0;
    int rc;

    if (file == NULL) {
        return fd < 0 ? fd : hs_err_set(err, HS_E_SYSTEM, path, "out of memory");
    }
    fd = -1; /* closed with the file */
    rc = read_all(file, path, &text, &n, err);
    rc = rc != 0 ? rc : check_text(path, text, n, err);
    if (rc != 0) {
        return rc;
    }
    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        n -= 3;
        memmove(text, text + 3, n + 1);
    }
    *ret_text = HS_STEAL(text);
    *ret_n_bytes = n;
    return 0;
}
