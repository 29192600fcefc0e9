/* SPDX-License-Identifier: Apache-2.0 */
/* redis_access - see redis_access.h. */
#include "adapters/redis/redis_access.h"

#include <stdbool.h>

#include "adapters/redis/redis_url.h"
#include "adapters/redis/secretfile.h"
#include "scheduler/base/mem.h"

static const char *dup_text(const char *text)
{
    return hs_xstrdup(text != NULL ? text : "");
}

static bool is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

struct hs_redis_access *hs_redis_access_dup(const struct hs_redis_access *access)
{
    struct hs_redis_access *copy = hs_xcalloc(1, sizeof(*copy));

    *copy = (struct hs_redis_access){
        .url = dup_text(access->url),
        .user = dup_text(access->user),
        .password_file = dup_text(access->password_file),
        .tls = {.ca = dup_text(access->tls.ca),
                .cert = dup_text(access->tls.cert),
                .key = dup_text(access->tls.key),
                .server_name = dup_text(access->tls.server_name)},
    };
    return copy;
}

/** Both of two ways to say one thing, or one that has no use here. */
static int check_fields(const struct hs_redis_access *access, const struct hs_redis_url *url,
                        struct hs_err *err)
{
    bool has_tls = is_given(access->tls.ca) || is_given(access->tls.cert)
                   || is_given(access->tls.key) || is_given(access->tls.server_name);

    if (url->user[0] != '\0' && is_given(access->user)) {
        return hs_err_set(err, HS_E_INVALID, "redis", "the user is in the url and in user");
    }
    if (url->password[0] != '\0' && is_given(access->password_file)) {
        return hs_err_set(err, HS_E_INVALID, "redis",
                          "the password is in the url and in password_file");
    }
    if (has_tls && !url->is_tls) {
        return hs_err_set(err, HS_E_INVALID, "redis",
                          "tls needs an url that begins with rediss://");
    }
    return 0;
}

int hs_redis_access_check(const struct hs_redis_access *access, struct hs_err *err)
{
    struct hs_redis_url url;
    HS_AUTO_MEM char *password = NULL;
    HS_AUTO(hs_redis_tls) tls = NULL;
    int rc = hs_redis_url_parse(access->url, &url, err);

    if (rc == 0) {
        rc = check_fields(access, &url, err);
    }
    if (rc == 0 && is_given(access->password_file)) {
        rc = hs_secretfile_read_line(access->password_file, &password, err);
    }
    return rc == 0 && url.is_tls ? hs_redis_tls_new(&access->tls, url.host, &tls, err) : rc;
}

void hs_redis_access_free(struct hs_redis_access *access)
{
    if (access != NULL) {
        free((char *)access->url);
        free((char *)access->user);
        free((char *)access->password_file);
        free((char *)access->tls.ca);
        free((char *)access->tls.cert);
        free((char *)access->tls.key);
        free((char *)access->tls.server_name);
        free(access);
    }
}
