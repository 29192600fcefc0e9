/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/help.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ctl/say.h"
#include "scheduler/base/conf.h"

void hs_help_print_all(void)
{
    const struct hs_command *command = NULL;

    puts("usage: hsched COMMAND [options]\n\n"
         "Submit work that follows heat, and see why it runs where it does.\n");
    for (size_t i = 0; (command = hs_command_get(i)) != NULL; i++) {
        printf("  %-10s %s\n", command->name, command->summary);
    }
    puts("\n'hsched help COMMAND' explains one. --version prints the version.\n"
         "Exit status: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 not permitted,\n"
         "5 daemon unreachable, 6 a file given is wrong, 7 conflict,\n"
         "8 accepted but cannot be placed or will be late.");
}

static void print_option(const struct hs_command_option *option)
{
    char left[48] = "";
    const char *argument = option->argument != NULL ? option->argument : "";
    char letter[5] = "    ";

    if (option->letter != 0) {
        snprintf(letter, sizeof(letter), "-%c, ", option->letter);
    }
    snprintf(left, sizeof(left), "%s--%s%s%s", letter, option->name,
             argument[0] != '\0' && argument[0] != '[' ? " " : "", argument);
    printf("  %-30s %s\n", left, option->help);
}

void hs_help_print(const struct hs_command *command)
{
    size_t n_common = 0;
    const struct hs_command_option *common = hs_command_get_common(&n_common);

    printf("usage: hsched %s [options]%s%s\n\n%s.\n\n", command->name,
           command->arguments[0] != '\0' ? " " : "", command->arguments, command->summary);
    for (size_t i = 0; i < command->n_options; i++) {
        print_option(&command->options[i]);
    }
    for (size_t i = 0; i < n_common; i++) {
        bool is_output = strcmp(common[i].name, "output") == 0;
        bool is_help = strcmp(common[i].name, "help") == 0;

        if (is_help
            || (is_output ? (command->flags & HS_COMMAND_FORMATS) != 0
                          : (command->flags & HS_COMMAND_LOCAL) == 0)) {
            print_option(&common[i]);
        }
    }
    if (command->details != NULL) {
        printf("\n%s", command->details);
    }
}
