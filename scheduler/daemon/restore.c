/* SPDX-License-Identifier: Apache-2.0 */
/* restore - first the file alone, then the store: lease, mark, rows, and the mark away again. */
#include "scheduler/daemon/restore.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/clock.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"
#include "scheduler/base/vec.h"
#include "scheduler/daemon/backupreader.h"
#include "scheduler/daemon/epochfile.h"
#include "scheduler/daemon/history.h"
#include "scheduler/daemon/leaseholder.h"
#include "scheduler/daemon/rowprogress.h"
#include "scheduler/daemon/statedir.h"
#include "scheduler/daemon/stateparts.h"
#include "scheduler/daemon/storevisit.h"

#define EPOCH_GAP    1000    /* leaders that may have come after the backup */
#define JOB_ID_GAP   1000000 /* jobs that may have been submitted after it */
#define COMMIT_ROWS  500
#define COMMIT_BYTES (1 << 20)
#define KEY_MAX      24
#define RENEW_RATIO  (1.0 / 3) /* of a lease */
#define WATCH_GAP_S  0.5       /* between two looks at a lease that somebody holds */

/** What the file holds. */
struct content {
    struct hs_backupfile_head head;
    uint64_t n_rows;
    uint64_t n_jobs; /* not over */
    uint64_t n_over;
    uint64_t n_logged;
    uint64_t next_id;
};

/** Rows on their way into one commit. */
struct batch {
    HS_VEC(struct hs_store_op) ops; /* their texts are owned */
    size_t n_bytes;
    bool has_entries; /* of logs */
};

struct restore {
    const struct hs_config *config;
    const char *path;
    struct content content;
    struct hs_statedir_lock *lock;
    struct hs_storevisit *visit;
    struct hs_clock *clock;
    struct hs_rowprogress *progress;
    struct batch batch;
    struct hs_store_lease lease;
    double renewed_mono_s;
    bool is_marked;    /* an earlier restore was broken off */
    char *mark;        /* its text */
    uint64_t n_logged; /* entries of logs that stand from it */
    bool keeps_logs;   /* the store has entries of its own: the backup's are left out */
    HS_VEC(struct hs_store_op) old; /* deletes of what is there; keys owned */
};

/* --- the file --- */

static int read_file(const char *path, struct content *ret_content, struct hs_err *err)
{
    HS_AUTO(hs_backupreader) reader = NULL;
    struct hs_backupfile_row row;
    int rc = hs_backupreader_open(path, &reader, err);

    *ret_content = (struct content){.next_id = 1};
    if (rc != 0) {
        return rc;
    }
    ret_content->head = *hs_backupreader_get_head(reader);
    while ((rc = hs_backupreader_next(reader, &row, err)) > 0) {
        const struct hs_statepart *part = hs_stateparts_find(row.table);
        uint64_t id = strtoull(row.key, NULL, 10);
        bool is_job = strcmp(row.table, "jobs") == 0;
        bool is_over = strcmp(row.table, HS_HISTORY_TABLE) == 0;

        if (part == NULL || row.is_log != (part->kind == HS_STATEPART_LOG)) {
            return hs_err_set(err, HS_E_UNSUPPORTED, NULL,
                              "holds '%.32s', which this hschedd does not know: use a newer one",
                              row.table);
        }
        if (strcmp(row.table, "meta") == 0 && strcmp(row.key, "next_id") == 0) {
            id = strtoull(row.text, NULL, 10) - 1;
        }
        if ((is_job || is_over || strcmp(row.key, "next_id") == 0) && id >= ret_content->next_id) {
            ret_content->next_id = id + 1;
        }
        ret_content->n_rows++;
        ret_content->n_jobs += is_job ? 1 : 0;
        ret_content->n_over += is_over ? 1 : 0;
        ret_content->n_logged += row.is_log ? 1 : 0;
    }
    return rc;
}

static void print_content(const char *path, const struct content *content)
{
    char taken[HS_TIMETEXT_MAX];

    hs_timetext_format(content->head.taken_at_s, taken);
    printf("%s: cell '%s' as of %s, epoch %" PRIu64 ": %" PRIu64 " jobs that are not over, %" PRIu64
           " that are; whole\n",
           path, content->head.cell, taken, content->head.epoch, content->n_jobs, content->n_over);
}

int hs_restore_check(const char *path, struct hs_err *err)
{
    struct content content;
    int rc = read_file(path, &content, err);

    if (rc == 0) {
        print_content(path, &content);
    }
    return rc;
}

/* --- commits --- */

static void batch_clear(struct batch *batch)
{
    for (size_t i = 0; i < batch->ops.n; i++) {
        free((void *)batch->ops.items[i].table);
        free((void *)batch->ops.items[i].key);
        free((void *)batch->ops.items[i].text);
    }
    batch->ops.n = 0;
    batch->n_bytes = 0;
    batch->has_entries = false;
}

static void batch_add(struct batch *batch, enum hs_store_op_kind kind, const char *table,
                      const char *key, const char *text)
{
    struct hs_store_op op = {kind, hs_xstrdup(table), hs_xstrdup(key), hs_xstrdup(text)};

    HS_VEC_PUSH(&batch->ops, op);
    batch->n_bytes += text != NULL ? strlen(text) : 0;
    batch->has_entries |= kind == HS_STORE_APPEND;
}

/** Commit, and keep the lease: a standby elsewhere takes over from whoever shows no beat. */
static int commit(struct restore *restore, const struct hs_store_op *ops, size_t n_ops,
                  struct hs_err *err)
{
    double now_mono_s = hs_clock_mono_s(restore->clock);
    int rc = 0;

    if (now_mono_s - restore->renewed_mono_s > restore->config->lease_s * RENEW_RATIO) {
        restore->renewed_mono_s = now_mono_s;
        rc = hs_storevisit_renew(restore->visit, err);
    }
    rc = rc == 0 ? hs_storevisit_commit(restore->visit, ops, n_ops, err) : rc;
    hs_rowprogress_add(restore->progress, n_ops);
    return rc;
}

static int batch_commit(struct restore *restore, struct hs_err *err)
{
    struct batch *batch = &restore->batch;
    int rc = batch->ops.n > 0 ? commit(restore, batch->ops.items, batch->ops.n, err) : 0;

    batch_clear(batch);
    return rc;
}

/** The mark as it is to be: whose rows come, and how many entries of logs stand. */
static char *format_mark(const struct restore *restore)
{
    json_auto_t *json = hs_jsonx_object();

    hs_jsonx_set_text(json, "file", restore->path);
    hs_jsonx_set_at(json, "taken_at", restore->content.head.taken_at_s);
    hs_jsonx_set_int(json, "epoch", (int64_t)restore->content.head.epoch);
    hs_jsonx_set_int(json, "rows", (int64_t)restore->content.n_rows);
    hs_jsonx_set_bool(json, "keeps_logs", restore->keeps_logs);
    hs_jsonx_set_int(json, "logged", (int64_t)restore->n_logged);
    return hs_jsonx_format(json);
}

static void add_mark(struct restore *restore)
{
    HS_AUTO_MEM char *text = format_mark(restore);

    batch_add(&restore->batch, HS_STORE_PUT, "meta", HS_RESTORE_MARK, text);
}

/* --- what is there --- */

struct listing {
    struct restore *restore;
    const char *table;
};

static void list_row(const char *key, const char *text, void *arg)
{
    struct listing *listing = arg;
    struct restore *restore = listing->restore;
    bool is_mark = strcmp(listing->table, "meta") == 0 && strcmp(key, HS_RESTORE_MARK) == 0;

    if (is_mark) {
        restore->is_marked = true;
        free(restore->mark);
        restore->mark = hs_xstrdup(text);
    } else {
        struct hs_store_op op = {HS_STORE_DELETE, listing->table, hs_xstrdup(key), NULL};

        HS_VEC_PUSH(&restore->old, op);
    }
}

static void note_entry(const char *key, const char *text, void *arg)
{
    ((struct restore *)arg)->keeps_logs = true;
}

/** Take over what an earlier restore of the same backup has done to the logs. */
static void take_mark(struct restore *restore)
{
    json_auto_t *json = NULL;
    json_auto_t *own = NULL;
    HS_AUTO_MEM char *text = format_mark(restore);

    if (!restore->is_marked
        || hs_jsonx_parse("mark", restore->mark, strlen(restore->mark), &json, NULL) != 0
        || hs_jsonx_parse("mark", text, strlen(text), &own, NULL) != 0) {
        return;
    }
    if (json_equal(json_object_get(json, "taken_at"), json_object_get(own, "taken_at"))
        && json_equal(json_object_get(json, "epoch"), json_object_get(own, "epoch"))
        && json_equal(json_object_get(json, "rows"), json_object_get(own, "rows"))) {
        restore->keeps_logs = json_is_true(json_object_get(json, "keeps_logs"));
        restore->n_logged = (uint64_t)json_integer_value(json_object_get(json, "logged"));
    }
}

static int list_state(struct restore *restore, struct hs_err *err)
{
    int rc = 0;

    for (size_t i = 0; i < hs_stateparts_n && rc == 0; i++) {
        const struct hs_statepart *part = &hs_stateparts[i];
        struct listing listing = {restore, part->name};

        rc = part->kind == HS_STATEPART_LOG
                 ? hs_storevisit_tail(restore->visit, part->name, 1, note_entry, restore, err)
                 : hs_storevisit_scan(restore->visit, part->name, list_row, &listing, err);
    }
    if (rc == 0) {
        const struct hs_store_damage *damages;
        size_t n_damages;

        /* these do not come as rows, and the backup may have others in their places */
        damages = hs_store_get_damages(hs_storevisit_get_store(restore->visit), &n_damages);
        for (size_t i = 0; i < n_damages; i++) {
            const struct hs_statepart *part = hs_stateparts_find(damages[i].table);

            if (part != NULL && part->kind != HS_STATEPART_LOG) {
                struct listing listing = {restore, part->name};

                list_row(damages[i].key, damages[i].sealed, &listing);
            }
        }
        take_mark(restore);
    }
    return rc;
}

/* --- the lease --- */

/** Wait until it is certain that nobody leads: the holder is dead, or shows no beat for a lease. */
static int wait_for_holder(struct restore *restore, struct hs_err *err)
{
    struct hs_leaseholder holder;
    double since_mono_s = hs_clock_mono_s(restore->clock);
    double lease_s;
    uint64_t beat;
    char who[160];
    int rc = hs_storevisit_look(restore->visit, &restore->lease, err);

    if (rc != 0 || restore->lease.holder[0] == '\0') {
        return rc;
    }
    hs_leaseholder_parse(restore->lease.holder, &holder);
    if (hs_leaseholder_is_dead(&holder, restore->lock)) {
        return 0;
    }
    hs_leaseholder_describe(&holder, who, sizeof(who));
    lease_s = fmax(restore->config->lease_s, holder.lease_s);
    fprintf(stderr, "restore: %s: waiting for %.0f s to see that it has ended\n", who, lease_s);
    beat = restore->lease.beat;
    while (hs_clock_mono_s(restore->clock) - since_mono_s < lease_s) {
        hs_storevisit_wait(restore->visit, WATCH_GAP_S);
        rc = hs_storevisit_look(restore->visit, &restore->lease, err);
        if (rc != 0 || restore->lease.holder[0] == '\0') {
            return rc;
        }
        if (restore->lease.beat != beat) {
            return hs_err_set(err, HS_E_CONFLICT, NULL, "%s: stop it first", who);
        }
    }
    return 0;
}

static int acquire(struct restore *restore, struct hs_err *err)
{
    HS_AUTO_MEM char *holder =
        hs_leaseholder_format(restore->clock, restore->config->lease_s, restore->lock);
    struct hs_epochfile file;
    struct hs_store_claim claim = {.seen_epoch = restore->lease.epoch,
                                   .seen_beat = restore->lease.beat,
                                   .min_epoch = restore->content.head.epoch,
                                   .store_id = restore->content.head.store_id,
                                   .holder = holder};

    /* a file that cannot be read says nothing: the operator's word for this state stands above it
     */
    if (hs_epochfile_read(restore->config->state_dir, restore->config->cell, &file, NULL) == 0
        && file.epoch > claim.min_epoch) {
        claim.min_epoch = file.epoch;
    }
    if (restore->lease.epoch > claim.min_epoch) {
        claim.min_epoch = restore->lease.epoch;
    }
    claim.min_epoch += EPOCH_GAP;
    restore->renewed_mono_s = hs_clock_mono_s(restore->clock);
    return hs_storevisit_acquire(restore->visit, &claim, &restore->lease, err);
}

/** What this host has led from now on. */
static int keep_epoch(const struct restore *restore, struct hs_err *err)
{
    struct hs_epochfile file = {.epoch = restore->lease.epoch,
                                .writes = hs_storevisit_get_store(restore->visit)->writes};

    snprintf(file.store_id, sizeof(file.store_id), "%s", restore->lease.store_id);
    return hs_epochfile_write(restore->config->state_dir, restore->config->cell, &file, err);
}

/* --- the rows --- */

static int delete_old(struct restore *restore, struct hs_err *err)
{
    int rc = 0;

    for (size_t i = 0; i < restore->old.n && rc == 0; i += COMMIT_ROWS) {
        size_t n = restore->old.n - i < COMMIT_ROWS ? restore->old.n - i : COMMIT_ROWS;

        rc = commit(restore, &restore->old.items[i], n, err);
    }
    return rc;
}

static void add_row(struct restore *restore, const struct hs_backupfile_row *row,
                    uint64_t *io_logged)
{
    if (!row->is_log) {
        batch_add(&restore->batch, HS_STORE_PUT, row->table, row->key, row->text);
    } else if (!restore->keeps_logs && ++*io_logged > restore->n_logged) {
        batch_add(&restore->batch, HS_STORE_APPEND, row->table, NULL, row->text);
        restore->n_logged = *io_logged;
    }
}

static int put_rows(struct restore *restore, struct hs_err *err)
{
    HS_AUTO(hs_backupreader) reader = NULL;
    struct hs_backupfile_row row;
    uint64_t n_logged = 0;
    int rc = hs_backupreader_open(restore->path, &reader, err);

    while (rc == 0) {
        int got = hs_backupreader_next(reader, &row, err);

        if (got <= 0) {
            return got;
        }
        add_row(restore, &row, &n_logged);
        if (restore->batch.ops.n >= COMMIT_ROWS || restore->batch.n_bytes >= COMMIT_BYTES) {
            if (restore->batch.has_entries) {
                add_mark(restore); /* in the same commit: an entry is never appended twice */
            }
            rc = batch_commit(restore, err);
        }
    }
    return rc;
}

/** The last commit: what is not as it was in the backup, and the mark away. */
static int finish(struct restore *restore, struct hs_err *err)
{
    json_auto_t *note = hs_jsonx_object();
    HS_AUTO_MEM char *text = NULL;
    char next_id[KEY_MAX];
    char taken[HS_TIMETEXT_MAX];
    char words[256];

    snprintf(next_id, sizeof(next_id), "%" PRIu64, restore->content.next_id + JOB_ID_GAP);
    hs_timetext_format(restore->content.head.taken_at_s, taken);
    snprintf(words, sizeof(words), "the state of %s was restored from a backup of epoch %" PRIu64,
             taken, restore->content.head.epoch);
    hs_jsonx_set_at(note, "at", hs_clock_at_s(restore->clock));
    hs_jsonx_set_text(note, "kind", "restore");
    hs_jsonx_set_text(note, "subject", restore->config->cell);
    hs_jsonx_set_text(note, "text", words);
    text = hs_jsonx_format(note);
    batch_add(&restore->batch, HS_STORE_PUT, "meta", "next_id", next_id);
    batch_add(&restore->batch, HS_STORE_APPEND, "journal", NULL, text);
    batch_add(&restore->batch, HS_STORE_DELETE, "meta", HS_RESTORE_MARK, NULL);
    return batch_commit(restore, err);
}

static int fill(struct restore *restore, struct hs_err *err)
{
    int rc;

    hs_rowprogress_set_total(restore->progress, restore->old.n + restore->content.n_rows);
    add_mark(restore);
    rc = batch_commit(restore, err);
    rc = rc == 0 ? delete_old(restore, err) : rc;
    rc = rc == 0 ? put_rows(restore, err) : rc;
    rc = rc == 0 ? finish(restore, err) : rc;
    rc = rc == 0 ? keep_epoch(restore, err) : rc;
    if (rc != 0) {
        fprintf(stderr,
                "restore: broken off: nobody leads this state until a restore has come to its "
                "end; run it again\n");
    }
    return rc;
}

static int check_place(const struct restore *restore, bool is_forced, struct hs_err *err)
{
    if (strcmp(restore->content.head.cell, restore->config->cell) != 0) {
        return hs_err_set(err, HS_E_INVALID, NULL,
                          "is of cell '%s', the estate of hschedd.json is of cell '%s'",
                          restore->content.head.cell, restore->config->cell);
    }
    if (restore->old.n > 0 && !is_forced && !restore->is_marked) {
        return hs_err_set(err, HS_E_CONFLICT, "redis",
                          "holds a state of cell '%s' already (%zu rows): back it up, then replace "
                          "it with --force",
                          restore->config->cell, restore->old.n);
    }
    return 0;
}

static int apply(struct restore *restore, bool is_forced, struct hs_err *err)
{
    int rc = read_file(restore->path, &restore->content, err);

    rc = rc == 0 ? hs_statedir_make(restore->config->state_dir, err) : rc;
    rc = rc == 0 ? hs_statedir_lock(restore->config->state_dir, &restore->lock, err) : rc;
    rc = rc == 0 ? hs_storevisit_new(restore->config, &restore->visit, err) : rc;
    rc = rc == 0 ? wait_for_holder(restore, err) : rc;
    rc = rc == 0 ? list_state(restore, err) : rc;
    rc = rc == 0 ? check_place(restore, is_forced, err) : rc;
    rc = rc == 0 ? acquire(restore, err) : rc;
    rc = rc == 0 ? keep_epoch(restore, err) : rc;
    rc = rc == 0 ? fill(restore, err) : rc;
    return rc == 0 ? hs_storevisit_release(restore->visit, err) : rc;
}

int hs_restore_apply(const struct hs_config *config, const char *path, bool is_forced,
                     struct hs_err *err)
{
    struct restore restore = {.config = config, .path = path};
    int rc;

    restore.clock = hs_clock_new_real();
    restore.progress = hs_rowprogress_new("restore");
    rc = apply(&restore, is_forced, err);
    if (rc == 0) {
        print_content(path, &restore.content);
        printf("restored in epoch %" PRIu64 "; job numbers go on from %" PRIu64 "%s\n",
               restore.lease.epoch, restore.content.next_id + JOB_ID_GAP,
               restore.keeps_logs ? "; journal and ledger are kept as they were in redis" : "");
    }
    batch_clear(&restore.batch);
    HS_VEC_FINI(&restore.batch.ops);
    for (size_t i = 0; i < restore.old.n; i++) {
        free((void *)restore.old.items[i].key);
    }
    HS_VEC_FINI(&restore.old);
    free(restore.mark);
    hs_storevisit_free(restore.visit);
    hs_statedir_lock_free(restore.lock);
    hs_rowprogress_free(restore.progress);
    hs_clock_free(restore.clock);
    return rc;
}
