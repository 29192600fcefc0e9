/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

#include <stdio.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/jobview.h"
#include "ctl/say.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/conf.h"
#include "scheduler/base/mem.h"
#include "scheduler/model/job.h"

static const struct hs_command_option options[] = {
    {.name = "state", .letter = 's', .argument = "STATE,...", .help = "only in these states"},
    {.name = "team", .argument = "TEAM", .help = "only of this team"},
    {.name = "site", .argument = "SITE", .help = "only placed at this site"},
    {.name = "limit", .letter = 'n', .argument = "N", .help = "at most so many"},
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

static enum hs_exit jobs_run(const struct hs_args *args)
{
    static const char *const keys[] = {"state", "team", "site"};
    HS_AUTO_MEM char *path = hs_xstrdup("/v1/jobs");
    const char *states = hs_args_get(args, "state");
    struct hs_err err = {0};
    int64_t limit = 0;
    char mark = '?';

    if (states != NULL && check_states(states) != HS_EXIT_OK) {
        return HS_EXIT_USAGE;
    }
    if (hs_args_get_int(args, "limit", 0, 1, INT32_MAX, &limit, &err) != 0) {
        hs_say_error("%s", err.text);
        return HS_EXIT_USAGE;
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *value = hs_args_get(args, keys[i]);

        if (value != NULL) {
            HS_AUTO_MEM char *old = HS_STEAL(path);
            HS_AUTO_MEM char *escaped = hs_client_escape(value);

            path = hs_say_format("%s%c%s=%s", old, mark, keys[i], escaped);
            mark = '&';
        }
    }
    if (limit > 0) {
        HS_AUTO_MEM char *old = HS_STEAL(path);

        path = hs_say_format("%s%climit=%lld", old, mark, (long long)limit);
    }
    return hs_table_show(args, path, &hs_jobview_table);
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
