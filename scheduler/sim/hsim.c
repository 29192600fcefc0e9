/* SPDX-License-Identifier: Apache-2.0 */
/* hsim - the simulator's command line: the same decisions on a virtual clock. */
#include <stdio.h>
#include <string.h>

#include "scheduler/sim/sim_cmd.h"

struct verb {
    const char *name;
    int (*act)(int argc, char **argv);
};

static const struct verb verbs[] = {
    {"run", hs_sim_cmd_run},   {"compare", hs_sim_cmd_compare},   {"replay", hs_sim_cmd_replay},
    {"jobs", hs_sim_cmd_jobs}, {"forecast", hs_sim_cmd_forecast}, {"serve", hs_sim_cmd_serve},
};

int main(int argc, char **argv)
{
    static char own_name[] = "hsim";
    const char *word = argc > 1 ? argv[1] : "";

    if (argc > 1) {
        argv[1] = own_name; /* getopt's messages begin with it, not with the verb */
    }
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(word, verbs[i].name) == 0) {
            if (argc > 2 && strcmp(argv[2], "--help") == 0) {
                fputs(hs_sim_cmd_usage, stdout);
                return HS_SIM_CMD_OK;
            }
            return verbs[i].act(argc - 1, argv + 1);
        }
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        fputs(hs_sim_cmd_usage, stdout);
        return HS_SIM_CMD_OK;
    }
    if (strcmp(word, "--version") == 0) {
        puts("hsim " HSCHED_VERSION);
        return HS_SIM_CMD_OK;
    }
    if (word[0] == '\0') {
        return hs_sim_cmd_fail_usage("name a verb");
    }
    fprintf(stderr, "hsim: no verb '%s'\n%s", word, hs_sim_cmd_usage);
    return HS_SIM_CMD_USAGE;
}
