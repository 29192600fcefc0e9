/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

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
    {"URI", "uri", NULL, HS_RENDER_TEXT, HS_TABLE_EXTRA},
};

static const struct hs_table table = {
    .name_key = "name",
    .none = "no hosts",
    .columns = columns,
    .n_columns = sizeof(columns) / sizeof(columns[0]),
};

static enum hs_exit hosts_run(const struct hs_args *args)
{
    return hs_table_show(args, "/v1/hosts", &table);
}

const struct hs_command hs_cmd_hosts = {
    .name = "hosts",
    .arguments = "",
    .summary = "list hosts: vCPUs, memory, power",
    .flags = HS_COMMAND_FORMATS,
    .run = hosts_run,
};
