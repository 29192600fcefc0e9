/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_redis - tables as hashes, logs as streams, one call of a function (hsched.lua) a commit.
 *
 * The function checks the epoch first, then that no key is of a foreign type; Redis itself has
 * refused it before (memory, disk, rights, loading) where it cannot be done. So all or none holds.
 */
#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "adapters/store/store_redis_priv.h"
#include "scheduler/base/mem.h"

#define STORE_LOG_MAX   "100000"
#define STORE_PAGE_ROWS "1000" /* some 10 ms of reading */
#define STORE_ARGS_MAX  4      /* of one operation of a commit, PUT */
#define STORE_HEAD      7      /* FCALL, function, count of keys, lease, epoch, writes, length */
#define STORE_TABLE_MAX 32
#define STORE_TABLES    16  /* different ones in one commit */
#define STORE_AGAIN_S   1.0 /* after a server that is up refused to load our functions */

struct request {
    struct hs_store_redis *store;
    hs_store_row_fn *row;
    hs_store_done_fn *done;
    void *arg;
    uint64_t epoch; /* of a commit, and what it knew of */
    uint64_t writes;
};

static struct request *request_new(struct hs_store_redis *store, hs_store_row_fn *row,
                                   hs_store_done_fn *done, void *arg)
{
    struct request *request = hs_xcalloc(1, sizeof(*request));

    *request = (struct request){store, row, done, arg, 0, 0};
    return request;
}

static void request_finish(struct request *request, int rc, const struct hs_err *err)
{
    request->done(rc, err, request->arg); /* last: it may free the store */
    free(request);
}

void hs_store_redis_format_key(const struct hs_store_redis *store, const char *table, char *ret_key)
{
    snprintf(ret_key, HS_STORE_REDIS_KEY_MAX, "hs:{%s}:%.*s", store->cell, STORE_TABLE_MAX, table);
}

/* ---- commit ---- */

/** A table or log of a commit, and its number as an argument. */
struct commit_key {
    const char *table;
    char key[HS_STORE_REDIS_KEY_MAX];
    char number[8];
};

struct commit_keys {
    struct commit_key keys[STORE_TABLES];
    size_t n;
};

static void on_commit(int rc, const struct hs_err *err, const struct redisReply *reply, void *arg)
{
    struct request *request = arg;
    struct hs_store_lease lease;
    struct hs_err own;

    if (hs_store_redis_functions_is_missing(rc, err)) {
        hs_store_redis_prepare(request->store);
        rc = hs_err_set(&own, HS_E_UNAVAILABLE, "redis", "our functions were removed");
        err = &own;
    } else if (rc == 0) {
        rc = hs_store_redis_lease_read(reply, request->epoch, request->writes, &lease, &own);
        err = rc < 0 ? &own : NULL;
    } else {
        rc = hs_store_redis_refusal_note(request->store, rc, err);
    }
    if (rc == 0) {
        request->store->base.writes = lease.writes;
    }
    request_finish(request, rc, err);
}

/** Number of @table's key as an argument of the function; the lease is key 1. */
static const char *find_number(const struct hs_store_redis *store, struct commit_keys *keys,
                               const char *table)
{
    struct commit_key *key;

    for (size_t i = 0; i < keys->n; i++) {
        if (strcmp(keys->keys[i].table, table) == 0) {
            return keys->keys[i].number;
        }
    }
    assert(keys->n < STORE_TABLES);
    key = &keys->keys[keys->n++];
    key->table = table;
    hs_store_redis_format_key(store, table, key->key);
    (void)snprintf(key->number, sizeof(key->number), "%zu", keys->n + 1);
    return key->number;
}

/** Append the arguments of @op. @return how many */
static size_t add_args(const struct hs_store_op *op, const char *number, const char **ret_args)
{
    size_t n = 0;

    ret_args[n++] = op->kind == HS_STORE_PUT ? "P" : op->kind == HS_STORE_DELETE ? "D" : "A";
    ret_args[n++] = number;
    if (op->kind != HS_STORE_APPEND) {
        ret_args[n++] = op->key;
    }
    if (op->kind != HS_STORE_DELETE) {
        ret_args[n++] = op->text;
    }
    return n;
}

static bool is_all_deletes(const struct hs_store_op *ops, size_t n_ops)
{
    for (size_t i = 0; i < n_ops; i++) {
        if (ops[i].kind != HS_STORE_DELETE) {
            return false;
        }
    }
    return n_ops > 0;
}

static void store_redis_commit(struct hs_store *base, const struct hs_store_op *ops, size_t n_ops,
                               hs_store_done_fn *done, void *arg)
{
    struct hs_store_redis *store = (struct hs_store_redis *)base;
    const size_t n_head_max = STORE_HEAD + STORE_TABLES;
    HS_AUTO_MEM const char **args = hs_xcalloc(n_head_max + n_ops * STORE_ARGS_MAX, sizeof(*args));
    const char **op_args = args + n_head_max; /* the head is put before them once it is known */
    struct commit_keys keys = {.n = 0};
    struct hs_redis_link_command command = {0};
    struct request *request = request_new(store, NULL, done, arg);
    char lease_key[HS_STORE_REDIS_KEY_MAX];
    char epoch[24];
    char writes[24];
    char n_keys[8];
    size_t n_args = 0;
    const char **head;

    for (size_t i = 0; i < n_ops; i++) {
        n_args += add_args(&ops[i], find_number(store, &keys, ops[i].table), op_args + n_args);
    }
    request->epoch = base->epoch;
    request->writes = base->writes;
    hs_store_redis_format_key(store, "lease", lease_key);
    (void)snprintf(epoch, sizeof(epoch), "%" PRIu64, base->epoch);
    (void)snprintf(writes, sizeof(writes), "%" PRIu64, base->writes);
    (void)snprintf(n_keys, sizeof(n_keys), "%zu", keys.n + 1);
    head = op_args - (STORE_HEAD + keys.n);
    command = (struct hs_redis_link_command){STORE_HEAD + keys.n + n_args, head};
    *head++ = "FCALL";
    *head++ = is_all_deletes(ops, n_ops) ? "hsched_delete" : "hsched_commit";
    *head++ = n_keys;
    *head++ = lease_key;
    for (size_t i = 0; i < keys.n; i++) {
        *head++ = keys.keys[i].key;
    }
    *head++ = epoch;
    *head++ = writes;
    *head++ = STORE_LOG_MAX;
    hs_redis_link_send(store->link, &command, 1, HS_STORE_REDIS_COMMIT_S, on_commit, request);
}

/* ---- load and tail ---- */

static void on_table(int rc, const struct hs_err *err, const struct redisReply *reply, void *arg)
{
    struct request *request = arg;

    if (rc == 0) {
        for (size_t i = 0; i + 1 < reply->elements; i += 2) {
            request->row(reply->element[i]->str, reply->element[i + 1]->str, request->arg);
        }
    }
    request_finish(request, rc, err);
}

static void store_redis_load(struct hs_store *base, const char *table, hs_store_row_fn *row,
                             hs_store_done_fn *done, void *arg)
{
    struct hs_store_redis *store = (struct hs_store_redis *)base;
    char key[HS_STORE_REDIS_KEY_MAX];
    const char *const args[] = {"HGETALL", key};
    const struct hs_redis_link_command command = {2, args};

    hs_store_redis_format_key(store, table, key);
    hs_redis_link_send(store->link, &command, 1, HS_STORE_REDIS_LOAD_S, on_table,
                       request_new(store, row, done, arg));
}

/* The text of a stream entry [id, ["e", text]], or NULL for one that we did not write. */
static const char *entry_text(const redisReply *entry)
{
    const redisReply *fields;

    if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2) {
        return NULL;
    }
    fields = entry->element[1];
    if (fields->type != REDIS_REPLY_ARRAY || fields->elements != 2
        || strcmp(fields->element[0]->str, "e") != 0) {
        return NULL;
    }
    return fields->element[1]->str;
}

static void on_tail(int rc, const struct hs_err *err, const struct redisReply *reply, void *arg)
{
    struct request *request = arg;

    if (rc == 0) {
        for (size_t i = reply->elements; i > 0; i--) { /* newest first on the wire */
            const char *text = entry_text(reply->element[i - 1]);

            if (text != NULL) {
                request->row(reply->element[i - 1]->element[0]->str, text, request->arg);
            }
        }
    }
    request_finish(request, rc, err);
}

static void store_redis_tail(struct hs_store *base, const char *log, size_t n_max,
                             hs_store_row_fn *row, hs_store_done_fn *done, void *arg)
{
    struct hs_store_redis *store = (struct hs_store_redis *)base;
    char key[HS_STORE_REDIS_KEY_MAX];
    char count[32];
    const char *const args[] = {"XREVRANGE", key, "+", "-", "COUNT", count};
    const struct hs_redis_link_command command = {6, args};

    hs_store_redis_format_key(store, log, key);
    snprintf(count, sizeof(count), "%zu", n_max);
    hs_redis_link_send(store->link, &command, 1, HS_STORE_REDIS_LOAD_S, on_tail,
                       request_new(store, row, done, arg));
}

/* ---- get and scan ---- */

struct get_request {
    struct request base;
    char key[]; /* the row's */
};

static void on_value(int rc, const struct hs_err *err, const struct redisReply *reply, void *arg)
{
    struct get_request *get = arg;

    if (rc == 0 && reply->type == REDIS_REPLY_STRING) {
        get->base.row(get->key, reply->str, get->base.arg);
    }
    request_finish(&get->base, rc, err);
}

static void store_redis_get(struct hs_store *base, const char *table, const char *key,
                            hs_store_row_fn *row, hs_store_done_fn *done, void *arg)
{
    struct hs_store_redis *store = (struct hs_store_redis *)base;
    size_t n = strlen(key) + 1;
    struct get_request *get = hs_xcalloc(1, sizeof(*get) + n);
    char hash[HS_STORE_REDIS_KEY_MAX];
    const char *const args[] = {"HGET", hash, key};
    const struct hs_redis_link_command command = {3, args};

    get->base = (struct request){store, row, done, arg, 0, 0};
    memcpy(get->key, key, n);
    hs_store_redis_format_key(store, table, hash);
    hs_redis_link_send(store->link, &command, 1, HS_STORE_REDIS_COMMIT_S, on_value, get);
}

struct scan_request {
    struct request base;
    char hash[HS_STORE_REDIS_KEY_MAX];
};

static void on_page(int rc, const struct hs_err *err, const struct redisReply *reply, void *arg);

static void ask_page(struct scan_request *scan, const char *cursor)
{
    const char *const args[] = {"HSCAN", scan->hash, cursor, "COUNT", STORE_PAGE_ROWS};
    const struct hs_redis_link_command command = {5, args};

    hs_redis_link_send(scan->base.store->link, &command, 1, HS_STORE_REDIS_LOAD_S, on_page, scan);
}

/** [cursor, [key, text, …]]; cursor "0" after the last page. */
static void on_page(int rc, const struct hs_err *err, const struct redisReply *reply, void *arg)
{
    struct scan_request *scan = arg;
    struct hs_err own;

    if (rc == 0
        && (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2
            || reply->element[0]->type != REDIS_REPLY_STRING
            || reply->element[1]->type != REDIS_REPLY_ARRAY)) {
        rc = hs_err_set(&own, HS_E_PROTOCOL, "redis", "HSCAN was not answered by a page");
        err = &own;
    }
    if (rc == 0) {
        const redisReply *rows = reply->element[1];

        for (size_t i = 0; i + 1 < rows->elements; i += 2) {
            scan->base.row(rows->element[i]->str, rows->element[i + 1]->str, scan->base.arg);
        }
        if (strcmp(reply->element[0]->str, "0") != 0) {
            ask_page(scan, reply->element[0]->str);
            return;
        }
    }
    request_finish(&scan->base, rc, err);
}

static void store_redis_scan(struct hs_store *base, const char *table, hs_store_row_fn *row,
                             hs_store_done_fn *done, void *arg)
{
    struct hs_store_redis *store = (struct hs_store_redis *)base;
    struct scan_request *scan = hs_xcalloc(1, sizeof(*scan));

    scan->base = (struct request){store, row, done, arg, 0, 0};
    hs_store_redis_format_key(store, table, scan->hash);
    ask_page(scan, "0");
}

/* ---- durability ---- */

/* The value of @name in a CONFIG GET reply, or "" */
static const char *config_value(const redisReply *reply, const char *name)
{
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i + 1 < reply->elements; i += 2) {
        if (strcmp(reply->element[i]->str, name) == 0) {
            return reply->element[i + 1]->str;
        }
    }
    return "";
}

static void on_settings(int rc, const struct hs_err *err, const struct redisReply *reply, void *arg)
{
    struct hs_store_redis *store = arg;
    char *weakness = store->weakness;
    const size_t size = sizeof(store->weakness);

    weakness[0] = '\0';
    if (rc < 0) {
        if (hs_redis_link_is_up(store->link)) {
            snprintf(weakness, size, "cannot read redis' appendonly and appendfsync: %.100s",
                     err->text);
        }
    } else if (strcmp(config_value(reply, "appendonly"), "yes") != 0) {
        snprintf(weakness, size,
                 "redis has appendonly '%.20s': a crash loses acknowledged writes; set appendonly "
                 "yes and appendfsync always",
                 config_value(reply, "appendonly"));
    } else if (strcmp(config_value(reply, "appendfsync"), "always") != 0) {
        snprintf(weakness, size,
                 "redis has appendfsync '%.20s': a crash can lose acknowledged writes; set "
                 "appendonly yes and appendfsync always",
                 config_value(reply, "appendfsync"));
    } else if (strncmp(config_value(reply, "maxmemory-policy"), "allkeys-", 8) == 0) {
        snprintf(weakness, size,
                 "redis has maxmemory-policy '%.20s': when it is full it drops what it was to "
                 "keep; set maxmemory-policy noeviction",
                 config_value(reply, "maxmemory-policy"));
    }
}

static void on_functions(int rc, const struct hs_err *err, void *arg)
{
    struct hs_store_redis *store = arg;

    store->is_ready = rc == 0;
    store->fault[0] = '\0';
    if (rc < 0) {
        hs_store_redis_refusal_format(err, store->fault, sizeof(store->fault));
    }
    if (rc < 0 && hs_redis_link_is_up(store->link)) {
        hs_executor_timer_set(store->executor, store->again, STORE_AGAIN_S);
    }
}

static void load_functions(void *arg)
{
    struct hs_store_redis *store = arg;

    if (hs_redis_link_is_up(store->link)) {
        hs_store_redis_functions_load(store->link, on_functions, store);
    }
}

void hs_store_redis_prepare(struct hs_store_redis *store)
{
    store->is_ready = false;
    hs_executor_timer_set(store->executor, store->again, 0);
}

static void on_up(void *arg)
{
    static const char *const args[] = {"CONFIG", "GET", "appendonly", "appendfsync",
                                       "maxmemory-policy"};
    static const struct hs_redis_link_command command = {5, args};
    struct hs_store_redis *store = arg;

    hs_redis_link_send(store->link, &command, 1, HS_STORE_REDIS_COMMIT_S, on_settings, store);
    load_functions(store);
}

static void on_down(void *arg, const struct hs_err *why)
{
    struct hs_store_redis *store = arg;

    store->is_ready = false;
    store->fault[0] = '\0'; /* the link knows */
}

static bool store_redis_is_up(const struct hs_store *store)
{
    return ((const struct hs_store_redis *)store)->is_ready;
}

static const char *store_redis_get_weakness(const struct hs_store *base)
{
    const struct hs_store_redis *store = (const struct hs_store_redis *)base;

    return store->weakness[0] != '\0' ? store->weakness : NULL;
}

static const char *store_redis_get_fault(const struct hs_store *base)
{
    const struct hs_store_redis *store = (const struct hs_store_redis *)base;

    if (store->is_ready) {
        return NULL;
    }
    if (!hs_redis_link_is_up(store->link)) {
        return hs_redis_link_get_why_down(store->link)->text;
    }
    return store->fault[0] != '\0' ? store->fault : NULL;
}

/* ---- life ---- */

static void store_redis_destroy(struct hs_store *base)
{
    struct hs_store_redis *store = (struct hs_store_redis *)base;

    hs_redis_link_free(store->link);
    hs_executor_timer_remove(store->executor, store->again);
    free(store);
}

const struct hs_store_ops hs_store_redis_ops = {
    .name = "redis",
    .summary = "Redis over a unix socket or TCP; durable with appendfsync always",
    .commit = store_redis_commit,
    .load = store_redis_load,
    .tail = store_redis_tail,
    .get = store_redis_get,
    .scan = store_redis_scan,
    .lease = hs_store_redis_lease_call,
    .is_up = store_redis_is_up,
    .get_fault = store_redis_get_fault,
    .get_weakness = store_redis_get_weakness,
    .destroy = store_redis_destroy,
};

static bool cell_is_valid(const char *cell)
{
    size_t n = strlen(cell);

    for (size_t i = 0; i < n; i++) {
        if (!isalnum((unsigned char)cell[i]) && strchr("._-", cell[i]) == NULL) {
            return false;
        }
    }
    return n > 0 && n < HS_STORE_REDIS_CELL_MAX;
}

int hs_store_redis_new(struct hs_executor *executor, const char *url, const char *cell,
                       struct hs_store **ret_store, struct hs_err *err)
{
    const struct hs_redis_access access = {.url = url};

    return hs_store_redis_new_at(executor, &access, cell, ret_store, err);
}

int hs_store_redis_new_at(struct hs_executor *executor, const struct hs_redis_access *access,
                          const char *cell, struct hs_store **ret_store, struct hs_err *err)
{
    HS_AUTO_MEM struct hs_store_redis *store = hs_xcalloc(1, sizeof(*store));
    const struct hs_redis_link_options options = {
        .executor = executor,
        .access = *access,
        .up = on_up,
        .down = on_down,
        .probe = hs_store_redis_refusal_probe,
        .arg = store,
    };
    int rc;

    if (!cell_is_valid(cell)) {
        return hs_err_set(err, HS_E_INVALID, "store",
                          "cell '%.64s' must be 1 to %d letters, digits, '.', '_' or '-'", cell,
                          HS_STORE_REDIS_CELL_MAX - 1);
    }
    store->base.ops = &hs_store_redis_ops;
    store->executor = executor;
    snprintf(store->cell, sizeof(store->cell), "%s", cell);
    rc = hs_redis_link_new(&options, &store->link, err);
    if (rc < 0) {
        return rc;
    }
    store->again = hs_executor_timer_add(executor, -1, load_functions, store);
    *ret_store = &HS_STEAL(store)->base;
    return 0;
}
