/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/daemon/repeat.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"

#define HTTP_CREATED 201

#define FNV_OFFSET \
    UINT64_C(14695981039346656037) /* FNV-1a, 64 bit; isthe.com/chongo/tech/comp/fnv */
#define FNV_PRIME UINT64_C(1099511628211)

struct entry {
    uid_t uid;
    char key[HS_REPEAT_KEY_MAX]; /* "" if free */
    uint64_t digest;
    uint64_t seq; /* counts requests; seq % HS_REPEAT_MAX is its place */
    int status;   /* 0 while under way */
    char *text;   /* owned; NULL of an earlier life */
    uint64_t first_id;
    size_t n_ids;
};

struct hs_repeat {
    struct entry entries[HS_REPEAT_MAX];
    uint64_t next_seq; /* its place is the oldest one's, which is replaced */
};

struct hs_repeat *hs_repeat_new(void)
{
    return hs_xcalloc(1, sizeof(struct hs_repeat));
}

static struct entry *find(struct hs_repeat *repeat, uid_t uid, const char *key)
{
    for (size_t i = 0; i < HS_REPEAT_MAX; i++) {
        if (repeat->entries[i].uid == uid && strcmp(repeat->entries[i].key, key) == 0) {
            return &repeat->entries[i];
        }
    }
    return NULL;
}

int hs_repeat_begin(struct hs_repeat *repeat, uid_t uid, const char *key, uint64_t digest,
                    struct hs_repeat_answer *ret_answer, struct hs_err *err)
{
    struct entry *entry = find(repeat, uid, key);

    if (entry != NULL && entry->digest != digest) {
        return hs_err_set(err, HS_E_CONFLICT, "Idempotency-Key",
                          "the key was used for another request, take a new one");
    }
    if (entry != NULL && entry->status == 0) {
        return hs_err_set(err, HS_E_CONFLICT, "Idempotency-Key",
                          "the first request with this key is under way, ask again");
    }
    if (entry != NULL) {
        *ret_answer =
            (struct hs_repeat_answer){entry->status, entry->text, entry->first_id, entry->n_ids};
        return 0;
    }
    entry = &repeat->entries[repeat->next_seq % HS_REPEAT_MAX];
    free(entry->text);
    *entry = (struct entry){.uid = uid, .digest = digest, .seq = repeat->next_seq++};
    snprintf(entry->key, sizeof(entry->key), "%s", key);
    *ret_answer = (struct hs_repeat_answer){0};
    return 0;
}

void hs_repeat_set(struct hs_repeat *repeat, uid_t uid, const char *key, int status,
                   const char *text)
{
    struct entry *entry = find(repeat, uid, key);

    if (entry == NULL) {
        return; /* pushed out meanwhile */
    }
    free(entry->text);
    entry->text = NULL;
    if (status > 299) {
        entry->key[0] = '\0';
        return;
    }
    entry->status = status;
    entry->text = hs_xstrdup(text);
}

/* --- kept --- */

char *hs_repeat_format(struct hs_repeat *repeat, uid_t uid, const char *key, uint64_t first_id,
                       size_t n_ids, char *ret_key)
{
    struct entry *entry = find(repeat, uid, key);
    json_auto_t *json = NULL;
    char digest[20];

    if (entry == NULL) {
        return NULL;
    }
    entry->first_id = first_id;
    entry->n_ids = n_ids;
    json = hs_jsonx_object();
    snprintf(digest, sizeof(digest), "%016" PRIx64, entry->digest);
    hs_jsonx_set_int(json, "seq", (int64_t)entry->seq);
    hs_jsonx_set_int(json, "uid", (int64_t)uid);
    hs_jsonx_set_text(json, "key", key);
    hs_jsonx_set_text(json, "digest", digest);
    hs_jsonx_set_int(json, "first_id", (int64_t)first_id);
    hs_jsonx_set_int(json, "n_ids", (int64_t)n_ids);
    snprintf(ret_key, 24, "%" PRIu64, entry->seq % HS_REPEAT_MAX);
    return hs_jsonx_format(json);
}

int hs_repeat_restore(struct hs_repeat *repeat, const char *text, struct hs_err *err)
{
    json_auto_t *json = NULL;
    struct entry *entry;
    const char *key;
    const char *digest;
    int64_t seq;

    if (hs_jsonx_parse(HS_REPEAT_TABLE, text, strlen(text), &json, err) != 0) {
        return -HS_E_PROTOCOL;
    }
    key = json_string_value(json_object_get(json, "key"));
    digest = json_string_value(json_object_get(json, "digest"));
    seq = json_integer_value(json_object_get(json, "seq"));
    if (key == NULL || key[0] == '\0' || strlen(key) >= HS_REPEAT_KEY_MAX || digest == NULL
        || seq < 0) {
        return hs_err_set(err, HS_E_PROTOCOL, HS_REPEAT_TABLE, "a row is no key with its digest");
    }
    entry = &repeat->entries[(uint64_t)seq % HS_REPEAT_MAX];
    free(entry->text);
    *entry = (struct entry){
        .uid = (uid_t)json_integer_value(json_object_get(json, "uid")),
        .digest = strtoull(digest, NULL, 16),
        .seq = (uint64_t)seq,
        .status = HTTP_CREATED,
        .first_id = (uint64_t)json_integer_value(json_object_get(json, "first_id")),
        .n_ids = (size_t)json_integer_value(json_object_get(json, "n_ids")),
    };
    snprintf(entry->key, sizeof(entry->key), "%s", key);
    if (repeat->next_seq <= (uint64_t)seq) {
        repeat->next_seq = (uint64_t)seq + 1;
    }
    return 0;
}

uint64_t hs_repeat_digest(uint64_t seed, const void *bytes, size_t n_bytes)
{
    const unsigned char *at = bytes;
    uint64_t digest = seed != 0 ? seed : FNV_OFFSET;

    for (size_t i = 0; i < n_bytes; i++) {
        digest = (digest ^ at[i]) * FNV_PRIME;
    }
    return digest;
}

void hs_repeat_free(struct hs_repeat *repeat)
{
    if (repeat == NULL) {
        return;
    }
    for (size_t i = 0; i < HS_REPEAT_MAX; i++) {
        free(repeat->entries[i].text);
    }
    free(repeat);
}
