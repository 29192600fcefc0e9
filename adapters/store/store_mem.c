/* SPDX-License-Identifier: Apache-2.0 */
/* store_mem - tables as libc search trees, logs as arrays; answers through one timer of zero. */
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include "adapters/store/record.h"
#include "adapters/store/store.h"
#include "adapters/store/store_priv.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/vec.h"

#define LOG_ENTRIES_MAX  100000 /* as the redis backend's MAXLEN */
#define LOG_ENTRIES_OVER 10000  /* trim in bulk, as `MAXLEN ~` does */

struct pair {
    char *key;
    char *text;
};

struct log_entry {
    unsigned long long id;
    char *text;
};

/* A table or a log, whichever its name is used for. */
struct shelf {
    SLIST_ENTRY(shelf) link;
    char *name;
    void *tree; /* of struct pair, by key */
    HS_VEC(struct log_entry) log;
    unsigned long long last_id;
};

enum request_kind { REQUEST_COMMIT, REQUEST_LOAD, REQUEST_TAIL, REQUEST_GET, REQUEST_LEASE };

struct request {
    STAILQ_ENTRY(request) link;
    enum request_kind kind;
    char *table;
    char *key; /* NULL but for REQUEST_GET */
    size_t n_max;
    hs_store_row_fn *row;
    hs_store_done_fn *done; /* NULL for REQUEST_LEASE */
    hs_store_lease_fn *fn;  /* of REQUEST_LEASE alone */
    void *arg;
    bool is_refused;
    uint64_t epoch;              /* that it was made with */
    struct hs_store_lease lease; /* as it was after the call */
};

struct store_mem {
    struct hs_store base;
    struct hs_executor *executor;
    struct hs_timer *timer;
    SLIST_HEAD(, shelf) shelves;
    STAILQ_HEAD(, request) requests;
    struct hs_store_lease lease;
};

static int compare_pairs(const void *a, const void *b)
{
    return strcmp(((const struct pair *)a)->key, ((const struct pair *)b)->key);
}

static void free_pair(void *node)
{
    struct pair *pair = node;

    free(pair->key);
    free(pair->text);
    free(pair);
}

static struct shelf *find_shelf(struct store_mem *mem, const char *name)
{
    struct shelf *shelf;

    SLIST_FOREACH(shelf, &mem->shelves, link)
    {
        if (strcmp(shelf->name, name) == 0) {
            return shelf;
        }
    }
    return NULL;
}

static struct shelf *get_shelf(struct store_mem *mem, const char *name)
{
    struct shelf *shelf = find_shelf(mem, name);

    if (shelf == NULL) {
        shelf = hs_xcalloc(1, sizeof(*shelf));
        shelf->name = hs_xstrdup(name);
        SLIST_INSERT_HEAD(&mem->shelves, shelf, link);
    }
    return shelf;
}

static void put(struct shelf *shelf, const char *key, const char *text)
{
    struct pair *fresh = hs_xcalloc(1, sizeof(*fresh));
    struct pair **node;

    fresh->key = hs_xstrdup(key);
    node = tsearch(fresh, &shelf->tree, compare_pairs);
    if (node == NULL) {
        hs_mem_exhausted();
    }
    if (*node != fresh) {
        free_pair(fresh);
        free((*node)->text);
    }
    (*node)->text = hs_xstrdup(text);
}

static void drop(struct shelf *shelf, const char *key)
{
    struct pair wanted = {.key = (char *)key};
    struct pair **node = tfind(&wanted, &shelf->tree, compare_pairs);

    if (node != NULL) {
        struct pair *pair = *node;

        tdelete(&wanted, &shelf->tree, compare_pairs);
        free_pair(pair);
    }
}

static void append(struct shelf *shelf, const char *text)
{
    struct log_entry entry = {.id = ++shelf->last_id, .text = hs_xstrdup(text)};

    HS_VEC_PUSH(&shelf->log, entry);
    if (shelf->log.n > LOG_ENTRIES_MAX + LOG_ENTRIES_OVER) {
        for (size_t i = 0; i < LOG_ENTRIES_OVER; i++) {
            free(shelf->log.items[i].text);
        }
        shelf->log.n -= LOG_ENTRIES_OVER;
        memmove(shelf->log.items, shelf->log.items + LOG_ENTRIES_OVER,
                shelf->log.n * sizeof(shelf->log.items[0]));
    }
}

static void ask(struct store_mem *mem, const struct request *wanted)
{
    struct request *request = hs_xcalloc(1, sizeof(*request));

    *request = *wanted;
    request->epoch = mem->base.epoch;
    request->lease = mem->lease;
    request->table = hs_xstrdup(wanted->table);
    request->key = wanted->key != NULL ? hs_xstrdup(wanted->key) : NULL;
    STAILQ_INSERT_TAIL(&mem->requests, request, link);
    hs_executor_timer_set(mem->executor, mem->timer, 0.0);
}

/* ---- the lease ---- */

static bool is_held(const struct store_mem *mem)
{
    return mem->lease.holder[0] != '\0' && mem->lease.epoch == mem->base.epoch;
}

static bool acquire(struct store_mem *mem, const struct hs_store_claim *claim)
{
    struct hs_store_lease *lease = &mem->lease;

    if (lease->epoch != claim->seen_epoch || lease->beat != claim->seen_beat) {
        return false;
    }
    lease->epoch = (lease->epoch > claim->min_epoch ? lease->epoch : claim->min_epoch) + 1;
    lease->beat++;
    lease->schema = HS_RECORD_SCHEMA;
    if (lease->store_id[0] == '\0') {
        snprintf(lease->store_id, sizeof(lease->store_id), "%s", claim->store_id);
    }
    snprintf(lease->holder, sizeof(lease->holder), "%s", claim->holder);
    return true;
}

static void store_mem_lease(struct hs_store *store, const struct hs_store_lease_call *call,
                            hs_store_lease_fn *fn, void *arg)
{
    struct store_mem *mem = (struct store_mem *)store;
    struct request request = {.kind = REQUEST_LEASE, .fn = fn, .arg = arg};

    switch (call->kind) {
    case HS_STORE_LEASE_LOOK:
        break;
    case HS_STORE_LEASE_ACQUIRE:
        request.is_refused = !acquire(mem, call->claim);
        break;
    case HS_STORE_LEASE_RENEW:
        request.is_refused = !is_held(mem);
        mem->lease.beat += !request.is_refused;
        break;
    case HS_STORE_LEASE_RELEASE:
        request.is_refused = !is_held(mem);
        if (!request.is_refused) {
            mem->lease.holder[0] = '\0';
        }
        break;
    }
    ask(mem, &request);
}

/* ---- tables and logs ---- */

static void store_mem_commit(struct hs_store *store, const struct hs_store_op *ops, size_t n_ops,
                             hs_store_done_fn *done, void *arg)
{
    struct store_mem *mem = (struct store_mem *)store;

    if (!is_held(mem)) {
        ask(mem, &(struct request){
                     .kind = REQUEST_COMMIT, .done = done, .arg = arg, .is_refused = true});
        return;
    }
    for (size_t i = 0; i < n_ops; i++) {
        struct shelf *shelf = get_shelf(mem, ops[i].table);

        switch (ops[i].kind) {
        case HS_STORE_PUT:
            put(shelf, ops[i].key, ops[i].text);
            break;
        case HS_STORE_DELETE:
            drop(shelf, ops[i].key);
            break;
        case HS_STORE_APPEND:
            append(shelf, ops[i].text);
            break;
        }
    }
    mem->lease.writes++;
    ask(mem, &(struct request){.kind = REQUEST_COMMIT, .done = done, .arg = arg});
}

static void store_mem_load(struct hs_store *store, const char *table, hs_store_row_fn *row,
                           hs_store_done_fn *done, void *arg)
{
    ask((struct store_mem *)store,
        &(struct request){
            .kind = REQUEST_LOAD, .table = (char *)table, .row = row, .done = done, .arg = arg});
}

static void store_mem_tail(struct hs_store *store, const char *log, size_t n_max,
                           hs_store_row_fn *row, hs_store_done_fn *done, void *arg)
{
    ask((struct store_mem *)store, &(struct request){.kind = REQUEST_TAIL,
                                                     .table = (char *)log,
                                                     .n_max = n_max,
                                                     .row = row,
                                                     .done = done,
                                                     .arg = arg});
}

static void store_mem_get(struct hs_store *store, const char *table, const char *key,
                          hs_store_row_fn *row, hs_store_done_fn *done, void *arg)
{
    ask((struct store_mem *)store, &(struct request){.kind = REQUEST_GET,
                                                     .table = (char *)table,
                                                     .key = (char *)key,
                                                     .row = row,
                                                     .done = done,
                                                     .arg = arg});
}

static void give_pair(const void *node, VISIT visit, void *arg)
{
    const struct pair *pair = *(const struct pair *const *)node;
    const struct request *request = arg;

    if (visit == postorder || visit == leaf) {
        request->row(pair->key, pair->text, request->arg);
    }
}

static void give_one(const struct shelf *shelf, const struct request *request)
{
    struct pair wanted = {.key = request->key};
    struct pair *const *node = tfind(&wanted, &shelf->tree, compare_pairs);

    if (node != NULL) {
        request->row((*node)->key, (*node)->text, request->arg);
    }
}

static void give_tail(const struct shelf *shelf, const struct request *request)
{
    size_t n = request->n_max < shelf->log.n ? request->n_max : shelf->log.n;

    for (size_t i = shelf->log.n - n; i < shelf->log.n; i++) {
        char id[32];

        snprintf(id, sizeof(id), "%llu-0", shelf->log.items[i].id);
        request->row(id, shelf->log.items[i].text, request->arg);
    }
}

static void end_request(struct request *request, int rc, const struct hs_err *err)
{
    if (request->kind == REQUEST_LEASE) {
        bool is_told = rc == 0 || rc == -HS_E_STALE;

        request->fn(rc, err, is_told ? &request->lease : NULL, request->arg);
    } else {
        request->done(rc, err, request->arg);
    }
    free(request->table);
    free(request->key);
    free(request);
}

/* A done may ask again or free the store: so one request a turn, and nothing touched after it. */
static void answer(void *arg)
{
    struct store_mem *mem = arg;
    struct request *request = STAILQ_FIRST(&mem->requests);
    struct shelf *shelf;
    struct hs_err err;
    int rc = 0;

    STAILQ_REMOVE_HEAD(&mem->requests, link);
    if (!STAILQ_EMPTY(&mem->requests)) {
        hs_executor_timer_set(mem->executor, mem->timer, 0.0);
    }
    shelf = request->table != NULL ? find_shelf(mem, request->table) : NULL;
    if (shelf != NULL && request->kind == REQUEST_LOAD) {
        twalk_r(shelf->tree, give_pair, request);
    } else if (shelf != NULL && request->kind == REQUEST_TAIL) {
        give_tail(shelf, request);
    } else if (shelf != NULL && request->kind == REQUEST_GET) {
        give_one(shelf, request);
    }
    if (request->is_refused) {
        rc = hs_store_refuse(request->epoch, 0, &request->lease, &err);
    }
    end_request(request, rc, rc < 0 ? &err : NULL);
}

static bool store_mem_is_up(const struct hs_store *store)
{
    return true;
}

static const char *store_mem_get_weakness(const struct hs_store *store)
{
    return "kept in memory only: nothing survives this process";
}

static void free_shelf(struct shelf *shelf)
{
    tdestroy(shelf->tree, free_pair);
    for (size_t i = 0; i < shelf->log.n; i++) {
        free(shelf->log.items[i].text);
    }
    HS_VEC_FINI(&shelf->log);
    free(shelf->name);
    free(shelf);
}

static void store_mem_destroy(struct hs_store *store)
{
    struct store_mem *mem = (struct store_mem *)store;
    struct request *request;
    struct shelf *shelf;
    struct hs_err err;
    int rc = hs_err_set(&err, HS_E_UNAVAILABLE, "mem", "the store was closed");

    while ((request = STAILQ_FIRST(&mem->requests)) != NULL) {
        STAILQ_REMOVE_HEAD(&mem->requests, link);
        end_request(request, rc, &err);
    }
    hs_executor_timer_remove(mem->executor, mem->timer);
    while ((shelf = SLIST_FIRST(&mem->shelves)) != NULL) {
        SLIST_REMOVE_HEAD(&mem->shelves, link);
        free_shelf(shelf);
    }
    free(mem);
}

const struct hs_store_ops hs_store_mem_ops = {
    .name = "mem",
    .summary = "in this process only, for simulation and tests",
    .commit = store_mem_commit,
    .load = store_mem_load,
    .tail = store_mem_tail,
    .get = store_mem_get,
    .scan = store_mem_load, /* what is in memory has no pages */
    .lease = store_mem_lease,
    .is_up = store_mem_is_up,
    .get_weakness = store_mem_get_weakness,
    .destroy = store_mem_destroy,
};

struct hs_store *hs_store_mem_new(struct hs_executor *executor)
{
    struct store_mem *mem = hs_xcalloc(1, sizeof(*mem));

    mem->base.ops = &hs_store_mem_ops;
    mem->executor = executor;
    SLIST_INIT(&mem->shelves);
    STAILQ_INIT(&mem->requests);
    mem->timer = hs_executor_timer_add(executor, -1.0, answer, mem);
    return &mem->base;
}
