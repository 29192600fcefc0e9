/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/daemon/leaseholder.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "scheduler/base/jsonx.h"

char *hs_leaseholder_format(const struct hs_clock *clock, double lease_s,
                            const struct hs_statedir_lock *lock)
{
    json_auto_t *json = hs_jsonx_object();
    char host[sizeof(((struct hs_leaseholder *)NULL)->host)] = "";

    (void)gethostname(host, sizeof(host) - 1);
    hs_jsonx_set_text(json, "host", host);
    hs_jsonx_set_int(json, "pid", getpid());
    hs_jsonx_set_at(json, "since", hs_clock_at_s(clock));
    hs_jsonx_set_real(json, "lease_s", lease_s);
    hs_jsonx_set_text(json, "home", lock != NULL ? hs_statedir_get_home(lock) : "");
    return hs_jsonx_format(json);
}

static void copy_text(const json_t *json, const char *key, const char *absent, char *ret_text,
                      size_t size)
{
    const char *text = json_string_value(json_object_get(json, key));

    (void)snprintf(ret_text, size, "%s", text != NULL ? text : absent);
}

void hs_leaseholder_parse(const char *text, struct hs_leaseholder *ret_holder)
{
    json_auto_t *json = NULL;

    (void)hs_jsonx_parse("holder", text, strlen(text), &json, NULL);
    copy_text(json, "host", "?", ret_holder->host, sizeof(ret_holder->host));
    copy_text(json, "since", "?", ret_holder->since, sizeof(ret_holder->since));
    copy_text(json, "home", "", ret_holder->home, sizeof(ret_holder->home));
    ret_holder->pid = json_integer_value(json_object_get(json, "pid"));
    ret_holder->lease_s = json_number_value(json_object_get(json, "lease_s"));
}

bool hs_leaseholder_is_dead(const struct hs_leaseholder *holder,
                            const struct hs_statedir_lock *lock)
{
    return lock != NULL && holder->home[0] != '\0'
           && strcmp(holder->home, hs_statedir_get_home(lock)) == 0;
}

void hs_leaseholder_describe(const struct hs_leaseholder *holder, char *ret_text, size_t size)
{
    (void)snprintf(ret_text, size, "hschedd on '%s' (pid %lld) leads this cell since %s",
                   holder->host, holder->pid, holder->since);
}
