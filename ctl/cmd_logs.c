/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

#include <inttypes.h>
#include <stdio.h>

#include "ctl/client.h"
#include "ctl/say.h"
#include "scheduler/base/auto.h"

static const struct hs_command_option options[] = {
    {.name = "bytes", .letter = 'c', .argument = "N", .help = "only the newest N bytes"},
};

static enum hs_exit logs_run(const struct hs_args *args)
{
    HS_AUTO(hs_client) client = NULL;
    HS_AUTO_MEM char *path = NULL;
    struct hs_err err = {0};
    uint64_t id = 0;
    int64_t n_bytes = 0;
    enum hs_exit status = HS_EXIT_OK;

    if (hs_args_parse_job_id(args->words[0], &id, &err) != 0
        || hs_args_get_int(args, "bytes", 0, 1, INT32_MAX, &n_bytes, &err) != 0) {
        hs_say_error("%s", err.text);
        return HS_EXIT_USAGE;
    }
    path = n_bytes > 0 ? hs_say_format("/v1/jobs/%" PRIu64 "/log?bytes=%" PRId64, id, n_bytes)
                       : hs_say_format("/v1/jobs/%" PRIu64 "/log", id);
    status = hs_client_new(args, &client);
    return status == HS_EXIT_OK ? hs_client_copy(client, path) : status;
}

const struct hs_command hs_cmd_logs = {
    .name = "logs",
    .arguments = "JOB",
    .summary = "print the console of a job as it is",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .n_words_min = 1,
    .n_words_max = 1,
    .run = logs_run,
};
