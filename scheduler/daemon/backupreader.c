/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/daemon/backupreader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>
#include <zlib.h>

#include "adapters/store/record.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"

#define LINE_BEGIN_BYTES 65536
#define LINE_MAX_BYTES   (64 << 20) /* a record is 256 KiB at most, its escapes six times that */
#define PLACE_MAX        32

struct hs_backupreader {
    gzFile gz;
    struct hs_backupfile_head head;
    char *line;
    size_t size;
    uint64_t line_number;
    uint64_t n_rows;
    json_t *json;  /* of the row that was handed out */
    char *carried; /* its text, if it is of an older schema */
};

static int refuse(const struct hs_backupreader *reader, struct hs_err *err, const char *why)
{
    char place[PLACE_MAX];

    (void)snprintf(place, sizeof(place), "line %" PRIu64, reader->line_number);
    return hs_err_set(err, HS_E_INVALID, place, "%s", why);
}

/** A line in reader->line, without its end. @return 1; 0: the file ends here; < 0 */
static int read_line(struct hs_backupreader *reader, struct hs_err *err)
{
    size_t n = 0;

    reader->line_number++;
    while (gzgets(reader->gz, reader->line + n, (int)(reader->size - n)) != NULL) {
        n += strlen(reader->line + n);
        if (n > 0 && reader->line[n - 1] == '\n') {
            reader->line[n - 1] = '\0';
            return 1;
        }
        if (n + 1 < reader->size) {
            break; /* the file ends in the middle of a line, or holds a zero */
        }
        if (reader->size >= LINE_MAX_BYTES) {
            return refuse(reader, err, "is longer than any line of a backup");
        }
        reader->size *= 2;
        reader->line = hs_xrealloc(reader->line, reader->size, 1);
    }
    if (n == 0 && gzeof(reader->gz)) {
        int code = Z_OK;

        (void)gzerror(reader->gz, &code);
        if (code == Z_OK) {
            return 0;
        }
    }
    return refuse(reader, err, "the file is damaged or cut off here: use another backup");
}

static int parse_line(struct hs_backupreader *reader, struct hs_err *err)
{
    json_decref(HS_STEAL(reader->json));
    if (hs_jsonx_parse("backup", reader->line, strlen(reader->line), &reader->json, NULL) != 0
        || !json_is_object(reader->json)) {
        return refuse(reader, err, "is no JSON object: the file is damaged, use another backup");
    }
    return 0;
}

static int take_head(struct hs_backupreader *reader, struct hs_err *err)
{
    const char *cell = json_string_value(json_object_get(reader->json, "cell"));
    const char *store_id = json_string_value(json_object_get(reader->json, "store_id"));
    const char *taken = json_string_value(json_object_get(reader->json, "taken_at"));
    json_int_t version = json_integer_value(json_object_get(reader->json, "hsched_backup"));
    struct hs_backupfile_head *head = &reader->head;

    if (version > HS_BACKUPFILE_VERSION) {
        return hs_err_set(err, HS_E_UNSUPPORTED, "line 1",
                          "is of a newer hschedd (backups of version %" JSON_INTEGER_FORMAT
                          ", this one reads up to %d): use that one",
                          version, HS_BACKUPFILE_VERSION);
    }
    if (version < 1 || cell == NULL || store_id == NULL || taken == NULL
        || hs_timetext_parse(taken, 0, &head->taken_at_s, NULL) != 0) {
        return refuse(reader, err, "is not the first line of a backup of hschedd");
    }
    (void)snprintf(head->cell, sizeof(head->cell), "%s", cell);
    (void)snprintf(head->store_id, sizeof(head->store_id), "%s", store_id);
    head->epoch = (uint64_t)json_integer_value(json_object_get(reader->json, "epoch"));
    head->writes = (uint64_t)json_integer_value(json_object_get(reader->json, "writes"));
    return 0;
}

int hs_backupreader_open(const char *path, struct hs_backupreader **ret_reader, struct hs_err *err)
{
    HS_AUTO(hs_backupreader) reader = hs_xcalloc(1, sizeof(*reader));
    int rc;

    reader->gz = gzopen(path, "rbe");
    if (reader->gz == NULL) {
        return hs_err_set(err, HS_E_SYSTEM, NULL, "cannot be opened: %s", strerror(errno));
    }
    reader->size = LINE_BEGIN_BYTES;
    reader->line = hs_xcalloc(1, reader->size);
    rc = read_line(reader, err);
    if (rc == 0 || gzdirect(reader->gz)) {
        return hs_err_set(err, HS_E_INVALID, NULL,
                          "is no backup: hschedd --backup writes gzip, this is %s",
                          rc == 0 ? "empty" : "something else");
    }
    rc = rc < 0 ? rc : parse_line(reader, err);
    rc = rc < 0 ? rc : take_head(reader, err);
    if (rc == 0) {
        *ret_reader = HS_STEAL(reader);
    }
    return rc;
}

const struct hs_backupfile_head *hs_backupreader_get_head(const struct hs_backupreader *reader)
{
    return &reader->head;
}

/** The last line: the count must be right, and nothing may follow. */
static int take_end(struct hs_backupreader *reader, const json_t *count, struct hs_err *err)
{
    int rc;

    if ((uint64_t)json_integer_value(count) != reader->n_rows) {
        return refuse(reader, err, "counts other rows than there are: use another backup");
    }
    rc = read_line(reader, err);
    return rc <= 0 ? rc : refuse(reader, err, "follows the last line: use another backup");
}

static int take_row(struct hs_backupreader *reader, struct hs_backupfile_row *ret_row,
                    struct hs_err *err)
{
    const char *log = json_string_value(json_object_get(reader->json, "log"));
    const char *table = json_string_value(json_object_get(reader->json, "table"));
    const char *key = json_string_value(json_object_get(reader->json, "key"));
    const char *sealed = json_string_value(json_object_get(reader->json, "record"));
    struct hs_err own;
    int rc;

    free(HS_STEAL(reader->carried));
    if (sealed == NULL || (log == NULL && (table == NULL || key == NULL))) {
        return refuse(reader, err, "is no row of a backup: use another backup");
    }
    *ret_row = (struct hs_backupfile_row){
        .is_log = log != NULL, .table = log != NULL ? log : table, .key = log != NULL ? "" : key};
    rc = hs_record_open(&hs_record_chain_now, ret_row->table, ret_row->key, sealed, &ret_row->text,
                        &reader->carried, &own);
    if (rc == -HS_E_UNSUPPORTED) {
        return hs_err_set(err, HS_E_UNSUPPORTED, own.where, "%s", own.text);
    }
    reader->n_rows++;
    return rc == 0 ? 1 : refuse(reader, err, own.text);
}

int hs_backupreader_next(struct hs_backupreader *reader, struct hs_backupfile_row *ret_row,
                         struct hs_err *err)
{
    const json_t *count;
    int rc = read_line(reader, err);

    if (rc == 0) {
        return refuse(reader, err,
                      "the last line is missing, the file was cut off: use another backup");
    }
    rc = rc < 0 ? rc : parse_line(reader, err);
    if (rc < 0) {
        return rc;
    }
    count = json_object_get(reader->json, "rows");
    return count != NULL ? take_end(reader, count, err) : take_row(reader, ret_row, err);
}

void hs_backupreader_free(struct hs_backupreader *reader)
{
    if (reader == NULL) {
        return;
    }
    if (reader->gz != NULL) {
        (void)gzclose(reader->gz);
    }
    json_decref(reader->json);
    free(reader->carried);
    free(reader->line);
    free(reader);
}
