/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/daemon/repeat.h"

#include <stdio.h>
#include <string.h>

#include "scheduler/base/mem.h"

#define FNV_OFFSET \
    UINT64_C(14695981039346656037) /* FNV-1a, 64 bit; isthe.com/chongo/tech/comp/fnv */
#define FNV_PRIME UINT64_C(1099511628211)

struct entry {
    uid_t uid;
    char key[HS_REPEAT_KEY_MAX]; /* "" if free */
    uint64_t digest;
    int status; /* 0 while under way */
    char *text; /* owned */
};

struct hs_repeat {
    struct entry entries[HS_REPEAT_MAX];
    size_t next; /* the oldest one, replaced first */
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
        *ret_answer = (struct hs_repeat_answer){entry->status, entry->text};
        return 0;
    }
    entry = &repeat->entries[repeat->next];
    repeat->next = (repeat->next + 1) % HS_REPEAT_MAX;
    free(entry->text);
    *entry = (struct entry){.uid = uid, .digest = digest};
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
