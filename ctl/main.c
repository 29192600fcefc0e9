/* SPDX-License-Identifier: Apache-2.0 */

/** hsched - submit work that follows heat, and see why it runs where it does. */

#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/help.h"
#include "ctl/say.h"

#ifndef HSCHED_VERSION
#define HSCHED_VERSION "unknown"
#endif

static enum hs_exit refuse_command(const char *name)
{
    const char *nearest = hs_command_nearest(name);

    if (nearest != NULL) {
        hs_say_error("unknown command '%s'; did you mean '%s'?", name, nearest);
    } else {
        hs_say_error("unknown command '%s'; 'hsched help' lists them", name);
    }
    return HS_EXIT_USAGE;
}

static enum hs_exit run_command(int argc, char **argv)
{
    const struct hs_command *command = hs_command_find(argv[0]);
    HS_AUTO(hs_args) args = NULL;
    struct hs_err err = {0};

    if (command == NULL) {
        return refuse_command(argv[0]);
    }
    if (hs_args_parse(command, argc, argv, &args, &err) != 0) {
        hs_say_error("%s", err.text);
        hs_say_note("  Next: hsched help %s", command->name);
        return HS_EXIT_USAGE;
    }
    if (hs_args_has(args, "help")) {
        hs_help_print(command);
        return HS_EXIT_OK;
    }
    return command->run(args);
}

/** The options that may stand before the command. @return false when @ret_status is the end */
static bool take_front_options(int argc, char **argv, enum hs_exit *ret_status)
{
    static const struct option options[] = {
        {.name = "help", .val = 'h'},
        {.name = "version", .val = 'V'},
        {.name = "socket", .has_arg = required_argument, .val = 's'},
        {.name = NULL},
    };
    int value = 0;

    opterr = 0;
    while ((value = getopt_long(argc, argv, "+hV", options, NULL)) != -1) {
        *ret_status = HS_EXIT_OK;
        if (value == 's') {
            setenv("HSCHED_SOCKET", optarg, 1);
        } else if (value == 'h') {
            hs_help_print_all();
            return false;
        } else if (value == 'V') {
            puts("hsched " HSCHED_VERSION);
            return false;
        } else {
            hs_say_error("'%s' is no option of hsched itself; 'hsched help' lists the commands",
                         argv[optind - 1]);
            *ret_status = HS_EXIT_USAGE;
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    enum hs_exit status = HS_EXIT_USAGE;
    int first = 0;

    setlocale(LC_CTYPE, ""); /* widths and bars; numbers stay in the C locale */
    if (take_front_options(argc, argv, &status)) {
        first = optind;
        if (first >= argc) {
            hs_say_error("name a command; 'hsched help' lists them");
            return HS_EXIT_USAGE;
        }
        status = run_command(argc - first, argv + first);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        hs_say_error("cannot write to standard output");
        status = status == HS_EXIT_OK ? HS_EXIT_FAILED : status;
    }
    return (int)status;
}
