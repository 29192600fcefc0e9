/* SPDX-License-Identifier: Apache-2.0 */
/* probe - options, and which kind of target it is. */
#include "scheduler/daemon/probe.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/timetext.h"
#include "scheduler/daemon/probe_priv.h"

#define COUNT_MAX         1000
#define FOR_DEFAULT_S     10
#define TIMEOUT_DEFAULT_S 2.0

/* interfaces.md, CLI */
enum probe_exit {
    PROBE_OK = 0,
    PROBE_FAILED = 1,
    PROBE_USAGE = 2,
    PROBE_NOTFOUND = 3,
    PROBE_DENIED = 4
};

static const char usage[] =
    "usage: hschedd --probe TARGET [OPTION...]\n"
    "\n"
    "  modbus://HOST[:PORT]/[UNIT/]TABLE/ADDRESS   a register in all types and word orders\n"
    "  mqtt://HOST[:PORT]/TOPIC, mqtts://...       messages of a topic (+ and # are allowed)\n"
    "  unix:/PATH, redis://HOST:PORT, rediss://... the newest entries of the readings stream\n"
    "\n"
    "  --count N             registers (4), messages (10) or entries (10) to show\n"
    "  --base 0|1            what the maker's list calls the first register (0)\n"
    "  --for SPAN            how long to listen to a topic (10s)\n"
    "  --cell NAME           whose stream (main)\n"
    "  --user NAME, --password-file FILE, --ca FILE\n"
    "                        who we are to the broker or redis, and whom we trust\n"
    "  --output table|json   json: one object a line\n";

static const struct option longs[] = {
    {"count", required_argument, NULL, 'n'},
    {"base", required_argument, NULL, 'b'},
    {"for", required_argument, NULL, 'f'},
    {"cell", required_argument, NULL, 'c'},
    {"user", required_argument, NULL, 'u'},
    {"ca", required_argument, NULL, 'a'},
    {"password-file", required_argument, NULL, 'p'},
    {"output", required_argument, NULL, 'o'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

/** The number in @text. @return false if it is none in min..max */
static bool parse_number(const char *text, int min, int max, int *ret_number)
{
    char *end;
    long number = strtol(text, &end, 10);

    *ret_number = (int)number;
    return end != text && *end == '\0' && number >= min && number <= max;
}

static bool take_option(int letter, struct hs_probe *probe)
{
    switch (letter) {
    case 'n':
        return parse_number(optarg, 1, COUNT_MAX, &probe->count);
    case 'b':
        return parse_number(optarg, 0, 1, &probe->base);
    case 'f':
        return hs_timetext_parse_duration(optarg, &probe->for_s, NULL) == 0 && probe->for_s > 0;
    case 'c':
        probe->cell = optarg;
        return true;
    case 'u':
        probe->user = optarg;
        return true;
    case 'a':
        probe->ca = optarg;
        return true;
    case 'p':
        probe->password_file = optarg;
        return true;
    case 'o':
        probe->is_json = strcmp(optarg, "json") == 0 || strcmp(optarg, "jsonl") == 0;
        return probe->is_json || strcmp(optarg, "table") == 0 || strcmp(optarg, "wide") == 0;
    default:
        return false;
    }
}

static bool begins(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static int look(const struct hs_probe *probe, struct hs_err *err)
{
    if (begins(probe->target, "modbus://")) {
        return hs_probe_read_modbus(probe, err);
    }
    if (begins(probe->target, "mqtt://") || begins(probe->target, "mqtts://")) {
        return hs_probe_hear_mqtt(probe, err);
    }
    if (begins(probe->target, "unix:") || begins(probe->target, "redis://")
        || begins(probe->target, "rediss://")) {
        return hs_probe_read_stream(probe, err);
    }
    return hs_err_set(
        err, HS_E_INVALID, NULL,
        "'%.80s' is no target: modbus://, mqtt://, mqtts://, redis:// or unix:", probe->target);
}

void hs_probe_print(const json_t *json)
{
    HS_AUTO_MEM char *text = hs_jsonx_format(json);

    puts(text);
    fflush(stdout);
}

int hs_probe_main(int argc, char **argv)
{
    struct hs_probe probe = {
        .for_s = FOR_DEFAULT_S, .timeout_s = TIMEOUT_DEFAULT_S, .cell = "main"};
    struct hs_err err;
    int letter;
    int rc;

    optind = 0;
    while ((letter = getopt_long(argc, argv, "o:h", longs, NULL)) != -1) {
        if (letter == 'h') {
            fputs(usage, stdout);
            return PROBE_OK;
        }
        if (!take_option(letter, &probe)) {
            if (letter != '?') {
                fprintf(stderr, "hschedd: '%s' cannot be meant\n\n", optarg);
            }
            fputs(usage, stderr);
            return PROBE_USAGE;
        }
    }
    if (optind != argc - 1) {
        fprintf(stderr, "hschedd: name one target\n\n%s", usage);
        return PROBE_USAGE;
    }
    probe.target = argv[optind];
    rc = look(&probe, &err);
    if (rc == 0) {
        return PROBE_OK;
    }
    fprintf(stderr, "hschedd: %s%s%s\n", err.where, err.where[0] != '\0' ? ": " : "", err.text);
    return rc == -HS_E_INVALID    ? PROBE_USAGE
           : rc == -HS_E_NOTFOUND ? PROBE_NOTFOUND
           : rc == -HS_E_DENIED   ? PROBE_DENIED
                                  : PROBE_FAILED;
}
