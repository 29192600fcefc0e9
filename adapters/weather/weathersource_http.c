/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/weather/weathersource_http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "adapters/weather/askagain.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/mem.h"

#define ANSWER_MAX    ((size_t)2 << 20)
#define REDIRECTS_MAX 3L
#define HEADER_MAX    (HS_WEATHERCACHE_TEXT_MAX + 32)

/** One answer as it comes in. */
struct answer {
    CURL *curl;
    struct curl_slist *headers;
    char *text; /* owned */
    size_t n_bytes;
    bool is_too_large;
    long status;
};

static void free_answer(struct answer *answer)
{
    free(answer->text);
    curl_slist_free_all(answer->headers);
    curl_easy_cleanup(answer->curl);
}

static size_t take(char *bytes, size_t size, size_t n, void *arg)
{
    struct answer *answer = arg;

    if (answer->n_bytes + size * n > ANSWER_MAX) {
        answer->is_too_large = true;
        return 0;
    }
    answer->text = hs_xrealloc(answer->text, answer->n_bytes + size * n + 1, 1);
    memcpy(answer->text + answer->n_bytes, bytes, size * n);
    answer->n_bytes += size * n;
    answer->text[answer->n_bytes] = '\0';
    return size * n;
}

/* --- the request --- */

static void add_header(struct answer *answer, const char *name, const char *value)
{
    char line[HEADER_MAX];

    if (value[0] != '\0') {
        snprintf(line, sizeof(line), "%s: %s", name, value);
        answer->headers = curl_slist_append(answer->headers, line);
    }
}

static void set_limits(CURL *curl, double timeout_s, bool is_local)
{
    long timeout_ms = (long)(timeout_s * 1000);

    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L); /* we are on a worker thread */
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms / 2 + 1);
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE, (long)ANSWER_MAX);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, is_local ? "http" : "https");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, is_local ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
    if (is_local) {
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
    }
}

static void prepare(const struct hs_weatherread *read, struct answer *answer)
{
    CURL *curl = answer->curl;
    bool has_contact = read->contact[0] != '\0';
    char agent[256];

    snprintf(agent, sizeof(agent), "hsched/" HSCHED_VERSION "%s%s", has_contact ? " " : "",
             read->contact);
    set_limits(curl, read->timeout_s, strncmp(read->cache.url, "http:", 5) == 0);
    if (read->cache.sum != 0) { /* without an answer of ours there is nothing to compare with */
        add_header(answer, "If-Modified-Since", read->cache.last_modified);
        add_header(answer, "If-None-Match", read->cache.etag);
    }
    add_header(answer, "Accept", "application/json");
    curl_easy_setopt(curl, CURLOPT_URL, read->cache.url);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, agent);
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, answer->headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
}

/* --- the answer --- */

static const char *get_header(const struct answer *answer, const char *name)
{
    struct curl_header *header = NULL;

    return curl_easy_header(answer->curl, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK
               ? header->value
               : "";
}

/** A date, or -1. */
static int64_t get_date_at_s(const struct answer *answer, const char *name)
{
    const char *text = get_header(answer, name);

    return text[0] != '\0' ? (int64_t)curl_getdate(text, NULL) : -1;
}

static double get_fresh_s(const struct hs_weatherread *read, const struct answer *answer)
{
    struct hs_askagain_headers headers = {
        .cache_control = get_header(answer, "Cache-Control"),
        .date_at_s = get_date_at_s(answer, "Date"),
        .expires_at_s = get_date_at_s(answer, "Expires"),
    };

    return hs_askagain_get_fresh_s(&headers, read->wall_at_s);
}

/** When an answer came out that does not say so itself; never after it was received. */
static int64_t find_issue(const struct hs_weatherread *read, const struct answer *answer)
{
    int64_t at_s = get_date_at_s(answer, "Last-Modified");

    at_s = at_s > 0 ? at_s : get_date_at_s(answer, "Date");
    return at_s > 0 && at_s < read->wall_at_s ? at_s : read->wall_at_s;
}

static void keep(struct hs_weatherread *read, const struct answer *answer, int64_t issued_at_s)
{
    struct hs_weathercache *cache = &read->cache;

    cache->issued_at_s = issued_at_s;
    cache->received_at_s = read->wall_at_s;
    snprintf(cache->last_modified, sizeof(cache->last_modified), "%s",
             get_header(answer, "Last-Modified"));
    snprintf(cache->etag, sizeof(cache->etag), "%s", get_header(answer, "ETag"));
    read->cache_rc = hs_weathercache_write_text(cache, answer->text, answer->n_bytes, &read->err);
    if (read->cache_rc != 0) { /* nobody may compare with an answer that is not there */
        cache->sum = 0;
    }
}

static int read_text(struct hs_weatherread *read, const struct answer *answer)
{
    int64_t issued_at_s = read->kind->says_issue ? read->wall_at_s : find_issue(read, answer);
    int rc = read->kind->parse("answer", answer->text != NULL ? answer->text : "", answer->n_bytes,
                               issued_at_s, &read->outlook, &read->err);

    if (rc == 0) {
        read->has_outlook = true;
        keep(read, answer, read->outlook.issued_at_s);
    }
    return rc;
}

static int refuse(struct hs_weatherread *read, const struct answer *answer)
{
    curl_off_t retry_after_s = 0;
    bool is_later = answer->status == 408 || answer->status == 429 || answer->status >= 500;

    curl_easy_getinfo(answer->curl, CURLINFO_RETRY_AFTER, &retry_after_s);
    read->retry_after_s = retry_after_s > 0 ? (double)retry_after_s : 0;
    read->is_refusal = !is_later;
    return hs_err_set(&read->err, is_later ? HS_E_UNAVAILABLE : HS_E_DENIED, NULL,
                      "the service answers %ld%s", answer->status,
                      answer->status == 403 ? "; it wants a contact in hschedd.json" : "");
}

static int judge(struct hs_weatherread *read, const struct answer *answer, CURLcode code)
{
    if (answer->is_too_large || code == CURLE_FILESIZE_EXCEEDED) {
        return hs_err_set(&read->err, HS_E_PROTOCOL, NULL, "the answer is larger than 2 MiB");
    }
    if (code == CURLE_OPERATION_TIMEDOUT) {
        return hs_err_set(&read->err, HS_E_TIMEOUT, NULL, "no answer in %g s", read->timeout_s);
    }
    if (code != CURLE_OK) {
        return hs_err_set(&read->err, HS_E_UNAVAILABLE, NULL, "no answer: %s",
                          curl_easy_strerror(code));
    }
    if (answer->status == 304 && read->cache.sum != 0) {
        read->fresh_s = get_fresh_s(read, answer);
        return 0;
    }
    if (answer->status != 200 && answer->status != 203) {
        return refuse(read, answer);
    }
    read->is_deprecated = answer->status == 203;
    read->fresh_s = get_fresh_s(read, answer);
    return read_text(read, answer);
}

/** When to ask again, on disk as well: a daemon that dies again and again asks no oftener. */
static void set_wait(struct hs_weatherread *read)
{
    int rc;

    read->n_failures = read->rc == 0 ? 0 : read->n_failures + 1;
    read->wait_s = read->rc == 0 ? hs_askagain_get_wait_s(read->fresh_s, &read->chance)
                                 : hs_askagain_get_backoff_s(read->n_failures, read->retry_after_s,
                                                             read->is_refusal, &read->chance);
    read->cache.not_before_at_s = read->wall_at_s + (int64_t)read->wait_s;
    rc = hs_weathercache_write(&read->cache, read->rc == 0 ? &read->err : NULL);
    read->cache_rc = read->cache_rc != 0 ? read->cache_rc : rc;
}

void hs_weathersource_http_init(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

void hs_weathersource_http_read(struct hs_weatherread *read)
{
    HS_CLEANUP(free_answer) struct answer answer = {.curl = curl_easy_init()};
    CURLcode code;

    if (answer.curl == NULL) {
        read->rc = hs_err_set(&read->err, HS_E_SYSTEM, NULL, "libcurl does not start");
        return;
    }
    prepare(read, &answer);
    code = curl_easy_perform(answer.curl);
    curl_easy_getinfo(answer.curl, CURLINFO_RESPONSE_CODE, &answer.status);
    read->rc = judge(read, &answer, code);
    set_wait(read);
}

void hs_weathersource_http_recall(struct hs_weatherread *read)
{
    struct hs_weathercache *cache = &read->cache;
    HS_AUTO_MEM char *text = NULL;

    if (!hs_weathercache_read(cache, &text) || text == NULL) {
        return;
    }
    if (read->kind->parse("cache", text, strlen(text), cache->issued_at_s, &read->outlook, NULL)
        == 0) {
        read->has_outlook = true;
    } else {
        cache->sum = 0; /* of another version of ours, perhaps */
    }
}
