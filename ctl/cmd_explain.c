/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

#include <inttypes.h>
#include <stdio.h>

#include "ctl/client.h"
#include "ctl/jobview.h"
#include "ctl/say.h"
#include "scheduler/base/auto.h"

static const struct hs_table_column columns[] = {
    {"JOB", "job", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"STATE", "state", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"START", "planned_start", NULL, HS_RENDER_AT, HS_TABLE_ALWAYS},
    {"END", "planned_end", NULL, HS_RENDER_AT, HS_TABLE_ALWAYS},
    {"HOST", "planned_host", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"LOOP", "loop", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"LATEST", "latest_start", NULL, HS_RENDER_AT, HS_TABLE_ALWAYS},
    {"", "heat_price_now_cur_per_mwh", NULL, HS_RENDER_PRICE, HS_TABLE_IN_CSV},
    {"", "heat_price_planned_cur_per_mwh", NULL, HS_RENDER_PRICE, HS_TABLE_IN_CSV},
    {"", "electricity_now_cur_per_mwh", NULL, HS_RENDER_PRICE, HS_TABLE_IN_CSV},
    {"", "electricity_planned_cur_per_mwh", NULL, HS_RENDER_PRICE, HS_TABLE_IN_CSV},
    {"", "cost_now_cur", NULL, HS_RENDER_MONEY, HS_TABLE_IN_CSV},
    {"", "cost_planned_cur", NULL, HS_RENDER_MONEY, HS_TABLE_IN_CSV},
    {"", "saving_cur", NULL, HS_RENDER_MONEY, HS_TABLE_IN_CSV},
    {"", "net_now_cur_per_mwh", NULL, HS_RENDER_PRICE, HS_TABLE_IN_CSV},
    {"", "net_planned_cur_per_mwh", NULL, HS_RENDER_PRICE, HS_TABLE_IN_CSV},
    {"", "electricity_cur", NULL, HS_RENDER_MONEY, HS_TABLE_IN_CSV},
    {"", "heat_cur", NULL, HS_RENDER_MONEY, HS_TABLE_IN_CSV},
    {"", "alternatives.0.start", NULL, HS_RENDER_AT, HS_TABLE_IN_CSV},
    {"", "alternatives.0.host", NULL, HS_RENDER_TEXT, HS_TABLE_IN_CSV},
    {"", "alternatives.0.extra_cur", NULL, HS_RENDER_MONEY, HS_TABLE_IN_CSV},
    {"", "currency", NULL, HS_RENDER_TEXT, HS_TABLE_IN_CSV},
    {"WHY", "text", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
};

static const struct hs_table table = {
    .name_key = "job",
    .columns = columns,
    .n_columns = sizeof(columns) / sizeof(columns[0]),
};

static enum hs_exit explain_run(const struct hs_args *args)
{
    json_auto_t *answer = NULL;
    json_auto_t *items = NULL;
    HS_AUTO_MEM char *path = NULL;
    const char *state = NULL;
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
    path = hs_say_format("/v1/jobs/%" PRIu64 "/explain", id);
    status = hs_client_fetch(args, path, &answer);
    if (status != HS_EXIT_OK) {
        return status;
    }
    if (format != HS_TABLE_TABLE) {
        items = hs_table_wrap(answer);
        hs_table_print(&table, format, answer, items);
        return HS_EXIT_OK;
    }
    if (hs_render_find_text(answer, "text") == NULL) {
        state = hs_render_find_text(answer, "state");
        printf("job %" PRIu64 " is %s\n", id, state != NULL ? state : "in an unknown state");
    }
    hs_jobview_explain(stdout, answer, answer);
    return HS_EXIT_OK;
}

const struct hs_command hs_cmd_explain = {
    .name = "explain",
    .arguments = "JOB",
    .summary = "say why a job waits or runs where it does",
    .details = "Also what a MWh of its work costs once its heat is paid for (net), the next\n"
               "best place and how much more it costs, what binds the job, and what would change\n"
               "the decision. -o json has every slot's prices and every alternative.\n",
    .n_words_min = 1,
    .n_words_max = 1,
    .flags = HS_COMMAND_FORMATS,
    .run = explain_run,
};
