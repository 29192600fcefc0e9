/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/jobview.h"
#include "ctl/say.h"
#include "scheduler/base/auto.h"

static enum hs_exit cancel_one(struct hs_client *client, uint64_t id, bool has_format,
                               enum hs_table_format format)
{
    HS_AUTO_MEM char *path = hs_say_format("/v1/jobs/%" PRIu64 "/cancel", id);
    json_auto_t *job = NULL;
    enum hs_exit status = hs_client_post(client, path, NULL, &job);
    const char *state = hs_render_find_text(job, "state");

    if (status != HS_EXIT_OK) {
        return status;
    }
    if (has_format) {
        hs_jobview_print(format, job);
    }
    if (state == NULL || strcmp(state, "cancelled") == 0) {
        hs_say_note("job %" PRIu64 " is cancelled", id);
    } else {
        hs_say_note("job %" PRIu64 " is being cancelled, it is still %s", id, state);
    }
    return HS_EXIT_OK;
}

/** All ids are read before the first job is cancelled; a job that fails does not stop the rest. */
static enum hs_exit cancel_run(const struct hs_args *args)
{
    HS_AUTO(hs_client) client = NULL;
    enum hs_table_format format = HS_TABLE_TABLE;
    struct hs_err err = {0};
    uint64_t id = 0;
    enum hs_exit status = hs_table_get_format(args, &format);

    for (int i = 0; status == HS_EXIT_OK && i < args->n_words; i++) {
        if (hs_args_parse_job_id(args->words[i], &id, &err) != 0) {
            hs_say_error("%s; nothing was cancelled", err.text);
            return HS_EXIT_USAGE;
        }
    }
    if (status == HS_EXIT_OK) {
        status = hs_client_new(args, &client);
    }
    for (int i = 0; client != NULL && i < args->n_words; i++) {
        enum hs_exit one = HS_EXIT_OK;

        (void)hs_args_parse_job_id(args->words[i], &id, NULL);
        one = cancel_one(client, id, hs_args_has(args, "output"), format);
        status = status == HS_EXIT_OK ? one : status;
    }
    return status;
}

const struct hs_command hs_cmd_cancel = {
    .name = "cancel",
    .arguments = "JOB...",
    .summary = "cancel jobs: those that run are stopped",
    .n_words_min = 1,
    .n_words_max = -1,
    .flags = HS_COMMAND_FORMATS,
    .run = cancel_run,
};
