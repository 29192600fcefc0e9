/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/help.h"

#include <string.h>

#include "ctl/catalogueview.h"
#include "ctl/fieldview.h"
#include "ctl/say.h"

static enum hs_exit help_run(const struct hs_args *args)
{
    const struct hs_command *command = NULL;
    const char *nearest = NULL;

    if (args->n_words == 0) {
        hs_help_print_all();
        return HS_EXIT_OK;
    }
    if (strcmp(args->words[0], "field") == 0) {
        return hs_fieldview_print(args->n_words > 1 ? args->words[1] : NULL);
    }
    if (strcmp(args->words[0], "cooling") == 0) {
        return hs_catalogueview_print_cooling(args->n_words > 1 ? args->words[1] : NULL);
    }
    if (strcmp(args->words[0], "template") == 0) {
        return hs_catalogueview_print_template(args->n_words > 1 ? args->words[1] : NULL);
    }
    command = hs_command_find(args->words[0]);
    if (command == NULL || args->n_words > 1) {
        nearest = hs_command_nearest(args->words[0]);
        hs_say_error("no help on '%s'%s%s%s", args->words[args->n_words > 1 ? 1 : 0],
                     command == NULL && nearest != NULL ? "; did you mean '" : "",
                     command == NULL && nearest != NULL ? nearest : "",
                     command == NULL && nearest != NULL ? "'?" : "");
        return HS_EXIT_USAGE;
    }
    hs_help_print(command);
    return HS_EXIT_OK;
}

const struct hs_command hs_cmd_help = {
    .name = "help",
    .arguments = "[COMMAND | field|cooling|template [NAME]]",
    .summary = "explain a command, a field, a cooling or a site template",
    .n_words_max = 2,
    .flags = HS_COMMAND_LOCAL,
    .run = help_run,
};
