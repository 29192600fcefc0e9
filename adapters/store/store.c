/* SPDX-License-Identifier: Apache-2.0 */
/* store - dispatch to the backend, with the checks and envelopes every backend would repeat. */
#include "adapters/store/store.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "adapters/store/record.h"
#include "adapters/store/store_priv.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"

static const char quarantine[] = HS_STORE_QUARANTINE;

static const struct hs_store_ops *const store_backends[] = {
    &hs_store_redis_ops,
    &hs_store_mem_ops,
};

const struct hs_store_ops *hs_store_find_backend(const char *name)
{
    for (size_t i = 0; i < sizeof(store_backends) / sizeof(store_backends[0]); i++) {
        if (strcmp(store_backends[i]->name, name) == 0) {
            return store_backends[i];
        }
    }
    return NULL;
}

/* ---- damage ---- */

static struct hs_store_damage *find_damage(const struct hs_store *store, const char *table,
                                           const char *key)
{
    for (size_t i = 0; i < store->damages.n; i++) {
        struct hs_store_damage *damage = &store->damages.items[i];

        if (strcmp(damage->table, table) == 0 && strcmp(damage->key, key) == 0) {
            return damage;
        }
    }
    return NULL;
}

static void damage_fini(struct hs_store_damage *damage)
{
    free(damage->table);
    free(damage->key);
    free(damage->sealed);
}

static void add_damage(struct hs_store *store, const char *table, const char *key,
                       const char *sealed, const struct hs_err *err)
{
    const struct hs_store_damage damage = {hs_xstrdup(table), hs_xstrdup(key), hs_xstrdup(sealed),
                                           *err};

    HS_VEC_PUSH(&store->damages, damage);
    if (store->damaged != NULL) {
        store->damaged(store->damaged_arg, &damage);
    }
}

void hs_store_watch(struct hs_store *store,
                    void (*damaged)(void *arg, const struct hs_store_damage *damage), void *arg)
{
    store->damaged = damaged;
    store->damaged_arg = arg;
}

const struct hs_store_damage *hs_store_get_damages(const struct hs_store *store, size_t *ret_n)
{
    *ret_n = store->damages.n;
    return store->damages.items;
}

/* ---- commit ---- */

/** A commit that takes the places of damaged records. */
struct replacement {
    struct hs_store *store;
    hs_store_done_fn *done;
    void *arg;
    HS_VEC(struct hs_store_damage) damages; /* table and key of each */
};

static void on_replaced(int rc, const struct hs_err *err, void *arg)
{
    HS_AUTO_MEM struct replacement *replacement = arg;
    struct hs_store *store = replacement->store;

    for (size_t i = 0; i < replacement->damages.n; i++) {
        struct hs_store_damage *moved = &replacement->damages.items[i];
        struct hs_store_damage *damage =
            rc == 0 ? find_damage(store, moved->table, moved->key) : NULL;

        if (damage != NULL) {
            damage_fini(damage);
            HS_VEC_SWAP_REMOVE(&store->damages, (size_t)(damage - store->damages.items));
        }
        damage_fini(moved);
    }
    HS_VEC_FINI(&replacement->damages);
    replacement->done(rc, err, replacement->arg); /* last: it may free the store */
}

static struct hs_store_op seal_op(const struct hs_store_op *op)
{
    struct hs_store_op sealed = *op;

    if (op->text != NULL) {
        sealed.text = hs_record_seal(HS_RECORD_SCHEMA, op->table,
                                     op->kind == HS_STORE_APPEND ? "" : op->key, op->text);
    }
    return sealed;
}

char *hs_store_format_damage(const struct hs_store_damage *damage, char **ret_key)
{
    json_auto_t *json = hs_jsonx_object();
    size_t n = strlen(damage->table) + strlen(damage->key) + 2;
    char *key = hs_xcalloc(n, 1);

    (void)snprintf(key, n, "%s/%s", damage->table, damage->key);
    *ret_key = key;
    hs_jsonx_set_text(json, "table", damage->table);
    hs_jsonx_set_text(json, "key", damage->key);
    hs_jsonx_set_text(json, "why", damage->err.text);
    hs_jsonx_set_text(json, "record", damage->sealed);
    return hs_jsonx_format(json);
}

/** The operation that keeps @damage; its texts are owned by the caller. */
static struct hs_store_op keep_op(const struct hs_store_damage *damage)
{
    char *key = NULL;
    HS_AUTO_MEM char *text = hs_store_format_damage(damage, &key);

    return (struct hs_store_op){HS_STORE_PUT, quarantine, key,
                                hs_record_seal(HS_RECORD_SCHEMA, quarantine, key, text)};
}

/** Is a damaged record in the way of @op? Then note so. */
static const struct hs_store_damage *take_place(struct hs_store *store,
                                                const struct hs_store_op *op,
                                                struct replacement **io_replacement)
{
    const struct hs_store_damage *damage = store->damages.n > 0 && op->kind != HS_STORE_APPEND
                                               ? find_damage(store, op->table, op->key)
                                               : NULL;
    struct hs_store_damage moved = {0};

    if (damage == NULL) {
        return NULL;
    }
    if (*io_replacement == NULL) {
        *io_replacement = hs_xcalloc(1, sizeof(**io_replacement));
    }
    moved.table = hs_xstrdup(damage->table);
    moved.key = hs_xstrdup(damage->key);
    HS_VEC_PUSH(&(*io_replacement)->damages, moved);
    return damage;
}

void hs_store_commit(struct hs_store *store, const struct hs_store_op *ops, size_t n_ops,
                     hs_store_done_fn *done, void *arg)
{
    HS_AUTO_MEM struct hs_store_op *sealed = hs_xcalloc(2 * n_ops, sizeof(*sealed));
    struct replacement *replacement = NULL;
    size_t n = 0;

    assert(done != NULL);
    for (size_t i = 0; i < n_ops; i++) {
        const struct hs_store_damage *damage;

        assert(ops[i].table != NULL);
        assert(ops[i].key != NULL || ops[i].kind == HS_STORE_APPEND);
        assert((ops[i].text != NULL) == (ops[i].kind != HS_STORE_DELETE));
        damage = take_place(store, &ops[i], &replacement);
        if (damage != NULL) {
            sealed[n++] = keep_op(damage);
        }
        sealed[n++] = seal_op(&ops[i]);
    }
    if (replacement != NULL) {
        replacement->store = store;
        replacement->done = done;
        replacement->arg = arg;
        done = on_replaced;
        arg = replacement;
    }
    store->ops->commit(store, sealed, n, done, arg);
    for (size_t i = 0; i < n; i++) {
        free((void *)sealed[i].text);
        if (sealed[i].table == quarantine) { /* made by keep_op() */
            free((void *)sealed[i].key);
        }
    }
}

/* ---- reading ---- */

/** A reading call on its way. */
struct reading {
    struct hs_store *store;
    char *table;
    bool is_log; /* its keys are ids that the backend gave */
    hs_store_row_fn *row;
    hs_store_done_fn *done;
    void *arg;
    bool is_get;
    /* of the first record of a newer schema; of a get also that it is damaged */
    struct hs_err flaw;
};

static void on_row(const char *key, const char *sealed, void *arg)
{
    struct reading *reading = arg;
    HS_AUTO_MEM char *owned = NULL;
    const char *text = NULL;
    struct hs_err err;
    int rc = hs_record_open(&hs_record_chain_now, reading->table, reading->is_log ? "" : key,
                            sealed, &text, &owned, &err);

    if (rc == 0) {
        reading->row(key, text, reading->arg);
    } else if (rc == -HS_E_UNSUPPORTED) {
        reading->flaw = reading->flaw.kind == HS_OK ? err : reading->flaw;
    } else {
        if (find_damage(reading->store, reading->table, key) == NULL) {
            add_damage(reading->store, reading->table, key, sealed, &err);
        }
        if (reading->is_get) {
            reading->flaw = err; /* who asks for one must not take it for absent */
        }
    }
}

static void on_read(int rc, const struct hs_err *err, void *arg)
{
    HS_AUTO_MEM struct reading *reading = arg;

    if (rc == 0 && reading->flaw.kind != HS_OK) {
        rc = -(int)reading->flaw.kind;
        err = &reading->flaw;
    }
    free(reading->table);
    reading->done(rc, err, reading->arg); /* last: it may free the store */
}

static struct reading *reading_new(struct hs_store *store, const char *table, hs_store_row_fn *row,
                                   hs_store_done_fn *done, void *arg)
{
    struct reading *reading = hs_xcalloc(1, sizeof(*reading));

    assert(table != NULL && row != NULL && done != NULL);
    *reading = (struct reading){
        .store = store, .table = hs_xstrdup(table), .row = row, .done = done, .arg = arg};
    return reading;
}

void hs_store_load(struct hs_store *store, const char *table, hs_store_row_fn *row,
                   hs_store_done_fn *done, void *arg)
{
    store->ops->load(store, table, on_row, on_read, reading_new(store, table, row, done, arg));
}

void hs_store_tail(struct hs_store *store, const char *log, size_t n_max, hs_store_row_fn *row,
                   hs_store_done_fn *done, void *arg)
{
    struct reading *reading = reading_new(store, log, row, done, arg);

    reading->is_log = true;
    store->ops->tail(store, log, n_max, on_row, on_read, reading);
}

void hs_store_get(struct hs_store *store, const char *table, const char *key, hs_store_row_fn *row,
                  hs_store_done_fn *done, void *arg)
{
    struct reading *reading = reading_new(store, table, row, done, arg);

    assert(key != NULL);
    reading->is_get = true;
    store->ops->get(store, table, key, on_row, on_read, reading);
}

void hs_store_scan(struct hs_store *store, const char *table, hs_store_row_fn *row,
                   hs_store_done_fn *done, void *arg)
{
    store->ops->scan(store, table, on_row, on_read, reading_new(store, table, row, done, arg));
}

/* ---- state ---- */

int hs_store_refuse(uint64_t epoch, uint64_t writes, const struct hs_store_lease *lease,
                    struct hs_err *err)
{
    if (epoch == 0) {
        return hs_err_set(err, HS_E_STALE, "store", "nothing is written without the lease");
    }
    if (epoch == lease->epoch && lease->writes < writes) {
        return hs_err_set(err, HS_E_STALE, "store",
                          "the store was rolled back: of %" PRIu64 " writes it shows %" PRIu64,
                          writes, lease->writes);
    }
    return hs_err_set(err, HS_E_STALE, "store",
                      "epoch %" PRIu64 " is over: the store is at epoch %" PRIu64 "%s", epoch,
                      lease->epoch, lease->holder[0] == '\0' ? " and nobody leads" : "");
}

bool hs_store_is_up(const struct hs_store *store)
{
    return store->ops->is_up(store);
}

const char *hs_store_get_fault(const struct hs_store *store)
{
    return store->ops->get_fault != NULL ? store->ops->get_fault(store) : NULL;
}

const char *hs_store_get_weakness(const struct hs_store *store)
{
    return store->ops->get_weakness != NULL ? store->ops->get_weakness(store) : NULL;
}

void hs_store_free(struct hs_store *store)
{
    if (store == NULL) {
        return;
    }
    for (size_t i = 0; i < store->damages.n; i++) {
        damage_fini(&store->damages.items[i]);
    }
    HS_VEC_FINI(&store->damages);
    store->ops->destroy(store);
}
