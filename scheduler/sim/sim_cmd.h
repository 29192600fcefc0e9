/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * sim_cmd - hsim's commands and what they share: reading a scenario, saying what is wrong.
 *
 * Words go to standard error, data to standard output. Each command returns an exit status
 * (docs/simulator.md).
 */

#include "scheduler/base/err.h"
#include "scheduler/sim/controller.h"
#include "scheduler/sim/jobtrace.h"
#include "scheduler/sim/scenario.h"

#define HS_SIM_CMD_CONTROLLERS_MAX 16

enum hs_sim_cmd_exit {
    HS_SIM_CMD_OK = 0,
    HS_SIM_CMD_FAILED = 1,
    HS_SIM_CMD_USAGE = 2,
    HS_SIM_CMD_NOT_FOUND = 3,
    HS_SIM_CMD_INVALID = 6,
};

/** A command line; argv[0] is the program's name, as getopt wants it. */
int hs_sim_cmd_run(int argc, char **argv);
int hs_sim_cmd_compare(int argc, char **argv);
int hs_sim_cmd_replay(int argc, char **argv);
int hs_sim_cmd_jobs(int argc, char **argv);
int hs_sim_cmd_forecast(int argc, char **argv);
int hs_sim_cmd_serve(int argc, char **argv);

extern const char hs_sim_cmd_usage[];

/** Print @what and the usage. @return HS_SIM_CMD_USAGE */
int hs_sim_cmd_fail_usage(const char *what);

/** Print @err. @return the exit status of its kind */
int hs_sim_cmd_print_err(const struct hs_err *err);

/**
 * Read the scenario and its jobs, printing what is wrong and what is left out.
 *
 * @param ret_scenario  owned by the caller on success
 * @param ret_jobs      {0}; the caller's in any case (hs_jobtrace_fini)
 * @return an exit status
 */
int hs_sim_cmd_load(const char *path, struct hs_scenario **ret_scenario,
                    struct hs_simjobs *ret_jobs);

/** What the owner of the estate should know before believing a figure. */
void hs_sim_cmd_say_estate(const struct hs_estate *estate);

/**
 * The controllers to run: those of @list, else the scenario's. Prints what is wrong.
 *
 * @param list     names with commas, nullable; is cut up
 * @param ret_ops  [HS_SIM_CMD_CONTROLLERS_MAX]
 * @return an exit status
 */
int hs_sim_cmd_choose(const struct hs_scenario *scenario, char *list,
                      const struct hs_controller_ops **ret_ops, size_t *ret_n);
