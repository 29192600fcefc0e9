/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/script.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/client.h"
#include "ctl/say.h"
#include "scheduler/base/mem.h"

#define MARK "#HSCHED"

/** The last part of @path as far as it can be a job's name. */
static void script_set_name(struct hs_script *script, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t n = 0;

    for (const char *c = slash != NULL ? slash + 1 : path; *c != '\0' && *c != ' '; c++) {
        if (n + 1 < sizeof(script->name)
            && (isalnum((unsigned char)*c) || (n > 0 && strchr("._-", *c) != NULL))) {
            script->name[n++] = *c;
        }
    }
    script->name[n] = '\0';
}

/** Up to one byte more than a script may have. @return 0 or -errno */
static int read_all(FILE *in, char **ret_text, size_t *ret_n_bytes)
{
    HS_AUTO_MEM char *text = hs_xcalloc(HS_CLIENT_BODY_MAX + 2, 1);
    size_t n = fread(text, 1, HS_CLIENT_BODY_MAX + 1, in);

    if (ferror(in)) {
        return -errno;
    }
    *ret_text = HS_STEAL(text);
    *ret_n_bytes = n;
    return 0;
}

static void script_add_line(struct hs_script *script, int number, const char *key, size_t n_key,
                            const char *value)
{
    struct hs_script_line line = {.number = number, .value = hs_xstrdup(value)};
    size_t end = strlen(line.value);

    line.key = hs_say_format("%.*s", (int)n_key, key);
    for (char *c = line.key; *c != '\0'; c++) {
        *c = *c == '_' ? '-' : *c;
    }
    while (end > 0 && isspace((unsigned char)line.value[end - 1])) {
        line.value[--end] = '\0';
    }
    script->lines = hs_xrealloc(script->lines, script->n_lines + 1, sizeof(*script->lines));
    script->lines[script->n_lines++] = line;
}

/** As sbatch does: only comments and blank lines may come before and between them. */
static enum hs_exit script_find_lines(struct hs_script *script)
{
    HS_AUTO_MEM char *copy = hs_xstrdup(script->text);
    char *rest = copy;
    int number = 0;
    bool is_past = false;

    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        const char *key = line + strlen(MARK);
        size_t n_key = 0;

        number++;
        is_past |= line[strspn(line, " \t\r")] != '\0' && line[strspn(line, " \t")] != '#';
        if (strncmp(line, MARK, strlen(MARK)) != 0 || !isspace((unsigned char)*key)) {
            continue;
        }
        if (is_past) {
            hs_say_note("note: %s:%d: '%s' after the first command does not count; move it up",
                        script->file, number, MARK);
            continue;
        }
        key += strspn(key, " \t-");
        n_key = strcspn(key, "= \t\r");
        if (n_key == 0 || key[n_key] != '=') {
            hs_say_error("%s:%d: write one '%s key=value' a line", script->file, number, MARK);
            return HS_EXIT_INPUT;
        }
        script_add_line(script, number, key, n_key, key + n_key + 1);
    }
    return HS_EXIT_OK;
}

static enum hs_exit script_take_file(struct hs_script *script, FILE *in, const char *file,
                                     bool *ret_is_text)
{
    size_t n_bytes = 0;
    int rc = read_all(in, &script->text, &n_bytes);

    if (rc != 0) {
        hs_say_error("%s: %s", file, strerror(-rc));
        return HS_EXIT_INPUT;
    }
    *ret_is_text = strlen(script->text) == n_bytes;
    if (*ret_is_text && n_bytes > HS_CLIENT_BODY_MAX) {
        hs_say_error("%s: a script may have at most %d KiB", file, HS_CLIENT_BODY_MAX / 1024);
        return HS_EXIT_INPUT;
    }
    if (*ret_is_text && n_bytes == 0) {
        hs_say_error("%s: the script is empty", file);
        return HS_EXIT_INPUT;
    }
    script->file = hs_xstrdup(file);
    return HS_EXIT_OK;
}

/** @word in a form that /bin/sh reads as itself. Owned by the caller. */
static char *shell_quote(const char *word)
{
    char *quoted = hs_xcalloc(4 * strlen(word) + 3, 1);
    char *end = quoted;

    if (word[0] != '\0'
        && word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                             "_./:=,+@%-")]
               == '\0') {
        return strcpy(quoted, word);
    }
    *end++ = '\'';
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            end = stpcpy(end, "'\\''");
        } else {
            *end++ = *word;
        }
    }
    *end = '\'';
    return quoted;
}

static void script_take_words(struct hs_script *script, int n_words, char **words)
{
    bool is_line = n_words == 1 && strpbrk(words[0], " \t\n;|&<>$`") != NULL;
    HS_AUTO_MEM char *command = hs_xstrdup("");

    for (int i = 0; i < n_words; i++) {
        HS_AUTO_MEM char *old = HS_STEAL(command);
        HS_AUTO_MEM char *quoted = is_line ? hs_xstrdup(words[i]) : shell_quote(words[i]);

        command = hs_say_format("%s%s%s", old, i > 0 ? " " : "", quoted);
    }
    script->text = hs_say_format("#!/bin/sh\n%s%s\n", is_line ? "" : "exec ", command);
    script_set_name(script, words[0]);
}

static enum hs_exit script_take(struct hs_script *script, const struct hs_args *args)
{
    const char *word = args->words[0];
    bool is_stdin = strcmp(word, "-") == 0;
    struct stat info = {0};
    bool is_text = true;
    enum hs_exit status = HS_EXIT_OK;
    FILE *in = stdin;

    if (word[0] == '\0') {
        hs_say_error("the command is empty: name a script or a command");
        return HS_EXIT_USAGE;
    }
    if (!is_stdin && (stat(word, &info) != 0 || !S_ISREG(info.st_mode))) {
        if (strchr(word, ' ') == NULL && strstr(word, ".sh") != NULL) {
            hs_say_note("note: there is no file %s here; it is sent as a command", word);
        }
        script_take_words(script, args->n_words, args->words);
        return HS_EXIT_OK;
    }
    in = is_stdin ? stdin : fopen(word, "re");
    if (in == NULL) {
        hs_say_error("%s: %s", word, strerror(errno));
        return HS_EXIT_INPUT;
    }
    status = script_take_file(script, in, is_stdin ? "standard input" : word, &is_text);
    if (!is_stdin) {
        fclose(in);
    }
    if (status == HS_EXIT_OK && !is_text && !is_stdin) {
        /* A program of this machine: what is meant is the guest's program of that name. */
        free(HS_STEAL(script->text));
        free(HS_STEAL(script->file));
        script_take_words(script, args->n_words, args->words);
        return HS_EXIT_OK;
    }
    if (status == HS_EXIT_OK && !is_text) {
        hs_say_error("standard input is no text");
        return HS_EXIT_INPUT;
    }
    if (status == HS_EXIT_OK && args->n_words > 1) {
        hs_say_error("'%s' after a script: scripts get no arguments; use --env KEY=VALUE, or "
                     "write them into the script",
                     args->words[1]);
        return HS_EXIT_USAGE;
    }
    script_set_name(script, is_stdin ? "stdin" : word);
    return status == HS_EXIT_OK ? script_find_lines(script) : status;
}

enum hs_exit hs_script_read(const struct hs_args *args, struct hs_script **ret_script)
{
    HS_AUTO(hs_script) script = hs_xcalloc(1, sizeof(*script));
    enum hs_exit status = args->n_words > 0 ? script_take(script, args) : HS_EXIT_OK;

    if (status == HS_EXIT_OK) {
        *ret_script = HS_STEAL(script);
    }
    return status;
}

void hs_script_free(struct hs_script *script)
{
    if (script == NULL) {
        return;
    }
    for (size_t i = 0; i < script->n_lines; i++) {
        free(script->lines[i].key);
        free(script->lines[i].value);
    }
    free(script->lines);
    free(script->text);
    free(script->file);
    free(script);
}
