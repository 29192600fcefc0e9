/* SPDX-License-Identifier: Apache-2.0 */
/* hschedd - the daemon's main: options, signals, and the order in which things begin and end. */
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <event2/event.h>
#include <jansson.h>

#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"
#include "scheduler/daemon/accept.h"
#include "scheduler/daemon/api.h"
#include "scheduler/daemon/backup.h"
#include "scheduler/daemon/config.h"
#include "scheduler/daemon/daemon.h"
#include "scheduler/daemon/probe.h"
#include "scheduler/daemon/reactor.h"
#include "scheduler/daemon/restore.h"
#include "scheduler/model/advice.h"

#define ASSUMED_MAX 30 /* values named in one line of the log; the rest are counted */

/* interfaces.md, CLI */
enum exit_status {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_BAD_FILE = 6,
    EXIT_AGAIN = -1, /* none: another leads, so begin anew and wait */
};

struct options {
    const char *config;
    bool is_check;
    bool is_accept;
    bool takes_wall;
    const char *backup;  /* file to write, or NULL */
    const char *restore; /* file to read, or NULL */
    bool is_forced;
};

struct run {
    struct hs_reactor *reactor;
    struct hs_daemon *daemon; /* NULL until it was made */
    enum exit_status status;
    bool is_stopping; /* a signal asked for it */
};

static const char usage[] =
    "usage: hschedd --config FILE [--check] [--take-wall-clock]\n"
    "               [--log-level error|warn|info|debug]\n"
    "       hschedd --config FILE --accept-older-state\n"
    "       hschedd --config FILE --backup FILE\n"
    "       hschedd --config FILE --restore FILE [--check | --force]\n"
    "       hschedd --probe TARGET [--help]\n"
    "\n"
    "  --config FILE      hschedd.json; relative paths in it start from its directory\n"
    "  --check            read everything it names, say what is wrong, exit\n"
    "  --take-wall-clock  plan time begins as wall time, whatever it was before\n"
    "  --log-level LEVEL  how much goes to stderr (info)\n"
    "  --accept-older-state\n"
    "                     let what is in redis now be led, though this host has led newer or\n"
    "                     other state: what was written in between is lost; exit\n"
    "  --backup FILE      write the state in redis to FILE, while its leader goes on; exit\n"
    "  --restore FILE     put a backup into an empty redis while nobody leads; exit; with --check\n"
    "                     only read it and say what is in it\n"
    "  --force            of --restore: replace what redis holds\n"
    "  --probe TARGET     look at a register, a topic or a stream of readings; exit\n"
    "  --version          print the version\n"
    "  --help             print this\n"
    "\n"
    "Exit: 0 ended by TERM or INT, 1 failed, 2 usage, 6 a bad file.\n";

static bool set_log_level(const char *word)
{
    static const char *const words[] = {"error", "warn", "info", "debug"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i], word) == 0) {
            hs_log_set_level((enum hs_log_level)i);
            return true;
        }
    }
    fprintf(stderr, "hschedd: no log level '%s', use error, warn, info or debug\n", word);
    return false;
}

/** Do they go together? @return as read_options() */
static int check_options(const struct options *options)
{
    int n = (options->backup != NULL) + (options->restore != NULL) + options->is_accept;

    if (n > 1 || (options->is_check && (options->backup != NULL || options->is_accept))
        || (options->is_forced && (options->restore == NULL || options->is_check))) {
        fprintf(stderr,
                "hschedd: of --backup, --restore and --accept-older-state one at a time; "
                "--check goes with --restore or alone, --force with --restore\n\n%s",
                usage);
        return EXIT_USAGE;
    }
    return -1;
}

/** @return -1 to go on, else the exit status */
static int read_options(int argc, char **argv, struct options *ret_options)
{
    enum {
        OPT_CONFIG = 'c',
        OPT_CHECK = 'n',
        OPT_ACCEPT = 'a',
        OPT_WALL = 'w',
        OPT_BACKUP = 'b',
        OPT_RESTORE = 'r',
        OPT_FORCE = 'f',
        OPT_LEVEL = 'l',
        OPT_VERSION = 'V',
        OPT_HELP = 'h'
    };
    static const struct option longs[] = {
        {"config", required_argument, NULL, OPT_CONFIG},
        {"check", no_argument, NULL, OPT_CHECK},
        {"accept-older-state", no_argument, NULL, OPT_ACCEPT},
        {"take-wall-clock", no_argument, NULL, OPT_WALL},
        {"backup", required_argument, NULL, OPT_BACKUP},
        {"restore", required_argument, NULL, OPT_RESTORE},
        {"force", no_argument, NULL, OPT_FORCE},
        {"log-level", required_argument, NULL, OPT_LEVEL},
        {"version", no_argument, NULL, OPT_VERSION},
        {"help", no_argument, NULL, OPT_HELP},
        {0},
    };
    int opt;

    while ((opt = getopt_long(argc, argv, "c:hV", longs, NULL)) != -1) {
        switch (opt) {
        case OPT_CONFIG:
            ret_options->config = optarg;
            break;
        case OPT_CHECK:
            ret_options->is_check = true;
            break;
        case OPT_ACCEPT:
            ret_options->is_accept = true;
            break;
        case OPT_WALL:
            ret_options->takes_wall = true;
            break;
        case OPT_BACKUP:
            ret_options->backup = optarg;
            break;
        case OPT_RESTORE:
            ret_options->restore = optarg;
            break;
        case OPT_FORCE:
            ret_options->is_forced = true;
            break;
        case OPT_LEVEL:
            if (!set_log_level(optarg)) {
                return EXIT_USAGE;
            }
            break;
        case OPT_VERSION:
            puts("hschedd " HSCHED_VERSION);
            return EXIT_OK;
        case OPT_HELP:
            fputs(usage, stdout);
            return EXIT_OK;
        default:
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    if (ret_options->config == NULL || optind < argc) {
        fprintf(stderr, "hschedd: %s%s\n\n%s",
                optind < argc ? "takes no words, only options: "
                              : "name hschedd.json with --config FILE",
                optind < argc ? argv[optind] : "", usage);
        return EXIT_USAGE;
    }
    return check_options(ret_options);
}

static void on_stopped(void *arg)
{
    struct run *run = arg;

    hs_reactor_stop(run->reactor);
}

static void on_signal(void *arg)
{
    struct run *run = arg;

    run->is_stopping = true;
    HS_LOG_INFO("daemon", "stops; what runs goes on running");
    if (run->daemon != NULL) {
        hs_daemon_stop(run->daemon, on_stopped, run); /* a second signal does not wait */
    } else {
        on_stopped(run);
    }
}

static void on_fatal(void *arg, const struct hs_err *err)
{
    struct run *run = arg;

    HS_LOG_ERROR("daemon", "%s%s%s", err->where, err->where[0] != '\0' ? ": " : "", err->text);
    if (err->kind != HS_E_STALE) {
        run->status = EXIT_FAILED;
    } else if (!run->is_stopping) {
        run->status = EXIT_AGAIN;
    }
    hs_reactor_stop(run->reactor);
}

static int start_all(struct run *run, const struct hs_config *config, struct hs_daemon **ret_daemon,
                     struct hs_api **ret_api, struct hs_err *err)
{
    struct hs_executor *executor = hs_reactor_get_executor(run->reactor);
    int rc = hs_reactor_watch_signal(run->reactor, SIGTERM, on_signal, run, err);

    if (rc == 0) {
        rc = hs_reactor_watch_signal(run->reactor, SIGINT, on_signal, run, err);
    }
    if (rc == 0) {
        rc = hs_daemon_new(config, executor, on_fatal, run, ret_daemon, err);
    }
    if (rc == 0) {
        run->daemon = *ret_daemon;
        rc = hs_api_new(hs_reactor_get_base(run->reactor), *ret_daemon, ret_api, err);
    }
    return rc;
}

/** Into the log, once: what is unlikely to work, and what nobody measured or wrote. */
static void log_about_estate(const struct hs_estate *estate)
{
    HS_AUTO_MEM char *advice = hs_advice_format(estate, "");
    HS_AUTO_MEM char *assumed = hs_assumed_format_text(&estate->assumed, ASSUMED_MAX);
    char *rest = advice;
    const char *line;

    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        HS_LOG_WARN("daemon", "estate: %s", line);
    }
    if (estate->assumed.n > 0) {
        HS_LOG_INFO("daemon", "estate: %s; GET /v1/sites names their sources", assumed);
    }
}

static enum exit_status serve(const struct hs_config *config)
{
    HS_AUTO(hs_reactor) reactor = NULL;
    struct hs_daemon *daemon = NULL;
    struct hs_api *api = NULL;
    struct run run = {.status = EXIT_OK};
    struct hs_err err;

    if (hs_reactor_new(NULL, &reactor, &err) != 0) {
        HS_LOG_ERROR("daemon", "%s", err.text);
        return EXIT_FAILED;
    }
    run.reactor = reactor;
    log_about_estate(config->estate);
    if (start_all(&run, config, &daemon, &api, &err) != 0) {
        on_fatal(&run, &err);
    } else {
        hs_reactor_run(reactor);
    }
    /* the daemon first: it ends what is under way, and that is answered through the api */
    hs_daemon_free(daemon);
    hs_api_free(api);
    return run.status;
}

/** What runs out of memory in a library says so and ends, too. */
static void guard_memory(void)
{
    json_set_alloc_funcs(hs_mem_alloc, free);
    event_set_mem_functions(hs_mem_alloc, hs_mem_grow, free);
}

/** Is it to do one thing and end? */
static bool is_command(const struct options *options)
{
    return options->is_check || options->is_accept || options->backup != NULL
           || options->restore != NULL;
}

static void say_checked(const struct hs_config *config, const char *path)
{
    HS_AUTO_MEM char *advice = hs_advice_format(config->estate, "note: ");

    fputs(advice, stderr);
    printf("%s: ok\n", path);
}

/** @return exit status */
static int run_command(const struct hs_config *config, const struct options *options)
{
    const char *file = options->backup != NULL ? options->backup : options->restore;
    struct hs_err err;
    int rc = 0;

    if (options->restore != NULL) {
        rc = options->is_check
                 ? hs_restore_check(options->restore, &err)
                 : hs_restore_apply(config, options->restore, options->is_forced, &err);
    } else if (options->is_check) {
        say_checked(config, options->config);
    } else if (options->backup != NULL) {
        rc = hs_backup_write(config, options->backup, &err);
    } else {
        rc = hs_accept_apply(config, &err);
    }
    if (rc == 0) {
        return EXIT_OK;
    }
    fprintf(stderr, "hschedd: %s%s%s%s%s\n", file != NULL ? file : "", file != NULL ? ": " : "",
            err.where, err.where[0] != '\0' ? ": " : "", err.text);
    return options->restore != NULL && rc == -HS_E_INVALID ? EXIT_BAD_FILE : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    HS_AUTO(hs_config) config = NULL;
    HS_AUTO_MEM char *errors = NULL;
    struct options options = {0};
    int status;

    guard_memory();
    if (argc > 1 && strcmp(argv[1], "--probe") == 0) {
        return hs_probe_main(argc - 1, argv + 1);
    }
    status = read_options(argc, argv, &options);
    if (status >= 0) {
        return status;
    }
    if (hs_config_load(options.config, &config, &errors) != 0) {
        fputs(errors, stderr);
        return EXIT_BAD_FILE;
    }
    config->takes_wall_clock = options.takes_wall;
    if (is_command(&options)) {
        return run_command(config, &options);
    }
    do {
        /* what was decided on a lead that is lost is of no use: all of it is read anew */
        status = (int)serve(config);
    } while (status == EXIT_AGAIN);
    return status;
}
