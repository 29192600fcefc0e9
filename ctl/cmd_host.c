/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/client.h"
#include "ctl/render.h"
#include "ctl/say.h"
#include "scheduler/base/jsonx.h"

#define LINE_MAX_BYTES 256

/** "/v1/hosts/SITE/HOST/confirm-down", or NULL after saying what a host is called. */
static char *make_path(const char *host)
{
    const char *slash = strchr(host, '/');
    HS_AUTO_MEM char *site = slash != NULL ? strndup(host, (size_t)(slash - host)) : NULL;
    HS_AUTO_MEM char *site_part = site != NULL ? hs_client_escape(site) : NULL;
    HS_AUTO_MEM char *host_part = slash != NULL ? hs_client_escape(slash + 1) : NULL;

    if (slash == NULL || slash == host || slash[1] == '\0') {
        hs_say_error("'%s' is no host: SITE/HOST, as 'hsched hosts' lists them", host);
        return NULL;
    }
    return hs_say_format("/v1/hosts/%s/%s/confirm-down", site_part, host_part);
}

static void say_jobs(const char *host, const json_t *answer)
{
    const json_t *jobs = json_object_get(answer, "jobs");
    size_t n = json_array_size(jobs);

    if (n == 0) {
        hs_say_note("no job is on '%s'", host);
    }
    for (size_t i = 0; i < n; i++) {
        hs_say_note("job %lld waits again and may be started elsewhere",
                    (long long)json_integer_value(json_array_get(jobs, i)));
    }
}

/** Whoever types the name has looked at it. */
static bool is_meant(const struct hs_args *args, const char *host)
{
    char line[LINE_MAX_BYTES] = "";

    if (hs_args_has(args, "yes")) {
        return true;
    }
    if (isatty(STDIN_FILENO) != 1) {
        hs_say_error("nothing was done: say --yes if '%s' is off for certain", host);
        return false;
    }
    hs_say_note("If '%s' still runs them, they will run twice. Type its name to go on:", host);
    if (fgets(line, sizeof(line), stdin) == NULL) {
        return false;
    }
    line[strcspn(line, "\n")] = '\0';
    if (strcmp(line, host) != 0) {
        hs_say_error("nothing was done");
        return false;
    }
    return true;
}

static json_t *make_request(const struct hs_args *args, bool is_dry_run)
{
    const struct passwd *user = getpwuid(getuid());
    json_t *json = hs_jsonx_object();

    hs_jsonx_set_bool(json, "dry_run", is_dry_run);
    if (user != NULL) {
        hs_jsonx_set_text(json, "by", user->pw_name);
    }
    if (hs_args_has(args, "why")) {
        hs_jsonx_set_text(json, "why", hs_args_get(args, "why"));
    }
    return json;
}

static enum hs_exit confirm_down(const struct hs_args *args)
{
    const char *host = args->words[1];
    HS_AUTO(hs_client) client = NULL;
    HS_AUTO_MEM char *path = make_path(host);
    json_auto_t *question = make_request(args, true);
    json_auto_t *request = make_request(args, false);
    json_auto_t *before = NULL;
    json_auto_t *answer = NULL;
    enum hs_exit status = path != NULL ? hs_client_new(args, &client) : HS_EXIT_USAGE;

    status = status != HS_EXIT_OK ? status : hs_client_post(client, path, question, &before);
    if (status != HS_EXIT_OK) {
        return status;
    }
    say_jobs(host, before);
    if (!is_meant(args, host)) {
        return HS_EXIT_USAGE;
    }
    status = hs_client_post(client, path, request, &answer);
    if (status == HS_EXIT_OK) {
        hs_say_note("host '%s' is confirmed down, says %s", host,
                    hs_render_find_text(answer, "who"));
    }
    return status;
}

static enum hs_exit host_run(const struct hs_args *args)
{
    if (strcmp(args->words[0], "confirm-down") == 0 && args->n_words == 2) {
        return confirm_down(args);
    }
    hs_say_error("it is: hsched host confirm-down SITE/HOST");
    return HS_EXIT_USAGE;
}

static const struct hs_command_option options[] = {
    {"yes", 0, NULL, "do not ask: the host is off for certain"},
    {"why", 0, "TEXT", "for the journal"},
};

const struct hs_command hs_cmd_host = {
    .name = "host",
    .arguments = "confirm-down SITE/HOST",
    .summary = "say that a host which does not answer is off: its jobs wait again",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .n_words_min = 1,
    .n_words_max = 2,
    .run = host_run,
};
