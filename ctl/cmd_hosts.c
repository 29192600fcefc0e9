/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

#include <string.h>

#include "ctl/client.h"
#include "ctl/say.h"
#include "ctl/table.h"

static const struct hs_table_column columns[] = {
    {"HOST", "name", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"STATE", "state", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"RACK", "rack", NULL, HS_RENDER_TEXT, HS_TABLE_EXTRA},
    {"LOOP", "loop", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"VCPUS", "vcpus", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"BUSY", "vcpus_busy", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"PINNED", "vcpus_pinned", NULL, HS_RENDER_TEXT, HS_TABLE_EXTRA},
    {"MEMORY", "memory_mib", NULL, HS_RENDER_MEMORY, HS_TABLE_ALWAYS},
    {"USED", "memory_used_mib", NULL, HS_RENDER_MEMORY, HS_TABLE_ALWAYS},
    {"POWER kW", "elec_w", NULL, HS_RENDER_KW, HS_TABLE_ALWAYS},
    {"VMS", "n_vms", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"SILENT SINCE", "silent_since", NULL, HS_RENDER_AT, HS_TABLE_EXTRA},
    {"URI", "uri", NULL, HS_RENDER_TEXT, HS_TABLE_EXTRA},
};

static const struct hs_table table = {
    .name_key = "name",
    .none = "no hosts",
    .columns = columns,
    .n_columns = sizeof(columns) / sizeof(columns[0]),
};

/** What a silent host means and what to do about it, under the table. */
static void say_silent(const json_t *answer)
{
    size_t i;
    const json_t *host;

    json_array_foreach (json_object_get(answer, "items"), i, host) {
        const char *state = hs_render_find_text(host, "state");

        if (state != NULL && strcmp(state, "unknown") == 0) {
            hs_say_note("host '%s' has not answered since %s: what ran there may run still, and "
                        "is started nowhere else",
                        hs_render_find_text(host, "name"),
                        hs_render_find_text(host, "silent_since"));
            hs_say_note("  Next: %s", hs_render_find_text(host, "next"));
        }
    }
}

static enum hs_exit hosts_run(const struct hs_args *args)
{
    json_auto_t *answer = NULL;
    enum hs_table_format format = HS_TABLE_TABLE;
    enum hs_exit status = hs_table_get_format(args, &format);

    status = status != HS_EXIT_OK ? status : hs_client_fetch(args, "/v1/hosts", &answer);
    if (status == HS_EXIT_OK) {
        hs_table_print(&table, format, answer, NULL);
        if (format == HS_TABLE_TABLE || format == HS_TABLE_WIDE) {
            say_silent(answer);
        }
    }
    return status;
}

const struct hs_command hs_cmd_hosts = {
    .name = "hosts",
    .arguments = "",
    .summary = "list hosts: vCPUs, memory, power",
    .flags = HS_COMMAND_FORMATS,
    .run = hosts_run,
};
