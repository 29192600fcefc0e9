/* SPDX-License-Identifier: Apache-2.0 */
/* sim_cmd - what hsim's commands share. */
#include "scheduler/sim/sim_cmd.h"

#include <stdio.h>
#include <string.h>

#include "scheduler/base/auto.h"
#include "scheduler/model/advice.h"

#define ASSUMED_MAX 12 /* values named in one note; the rest are counted */

const char hs_sim_cmd_usage[] =
    "usage: hsim run SCENARIO.json [--policies A,B] [-o FILE] [--trace FILE] [--plot DIR]\n"
    "                              [--timings]\n"
    "       hsim compare REPORT.json...\n"
    "       hsim replay TRACE.jsonl [--seq N | --at TIME] [--policies A] [--scenario FILE]\n"
    "                              [-o text|json]\n"
    "       hsim jobs SCENARIO.json\n"
    "       hsim forecast --heat FILE.csv [--column NAME] [--weather persisted|perfect|none|FILE]\n"
    "                              [--origins FILE] [--horizon 48h] [--models A,B] [-o FILE]\n"
    "                              [--dump FILE] [--timezone ZONE] [--holidays COUNTRY]\n"
    "       hsim serve SCENARIO.json --modbus NAME=ADDRESS:PORT[,base=1][,word_order=CDAB]\n"
    "                              --mqtt NAME=HOST:PORT\n"
    "                              [--speed N] [--for 7d] [--period 10s] [--fault FAULT]...\n"
    "       hsim --help | --version\n"
    "\n"
    "run      simulate each policy over the same traces; the report goes to -o FILE or to\n"
    "         standard output, a table to standard error\n"
    "compare  print the table of reports; of several, medians over them too\n"
    "replay   make the decisions of a trace again and check that they are the same\n"
    "jobs     print the scenario's jobs as requests, one JSON object a line, with `submit`\n"
    "forecast judge the forecasting models over the past of a measured sink; a table goes to\n"
    "         standard output, the report to -o FILE\n"
    "serve    answer Modbus TCP and speak MQTT for the scenario's plant, by the estate's points\n"
    "\n"
    "  --policies A,B  controllers to run instead of the scenario's list: heat, perfect, asap,\n"
    "                  thermostat, sticky, carbon, bound, bound_useful, bound_jobs\n"
    "  -o FILE         write the report there; of replay: how to print a decision\n"
    "  --trace FILE    write every decision there, one JSON object a line\n"
    "  --plot DIR      write plots (SVG) there\n"
    "  --timings       report planning times too (no two runs share them)\n"
    "  --seq N         stop at the decision of this number and show what it saw\n"
    "  --at TIME       the same for the first decision at or after TIME (RFC 3339)\n"
    "  --scenario FILE where the scenario of the trace is now\n"
    "  --heat FILE     hours of heat and weather: CSV, plain or .gz\n"
    "  --column NAME   its column of heat (heat_kw, else heat_rel)\n"
    "  --weather W     what is known of the weather to come: nothing, the site's own goes on\n"
    "                  (persisted); the truth (perfect); forecasts as they were issued (a\n"
    "                  file); none: no weather at all\n"
    "  --origins FILE  hours of history to judge after, one number a line\n"
    "  --horizon 48h   how far to look ahead\n"
    "  --models A,B    models to judge instead of all\n"
    "  --dump FILE     write there what was said at every origin\n"
    "  --timezone ZONE by which people live there, such as Europe/Berlin (UTC)\n"
    "  --holidays C    public holidays they keep, such as DE-NW, or none (that of the zone)\n"
    "  --modbus DEVICE which device's points to answer for, and where to listen; port 0: any\n"
    "  --mqtt BROKER   which broker's points to speak of, and where it is\n"
    "  --speed N       plan seconds per second; time begins with the first client\n"
    "  --for 7d        end after so much plan time and print the truth as JSON\n"
    "  --period 10s    plan time between two looks at the plant\n"
    "  --fault FAULT   KIND[:POINT or DEVICE]@TIME+DURATION; kinds: freeze, nan, swap, scale,\n"
    "                  disconnect, mute\n";

int hs_sim_cmd_fail_usage(const char *what)
{
    fprintf(stderr, "hsim: %s\n%s", what, hs_sim_cmd_usage);
    return HS_SIM_CMD_USAGE;
}

int hs_sim_cmd_print_err(const struct hs_err *err)
{
    if (err->where[0] != '\0') {
        fprintf(stderr, "hsim: %s: %s\n", err->where, err->text);
    } else {
        fprintf(stderr, "hsim: %s\n", err->text);
    }
    return err->kind == HS_E_SYSTEM || err->kind == HS_E_INTERNAL ? HS_SIM_CMD_FAILED
                                                                  : HS_SIM_CMD_INVALID;
}

/** What of the traces is not simulated: nothing is dropped without a word. */
static void say_left_out(const struct hs_simjobs *jobs)
{
    if (jobs->n_bad + jobs->n_long + jobs->n_after_end > 0) {
        fprintf(stderr,
                "note: records left out: %zu without a run time or processors, %zu over "
                "max_run_s, %zu due after the end\n",
                jobs->n_bad, jobs->n_long, jobs->n_after_end);
    }
}

void hs_sim_cmd_say_estate(const struct hs_estate *estate)
{
    HS_AUTO_MEM char *advice = hs_advice_format(estate, "note: ");
    HS_AUTO_MEM char *assumed = hs_assumed_format_text(&estate->assumed, ASSUMED_MAX);

    fputs(advice, stderr);
    if (estate->assumed.n > 0) {
        fprintf(stderr, "note: %s. Sources: docs/catalogue.md\n", assumed);
    }
}

int hs_sim_cmd_load(const char *path, struct hs_scenario **ret_scenario,
                    struct hs_simjobs *ret_jobs)
{
    struct hs_conf_report report = {0};
    struct hs_err err = {0};
    int rc = hs_scenario_read(path, &report, ret_scenario, &err);
    int status = HS_SIM_CMD_OK;

    for (size_t i = 0; i < report.n_errors && i < HS_CONF_ERRORS_MAX; i++) {
        fprintf(stderr, "%s\n", report.errors[i]);
    }
    hs_conf_report_fini(&report);
    if (rc == 0) {
        rc = hs_jobtrace_make(*ret_scenario, ret_jobs, &err);
    }
    if (rc != 0) {
        status = hs_sim_cmd_print_err(&err);
    } else {
        for (size_t i = 0; i < (*ret_scenario)->n_notes; i++) {
            fprintf(stderr, "note: %s\n", (*ret_scenario)->notes[i]);
        }
        say_left_out(ret_jobs);
    }
    return status;
}

int hs_sim_cmd_choose(const struct hs_scenario *scenario, char *list,
                      const struct hs_controller_ops **ret_ops, size_t *ret_n)
{
    size_t n_names = 0, n = 0;
    const char *names[HS_SIM_CMD_CONTROLLERS_MAX] = {NULL};
    char *name;

    if (list == NULL) {
        for (; n_names < scenario->n_controllers && n_names < HS_SIM_CMD_CONTROLLERS_MAX;
             n_names++) {
            names[n_names] = scenario->controllers[n_names];
        }
    }
    while (list != NULL && n_names < HS_SIM_CMD_CONTROLLERS_MAX
           && (name = strsep(&list, ",")) != NULL) {
        names[n_names++] = name;
    }
    for (size_t i = 0; i < n_names; i++) {
        struct hs_err err = {0};

        if (hs_controller_find(names[i], &ret_ops[n], &err) != 0) {
            hs_sim_cmd_print_err(&err);
            return HS_SIM_CMD_USAGE;
        }
        for (size_t before = 0; before < n; before++) {
            if (ret_ops[before] == ret_ops[n]) {
                fprintf(stderr, "hsim: policies: '%s' is listed twice\n", names[i]);
                return HS_SIM_CMD_USAGE;
            }
        }
        n++;
    }
    *ret_n = n;
    return n > 0 ? HS_SIM_CMD_OK
                 : hs_sim_cmd_fail_usage(
                     "no policies to run; name them in the scenario or with --policies");
}
