/* SPDX-License-Identifier: Apache-2.0 */
/* redis_url - see redis_url.h. */
#include "adapters/redis/redis_url.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REDIS_PORT_DEFAULT                                                \
    6379 /* https://redis.io/docs/latest/operate/oss_and_stack/management \
          */

static int parse_number(const char *text, int min, int max, int *ret_number)
{
    char *end;
    long number;

    if (!isdigit((unsigned char)text[0])) {
        return -HS_E_INVALID;
    }
    number = strtol(text, &end, 10);
    if (*end != '\0' || number < min || number > max) {
        return -HS_E_INVALID;
    }
    *ret_number = (int)number;
    return 0;
}

/* Undo %XX in text[0..n). */
static int unescape(const char *text, size_t n, char *ret_text)
{
    size_t n_out = 0;

    for (size_t i = 0; i < n; i++) {
        char c = text[i];

        if (c == '%') {
            char hex[3] = {0};

            if (i + 2 >= n || !isxdigit((unsigned char)text[i + 1])
                || !isxdigit((unsigned char)text[i + 2])) {
                return -HS_E_INVALID;
            }
            memcpy(hex, text + i + 1, 2);
            c = (char)strtol(hex, NULL, 16);
            i += 2;
        }
        if (c == '\0' || n_out + 1 >= HS_REDIS_URL_PART_MAX) {
            return -HS_E_INVALID;
        }
        ret_text[n_out++] = c;
    }
    ret_text[n_out] = '\0';
    return 0;
}

static int parse_login(const char *text, size_t n, struct hs_redis_url *url)
{
    const char *colon = memchr(text, ':', n);

    if (colon == NULL) { /* the password comes from a file then */
        return unescape(text, n, url->user);
    }
    if (unescape(text, (size_t)(colon - text), url->user) != 0) {
        return -HS_E_INVALID;
    }
    return unescape(colon + 1, n - (size_t)(colon - text) - 1, url->password);
}

/* host[:port][/database], an IPv6 address in brackets */
static int parse_place(const char *text, struct hs_redis_url *url)
{
    const char *host = text[0] == '[' ? text + 1 : text;
    size_t n_host = text[0] == '[' ? strcspn(host, "]") : strcspn(host, ":/");
    const char *rest = host + n_host;
    char port[8];
    size_t n_port;

    if (n_host == 0 || n_host >= sizeof(url->host) || (text[0] == '[' && *rest++ != ']')) {
        return -HS_E_INVALID;
    }
    memcpy(url->host, host, n_host);
    url->port = REDIS_PORT_DEFAULT;
    if (*rest == ':') {
        n_port = strcspn(++rest, "/");
        if (n_port >= sizeof(port)) {
            return -HS_E_INVALID;
        }
        memcpy(port, rest, n_port);
        port[n_port] = '\0';
        rest += n_port;
        if (parse_number(port, 1, 65535, &url->port) != 0) {
            return -HS_E_INVALID;
        }
    }
    if (*rest == '\0' || strcmp(rest, "/") == 0) {
        return 0;
    }
    return *rest == '/' ? parse_number(rest + 1, 0, 1 << 20, &url->database) : -HS_E_INVALID;
}

int hs_redis_url_parse(const char *text, struct hs_redis_url *ret_url, struct hs_err *err)
{
    struct hs_redis_url url = {0};
    const char *scheme;
    const char *place;
    const char *at;

    if (strncmp(text, "unix:", 5) == 0) {
        const char *path = strncmp(text, "unix://", 7) == 0 ? text + 7 : text + 5;

        if (path[0] != '/' || strlen(path) >= sizeof(url.path)) {
            return hs_err_set(err, HS_E_INVALID, "redis",
                              "'%s' must be unix: and an absolute path of at most %zu bytes", text,
                              sizeof(url.path) - 1);
        }
        snprintf(url.path, sizeof(url.path), "%s", path);
        snprintf(url.name, sizeof(url.name), "unix:%s", path);
        *ret_url = url;
        return 0;
    }
    url.is_tls = strncmp(text, "rediss://", 9) == 0;
    if (!url.is_tls && strncmp(text, "redis://", 8) != 0) {
        return hs_err_set(err, HS_E_INVALID, "redis",
                          "the url must begin with unix:, redis:// or rediss:// (TLS)");
    }
    scheme = url.is_tls ? "rediss" : "redis";
    place = text + strlen(scheme) + 3;
    at = strrchr(place, '@');
    if ((at != NULL && parse_login(place, (size_t)(at - place), &url) != 0)
        || parse_place(at != NULL ? at + 1 : place, &url) != 0) {
        return hs_err_set(err, HS_E_INVALID, "redis",
                          "'%s://%s' is not %s://[[user][:password]@]host[:port][/database]",
                          scheme, at != NULL ? at + 1 : place, scheme);
    }
    snprintf(url.name, sizeof(url.name), "%s://%.200s:%d/%d", scheme, url.host, url.port,
             url.database);
    *ret_url = url;
    return 0;
}
