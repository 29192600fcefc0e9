/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_redis - tables as hashes, logs as streams, one MULTI/EXEC a commit.
 *
 * All or none holds for what Redis can refuse when it queues a command (memory, disk, rights,
 * loading): EXEC then discards the whole. It does not roll back a command that fails inside EXEC,
 * which takes a key of a foreign type; that is reported as -HS_E_PROTOCOL.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "adapters/redis/redis_link.h"
#include "adapters/store/store.h"
#include "scheduler/base/mem.h"

#define STORE_COMMIT_S  3.0
#define STORE_LOAD_S    30.0
#define STORE_LOG_MAX   "100000"
#define STORE_PAGE_ROWS "1000" /* some 10 ms of reading */
#define STORE_CELL_MAX  64
#define STORE_KEY_MAX   128
#define STORE_ARGS_MAX  8 /* of the longest command, XADD */
#define STORE_TABLE_MAX 32

struct store_redis {
    struct hs_store base;
    struct hs_redis_link *link;
    char cell[STORE_CELL_MAX];
    bool is_ready; /* up, and the durability settings are known */
    char weakness[192];
};

struct request {
    struct store_redis *store;
    hs_store_row_fn *row;
    hs_store_done_fn *done;
    void *arg;
};

static struct request *request_new(struct store_redis *store, hs_store_row_fn *row,
                                   hs_store_done_fn *done, void *arg)
{
    struct request *request = hs_xcalloc(1, sizeof(*request));

    *request = (struct request){store, row, done, arg};
    return request;
}

static void request_finish(struct request *request, int rc, const struct hs_err *err)
{
    request->done(rc, err, request->arg); /* last: it may free the store */
    free(request);
}

static void format_key(const struct store_redis *store, const char *table, char *ret_key)
{
    snprintf(ret_key, STORE_KEY_MAX, "hs:{%s}:%.*s", store->cell, STORE_TABLE_MAX, table);
}

/* ---- commit ---- */

static void on_exec(int rc, const struct hs_err *err, const struct redisReply *reply, void *arg)
{
    struct request *request = arg;
    struct hs_err own;

    if (rc == 0 && (reply == NULL || reply->type != REDIS_REPLY_ARRAY)) {
        rc = hs_err_set(&own, HS_E_PROTOCOL, "redis", "EXEC was not answered by a list");
        err = &own;
    }
    for (size_t i = 0; rc == 0 && i < reply->elements; i++) {
        if (reply->element[i]->type == REDIS_REPLY_ERROR) {
            rc = hs_err_set(&own, HS_E_PROTOCOL, "redis",
                            "operation %zu of a transaction failed alone: %s", i,
                            reply->element[i]->str);
            err = &own;
        }
    }
    request_finish(request, rc, err);
}

/* The command for @op; @args and @key must outlive it. */
static struct hs_redis_link_command command_for(const struct hs_store_op *op, const char *key,
                                                const char **args)
{
    struct hs_redis_link_command command = {.args = args};

    switch (op->kind) {
    case HS_STORE_PUT:
        memcpy(args, (const char *[]){"HSET", key, op->key, op->text}, 4 * sizeof(*args));
        command.n_args = 4;
        break;
    case HS_STORE_DELETE:
        memcpy(args, (const char *[]){"HDEL", key, op->key}, 3 * sizeof(*args));
        command.n_args = 3;
        break;
    case HS_STORE_APPEND:
        memcpy(args,
               (const char *[]){"XADD", key, "MAXLEN", "~", STORE_LOG_MAX, "*", "e", op->text},
               8 * sizeof(*args));
        command.n_args = 8;
        break;
    }
    return command;
}

static void store_redis_commit(struct hs_store *base, const struct hs_store_op *ops, size_t n_ops,
                               hs_store_done_fn *done, void *arg)
{
    static const char *const multi[] = {"MULTI"};
    static const char *const exec[] = {"EXEC"};
    struct store_redis *store = (struct store_redis *)base;
    HS_AUTO_MEM struct hs_redis_link_command *commands = hs_xcalloc(n_ops + 2, sizeof(*commands));
    HS_AUTO_MEM const char *(*args)[STORE_ARGS_MAX] = hs_xcalloc(n_ops, sizeof(*args));
    HS_AUTO_MEM char(*keys)[STORE_KEY_MAX] = hs_xcalloc(n_ops, sizeof(*keys));

    commands[0] = (struct hs_redis_link_command){1, multi};
    for (size_t i = 0; i < n_ops; i++) {
        format_key(store, ops[i].table, keys[i]);
        commands[i + 1] = command_for(&ops[i], keys[i], args[i]);
    }
    commands[n_ops + 1] = (struct hs_redis_link_command){1, exec};
    hs_redis_link_send(store->link, commands, n_ops + 2, STORE_COMMIT_S, on_exec,
                       request_new(store, NULL, done, arg));
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
    struct store_redis *store = (struct store_redis *)base;
    char key[STORE_KEY_MAX];
    const char *const args[] = {"HGETALL", key};
    const struct hs_redis_link_command command = {2, args};

    format_key(store, table, key);
    hs_redis_link_send(store->link, &command, 1, STORE_LOAD_S, on_table,
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
    struct store_redis *store = (struct store_redis *)base;
    char key[STORE_KEY_MAX];
    char count[32];
    const char *const args[] = {"XREVRANGE", key, "+", "-", "COUNT", count};
    const struct hs_redis_link_command command = {6, args};

    format_key(store, log, key);
    snprintf(count, sizeof(count), "%zu", n_max);
    hs_redis_link_send(store->link, &command, 1, STORE_LOAD_S, on_tail,
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
    struct store_redis *store = (struct store_redis *)base;
    size_t n = strlen(key) + 1;
    struct get_request *get = hs_xcalloc(1, sizeof(*get) + n);
    char hash[STORE_KEY_MAX];
    const char *const args[] = {"HGET", hash, key};
    const struct hs_redis_link_command command = {3, args};

    get->base = (struct request){store, row, done, arg};
    memcpy(get->key, key, n);
    format_key(store, table, hash);
    hs_redis_link_send(store->link, &command, 1, STORE_COMMIT_S, on_value, get);
}

struct scan_request {
    struct request base;
    char hash[STORE_KEY_MAX];
};

static void on_page(int rc, const struct hs_err *err, const struct redisReply *reply, void *arg);

static void ask_page(struct scan_request *scan, const char *cursor)
{
    const char *const args[] = {"HSCAN", scan->hash, cursor, "COUNT", STORE_PAGE_ROWS};
    const struct hs_redis_link_command command = {5, args};

    hs_redis_link_send(scan->base.store->link, &command, 1, STORE_LOAD_S, on_page, scan);
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
    struct store_redis *store = (struct store_redis *)base;
    struct scan_request *scan = hs_xcalloc(1, sizeof(*scan));

    scan->base = (struct request){store, row, done, arg};
    format_key(store, table, scan->hash);
    ask_page(scan, "0");
}

/* ---- durability ---- */

/* The value in a CONFIG GET reply, or "" */
static const char *config_value(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 ? reply->element[1]->str : "";
}

static void on_fsync(int rc, const struct hs_err *err, const struct redisReply *reply, void *arg)
{
    struct store_redis *store = arg;

    if (rc < 0) {
        if (hs_redis_link_is_up(store->link)) {
            snprintf(store->weakness, sizeof(store->weakness),
                     "cannot read redis' appendonly and appendfsync: %.100s", err->text);
        }
    } else if (store->weakness[0] == '\0' && strcmp(config_value(reply), "always") != 0) {
        snprintf(store->weakness, sizeof(store->weakness),
                 "redis has appendfsync '%.20s': a crash can lose acknowledged writes; set "
                 "appendonly yes and appendfsync always",
                 config_value(reply));
    }
    store->is_ready = hs_redis_link_is_up(store->link);
}

static void on_appendonly(int rc, const struct hs_err *err, const struct redisReply *reply,
                          void *arg)
{
    struct store_redis *store = arg;

    store->weakness[0] = '\0';
    if (rc == 0 && strcmp(config_value(reply), "yes") != 0) {
        snprintf(store->weakness, sizeof(store->weakness),
                 "redis has appendonly '%.20s': a crash loses acknowledged writes; set appendonly "
                 "yes and appendfsync always",
                 config_value(reply));
    }
}

static void on_up(void *arg)
{
    static const char *const appendonly[] = {"CONFIG", "GET", "appendonly"};
    static const char *const fsync_when[] = {"CONFIG", "GET", "appendfsync"};
    static const struct hs_redis_link_command commands[] = {{3, appendonly}, {3, fsync_when}};
    struct store_redis *store = arg;

    hs_redis_link_send(store->link, &commands[0], 1, STORE_COMMIT_S, on_appendonly, store);
    hs_redis_link_send(store->link, &commands[1], 1, STORE_COMMIT_S, on_fsync, store);
}

static void on_down(void *arg, const struct hs_err *why)
{
    ((struct store_redis *)arg)->is_ready = false;
}

static bool store_redis_is_up(const struct hs_store *store)
{
    return ((const struct store_redis *)store)->is_ready;
}

static const char *store_redis_get_weakness(const struct hs_store *base)
{
    const struct store_redis *store = (const struct store_redis *)base;

    return store->weakness[0] != '\0' ? store->weakness : NULL;
}

/* ---- life ---- */

static void store_redis_destroy(struct hs_store *base)
{
    struct store_redis *store = (struct store_redis *)base;

    hs_redis_link_free(store->link);
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
    .is_up = store_redis_is_up,
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
    return n > 0 && n < STORE_CELL_MAX;
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
    HS_AUTO_MEM struct store_redis *store = hs_xcalloc(1, sizeof(*store));
    const struct hs_redis_link_options options = {
        .executor = executor,
        .access = *access,
        .up = on_up,
        .down = on_down,
        .arg = store,
    };
    int rc;

    if (!cell_is_valid(cell)) {
        return hs_err_set(err, HS_E_INVALID, "store",
                          "cell '%.64s' must be 1 to %d letters, digits, '.', '_' or '-'", cell,
                          STORE_CELL_MAX - 1);
    }
    store->base.ops = &hs_store_redis_ops;
    snprintf(store->cell, sizeof(store->cell), "%s", cell);
    rc = hs_redis_link_new(&options, &store->link, err);
    if (rc < 0) {
        return rc;
    }
    *ret_store = &HS_STEAL(store)->base;
    return 0;
}
