/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/say.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/mem.h"

#define PROBE_ARGS_MAX 32

static const struct hs_command_option options[] = {
    {"count", 0, "N", "how many to show (4 registers, else 10)"},
    {"base", 0, "0|1", "how the maker's list calls the first one (0)"},
    {"for", 0, "SPAN", "how long to listen to a topic (10s)"},
    {"cell", 0, "NAME", "whose stream (main)"},
    {"user", 0, "NAME", "who we are to the broker or Redis"},
    {"password-file", 0, "FILE", "our password there, of mode 0600"},
    {"ca", 0, "FILE", "PEM file of whom we trust to name it"},
};

/** The hschedd beside this program, else that of PATH. Owned by the caller (free). */
static char *find_hschedd(void)
{
    char own[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
    char *slash;
    char *path;

    if (n > 0) {
        own[n] = '\0';
        slash = strrchr(own, '/');
        path = hs_say_format("%.*s/hschedd", (int)(slash - own), own);
        if (access(path, X_OK) == 0) {
            return path;
        }
        free(path);
    }
    return hs_xstrdup("hschedd");
}

/** Adapters are the daemon's: it looks, in a process of its own, whether or not one runs. */
static enum hs_exit probe(const struct hs_args *args)
{
    HS_AUTO_MEM char *hschedd = find_hschedd();
    char *argv[PROBE_ARGS_MAX] = {hschedd, (char *)"--probe"};
    size_t n = 2;
    const char *output = hs_args_get(args, "output");

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        const char *value = hs_args_get(args, options[i].name);

        if (value != NULL) {
            argv[n++] = hs_say_format("--%s=%s", options[i].name, value);
        }
    }
    if (output != NULL) {
        argv[n++] = hs_say_format("--output=%s", output);
    }
    argv[n++] = (char *)"--";
    argv[n++] = args->words[1];
    fflush(stdout);
    execvp(hschedd, argv);
    hs_say_error("cannot run '%s': %s", hschedd, strerror(errno));
    hs_say_note("  Next: install hschedd beside hsched, or put it into PATH");
    for (size_t i = 2; i + 2 < n; i++) {
        free(argv[i]);
    }
    return HS_EXIT_FAILED;
}

static enum hs_exit plant_run(const struct hs_args *args)
{
    if (strcmp(args->words[0], "probe") == 0 && args->n_words == 2) {
        return probe(args);
    }
    hs_say_error("it is: hsched plant probe TARGET");
    return HS_EXIT_USAGE;
}

const struct hs_command hs_cmd_plant = {
    .name = "plant",
    .arguments = "probe TARGET",
    .summary = "look at a register in all word orders, at a topic, or at the readings stream",
    .details = "TARGET is one of\n"
               "  modbus://HOST[:PORT]/[UNIT/]TABLE/ADDRESS TABLE holding, input, coil, discrete\n"
               "  mqtt://HOST[:PORT]/TOPIC, mqtts://...      + and # are allowed\n"
               "  unix:/PATH, redis://HOST:PORT, rediss://   the stream hs:{CELL}:readings\n",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .n_words_min = 1,
    .n_words_max = 2,
    .flags = HS_COMMAND_FORMATS | HS_COMMAND_LOCAL,
    .run = plant_run,
};
