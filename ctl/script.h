/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * script - what a job runs: a file as it is, or words of a command line made into one.
 *
 * A readable text file is the script, with its `#HSCHED key=value` lines; `-` reads it from
 * standard input; else the words become `exec` of that command in the guest. One word that
 * holds spaces is a shell line of its own. Never runs anything here.
 */

#include <stddef.h>

#include "ctl/args.h"
#include "ctl/command.h"
#include "scheduler/model/site.h"

/** One `#HSCHED key=value` line; '_' in the key is '-'. */
struct hs_script_line {
    int number;
    char *key;   /* owned */
    char *value; /* owned */
};

struct hs_script {
    char *file;                   /* owned: path for messages; NULL for a command */
    char name[HS_NAME_MAX];       /* for a job that was given none; "" if nothing fits */
    char *text;                   /* owned; NULL: nothing was named */
    struct hs_script_line *lines; /* owned [n_lines] */
    size_t n_lines;
};

/**
 * Read what the words of @args name. What is wrong is said on stderr.
 *
 * @param ret_script  owned by the caller on success
 */
enum hs_exit hs_script_read(const struct hs_args *args, struct hs_script **ret_script);

/** Accepts NULL. */
void hs_script_free(struct hs_script *script);
HS_DEFINE_AUTO(hs_script);
