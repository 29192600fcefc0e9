/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

#include <stdio.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/jobview.h"
#include "ctl/say.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/conf.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/model/job.h"

#define JOBS_LIMIT    1000
#define HISTORY_LIMIT 20

static const struct hs_command_option options[] = {
    {.name = "state", .letter = 's', .argument = "STATE,...", .help = "only in these states"},
    {.name = "team", .argument = "TEAM", .help = "only of this team"},
    {.name = "site", .argument = "SITE", .help = "only placed at this site"},
    {.name = "limit", .letter = 'n', .argument = "N", .help = "the newest N"},
};

/** A misspelt state would silently match nothing: refuse it. */
static enum hs_exit check_states(const char *states)
{
    const char *words[HS_JOB_STATE_COUNT_ + 1] = {NULL};
    HS_AUTO_MEM char *copy = hs_xstrdup(states);
    char *rest = NULL;

    for (int i = 0; i < HS_JOB_STATE_COUNT_; i++) {
        words[i] = hs_job_state_word((enum hs_job_state)i);
    }
    for (char *word = strtok_r(copy, ",", &rest); word != NULL; word = strtok_r(NULL, ",", &rest)) {
        const char *nearest = hs_conf_nearest(words, word);
        size_t i = 0;

        while (words[i] != NULL && strcmp(words[i], word) != 0) {
            i++;
        }
        if (words[i] == NULL) {
            hs_say_error("unknown state '%s'; %s%s%s", word,
                         nearest != NULL ? "did you mean '" : "see hsched help jobs",
                         nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
            return HS_EXIT_USAGE;
        }
    }
    return HS_EXIT_OK;
}

static void add_query(char **io_path, const char *key, const char *value)
{
    HS_AUTO_MEM char *old = HS_STEAL(*io_path);
    HS_AUTO_MEM char *escaped = hs_client_escape(value);

    *io_path = hs_say_format("%s%c%s=%s", old, strchr(old, '?') != NULL ? '&' : '?', key, escaped);
}

/** The items of @older before those of @answer. */
static void join_pages(json_t *answer, json_t *older)
{
    json_t *items = json_object_get(older, "items");

    hs_jsonx_extend(items, json_object_get(answer, "items"));
    hs_jsonx_set(answer, "items", json_incref(items));
    hs_jsonx_set(answer, "next", json_incref(json_object_get(older, "next")));
}

/** Page after page until there are @limit, or the history ends. */
static enum hs_exit fetch_pages(struct hs_client *client, const char *path, size_t limit,
                                json_t **ret_answer)
{
    json_auto_t *answer = NULL;
    enum hs_exit status = HS_EXIT_OK;

    do {
        HS_AUTO_MEM char *page_path = hs_xstrdup(path);
        const char *next = json_string_value(json_object_get(answer, "next"));
        size_t n = json_array_size(json_object_get(answer, "items"));
        json_auto_t *page = NULL;
        char count[24];

        snprintf(count, sizeof(count), "%zu", limit - n);
        add_query(&page_path, "limit", count);
        if (next != NULL) {
            add_query(&page_path, "before", next);
        }
        status = hs_client_get(client, page_path, &page);
        if (status != HS_EXIT_OK) {
            return status;
        }
        if (answer == NULL) {
            answer = HS_STEAL(page);
        } else {
            join_pages(answer, page);
        }
    } while (json_is_string(json_object_get(answer, "next"))
             && json_array_size(json_object_get(answer, "items")) < limit);
    *ret_answer = HS_STEAL(answer);
    return status;
}

/** @param states  asked for where --state is not given; NULL: all */
static enum hs_exit list_jobs(const struct hs_args *args, const char *states, int64_t limit)
{
    static const char *const keys[] = {"team", "site"};
    HS_AUTO_MEM char *path = hs_xstrdup("/v1/jobs");
    HS_AUTO(hs_client) client = NULL;
    enum hs_table_format format = HS_TABLE_TABLE;
    json_auto_t *answer = NULL;
    struct hs_err err = {0};
    enum hs_exit status = hs_table_get_format(args, &format);

    if (status != HS_EXIT_OK) {
        return status;
    }
    if (hs_args_has(args, "state")) {
        states = hs_args_get(args, "state");
        if (check_states(states) != HS_EXIT_OK) {
            return HS_EXIT_USAGE;
        }
    }
    if (hs_args_get_int(args, "limit", limit, 1, INT32_MAX, &limit, &err) != 0) {
        hs_say_error("%s", err.text);
        return HS_EXIT_USAGE;
    }
    if (states != NULL) {
        add_query(&path, "state", states);
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (hs_args_has(args, keys[i])) {
            add_query(&path, keys[i], hs_args_get(args, keys[i]));
        }
    }
    status = hs_client_new(args, &client);
    status = status == HS_EXIT_OK ? fetch_pages(client, path, (size_t)limit, &answer) : status;
    if (status == HS_EXIT_OK) {
        hs_table_print(&hs_jobview_table, format, answer, NULL);
    }
    if (status == HS_EXIT_OK && json_is_string(json_object_get(answer, "next"))
        && !hs_args_has(args, "limit")) {
        hs_say_note("hsched: these are the newest %lld; --limit N shows more", (long long)limit);
    }
    return status;
}

static enum hs_exit jobs_run(const struct hs_args *args)
{
    return list_jobs(args, NULL, JOBS_LIMIT);
}

static enum hs_exit history_run(const struct hs_args *args)
{
    return list_jobs(args, "done,failed,cancelled", HISTORY_LIMIT);
}

const struct hs_command hs_cmd_jobs = {
    .name = "jobs",
    .arguments = "",
    .summary = "list jobs",
    .details = "States: held, waiting, starting, running, suspended, saved, migrating, stopping,\n"
               "done, failed, cancelled. A time or place after ~ is planned, not yet real.\n",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .flags = HS_COMMAND_FORMATS,
    .run = jobs_run,
};

const struct hs_command hs_cmd_history = {
    .name = "history",
    .arguments = "",
    .summary = "list jobs that are over, the newest last",
    .details = "The newest 20, or --limit N. How many are kept, and how long, says `history` in\n"
               "hschedd.json.\n",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .flags = HS_COMMAND_FORMATS,
    .run = history_run,
};
