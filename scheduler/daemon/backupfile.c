/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/daemon/backupfile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "adapters/store/record.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/wholefile.h"

#define FILE_MODE 0600

struct hs_backupfile {
    struct hs_wholefile *whole;
    gzFile gz;
    uint64_t n_rows;
    int rc; /* of the first failure */
    struct hs_err err;
};

static void note_failure(struct hs_backupfile *file, const char *what)
{
    int sys_errno = errno;

    if (file->rc == 0) {
        file->rc = hs_err_set(&file->err, HS_E_SYSTEM, NULL, "the backup cannot be %s: %s", what,
                              sys_errno != 0 ? strerror(sys_errno) : "compression failed");
        file->err.sys_errno = sys_errno;
    }
}

static void write_line(struct hs_backupfile *file, const json_t *json)
{
    HS_AUTO_MEM char *line = hs_jsonx_format(json);
    size_t n = strlen(line);

    line[n] = '\n'; /* in the place of its end: the length goes along */
    errno = 0;
    if (file->rc == 0 && gzfwrite(line, 1, n + 1, file->gz) != n + 1) {
        note_failure(file, "written");
    }
}

static void write_head(struct hs_backupfile *file, const struct hs_backupfile_head *head)
{
    json_auto_t *json = hs_jsonx_object();

    hs_jsonx_set_int(json, "hsched_backup", HS_BACKUPFILE_VERSION);
    hs_jsonx_set_text(json, "cell", head->cell);
    hs_jsonx_set_text(json, "store_id", head->store_id);
    hs_jsonx_set_int(json, "epoch", (int64_t)head->epoch);
    hs_jsonx_set_int(json, "writes", (int64_t)head->writes);
    hs_jsonx_set_at(json, "taken_at", head->taken_at_s);
    write_line(file, json);
}

int hs_backupfile_new(const char *path, const struct hs_backupfile_head *head,
                      struct hs_backupfile **ret_file, struct hs_err *err)
{
    HS_AUTO(hs_backupfile) file = hs_xcalloc(1, sizeof(*file));
    int rc = hs_wholefile_new(path, FILE_MODE, HS_WHOLEFILE_DURABLE, &file->whole, err);
    int fd;

    if (rc != 0) {
        return rc;
    }
    /* zlib closes what it is given, and the part's descriptor is needed for its sync */
    fd = dup(hs_wholefile_get_fd(file->whole));
    file->gz = fd >= 0 ? gzdopen(fd, "wb") : NULL;
    if (file->gz == NULL) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return hs_err_set(err, HS_E_SYSTEM, NULL, "the backup cannot be opened: %s",
                          strerror(errno));
    }
    write_head(file, head);
    *ret_file = HS_STEAL(file);
    return 0;
}

void hs_backupfile_add(struct hs_backupfile *file, const struct hs_backupfile_row *row)
{
    HS_AUTO_MEM char *sealed = hs_record_seal(HS_RECORD_SCHEMA, row->table, row->key, row->text);
    json_auto_t *json = hs_jsonx_object();

    hs_jsonx_set_text(json, row->is_log ? "log" : "table", row->table);
    if (!row->is_log) {
        hs_jsonx_set_text(json, "key", row->key);
    }
    hs_jsonx_set_text(json, "record", sealed);
    write_line(file, json);
    file->n_rows++;
}

int hs_backupfile_check(const struct hs_backupfile *file, struct hs_err *err)
{
    if (file->rc != 0 && err != NULL) {
        *err = file->err;
    }
    return file->rc;
}

int hs_backupfile_commit(struct hs_backupfile *file, struct hs_err *err)
{
    json_auto_t *json = hs_jsonx_object();

    hs_jsonx_set_int(json, "rows", (int64_t)file->n_rows);
    write_line(file, json);
    errno = 0;
    if (gzclose(HS_STEAL(file->gz)) != Z_OK) {
        note_failure(file, "written");
    }
    if (file->rc == 0) {
        return hs_wholefile_commit(file->whole, err);
    }
    return hs_backupfile_check(file, err);
}

void hs_backupfile_free(struct hs_backupfile *file)
{
    if (file == NULL) {
        return;
    }
    if (file->gz != NULL) {
        (void)gzclose(file->gz);
    }
    hs_wholefile_free(file->whole);
    free(file);
}
