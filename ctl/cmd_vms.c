/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

#include "ctl/table.h"

static const struct hs_table_column columns[] = {
    {"HOST", "host", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"VM", "name", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"STATE", "state", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"CLASS", "class", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS | HS_TABLE_CUTS},
    {"JOB", "job", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"VCPUS", "vcpus", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"MEMORY", "memory_mib", NULL, HS_RENDER_MEMORY, HS_TABLE_ALWAYS},
    {"CPU TIME", "cpu_s", NULL, HS_RENDER_DURATION, HS_TABLE_ALWAYS},
    {"UUID", "uuid", NULL, HS_RENDER_TEXT, HS_TABLE_EXTRA},
};

static const struct hs_table table = {
    .name_key = "name",
    .none = "no virtual machines",
    .columns = columns,
    .n_columns = sizeof(columns) / sizeof(columns[0]),
};

static enum hs_exit vms_run(const struct hs_args *args)
{
    return hs_table_show(args, "/v1/vms", &table);
}

const struct hs_command hs_cmd_vms = {
    .name = "vms",
    .arguments = "",
    .summary = "list virtual machines, also those that are not ours",
    .flags = HS_COMMAND_FORMATS,
    .run = vms_run,
};
