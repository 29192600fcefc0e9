/* SPDX-License-Identifier: Apache-2.0 */
/* filetext - zlib reads plain files and gzip alike; growth by doubling. */
#include "adapters/signal/filetext.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <zlib.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/mem.h"

#define FILETEXT_FIRST_BYTES ((size_t)64 << 10)

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

static int fail_reading(gzFile file, const char *path, struct hs_err *err)
{
    int zlib_rc = Z_OK;
    const char *text = gzerror(file, &zlib_rc);

    if (zlib_rc == Z_ERRNO) {
        return hs_err_set(err, HS_E_SYSTEM, path, "cannot read '%s': %s", path, strerror(errno));
    }
    return hs_err_set(err, HS_E_INVALID, path, "damaged gzip '%s': %s", path, text);
}

int hs_filetext_read(const char *path, char **ret_text, size_t *ret_n_bytes, struct hs_err *err)
{
    errno = 0;
    HS_CLEANUP(close_gz) gzFile file = gzopen(path, "rb");
    HS_AUTO_MEM char *text = NULL;
    size_t n = 0, n_max = FILETEXT_FIRST_BYTES;
    int got = 0;

    if (file == NULL) {
        return hs_err_set(err, errno == ENOENT ? HS_E_NOTFOUND : HS_E_SYSTEM, path,
                          "cannot open '%s': %s", path, strerror(errno != 0 ? errno : ENOMEM));
    }
    text = hs_xrealloc(NULL, n_max, 1);
    for (;;) {
        got = gzread(file, text + n, (unsigned)(n_max - n - 1));
        if (got <= 0) {
            break;
        }
        n += (size_t)got;
        if (n > HS_FILETEXT_MAX_BYTES) {
            return hs_err_set(err, HS_E_INVALID, path, "'%s' is larger than %zu MiB", path,
                              HS_FILETEXT_MAX_BYTES >> 20);
        }
        if (n_max - n - 1 < FILETEXT_FIRST_BYTES / 2) {
            n_max *= 2;
            text = hs_xrealloc(text, n_max, 1);
        }
    }
    int zlib_rc = Z_OK;
    (void)gzerror(file, &zlib_rc);
    /* a gzip cut short reads well up to the cut; only the error state tells */
    if (got < 0 || zlib_rc == Z_BUF_ERROR) {
        return fail_reading(file, path, err);
    }
    if (ends_in_gz(path) && n > 0 && gzdirect(file)) {
        return hs_err_set(err, HS_E_INVALID, path, "'%s' is named .gz but is no gzip", path);
    }
    text[n] = '\0';
    *ret_text = HS_STEAL(text);
    *ret_n_bytes = n;
    return 0;
}
