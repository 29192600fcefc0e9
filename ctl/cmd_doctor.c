/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

#include <stdio.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/table.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/jsonx.h"

static const struct hs_table_column columns[] = {
    {"CHECK", "check", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"RESULT", "result", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"FOUND", "text", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"NEXT", "next", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
};

static const struct hs_table table = {
    .name_key = "check",
    .none = "nothing was checked",
    .columns = columns,
    .n_columns = sizeof(columns) / sizeof(columns[0]),
};

/** What there is to say about a daemon that says nothing itself. Owned by the caller. */
static json_t *make_unreachable(void)
{
    json_t *answer = hs_jsonx_object();
    json_t *items = hs_jsonx_array();
    json_t *item = hs_jsonx_object();

    hs_jsonx_set_text(item, "check", "daemon");
    hs_jsonx_set_text(item, "result", "fail");
    hs_jsonx_set_text(item, "text", "it does not answer");
    hs_jsonx_set_text(item, "next", "start hschedd and look at its log; see docs/operate.md");
    hs_jsonx_add(items, item);
    hs_jsonx_set_text(answer, "api", "hsched/v1");
    hs_jsonx_set_text(answer, "kind", "CheckList");
    hs_jsonx_set(answer, "items", items);
    return answer;
}

static enum hs_exit find_exit(const json_t *answer)
{
    const json_t *items = json_object_get(answer, "items");

    for (size_t i = 0; i < json_array_size(items); i++) {
        const char *result = json_string_value(json_object_get(json_array_get(items, i), "result"));

        if (result != NULL && strcmp(result, "fail") == 0) {
            return HS_EXIT_FAILED;
        }
    }
    return HS_EXIT_OK;
}

/** A line a check, and under it what to do. */
static void print_lines(const json_t *answer)
{
    const json_t *items = json_object_get(answer, "items");

    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        const char *next = hs_render_find_text(item, "next");

        printf("%-4s  %-10s  %s\n", hs_render_find_text(item, "result"),
               hs_render_find_text(item, "check"), hs_render_find_text(item, "text"));
        if (next != NULL) {
            printf("      %-10s  next: %s\n", "", next);
        }
    }
}

static enum hs_exit doctor_run(const struct hs_args *args)
{
    json_auto_t *answer = NULL;
    enum hs_table_format format;
    enum hs_exit rc = hs_table_get_format(args, &format);

    if (rc == HS_EXIT_OK) {
        rc = hs_client_fetch(args, "/v1/doctor", &answer);
    }
    if (rc == HS_EXIT_UNREACHABLE) {
        answer = make_unreachable();
    } else if (rc == HS_EXIT_OK) {
        rc = find_exit(answer);
    } else {
        return rc;
    }
    if (format == HS_TABLE_TABLE || format == HS_TABLE_WIDE) {
        print_lines(answer);
    } else {
        hs_table_print(&table, format, answer, NULL);
    }
    return rc;
}

const struct hs_command hs_cmd_doctor = {
    .name = "doctor",
    .arguments = "",
    .summary = "check daemon, store, leadership, hosts and readings",
    .details = "Each line is ok, warn or fail, with the next step.\n"
               "Exit: 0 nothing failed, 1 something did, 5 the daemon does not answer.\n",
    .flags = HS_COMMAND_FORMATS,
    .run = doctor_run,
};
