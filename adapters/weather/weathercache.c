/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/weather/weathercache.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "adapters/signal/filetext.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/wholefile.h"

#define PATH_BYTES  800
#define TEXT_SUFFIX ".json"
#define META_SUFFIX ".meta.json"
#define AT_MAX_S    INT64_C(4102444800) /* 2100 */

static void find_path(const struct hs_weathercache *cache, const char *suffix, char *ret_path)
{
    snprintf(ret_path, PATH_BYTES, "%s/%s%s", cache->dir, cache->name, suffix);
}

/** Never 0: that is no answer. */
static uint32_t sum_of(const char *text, size_t n_bytes)
{
    uint32_t sum = (uint32_t)crc32(0, (const unsigned char *)text, (unsigned)n_bytes);

    return sum != 0 ? sum : 1;
}

/* --- reading --- */

static void copy_text(const json_t *json, const char *key, char *ret_text)
{
    const char *text = json_string_value(json_object_get(json, key));

    snprintf(ret_text, HS_WEATHERCACHE_TEXT_MAX, "%s", text != NULL ? text : "");
    ret_text[strcspn(ret_text, "\r\n")] = '\0'; /* they become lines of a request */
}

/** A time, or 0 where it is no such thing. */
static int64_t get_at_s(const json_t *json, const char *key)
{
    int64_t at_s = json_integer_value(json_object_get(json, key));

    return at_s > 0 && at_s < AT_MAX_S ? at_s : 0;
}

static bool read_meta(struct hs_weathercache *cache)
{
    json_auto_t *json = NULL;
    HS_AUTO_MEM char *text = NULL;
    char path[PATH_BYTES];
    size_t n_bytes = 0;
    const char *url;

    find_path(cache, META_SUFFIX, path);
    if (hs_filetext_read(path, &text, &n_bytes, NULL) != 0
        || hs_jsonx_parse(path, text, n_bytes, &json, NULL) != 0) {
        return false;
    }
    url = json_string_value(json_object_get(json, "url"));
    if (url == NULL || strcmp(url, cache->url) != 0) {
        return false;
    }
    cache->issued_at_s = get_at_s(json, "issued_at_s");
    cache->received_at_s = get_at_s(json, "received_at_s");
    cache->not_before_at_s = get_at_s(json, "not_before_at_s");
    cache->sum = (uint32_t)json_integer_value(json_object_get(json, "crc32"));
    copy_text(json, "last_modified", cache->last_modified);
    copy_text(json, "etag", cache->etag);
    return true;
}

bool hs_weathercache_read(struct hs_weathercache *cache, char **ret_text)
{
    HS_AUTO_MEM char *text = NULL;
    char path[PATH_BYTES];
    size_t n_bytes = 0;

    *ret_text = NULL;
    if (cache->dir[0] == '\0' || !read_meta(cache)) {
        return false;
    }
    find_path(cache, TEXT_SUFFIX, path);
    if (cache->sum != 0 && hs_filetext_read(path, &text, &n_bytes, NULL) == 0
        && sum_of(text, n_bytes) == cache->sum && cache->issued_at_s > 0
        && cache->received_at_s > 0) {
        *ret_text = HS_STEAL(text);
        return true;
    }
    /* the answer is gone or another: ask for the whole of it */
    cache->sum = 0;
    cache->last_modified[0] = '\0';
    cache->etag[0] = '\0';
    return true;
}

/* --- writing --- */

static int fail(const char *path, const char *what, struct hs_err *err)
{
    char where[HS_FILETEXT_WHERE_MAX];

    hs_filetext_format_where(path, 0, where);
    return hs_err_set(err, HS_E_SYSTEM, where, "cannot %s: %s", what, strerror(errno));
}

static int replace(const struct hs_weathercache *cache, const char *suffix, const char *text,
                   size_t n_bytes, struct hs_err *err)
{
    char path[PATH_BYTES];

    if (mkdir(cache->dir, 0750) != 0 && errno != EEXIST) {
        return fail(cache->dir, "make the folder", err);
    }
    find_path(cache, suffix, path);
    return hs_wholefile_put(path, 0640, text, n_bytes, err);
}

int hs_weathercache_write_text(struct hs_weathercache *cache, const char *text, size_t n_bytes,
                               struct hs_err *err)
{
    int rc = cache->dir[0] != '\0' ? replace(cache, TEXT_SUFFIX, text, n_bytes, err) : 0;

    if (rc == 0) {
        cache->sum = sum_of(text, n_bytes);
    }
    return rc;
}

int hs_weathercache_write(const struct hs_weathercache *cache, struct hs_err *err)
{
    json_auto_t *json = hs_jsonx_object();
    HS_AUTO_MEM char *text = NULL;

    if (cache->dir[0] == '\0') {
        return 0;
    }
    hs_jsonx_set_text(json, "url", cache->url);
    hs_jsonx_set_int(json, "issued_at_s", cache->issued_at_s);
    hs_jsonx_set_int(json, "received_at_s", cache->received_at_s);
    hs_jsonx_set_int(json, "not_before_at_s", cache->not_before_at_s);
    hs_jsonx_set_text(json, "last_modified", cache->last_modified);
    hs_jsonx_set_text(json, "etag", cache->etag);
    hs_jsonx_set_int(json, "crc32", (int64_t)cache->sum);
    text = hs_jsonx_format(json);
    return replace(cache, META_SUFFIX, text, strlen(text), err);
}
