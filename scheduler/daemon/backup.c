/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/daemon/backup.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "adapters/store/record.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"
#include "scheduler/base/vec.h"
#include "scheduler/daemon/backupfile.h"
#include "scheduler/daemon/history.h"
#include "scheduler/daemon/restore.h"
#include "scheduler/daemon/rowprogress.h"
#include "scheduler/daemon/stateparts.h"
#include "scheduler/daemon/storevisit.h"

#define LOG_MAX   200000 /* entries; a log keeps about half as many */
#define TRIES     20
#define TRY_GAP_S 0.1

/** A row of the core, kept until it is known to be of one moment with the others. */
struct row {
    const struct hs_statepart *part;
    char *key;
    char *text;
};

struct backup {
    struct hs_storevisit *visit;
    struct hs_backupfile *file;
    struct hs_rowprogress *progress;
    /* the burst */
    HS_VEC(struct row) rows;
    size_t n_awaited;
    int rc; /* of the first call that failed */
    struct hs_err err;
    struct hs_store_lease before;
    struct hs_store_lease after;
    /* of that moment */
    uint64_t ends_next;
    uint64_t next_id;
    HS_VEC(uint64_t) job_ids;        /* that are not over, in order */
    const struct hs_statepart *part; /* that is read now */
    uint64_t n_over;
};

struct part_read {
    struct backup *backup;
    const struct hs_statepart *part;
};

/* --- the burst --- */

static void forget_rows(struct backup *backup)
{
    for (size_t i = 0; i < backup->rows.n; i++) {
        free(backup->rows.items[i].key);
        free(backup->rows.items[i].text);
    }
    backup->rows.n = 0;
}

static void keep_row(const char *key, const char *text, void *arg)
{
    struct part_read *read = arg;
    struct row row = {read->part, hs_xstrdup(key), hs_xstrdup(text)};

    HS_VEC_PUSH(&read->backup->rows, row);
}

static void end_one(struct backup *backup, int rc, const struct hs_err *err)
{
    if (rc != 0 && backup->rc == 0) {
        backup->rc = rc;
        backup->err = *err;
    }
    if (--backup->n_awaited == 0) {
        hs_storevisit_end_run(backup->visit);
    }
}

static void on_part(int rc, const struct hs_err *err, void *arg)
{
    end_one(((struct part_read *)arg)->backup, rc, err);
}

static void on_before(int rc, const struct hs_err *err, const struct hs_store_lease *lease,
                      void *arg)
{
    struct backup *backup = arg;

    if (rc == 0) {
        backup->before = *lease;
    }
    end_one(backup, rc, err);
}

static void on_after(int rc, const struct hs_err *err, const struct hs_store_lease *lease,
                     void *arg)
{
    struct backup *backup = arg;

    if (rc == 0) {
        backup->after = *lease;
    }
    end_one(backup, rc, err);
}

/** All of the core and the logs in one pipeline: nothing waits for an answer in between. */
static int burst(struct backup *backup, struct hs_err *err)
{
    struct hs_store *store = hs_storevisit_get_store(backup->visit);
    HS_AUTO_MEM struct part_read *reads = hs_xcalloc(hs_stateparts_n, sizeof(*reads));

    forget_rows(backup);
    backup->rc = 0;
    backup->n_awaited = 2;
    hs_store_lease_look(store, on_before, backup);
    for (size_t i = 0; i < hs_stateparts_n; i++) {
        reads[i] = (struct part_read){backup, &hs_stateparts[i]};
        if (hs_stateparts[i].kind == HS_STATEPART_CORE) {
            hs_store_load(store, hs_stateparts[i].name, keep_row, on_part, &reads[i]);
            backup->n_awaited++;
        } else if (hs_stateparts[i].kind == HS_STATEPART_LOG) {
            hs_store_tail(store, hs_stateparts[i].name, LOG_MAX, keep_row, on_part, &reads[i]);
            backup->n_awaited++;
        }
    }
    hs_store_lease_look(store, on_after, backup);
    hs_storevisit_run(backup->visit);
    if (backup->rc != 0) {
        *err = backup->err;
    }
    return backup->rc;
}

static int read_core(struct backup *backup, struct hs_err *err)
{
    for (int i = 0; i < TRIES; i++) {
        int rc = burst(backup, err);

        if (rc != 0) {
            return rc;
        }
        if (backup->before.writes == backup->after.writes
            && backup->before.epoch == backup->after.epoch) {
            return 0;
        }
        hs_storevisit_wait(backup->visit, TRY_GAP_S);
    }
    return hs_err_set(err, HS_E_CONFLICT, NULL,
                      "the state changed in each of %d readings: try again when fewer jobs come",
                      TRIES);
}

/* --- what the core says about the moment --- */

static int compare_ids(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a;
    uint64_t other = *(const uint64_t *)b;

    return (one > other) - (one < other);
}

static int note_moment(struct backup *backup, struct hs_err *err)
{
    backup->ends_next = 1;
    backup->next_id = 1;
    for (size_t i = 0; i < backup->rows.n; i++) {
        const struct row *row = &backup->rows.items[i];

        if (strcmp(row->part->name, "jobs") == 0) {
            HS_VEC_PUSH(&backup->job_ids, strtoull(row->key, NULL, 10));
        } else if (strcmp(row->part->name, "meta") != 0) {
            continue;
        } else if (strcmp(row->key, "next_id") == 0) {
            backup->next_id = strtoull(row->text, NULL, 10);
        } else if (strcmp(row->key, "ends_next") == 0) {
            backup->ends_next = strtoull(row->text, NULL, 10);
        } else if (strcmp(row->key, HS_RESTORE_MARK) == 0) {
            return hs_err_set(err, HS_E_CONFLICT, NULL,
                              "a restore was broken off in here: there is no whole state to back "
                              "up, run --restore again");
        }
    }
    if (backup->job_ids.n > 0) {
        qsort(backup->job_ids.items, backup->job_ids.n, sizeof(backup->job_ids.items[0]),
              compare_ids);
    }
    return 0;
}

/** A row of the past, is it from before the moment? Else the core has it as it was then. */
static bool is_before(const struct backup *backup, const char *key)
{
    uint64_t number = strtoull(key, NULL, 10);

    if (strcmp(backup->part->name, HS_HISTORY_ENDS) == 0) {
        return number < backup->ends_next;
    }
    return number < backup->next_id
           && (backup->job_ids.n == 0
               || bsearch(&number, backup->job_ids.items, backup->job_ids.n, sizeof(number),
                          compare_ids)
                      == NULL);
}

/* --- writing --- */

static void add(struct backup *backup, const struct hs_statepart *part, const char *key,
                const char *text)
{
    bool is_log = part->kind == HS_STATEPART_LOG;
    const struct hs_backupfile_row row = {is_log, part->name, is_log ? "" : key, text};

    hs_backupfile_add(backup->file, &row);
    hs_rowprogress_add(backup->progress, 1);
}

static void add_past(const char *key, const char *text, void *arg)
{
    struct backup *backup = arg;

    if (is_before(backup, key)) {
        add(backup, backup->part, key, text);
        backup->n_over += strcmp(backup->part->name, HS_HISTORY_TABLE) == 0 ? 1 : 0;
    }
}

static int add_all(struct backup *backup, struct hs_err *err)
{
    for (size_t i = 0; i < backup->rows.n; i++) {
        const struct row *row = &backup->rows.items[i];

        add(backup, row->part, row->key, row->text);
    }
    forget_rows(backup);
    for (size_t i = 0; i < hs_stateparts_n; i++) {
        int rc = 0;

        backup->part = &hs_stateparts[i];
        if (backup->part->kind == HS_STATEPART_PAST) {
            rc = hs_storevisit_scan(backup->visit, backup->part->name, add_past, backup, err);
        }
        rc = rc == 0 ? hs_backupfile_check(backup->file, err) : rc;
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

/** What is damaged is of no use as it is, but not lost either. */
static void add_damaged(struct backup *backup)
{
    size_t n;
    const struct hs_store_damage *damages =
        hs_store_get_damages(hs_storevisit_get_store(backup->visit), &n);

    for (size_t i = 0; i < n; i++) {
        HS_AUTO_MEM char *key = NULL;
        HS_AUTO_MEM char *text = hs_store_format_damage(&damages[i], &key);

        add(backup, hs_stateparts_find(HS_STORE_QUARANTINE), key, text);
    }
    if (n > 0) {
        printf("%zu damaged records are in the backup's table '%s'\n", n, HS_STORE_QUARANTINE);
    }
}

static int take(struct backup *backup, const struct hs_config *config, const char *path,
                struct hs_err *err)
{
    HS_AUTO(hs_clock) clock = hs_clock_new_real();
    struct hs_backupfile_head head = {.taken_at_s = hs_clock_at_s(clock)};
    char taken[HS_TIMETEXT_MAX];
    int rc = read_core(backup, err);

    if (rc == 0 && backup->after.epoch == 0) {
        rc = hs_err_set(err, HS_E_NOTFOUND, NULL, "redis holds nothing of cell '%s'", config->cell);
    }
    if (rc == 0 && backup->after.schema > HS_RECORD_SCHEMA) {
        rc = hs_err_set(err, HS_E_UNSUPPORTED, NULL,
                        "redis holds records of schema %u, this hschedd knows up to %d: run the "
                        "newer one",
                        backup->after.schema, HS_RECORD_SCHEMA);
    }
    rc = rc == 0 ? note_moment(backup, err) : rc;
    if (rc != 0) {
        return rc;
    }
    snprintf(head.cell, sizeof(head.cell), "%s", config->cell);
    snprintf(head.store_id, sizeof(head.store_id), "%s", backup->after.store_id);
    head.epoch = backup->after.epoch;
    head.writes = backup->after.writes;
    rc = hs_backupfile_new(path, &head, &backup->file, err);
    rc = rc == 0 ? add_all(backup, err) : rc;
    if (rc == 0) {
        add_damaged(backup);
    }
    rc = rc == 0 ? hs_backupfile_commit(backup->file, err) : rc;
    if (rc != 0) {
        return rc;
    }
    hs_timetext_format(head.taken_at_s, taken);
    printf("%s: cell '%s' as of %s, epoch %" PRIu64 ": %zu jobs that are not over, %" PRIu64
           " that are\n",
           path, head.cell, taken, head.epoch, backup->job_ids.n, backup->n_over);
    return 0;
}

int hs_backup_write(const struct hs_config *config, const char *path, struct hs_err *err)
{
    struct backup backup = {0};
    int rc = hs_storevisit_new(config, &backup.visit, err);

    if (rc == 0) {
        backup.progress = hs_rowprogress_new("backup");
        rc = take(&backup, config, path, err);
    }
    hs_rowprogress_free(backup.progress);
    hs_backupfile_free(backup.file);
    hs_storevisit_free(backup.visit);
    forget_rows(&backup);
    HS_VEC_FINI(&backup.rows);
    HS_VEC_FINI(&backup.job_ids);
    return rc;
}
