/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/args.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"
#include "scheduler/base/conf.h"
#include "scheduler/base/mem.h"

#define OPTIONS_MAX 48
#define VALUE_FIRST 1000 /* getopt's value of row 0, above every letter */

/** The rows of one command and the common ones, as getopt wants them. */
struct rows {
    const struct hs_command_option *rows[OPTIONS_MAX];
    size_t n;
    struct option longs[OPTIONS_MAX + 1];
    char shorts[3 * OPTIONS_MAX + 3];
};

static void rows_add(struct rows *all, const struct hs_command_option *row)
{
    size_t i = all->n++;
    size_t end = strlen(all->shorts);

    all->rows[i] = row;
    all->longs[i] = (struct option){.name = row->name, .val = VALUE_FIRST + (int)i};
    if (row->argument != NULL) {
        all->longs[i].has_arg = row->argument[0] == '[' ? optional_argument : required_argument;
    }
    if (row->letter != 0) {
        snprintf(all->shorts + end, sizeof(all->shorts) - end, "%c%s", row->letter,
                 row->argument != NULL ? ":" : "");
    }
}

static void rows_init(struct rows *all, const struct hs_command *command)
{
    size_t n_common = 0;
    const struct hs_command_option *common = hs_command_get_common(&n_common);

    *all = (struct rows){.n = 0};
    /* '+': stop at the first word. ':': tell a missing argument from an unknown option. */
    snprintf(all->shorts, sizeof(all->shorts),
             "%s:", (command->flags & HS_COMMAND_STOPS) != 0 ? "+" : "");
    for (size_t i = 0; i < command->n_options && all->n < OPTIONS_MAX; i++) {
        rows_add(all, &command->options[i]);
    }
    for (size_t i = 0; i < n_common && all->n < OPTIONS_MAX; i++) {
        if (strcmp(common[i].name, "output") != 0 || (command->flags & HS_COMMAND_FORMATS) != 0) {
            rows_add(all, &common[i]);
        }
    }
}

static const struct hs_command_option *rows_find(const struct rows *all, int value)
{
    for (size_t i = 0; i < all->n; i++) {
        if (value == VALUE_FIRST + (int)i || (value != 0 && value == all->rows[i]->letter)) {
            return all->rows[i];
        }
    }
    return NULL;
}

static int rows_refuse(const struct rows *all, const char *word, struct hs_err *err)
{
    const char *names[OPTIONS_MAX + 1] = {NULL};
    char bare[64];
    const char *nearest = NULL;

    if (optopt > 0 && optopt < VALUE_FIRST) {
        return hs_err_set(err, HS_E_INVALID, "", "unknown option '-%c'", optopt);
    }
    if (optopt >= VALUE_FIRST) {
        return hs_err_set(err, HS_E_INVALID, "", "'--%s' takes no value",
                          rows_find(all, optopt)->name);
    }
    for (size_t i = 0; i < all->n; i++) {
        names[i] = all->rows[i]->name;
    }
    snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(word + strspn(word, "-"), "="),
             word + strspn(word, "-"));
    nearest = hs_conf_nearest(names, bare);
    if (nearest != NULL) {
        return hs_err_set(err, HS_E_INVALID, "", "unknown option '--%s'; did you mean '--%s'?",
                          bare, nearest);
    }
    return hs_err_set(err, HS_E_INVALID, "", "unknown option '--%s'", bare);
}

static void args_add(struct hs_args *args, const char *name, const char *value)
{
    args->given = hs_xrealloc(args->given, args->n_given + 1, sizeof(*args->given));
    args->given[args->n_given++] =
        (struct hs_args_given){.name = name, .value = value != NULL ? value : ""};
}

static int args_check_words(const struct hs_args *args, struct hs_err *err)
{
    const struct hs_command *command = args->command;

    if (args->n_words < command->n_words_min) {
        return hs_err_set(err, HS_E_INVALID, "", "'%s' wants %s", command->name,
                          command->arguments);
    }
    if (command->n_words_max >= 0 && args->n_words > command->n_words_max) {
        return hs_err_set(err, HS_E_INVALID, "", "'%s' is one word too many for '%s'",
                          args->words[command->n_words_max], command->name);
    }
    return 0;
}

int hs_args_parse(const struct hs_command *command, int argc, char **argv,
                  struct hs_args **ret_args, struct hs_err *err)
{
    HS_AUTO(hs_args) args = hs_xcalloc(1, sizeof(*args));
    struct rows all;
    int value = 0;
    int rc = 0;

    args->command = command;
    rows_init(&all, command);
    opterr = 0;
    optind = 0; /* glibc: start anew, also after an earlier scan */
    while ((value = getopt_long(argc, argv, all.shorts, all.longs, NULL)) != -1) {
        const struct hs_command_option *row = rows_find(&all, value);

        if (value == ':') {
            row = rows_find(&all, optopt);
            return hs_err_set(err, HS_E_INVALID, "", "'--%s' wants a value: --%s %s", row->name,
                              row->name, row->argument);
        }
        if (row == NULL) {
            return rows_refuse(&all, argv[optind - 1], err);
        }
        args_add(args, row->name, optarg);
    }
    args->words = argv + optind;
    args->n_words = argc - optind;
    if (!hs_args_has(args, "help")) {
        rc = args_check_words(args, err);
    }
    if (rc == 0) {
        *ret_args = HS_STEAL(args);
    }
    return rc;
}

const char *hs_args_get(const struct hs_args *args, const char *name)
{
    for (size_t i = args->n_given; i > 0; i--) {
        if (strcmp(args->given[i - 1].name, name) == 0) {
            return args->given[i - 1].value;
        }
    }
    return NULL;
}

bool hs_args_has(const struct hs_args *args, const char *name)
{
    return hs_args_get(args, name) != NULL;
}

int hs_args_get_int(const struct hs_args *args, const char *name, int64_t otherwise, int64_t min,
                    int64_t max, int64_t *ret_value, struct hs_err *err)
{
    const char *text = hs_args_get(args, name);
    char *end = NULL;
    long long value = 0;

    if (text == NULL) {
        *ret_value = otherwise;
        return 0;
    }
    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < min || value > max) {
        return hs_err_set(err, HS_E_INVALID, "", "--%s '%s' is no whole number from %lld to %lld",
                          name, text, (long long)min, (long long)max);
    }
    *ret_value = value;
    return 0;
}

int hs_args_parse_job_id(const char *text, uint64_t *ret_id, struct hs_err *err)
{
    const char *digits = strncmp(text, "hs-", 3) == 0 ? text + 3 : text;
    char *end = NULL;
    unsigned long long value = 0;

    errno = 0;
    value = strtoull(digits, &end, 10);
    if (digits[0] < '0' || digits[0] > '9' || errno != 0 || *end != '\0' || value == 0) {
        return hs_err_set(err, HS_E_INVALID, "",
                          "'%s' is no job id; ids are the numbers that 'hsched jobs' shows", text);
    }
    *ret_id = value;
    return 0;
}

void hs_args_free(struct hs_args *args)
{
    if (args != NULL) {
        free(args->given);
        free(args);
    }
}
