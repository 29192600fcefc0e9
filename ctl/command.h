/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * command - what `hsched` can do: one row a command, one file a row (cmd_<verb>.c).
 *
 * A row is data: parsing, `--help` and `hsched help` all read it. A handler gets the parsed
 * arguments, speaks to the daemon through client.h, prints data on stdout and words on stderr,
 * and hands back the exit status. Contract: interfaces.md, "CLI"; docs/jobs.md.
 */

#include <stddef.h>

#include "ctl/args.h"

enum hs_exit {
    HS_EXIT_OK = 0,
    HS_EXIT_FAILED = 1,
    HS_EXIT_USAGE = 2,
    HS_EXIT_NOTFOUND = 3,
    HS_EXIT_DENIED = 4,
    HS_EXIT_UNREACHABLE = 5,
    HS_EXIT_INPUT = 6, /* a file that the user named is wrong */
    HS_EXIT_CONFLICT = 7,
    HS_EXIT_UNPLACED = 8, /* accepted, but it cannot be placed or will be late */
};

enum hs_command_flags {
    HS_COMMAND_FORMATS = 1, /* takes -o */
    HS_COMMAND_STOPS = 2,   /* options end at the first word: the rest is the user's */
    HS_COMMAND_LOCAL = 4,   /* needs no daemon */
};

struct hs_command_option {
    const char *name;     /* "duration", without the dashes */
    char letter;          /* 0: none */
    const char *argument; /* "TIME"; "[yes|no]" may be left out; NULL: takes none */
    const char *help;     /* one clause */
};

struct hs_command {
    const char *name;
    const char *arguments;                   /* "JOB...", "" */
    const char *summary;                     /* one clause for the list of commands */
    const char *details;                     /* nullable; lines that end the help text */
    const struct hs_command_option *options; /* [n_options] beside the common ones */
    size_t n_options;
    int n_words_min;
    int n_words_max; /* -1: any number */
    unsigned flags;  /* of enum hs_command_flags */
    enum hs_exit (*run)(const struct hs_args *args);
};

extern const struct hs_command hs_cmd_cancel;
extern const struct hs_command hs_cmd_doctor;
extern const struct hs_command hs_cmd_explain;
extern const struct hs_command hs_cmd_forecast;
extern const struct hs_command hs_cmd_help;
extern const struct hs_command hs_cmd_host;
extern const struct hs_command hs_cmd_history;
extern const struct hs_command hs_cmd_hosts;
extern const struct hs_command hs_cmd_jobs;
extern const struct hs_command hs_cmd_logs;
extern const struct hs_command hs_cmd_loops;
extern const struct hs_command hs_cmd_maintenance;
extern const struct hs_command hs_cmd_plan;
extern const struct hs_command hs_cmd_plant;
extern const struct hs_command hs_cmd_report;
extern const struct hs_command hs_cmd_show;
extern const struct hs_command hs_cmd_sites;
extern const struct hs_command hs_cmd_submit;
extern const struct hs_command hs_cmd_vms;

/** The options that every command takes. @return [*ret_n], static */
const struct hs_command_option *hs_command_get_common(size_t *ret_n);

/** Command @i in alphabetical order, or NULL past the last one. */
const struct hs_command *hs_command_get(size_t i);

/** The command called @name, or NULL. */
const struct hs_command *hs_command_find(const char *name);

/** The name of the command nearest to @name, or NULL if none is near. */
const char *hs_command_nearest(const char *name);
