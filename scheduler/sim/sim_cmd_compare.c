/* SPDX-License-Identifier: Apache-2.0 */
/* sim_cmd_compare - the tables of reports that were written before. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "adapters/signal/filetext.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/sim/sim_cmd.h"
#include "scheduler/sim/simtable.h"

static int read_report(const char *path, json_t **ret_report, struct hs_err *err)
{
    HS_AUTO_MEM char *text = NULL;
    const char *name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    json_auto_t *report = NULL;
    size_t n_bytes = 0;
    int rc = hs_filetext_read(path, &text, &n_bytes, err);

    if (rc == 0) {
        rc = hs_jsonx_parse(path, text, n_bytes, &report, err);
    }
    if (rc == 0) {
        rc = hs_simtable_check(report, name, err);
    }
    if (rc == 0 && !json_is_string(json_object_get(report, "scenario"))) {
        hs_jsonx_set_text(report, "scenario", name);
    }
    if (rc == 0) {
        *ret_report = HS_STEAL(report);
    }
    return rc;
}

int hs_sim_cmd_compare(int argc, char **argv)
{
    static const struct option no_options[] = {{NULL, 0, NULL, 0}};
    int status = HS_SIM_CMD_OK;
    HS_AUTO_MEM json_t **reports = NULL;
    size_t n = 0;

    if (getopt_long(argc, argv, "", no_options, NULL) != -1) {
        fputs(hs_sim_cmd_usage, stderr);
        return HS_SIM_CMD_USAGE;
    }
    if (optind == argc) {
        return hs_sim_cmd_fail_usage("name one report or several");
    }
    reports = hs_xcalloc((size_t)argc, sizeof(json_t *));
    for (int i = optind; i < argc && status == HS_SIM_CMD_OK; i++) {
        struct hs_err err = {0};

        if (read_report(argv[i], &reports[n], &err) != 0) {
            status = hs_sim_cmd_print_err(&err);
        } else {
            n++;
        }
    }
    for (size_t i = 0; status == HS_SIM_CMD_OK && i < n; i++) {
        hs_simtable_print(reports[i], stdout);
        if (n > 1) {
            fputc('\n', stdout);
        }
    }
    if (status == HS_SIM_CMD_OK && n > 1) {
        hs_simtable_print_summary(reports, n, stdout);
    }
    for (size_t i = 0; i < n; i++) {
        json_decref(reports[i]);
    }
    return status;
}
