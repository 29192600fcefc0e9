/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

#include <stdio.h>

#include "ctl/client.h"
#include "ctl/say.h"
#include "ctl/table.h"
#include "scheduler/base/auto.h"

static const struct hs_table_column site_columns[] = {
    {"SITE", "name", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"DEMAND kWh", "demand_heat_wh", NULL, HS_RENDER_KWH, HS_TABLE_ALWAYS},
    {"USEFUL kWh", "useful_heat_wh", NULL, HS_RENDER_KWH, HS_TABLE_ALWAYS},
    {"RECOVERED", "recovery_ratio", NULL, HS_RENDER_PERCENT, HS_TABLE_ALWAYS},
    {"COVERED", "coverage_ratio", NULL, HS_RENDER_PERCENT, HS_TABLE_ALWAYS},
    {"BACKUP kWh", "backup_heat_wh", NULL, HS_RENDER_KWH, HS_TABLE_ALWAYS},
};

static const struct hs_table site_table = {
    .name_key = "name",
    .none = "nothing to report yet",
    .columns = site_columns,
    .n_columns = sizeof(site_columns) / sizeof(site_columns[0]),
};

static const struct hs_table_column lines[] = {
    {"IT energy, kWh", "it_wh", NULL, HS_RENDER_KWH, 0},
    {"Heat captured, kWh", "captured_heat_wh", NULL, HS_RENDER_KWH, 0},
    {"Heat made useful, kWh", "useful_heat_wh", NULL, HS_RENDER_KWH, 0},
    {"Heat put into tanks, kWh", "stored_heat_wh", NULL, HS_RENDER_KWH, 0},
    {"Heat lost by tanks, kWh", "lost_heat_wh", NULL, HS_RENDER_KWH, 0},
    {"Heat rejected, kWh", "rejected_heat_wh", NULL, HS_RENDER_KWH, 0},
    {"Heat demand, kWh", "demand_heat_wh", NULL, HS_RENDER_KWH, 0},
    {"Backup heat, kWh", "backup_heat_wh", NULL, HS_RENDER_KWH, 0},
    {"Recovered", "recovery_ratio", NULL, HS_RENDER_PERCENT, 0},
    {"Covered", "coverage_ratio", NULL, HS_RENDER_PERCENT, 0},
    {"Cost, $", "cost_cur", NULL, HS_RENDER_MONEY, 0},
    {"Saved by heat, $", "saving_heat_cur", NULL, HS_RENDER_MONEY, 0},
    {"Saved on power, $", "saving_electricity_cur", NULL, HS_RENDER_MONEY, 0},
    {"Jobs", "jobs_total", NULL, HS_RENDER_TEXT, 0},
    {"Jobs done", "jobs_done", NULL, HS_RENDER_TEXT, 0},
    {"Jobs late", "jobs_late", NULL, HS_RENDER_TEXT, 0},
    {"Mean wait", "wait_s_mean", NULL, HS_RENDER_DURATION, 0},
    {"Moves", "moves", NULL, HS_RENDER_TEXT, 0},
    {"Suspensions", "suspends", NULL, HS_RENDER_TEXT, 0},
};

static const struct hs_table total_table = {
    .columns = lines,
    .n_columns = sizeof(lines) / sizeof(lines[0]),
};

static enum hs_exit report_run(const struct hs_args *args)
{
    json_auto_t *answer = NULL;
    enum hs_table_format format = HS_TABLE_TABLE;
    const json_t *entry = NULL;
    enum hs_exit status = hs_table_get_format(args, &format);

    if (status == HS_EXIT_OK) {
        status = hs_client_fetch(args, "/v1/report", &answer);
    }
    if (status != HS_EXIT_OK) {
        return status;
    }
    entry = hs_render_find(answer, "policies.0");
    if (entry != NULL && (format == HS_TABLE_TABLE || format == HS_TABLE_WIDE)) {
        hs_table_print_thing(&total_table, entry, hs_table_get_currency(answer));
        putchar('\n');
    }
    hs_table_print(&site_table, format, answer, json_object_get(entry, "sites"));
    return HS_EXIT_OK;
}

const struct hs_command hs_cmd_report = {
    .name = "report",
    .arguments = "",
    .summary = "show energy, useful heat, backup and jobs so far",
    .details = "Since the daemon's records begin. Recovered is useful heat by IT energy: over\n"
               "100% while tanks that were full at the start are drawn. Covered is useful heat\n"
               "by demand. csv, jsonl and name hold the sites; json holds everything.\n",
    .flags = HS_COMMAND_FORMATS,
    .run = report_run,
};
