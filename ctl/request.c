/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/request.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ctl/say.h"
#include "ctl/script.h"
#include "scheduler/base/conf.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"

enum field_kind {
    FIELD_TEXT,
    FIELD_COUNT,  /* whole number, 1 or more */
    FIELD_NUMBER, /* whole number */
    FIELD_MEMORY, /* "2G" to MiB */
    FIELD_DURATION,
    FIELD_TIME,
    FIELD_REAL,
    FIELD_YES,
    FIELD_NAMES, /* repeated, or with commas */
    FIELD_ENV,   /* repeated KEY=VALUE */
};

/* Row i of both tables belongs together. */
const struct hs_command_option hs_request_options[HS_REQUEST_N_OPTIONS] = {
    {.name = "name", .letter = 'n', .argument = "NAME", .help = "name (else the script's)"},
    {.name = "image", .letter = 'i', .argument = "IMAGE", .help = "disk image to boot"},
    {.name = "vcpus", .letter = 'c', .argument = "N", .help = "virtual CPUs (1)"},
    {.name = "memory", .letter = 'm', .argument = "SIZE", .help = "memory: 512M, 2G (2G)"},
    {.name = "duration", .letter = 't', .argument = "SPAN", .help = "how long it will run: 90m"},
    {.name = "limit", .argument = "SPAN", .help = "kill it after running this long"},
    {.name = "earliest", .argument = "TIME", .help = "do not start before: now+2h, 18:00"},
    {.name = "due", .letter = 'd', .argument = "TIME", .help = "to be done by: tomorrow 06:00"},
    {.name = "class", .argument = "CLASS", .help = "class of work (deferrable)"},
    {.name = "interruptible", .argument = "[=yes|no]", .help = "may be suspended on the way"},
    {.name = "movable", .argument = "[=yes|no]", .help = "may go on on another host"},
    {.name = "min-run", .argument = "SPAN", .help = "shortest run between suspensions"},
    {.name = "min-share", .argument = "RATIO", .help = "elastic: bears this little CPU (0.25)"},
    {.name = "max-share", .argument = "RATIO", .help = "elastic: never more CPU than this (1)"},
    {.name = "priority", .argument = "N", .help = "greater goes first"},
    {.name = "team", .argument = "TEAM", .help = "whose work it is"},
    {.name = "site", .argument = "SITE,...", .help = "only these sites; may be repeated"},
    {.name = "not-site", .argument = "SITE,...", .help = "never these sites; may be repeated"},
    {.name = "after", .argument = "WHEN:JOB,...", .help = "start after: afterok:12, singleton"},
    {.name = "env", .letter = 'e', .argument = "K=V", .help = "set in the guest; may be repeated"},
    {.name = "now", .argument = "[=yes|no]", .help = "start at once, whatever heat costs"},
    {.name = "array", .argument = "FROM-TO[%N]", .help = "one job for each, N at a time"},
    {.name = "from", .argument = "FILE", .help = "submit every line of it; - reads stdin"},
    {.name = "dry-run", .help = "show when, where and why; submit nothing"},
};

static const struct {
    const char *key; /* in the request */
    enum field_kind kind;
} fields[] = {
    {"name", FIELD_TEXT},         {"image", FIELD_TEXT},        {"vcpus", FIELD_COUNT},
    {"memory_mib", FIELD_MEMORY}, {"duration", FIELD_DURATION}, {"limit", FIELD_DURATION},
    {"earliest", FIELD_TIME},     {"due", FIELD_TIME},          {"class", FIELD_TEXT},
    {"interruptible", FIELD_YES}, {"movable", FIELD_YES},       {"min_run", FIELD_DURATION},
    {"min_share", FIELD_REAL},    {"max_share", FIELD_REAL},    {"priority", FIELD_NUMBER},
    {"team", FIELD_TEXT},         {"sites", FIELD_NAMES},       {"not_sites", FIELD_NAMES},
    {"after", FIELD_NAMES},       {"env", FIELD_ENV},           {"now", FIELD_YES},
};

#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))
_Static_assert(N_FIELDS + 3 == HS_REQUEST_N_OPTIONS, "every option but the last three is a field");

static int parse_number(const char *text, long long min, json_t **ret_value, struct hs_err *err)
{
    char *end = NULL;
    long long value = 0;

    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < min || value > INT32_MAX) {
        return hs_err_set(err, HS_E_INVALID, "", "'%s' is no whole number%s", text,
                          min > 0 ? " of 1 or more" : "");
    }
    *ret_value = hs_jsonx_int(value);
    return 0;
}

static int parse_real(const char *text, json_t **ret_value, struct hs_err *err)
{
    char *end = NULL;
    double value = strtod(text, &end);

    if (end == text || *end != '\0' || !isfinite(value)) {
        return hs_err_set(err, HS_E_INVALID, "", "'%s' is no number; write 0.5", text);
    }
    *ret_value = hs_jsonx_real(value);
    return 0;
}

static int parse_memory(const char *text, json_t **ret_value, struct hs_err *err)
{
    static const struct {
        const char *unit;
        double mib;
    } units[] = {{"", 1},      {"M", 1},      {"MB", 1},      {"MiB", 1},      {"G", 1024},
                 {"GB", 1024}, {"GiB", 1024}, {"T", 1048576}, {"TB", 1048576}, {"TiB", 1048576}};
    char *end = NULL;
    double value = strtod(text, &end);

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (end != text && isdigit((unsigned char)text[0]) && strcasecmp(end, units[i].unit) == 0
            && value * units[i].mib >= 1 && value * units[i].mib < 1e9) {
            *ret_value = hs_jsonx_int((int64_t)(value * units[i].mib));
            return 0;
        }
    }
    return hs_err_set(err, HS_E_INVALID, "", "'%s' is no amount of memory; write 512M or 2G", text);
}

static int parse_yes(const char *text, json_t **ret_value, struct hs_err *err)
{
    static const char *const yes[] = {"", "yes", "true", "1"};
    static const char *const no[] = {"no", "false", "0"};

    for (size_t i = 0; i < 4; i++) {
        if (strcasecmp(text, yes[i]) == 0) {
            *ret_value = json_true(); /* static in jansson, never NULL */
            return 0;
        }
    }
    for (size_t i = 0; i < 3; i++) {
        if (strcasecmp(text, no[i]) == 0) {
            *ret_value = json_false();
            return 0;
        }
    }
    return hs_err_set(err, HS_E_INVALID, "", "'%s' is neither yes nor no", text);
}

static int add_names(json_t *request, const char *key, const char *text, struct hs_err *err)
{
    json_t *names = json_object_get(request, key);
    HS_AUTO_MEM char *copy = hs_xstrdup(text);
    char *rest = NULL;

    if (names == NULL) {
        names = hs_jsonx_array();
        hs_jsonx_set(request, key, names);
    }
    for (char *name = strtok_r(copy, ", ", &rest); name != NULL;
         name = strtok_r(NULL, ", ", &rest)) {
        hs_jsonx_add(names, hs_jsonx_text(name));
    }
    return json_array_size(names) > 0 ? 0 : hs_err_set(err, HS_E_INVALID, "", "names no site");
}

static int add_env(json_t *request, const char *text, struct hs_err *err)
{
    const char *equals = strchr(text, '=');
    json_t *env = json_object_get(request, "env");
    HS_AUTO_MEM char *name = NULL;

    if (equals == NULL || equals == text) {
        return hs_err_set(err, HS_E_INVALID, "", "'%s' is no KEY=VALUE", text);
    }
    if (env == NULL) {
        env = hs_jsonx_object();
        hs_jsonx_set(request, "env", env);
    }
    name = hs_say_format("%.*s", (int)(equals - text), text);
    hs_jsonx_set_text(env, name, equals + 1);
    return 0;
}

/** Check @text as field @i and put it into @request. */
static int request_set(json_t *request, size_t i, const char *text, int64_t now_at_s,
                       struct hs_err *err)
{
    json_t *value = NULL;
    int64_t number = 0;
    int rc = 0;

    switch (fields[i].kind) {
    case FIELD_NAMES:
        return add_names(request, fields[i].key, text, err);
    case FIELD_ENV:
        return add_env(request, text, err);
    case FIELD_COUNT:
        rc = parse_number(text, 1, &value, err);
        break;
    case FIELD_NUMBER:
        rc = parse_number(text, INT32_MIN, &value, err);
        break;
    case FIELD_REAL:
        rc = parse_real(text, &value, err);
        break;
    case FIELD_MEMORY:
        rc = parse_memory(text, &value, err);
        break;
    case FIELD_YES:
        rc = parse_yes(text, &value, err);
        break;
    case FIELD_DURATION:
        rc = hs_timetext_parse_duration(text, &number, err);
        break;
    case FIELD_TIME:
        rc = hs_timetext_parse(text, now_at_s, &number, err);
        break;
    case FIELD_TEXT:
        rc = text[0] != '\0' ? 0 : hs_err_set(err, HS_E_INVALID, "", "is empty");
        break;
    }
    if (rc == 0) {
        hs_jsonx_set(request, fields[i].key, value != NULL ? value : hs_jsonx_text(text));
    }
    return rc;
}

static enum hs_exit set_from_script(json_t *request, const struct hs_script *script,
                                    int64_t now_at_s)
{
    const char *names[N_FIELDS + 1] = {NULL};

    for (size_t i = 0; i < N_FIELDS; i++) {
        names[i] = hs_request_options[i].name;
    }
    for (size_t line = 0; line < script->n_lines; line++) {
        const struct hs_script_line *at = &script->lines[line];
        struct hs_err err = {0};
        size_t i = 0;

        while (i < N_FIELDS && strcmp(names[i], at->key) != 0) {
            i++;
        }
        if (i == N_FIELDS) {
            const char *nearest = hs_conf_nearest(names, at->key);

            hs_say_error("%s:%d: unknown key '%s'%s%s%s", script->file, at->number, at->key,
                         nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
                         nearest != NULL ? "'?" : "");
            return HS_EXIT_INPUT;
        }
        if (request_set(request, i, at->value, now_at_s, &err) != 0) {
            hs_say_error("%s:%d: %s: %s", script->file, at->number, at->key, err.text);
            return HS_EXIT_INPUT;
        }
    }
    return HS_EXIT_OK;
}

static enum hs_exit set_from_environment(json_t *request, int64_t now_at_s)
{
    for (size_t i = 0; i < N_FIELDS; i++) {
        char name[64] = "";
        const char *value = NULL;
        struct hs_err err = {0};

        snprintf(name, sizeof(name), "HSCHED_%s", hs_request_options[i].name);
        for (char *c = name; *c != '\0'; c++) {
            *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
        }
        value = getenv(name);
        if (value == NULL || value[0] == '\0') {
            continue;
        }
        if (fields[i].kind == FIELD_NAMES) {
            json_object_del(request, fields[i].key); /* beaten, not joined */
        }
        if (request_set(request, i, value, now_at_s, &err) != 0) {
            hs_say_error("%s: %s", name, err.text);
            return HS_EXIT_USAGE;
        }
    }
    return HS_EXIT_OK;
}

static enum hs_exit set_from_options(json_t *request, const struct hs_args *args, int64_t now_at_s)
{
    for (size_t i = 0; i < N_FIELDS; i++) {
        if (fields[i].kind == FIELD_NAMES && hs_args_has(args, hs_request_options[i].name)) {
            json_object_del(request, fields[i].key);
        }
    }
    for (size_t n = 0; n < args->n_given; n++) {
        for (size_t i = 0; i < N_FIELDS; i++) {
            struct hs_err err = {0};

            if (strcmp(hs_request_options[i].name, args->given[n].name) == 0
                && request_set(request, i, args->given[n].value, now_at_s, &err) != 0) {
                hs_say_error("--%s: %s", hs_request_options[i].name, err.text);
                return HS_EXIT_USAGE;
            }
        }
    }
    return HS_EXIT_OK;
}

enum hs_exit hs_request_build(const struct hs_args *args, int64_t now_at_s, json_t **ret_request)
{
    json_auto_t *request = hs_jsonx_object();
    HS_AUTO(hs_script) script = NULL;
    enum hs_exit status = hs_script_read(args, &script);

    if (status == HS_EXIT_OK) {
        status = set_from_script(request, script, now_at_s);
    }
    if (status == HS_EXIT_OK) {
        status = set_from_environment(request, now_at_s);
    }
    if (status == HS_EXIT_OK) {
        status = set_from_options(request, args, now_at_s);
    }
    if (status != HS_EXIT_OK) {
        return status;
    }
    if (script->text != NULL) {
        hs_jsonx_set_text(request, "script", script->text);
    } else if (json_object_get(request, "image") == NULL) {
        hs_say_error("nothing to run: name a script, a command, or an --image that runs by itself");
        return HS_EXIT_USAGE;
    }
    if (json_object_get(request, "name") == NULL && script->name[0] != '\0') {
        hs_jsonx_set_text(request, "name", script->name);
    }
    *ret_request = HS_STEAL(request);
    return HS_EXIT_OK;
}
