/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** jobfile - a file with a job request a line, sent many at a time. */

#include "ctl/client.h"
#include "ctl/command.h"

/**
 * Submit every line of @path ("-": standard input), ids to stdout as they are acknowledged. A
 * request holds as many lines as its size allows and is taken whole or not at all; after one that
 * is refused nothing more is sent, and the line to go on from is said.
 */
enum hs_exit hs_jobfile_submit(struct hs_client *client, const char *path);

/** Print the ids of an answer to a list or an array; HS_EXIT_UNPLACED if one will be late. */
enum hs_exit hs_jobfile_print(const json_t *answer);
