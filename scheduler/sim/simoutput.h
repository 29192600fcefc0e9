/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * simoutput - a file that a long run will write at its end, known to be writable at its start.
 *
 * What the file held stays until all of the new is written (scheduler/base/wholefile.h); a run that
 * fails or is killed changes nothing. A pipe, a terminal or a device is written as it is.
 */

#include <stdbool.h>
#include <stdio.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"

struct hs_simoutput;

/** @param path  NULL: standard output. @return 0 or -HS_E_SYSTEM */
int hs_simoutput_new(const char *path, struct hs_simoutput **ret_output, struct hs_err *err);

/** Replace what the file held by @text. @return 0 or -HS_E_SYSTEM */
int hs_simoutput_write(struct hs_simoutput *output, const char *text, struct hs_err *err);

/** For what is written on the way: a stream, for hs_simoutput_close_stream(). @return 0 or
 *  -HS_E_SYSTEM */
int hs_simoutput_open_stream(struct hs_simoutput *output, FILE **ret_stream, struct hs_err *err);

/**
 * Close the stream, and replace what the file held by what was written to it.
 *
 * @param stream  taken
 * @return 0, or -HS_E_SYSTEM also for what failed on the way: then the old content stays
 */
int hs_simoutput_close_stream(struct hs_simoutput *output, FILE *stream, struct hs_err *err);

/** Both name one file of the disk. Of pipes and terminals two may be one. */
bool hs_simoutput_is_same(const struct hs_simoutput *a, const struct hs_simoutput *b);

/** Make the folder @path unless it is there, and see that files can be made in it.
 *  @return 0 or -HS_E_SYSTEM */
int hs_simoutput_check_folder(const char *path, struct hs_err *err);

/** Accepts NULL. */
void hs_simoutput_free(struct hs_simoutput *output);
HS_DEFINE_AUTO(hs_simoutput);
