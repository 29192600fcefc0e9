/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/weather/weathersource_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "adapters/signal/filetext.h"
#include "scheduler/base/auto.h"

#define FILE_BYTES_MAX ((size_t)2 << 20) /* as of an answer */
#define HOUR_S         3600

static bool mark_file(const char *path, struct hs_weatherread_mark *ret_mark)
{
    struct stat seen;

    if (stat(path, &seen) != 0) {
        return false; /* reading says why */
    }
    *ret_mark = (struct hs_weatherread_mark){
        .changed_ns = (int64_t)seen.st_mtim.tv_sec * 1000000000 + seen.st_mtim.tv_nsec,
        .n_bytes = (int64_t)seen.st_size,
        .inode = (uint64_t)seen.st_ino,
    };
    return true;
}

/**
 * A text that does not say when it came out did so when its file was written; a file that was
 * copied long after, at the start of its first hour.
 */
static int parse_without_issue(struct hs_weatherread *read, const char *text, size_t n_bytes)
{
    int64_t written_at_s = read->mark.changed_ns / 1000000000;
    struct hs_outlook whole;
    int rc = read->kind->parse(read->path, text, n_bytes, INT64_MAX, &whole, &read->err);

    if (rc != 0) {
        return rc;
    }
    if (written_at_s > whole.from_at_s
        && written_at_s < whole.from_at_s + (int64_t)whole.n_hours * HOUR_S) {
        return read->kind->parse(read->path, text, n_bytes, written_at_s, &read->outlook,
                                 &read->err);
    }
    read->outlook = whole;
    return 0;
}

static int read_text(struct hs_weatherread *read)
{
    HS_AUTO_MEM char *text = NULL;
    size_t n_bytes = 0;
    int rc = hs_filetext_read(read->path, &text, &n_bytes, &read->err);

    if (rc == 0 && n_bytes > FILE_BYTES_MAX) {
        return hs_err_set(&read->err, HS_E_INVALID, NULL, "'%.100s' is larger than 2 MiB",
                          read->path);
    }
    if (rc == 0) {
        rc = read->kind->says_issue ? read->kind->parse(read->path, text, n_bytes, INT64_MAX,
                                                        &read->outlook, &read->err)
                                    : parse_without_issue(read, text, n_bytes);
    }
    read->has_outlook = rc == 0;
    return rc;
}

void hs_weathersource_file_read(struct hs_weatherread *read)
{
    struct hs_weatherread_mark mark = {0};
    bool is_there = mark_file(read->path, &mark);

    if (is_there && memcmp(&mark, &read->mark, sizeof(mark)) == 0) {
        return;
    }
    read->mark = mark;
    read->rc = read->kind->parse == NULL ? hs_issuedcsv_read(read->path, &read->issued, &read->err)
                                         : read_text(read);
    if (read->rc != 0) {
        read->mark = (struct hs_weatherread_mark){0}; /* it may be half written: look again */
    }
}
