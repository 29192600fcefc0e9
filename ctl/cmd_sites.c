/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

#include "ctl/table.h"

static const struct hs_table_column columns[] = {
    {"SITE", "name", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"IT kW", "it_w", NULL, HS_RENDER_KW, HS_TABLE_ALWAYS},
    {"DEMAND kW", "demand_heat_w", NULL, HS_RENDER_KW, HS_TABLE_ALWAYS},
    {"USEFUL kWh", "useful_heat_wh", NULL, HS_RENDER_KWH, HS_TABLE_EXTRA},
    {"RECOVERED", "recovery_ratio", NULL, HS_RENDER_PERCENT, HS_TABLE_ALWAYS},
    {"COVERED", "coverage_ratio", NULL, HS_RENDER_PERCENT, HS_TABLE_ALWAYS},
    {"POWER $/MWh", "price_cur_per_mwh", NULL, HS_RENDER_PRICE, HS_TABLE_ALWAYS},
    {"gCO2/kWh", "gco2_per_kwh", NULL, HS_RENDER_TEXT, HS_TABLE_EXTRA},
    {"LIMIT kW", "limit_w", NULL, HS_RENDER_KW, HS_TABLE_EXTRA},
    {"HOSTS", "n_hosts", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"UP", "n_hosts_up", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"JOBS", "jobs_running", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
};

static const struct hs_table table = {
    .name_key = "name",
    .none = "no sites",
    .columns = columns,
    .n_columns = sizeof(columns) / sizeof(columns[0]),
};

static enum hs_exit sites_run(const struct hs_args *args)
{
    return hs_table_show(args, "/v1/sites", &table);
}

const struct hs_command hs_cmd_sites = {
    .name = "sites",
    .arguments = "",
    .summary = "list sites: heat wanted, heat delivered, price of power",
    .details = "kW are of now; kWh and percent since the daemon's records begin.\n",
    .flags = HS_COMMAND_FORMATS,
    .run = sites_run,
};
