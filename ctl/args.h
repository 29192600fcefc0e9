/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * args - a command line, read by the rows of its command.
 *
 * getopt_long does the reading; this adds sentences that say what would be right.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"

struct hs_command;

/** One option as given; text borrowed from argv. */
struct hs_args_given {
    const char *name;
    const char *value; /* "" for an option without argument */
};

struct hs_args {
    const struct hs_command *command;
    struct hs_args_given *given; /* [n_given] in the order of the command line */
    size_t n_given;
    char **words; /* [n_words] what is no option; borrowed from argv */
    int n_words;
};

/**
 * Read the command line after the command's name.
 *
 * @param argv      [argc] argv[0] is the command's name; kept, and reordered by getopt
 * @param ret_args  owned by the caller on success
 * @return 0 or -HS_E_INVALID naming the option and the nearest known one
 */
int hs_args_parse(const struct hs_command *command, int argc, char **argv,
                  struct hs_args **ret_args, struct hs_err *err);

/** The last value given for option @name, or NULL. */
const char *hs_args_get(const struct hs_args *args, const char *name);

/** True if option @name was given. */
bool hs_args_has(const struct hs_args *args, const char *name);

/**
 * The whole number given for @name, or @otherwise.
 *
 * @return 0 or -HS_E_INVALID if it is no number in min..max
 */
int hs_args_get_int(const struct hs_args *args, const char *name, int64_t otherwise, int64_t min,
                    int64_t max, int64_t *ret_value, struct hs_err *err);

/** Read @text as a job id: 12, or hs-12 as libvirt shows it. @return 0 or -HS_E_INVALID */
int hs_args_parse_job_id(const char *text, uint64_t *ret_id, struct hs_err *err);

/** Accepts NULL. */
void hs_args_free(struct hs_args *args);
HS_DEFINE_AUTO(hs_args);
