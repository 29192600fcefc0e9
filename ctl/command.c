/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

#include <string.h>

#include "scheduler/base/conf.h"

static const struct hs_command *const commands[] = {
    &hs_cmd_cancel,  &hs_cmd_doctor,      &hs_cmd_explain, &hs_cmd_forecast, &hs_cmd_help,
    &hs_cmd_history, &hs_cmd_host,        &hs_cmd_hosts,   &hs_cmd_jobs,     &hs_cmd_logs,
    &hs_cmd_loops,   &hs_cmd_maintenance, &hs_cmd_plan,    &hs_cmd_plant,    &hs_cmd_report,
    &hs_cmd_show,    &hs_cmd_sites,       &hs_cmd_submit,  &hs_cmd_vms,
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct hs_command_option common[] = {
    {.name = "output",
     .letter = 'o',
     .argument = "FORMAT",
     .help = "table, wide, json, jsonl, csv or name"},
    {.name = "socket", .argument = "PATH", .help = "or HSCHED_SOCKET, or /run/hsched/hschedd.sock"},
    {.name = "timeout", .argument = "SPAN", .help = "give up on the daemon after this long (30s)"},
    {.name = "help", .letter = 'h', .help = "say how to use this command"},
};

const struct hs_command_option *hs_command_get_common(size_t *ret_n)
{
    *ret_n = sizeof(common) / sizeof(common[0]);
    return common;
}

const struct hs_command *hs_command_get(size_t i)
{
    return i < N_COMMANDS ? commands[i] : NULL;
}

const struct hs_command *hs_command_find(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

const char *hs_command_nearest(const char *name)
{
    const char *names[N_COMMANDS + 1] = {NULL};

    for (size_t i = 0; i < N_COMMANDS; i++) {
        names[i] = commands[i]->name;
    }
    return hs_conf_nearest(names, name);
}
