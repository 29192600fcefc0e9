/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <curl/curl.h>

#include "ctl/say.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"

#define ANSWER_MAX (64UL * 1024 * 1024) /* bytes; a runaway answer ends here */

struct hs_client {
    CURL *curl;
    const char *socket_path; /* borrowed from argv, the environment or static */
    bool copies;             /* a good answer goes straight to stdout */
    char *body;              /* owned: the answer, or the error's body */
    size_t n_bytes;
};

/** The words of docs/api.md and the exit status of each. */
static const struct {
    const char *word;
    long status;
    enum hs_exit exit;
} refusals[] = {
    {"invalid", 400, HS_EXIT_USAGE},      {"unsupported", 405, HS_EXIT_USAGE},
    {"denied", 403, HS_EXIT_DENIED},      {"not-found", 404, HS_EXIT_NOTFOUND},
    {"conflict", 409, HS_EXIT_CONFLICT},  {"timeout", 503, HS_EXIT_FAILED},
    {"unavailable", 503, HS_EXIT_FAILED}, {"stale", 503, HS_EXIT_FAILED},
};

enum hs_exit hs_client_new(const struct hs_args *args, struct hs_client **ret_client)
{
    HS_AUTO(hs_client) client = hs_xcalloc(1, sizeof(*client));
    const char *timeout = hs_args_get(args, "timeout");
    int64_t timeout_s = 30;
    struct hs_err err = {0};

    if (timeout != NULL
        && (hs_timetext_parse_duration(timeout, &timeout_s, &err) != 0 || timeout_s < 1)) {
        hs_say_error("--timeout: %s", err.text[0] != '\0' ? err.text : "must be at least 1s");
        return HS_EXIT_USAGE;
    }
    client->socket_path = hs_args_get(args, "socket");
    if (client->socket_path == NULL) {
        client->socket_path = getenv("HSCHED_SOCKET");
    }
    if (client->socket_path == NULL || client->socket_path[0] == '\0') {
        client->socket_path = HS_CLIENT_SOCKET;
    }
    client->curl = curl_easy_init();
    if (client->curl == NULL) {
        hs_say_error("libcurl does not start");
        return HS_EXIT_FAILED;
    }
    if (curl_easy_setopt(client->curl, CURLOPT_UNIX_SOCKET_PATH, client->socket_path) != CURLE_OK) {
        hs_say_error("'%s' is too long for the path of a socket", client->socket_path);
        return HS_EXIT_USAGE;
    }
    curl_easy_setopt(client->curl, CURLOPT_TIMEOUT, (long)timeout_s);
    curl_easy_setopt(client->curl, CURLOPT_PROXY, ""); /* http_proxy is not for a local socket */
    *ret_client = HS_STEAL(client);
    return HS_EXIT_OK;
}

static size_t client_take(char *bytes, size_t size, size_t n, void *arg)
{
    struct hs_client *client = arg;
    long status = 0;

    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    if (client->copies && status == 200) {
        return fwrite(bytes, size, n, stdout);
    }
    if (client->n_bytes + size * n > ANSWER_MAX) {
        return 0;
    }
    client->body = hs_xrealloc(client->body, client->n_bytes + size * n + 1, 1);
    memcpy(client->body + client->n_bytes, bytes, size * n);
    client->n_bytes += size * n;
    client->body[client->n_bytes] = '\0';
    return size * n;
}

static enum hs_exit say_unreachable(const struct hs_client *client, CURLcode code)
{
    long sys_errno = 0;

    curl_easy_getinfo(client->curl, CURLINFO_OS_ERRNO, &sys_errno);
    if (code == CURLE_COULDNT_CONNECT && (sys_errno == EACCES || sys_errno == EPERM)) {
        hs_say_error("you may not open %s", client->socket_path);
        hs_say_note("  Next: ask for your user to be added to auth.unix_users of hschedd.json");
        return HS_EXIT_DENIED;
    }
    if (code == CURLE_OPERATION_TIMEDOUT) {
        hs_say_error("hschedd took too long to answer at %s", client->socket_path);
    } else if (code == CURLE_COULDNT_CONNECT && sys_errno != 0) {
        hs_say_error("hschedd does not answer at %s: %s", client->socket_path,
                     strerror((int)sys_errno));
    } else {
        hs_say_error("hschedd does not answer at %s: %s", client->socket_path,
                     curl_easy_strerror(code));
    }
    hs_say_note("  Next: see whether it runs (systemctl status hschedd), or name its socket with "
                "--socket or HSCHED_SOCKET");
    return HS_EXIT_UNREACHABLE;
}

/** One line each. Where in the request it was ("1:10: /limit: ") shrinks to the field's name. */
static void say_text(const char *text)
{
    HS_AUTO_MEM char *copy = hs_xstrdup(text);
    char *rest = NULL;

    for (char *line = strtok_r(copy, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char *field = line + strspn(line, "0123456789: ");

        hs_say_error("%s", field > line && field[0] == '/' ? field + 1 : line);
    }
}

/** Say the daemon's own sentence if it sent one. */
static enum hs_exit say_refusal(const struct hs_client *client, long status)
{
    json_auto_t *json = NULL;
    const char *word = "";
    const char *text = NULL;
    enum hs_exit code = HS_EXIT_FAILED;
    curl_off_t retry_after_s = 0;

    if (client->n_bytes > 0) {
        (void)hs_jsonx_parse("answer", client->body, client->n_bytes, &json, NULL);
        word = json_string_value(json_object_get(json, "error"));
        text = json_string_value(json_object_get(json, "text"));
    }
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (word != NULL && word[0] != '\0' ? strcmp(word, refusals[i].word) == 0
                                            : status == refusals[i].status) {
            code = refusals[i].exit;
            break;
        }
    }
    if (text != NULL && text[0] != '\0') {
        say_text(text);
    } else {
        hs_say_error("hschedd answered with status %ld and no reason", status);
    }
    curl_easy_getinfo(client->curl, CURLINFO_RETRY_AFTER, &retry_after_s);
    if (retry_after_s > 0) {
        hs_say_note("  Next: nothing was changed; try again in %lld s", (long long)retry_after_s);
    }
    return code;
}

static enum hs_exit client_perform(struct hs_client *client, const char *path)
{
    HS_AUTO_MEM char *url = hs_say_format("http://localhost%s", path);
    CURLcode code = CURLE_OK;
    long status = 0;

    free(HS_STEAL(client->body));
    client->n_bytes = 0;
    curl_easy_setopt(client->curl, CURLOPT_URL, url);
    curl_easy_setopt(client->curl, CURLOPT_PATH_AS_IS, 1L); /* a loop named '..' is a name, too */
    curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, client_take);
    curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, client);
    code = curl_easy_perform(client->curl);
    if (code == CURLE_WRITE_ERROR && client->copies) {
        hs_say_error("cannot write to standard output");
        return HS_EXIT_FAILED;
    }
    if (!client->copies
        && (code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR)) {
        /* The daemon went away in between; every request is safe to repeat (POST has its key). */
        code = curl_easy_perform(client->curl);
    }
    if (code != CURLE_OK) {
        return say_unreachable(client, code);
    }
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    return status >= 200 && status < 300 ? HS_EXIT_OK : say_refusal(client, status);
}

static enum hs_exit client_read(struct hs_client *client, const char *path, json_t **ret_json)
{
    struct hs_err err = {0};

    if (client->n_bytes == 0
        || hs_jsonx_parse(path, client->body, client->n_bytes, ret_json, &err) != 0) {
        hs_say_error("hschedd answered %s with something that is no JSON%s%s", path,
                     err.text[0] != '\0' ? ": " : "", err.text);
        return HS_EXIT_FAILED;
    }
    return HS_EXIT_OK;
}

enum hs_exit hs_client_get(struct hs_client *client, const char *path, json_t **ret_json)
{
    enum hs_exit status = HS_EXIT_OK;

    curl_easy_setopt(client->curl, CURLOPT_HTTPGET, 1L);
    status = client_perform(client, path);
    return status == HS_EXIT_OK ? client_read(client, path, ret_json) : status;
}

enum hs_exit hs_client_copy(struct hs_client *client, const char *path)
{
    enum hs_exit status = HS_EXIT_OK;

    curl_easy_setopt(client->curl, CURLOPT_HTTPGET, 1L);
    client->copies = true;
    status = client_perform(client, path);
    client->copies = false;
    return status;
}

enum hs_exit hs_client_post(struct hs_client *client, const char *path, const json_t *body,
                            json_t **ret_json)
{
    HS_AUTO_MEM char *text = body != NULL ? hs_jsonx_format(body) : hs_xstrdup("");
    char key[64] = "";
    uint64_t random[2] = {0};
    struct curl_slist *headers = NULL;
    enum hs_exit status = HS_EXIT_OK;

    if (strlen(text) > HS_CLIENT_BODY_MAX) {
        hs_say_error("the job is %zu KiB with its script; hschedd takes at most %d KiB",
                     strlen(text) / 1024, HS_CLIENT_BODY_MAX / 1024);
        return HS_EXIT_INPUT;
    }
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
        hs_say_error("the system gives no random numbers");
        return HS_EXIT_FAILED;
    }
    snprintf(key, sizeof(key), "Idempotency-Key: %016" PRIx64 "%016" PRIx64, random[0], random[1]);
    headers = curl_slist_append(headers, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:"); /* evhttp needs no 100-continue */
    headers = curl_slist_append(headers, key);
    curl_easy_setopt(client->curl, CURLOPT_POST, 1L);
    curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(text));
    curl_easy_setopt(client->curl, CURLOPT_COPYPOSTFIELDS, text);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
    status = client_perform(client, path);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    return status == HS_EXIT_OK ? client_read(client, path, ret_json) : status;
}

char *hs_client_escape(const char *text)
{
    char *escaped = curl_easy_escape(NULL, text, 0);
    char *copy = hs_xstrdup(escaped != NULL ? escaped : "");

    curl_free(escaped);
    return copy;
}

void hs_client_free(struct hs_client *client)
{
    if (client != NULL) {
        curl_easy_cleanup(client->curl);
        free(client->body);
        free(client);
    }
}

enum hs_exit hs_client_fetch(const struct hs_args *args, const char *path, json_t **ret_json)
{
    HS_AUTO(hs_client) client = NULL;
    enum hs_exit status = hs_client_new(args, &client);

    return status == HS_EXIT_OK ? hs_client_get(client, path, ret_json) : status;
}
