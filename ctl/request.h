/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * request - a job request as `hsched submit` gathers it.
 *
 * From three places: options beat HSCHED_* variables beat `#HSCHED key=value` lines at the head
 * of the script (interfaces.md, "CLI"). Values are checked here, where the place they came from
 * is still known; the daemon checks them again.
 */

#include <stdint.h>

#include <jansson.h>

#include "ctl/args.h"
#include "ctl/command.h"

#define HS_REQUEST_N_OPTIONS 24

/** The options of submit: the fields of a job, and --array, --from and --dry-run, which are none.
 */
extern const struct hs_command_option hs_request_options[HS_REQUEST_N_OPTIONS];

/**
 * Build the body of POST /v1/jobs. What is wrong is said on stderr.
 *
 * @param args          options, and the words after them: a script, or a command
 * @param now_at_s      only to check relative times; the daemon counts from its own clock
 * @param ret_request   owned by the caller on success
 * @return HS_EXIT_USAGE for a bad option or variable, HS_EXIT_INPUT for a bad script
 */
enum hs_exit hs_request_build(const struct hs_args *args, int64_t now_at_s, json_t **ret_request);
