/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

#include <inttypes.h>
#include <stdio.h>

#include "ctl/client.h"
#include "ctl/jobview.h"
#include "ctl/say.h"
#include "scheduler/base/auto.h"

static enum hs_exit show_run(const struct hs_args *args)
{
    json_auto_t *job = NULL;
    HS_AUTO_MEM char *path = NULL;
    enum hs_table_format format = HS_TABLE_TABLE;
    struct hs_err err = {0};
    uint64_t id = 0;
    enum hs_exit status = hs_table_get_format(args, &format);

    if (status != HS_EXIT_OK) {
        return status;
    }
    if (hs_args_parse_job_id(args->words[0], &id, &err) != 0) {
        hs_say_error("%s", err.text);
        return HS_EXIT_USAGE;
    }
    path = hs_say_format("/v1/jobs/%" PRIu64, id);
    status = hs_client_fetch(args, path, &job);
    if (status == HS_EXIT_OK) {
        hs_jobview_print(format, job);
    }
    return status;
}

const struct hs_command hs_cmd_show = {
    .name = "show",
    .arguments = "JOB",
    .summary = "show one job",
    .n_words_min = 1,
    .n_words_max = 1,
    .flags = HS_COMMAND_FORMATS,
    .run = show_run,
};
