/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_parsers PARSER CORPUS_DIR SECONDS SEED - mutated and random input into one parser.
 *
 * First every file of the corpus as it is, then mutations of them until the time is over. The
 * same seed gives the same inputs. Finds what ASan and UBSan find: build with
 * -Db_sanitize=address,undefined. The input at hand is kept in fuzz-<parser>.input, so that a
 * crash leaves it behind; put it into the corpus with its mend.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/plant/mqttpayload.h"
#include "adapters/plant/plant_modbus_link.h"
#include "adapters/signal/signal.h"
#include "adapters/weather/issuedcsv.h"
#include "adapters/weather/metno.h"
#include "adapters/weather/openmeteo.h"
#include "policies/policy.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"
#include "scheduler/base/timezone.h"
#include "scheduler/model/estate.h"
#include "scheduler/model/job.h"
#include "scheduler/sim/jobtrace.h"
#include "scheduler/sim/swf.h"

#define N_SEEDS_MAX  64
#define INPUT_MAX    65536
#define NOW_AT_S     1767607200 /* 2026-01-05T10:00:00Z */
#define SHARE_RANDOM 16         /* one input in so many is bytes from nowhere */

struct input {
    char *bytes; /* NUL-terminated, owned */
    size_t n;
};

struct parser {
    const char *name;
    void (*parse)(const struct input *input, const char *path);
};

/* --- the parsers --- */

static void parse_json(const struct input *input, const char *path)
{
    json_auto_t *json = NULL;

    if (hs_jsonx_parse("input", input->bytes, input->n, &json, NULL) == 0) {
        HS_AUTO_MEM char *text = hs_jsonx_format(json);
    }
}

static void parse_duration(const struct input *input, const char *path)
{
    int64_t span_s;
    char text[HS_TIMETEXT_MAX];

    if (hs_timetext_parse_duration(input->bytes, &span_s, NULL) == 0) {
        hs_timetext_format_duration(span_s, text);
    }
}

static void parse_time(const struct input *input, const char *path)
{
    int64_t at_s;
    char text[HS_TIMETEXT_MAX];

    if (hs_timetext_parse(input->bytes, NOW_AT_S, &at_s, NULL) == 0) {
        hs_timetext_format(at_s, text);
    }
}

/* What a device answers, through libmodbus, to a read of each table; then as every number. */
static void parse_modbus(const struct input *input, const char *path)
{
    for (int table = HS_POINTMAP_HOLDING; table <= HS_POINTMAP_DISCRETE; table++) {
        HS_AUTO(hs_plant_modbus_link) link = hs_plant_modbus_link_new("fuzz", 502, 0.1);
        const struct hs_registers_block block = {
            .unit = 1, .table = (enum hs_pointmap_table)table, .count = HS_REGISTERS_WIDTH_MAX};
        uint16_t words[HS_REGISTERS_WIDTH_MAX];
        int fds[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
            perror("socketpair");
            exit(1);
        }
        hs_plant_modbus_link_set_socket(link, fds[0]);
        if (send(fds[1], input->bytes, input->n, MSG_DONTWAIT) >= 0
            && shutdown(fds[1], SHUT_WR) == 0
            && hs_plant_modbus_link_read(link, &block, words, NULL) == 0) {
            for (int type = HS_POINTMAP_INT16; type <= HS_POINTMAP_BOOL; type++) {
                const struct hs_pointmap_register reg = {
                    .type = (enum hs_pointmap_type)type, .order = type % 4, .scale = 0.1};

                (void)hs_registers_decode(&reg, words);
            }
        }
        close(fds[1]);
    }
}

/* A line with the pointer, then the payload. */
static void parse_mqtt(const struct input *input, const char *path)
{
    char pointer[HS_POINTMAP_POINTER_MAX] = "";
    const char *newline = memchr(input->bytes, '\n', input->n);
    size_t n = newline != NULL ? (size_t)(newline - input->bytes) : 0;
    size_t skipped = newline != NULL ? n + 1 : 0;
    double value;

    if (n < sizeof(pointer)) {
        memcpy(pointer, input->bytes, n);
    }
    if (pointer[0] == '/' || pointer[0] == '\0') {
        (void)hs_mqttpayload_read(input->bytes + skipped, input->n - skipped, pointer, &value,
                                  NULL);
    }
}

static void parse_estate(const struct input *input, const char *path)
{
    struct hs_conf_report report = {.file = "input", .text = input->bytes};
    HS_AUTO(hs_estate) estate = NULL;

    (void)hs_estate_parse("input", input->bytes, &report, &estate);
    hs_conf_report_fini(&report);
}

static void parse_policy(const struct input *input, const char *path)
{
    struct hs_conf_report report = {.file = "input", .text = input->bytes};
    HS_AUTO(hs_policy) policy = hs_policy_new();

    (void)hs_policy_parse(policy, "input", input->bytes, &report);
    hs_conf_report_fini(&report);
}

static void parse_job(const struct input *input, const char *path)
{
    struct hs_conf_report report = {.file = "input", .text = input->bytes};
    json_auto_t *json = NULL;
    HS_AUTO(hs_job) job = NULL;
    HS_AUTO(hs_job) stored = NULL;

    if (hs_jsonx_parse("input", input->bytes, input->n, &json, NULL) == 0) {
        (void)hs_job_parse_request(json, NOW_AT_S, &report, &job);
        (void)hs_job_parse(json, &stored, NULL);
    }
    hs_conf_report_fini(&report);
}

static void parse_csv(const struct input *input, const char *path)
{
    struct hs_signal_spec spec = {.column = "heat_kw", .scale = 1};
    struct hs_signal_options options = {.base_dir = "/", .quantity = &hs_signal_heat};
    HS_AUTO(hs_series) series = NULL;

    snprintf(spec.csv, sizeof(spec.csv), "%s", path);
    if (hs_signal_load_with(&spec, &options, &series, NULL) == 0) {
        (void)hs_series_get_known_ratio(series, NOW_AT_S - 86400, NOW_AT_S);
        (void)hs_series_get_expected(series, NOW_AT_S);
    }
}

static void parse_swf(const struct input *input, const char *path)
{
    struct hs_jobtrace swf = {0};
    struct hs_jobtrace csv = {0};

    (void)hs_swf_read(path, &swf, NULL);
    (void)hs_jobtrace_read_csv(path, &csv, NULL);
    free(swf.items);
    free(csv.items);
}

static void parse_tzif(const struct input *input, const char *path)
{
    HS_AUTO(hs_timezone) timezone = NULL;

    if (hs_timezone_parse("input", (const uint8_t *)input->bytes, input->n, &timezone, NULL) == 0) {
        for (int64_t at_s = -NOW_AT_S; at_s < 4 * (int64_t)NOW_AT_S; at_s += NOW_AT_S / 16) {
            (void)hs_timezone_get_offset_s(timezone, at_s);
        }
    }
}

static void parse_weather(const struct input *input, const char *path)
{
    HS_AUTO(hs_issuedcsv) issued = NULL;
    struct hs_outlook outlook;

    (void)hs_openmeteo_parse("input", input->bytes, input->n, NOW_AT_S, &outlook, NULL);
    (void)hs_openmeteo_parse("input", input->bytes, input->n, INT64_MAX, &outlook, NULL);
    (void)hs_metno_parse("input", input->bytes, input->n, NOW_AT_S, &outlook, NULL);
    if (hs_issuedcsv_read(path, &issued, NULL) == 0) {
        (void)hs_issuedcsv_find(issued, NOW_AT_S);
    }
}

static const struct parser parsers[] = {
    {"modbus", parse_modbus},     {"mqtt", parse_mqtt}, {"json", parse_json},
    {"duration", parse_duration}, {"time", parse_time}, {"estate", parse_estate},
    {"policy", parse_policy},     {"job", parse_job},   {"csv", parse_csv},
    {"swf", parse_swf},           {"tzif", parse_tzif}, {"weather", parse_weather},
};

/* --- inputs --- */

/* xorshift64*: the same inputs everywhere for the same seed */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 2685821657736338717ULL;
}

static size_t below(uint64_t *state, size_t n)
{
    return n > 0 ? (size_t)(next_random(state) % n) : 0;
}

static void replace_part(struct input *input, size_t at, size_t n_cut, const char *bytes,
                         size_t n_bytes)
{
    size_t n = input->n - n_cut + n_bytes;

    if (n > INPUT_MAX) {
        return;
    }
    if (n > input->n) {
        input->bytes = hs_xrealloc(input->bytes, n + 1, 1);
    }
    memmove(input->bytes + at + n_bytes, input->bytes + at + n_cut, input->n - at - n_cut);
    memcpy(input->bytes + at, bytes, n_bytes);
    input->n = n;
    input->bytes[n] = '\0';
}

static void mutate(struct input *input, const struct input *other, uint64_t *state)
{
    static const char *const words[] = {
        "-1",
        "0",
        "1e999",
        "nan",
        "null",
        "true",
        "\"\"",
        "{}",
        "[",
        "[[[[[[[[",
        "\\u0000",
        "",
        "\xff",
        "\"a\"",
        "9223372036854775808",
        "0.1",
        ",",
        ":",
        "\n",
        ";",
        "\r\n",
        "1970-01-01T00:00:00Z",
        "9999-12-31T23:59:60Z",
        "-0",
        "1e-400",
        "18446744073709551616",
        "%s",
        "../../etc",
    };
    size_t at = below(state, input->n + 1);
    size_t n_left = input->n - at;
    const char *word = words[below(state, sizeof(words) / sizeof(words[0]))];
    char byte = (char)next_random(state);

    switch (below(state, 6)) {
    case 0:
        replace_part(input, at, n_left > 0, &byte, 1);
        break;
    case 1:
        replace_part(input, at, below(state, n_left < 16 ? n_left + 1 : 16), "", 0);
        break;
    case 2:
        replace_part(input, at, 0, word, strlen(word));
        break;
    case 3:
        replace_part(input, at, below(state, n_left < 8 ? n_left + 1 : 8), word, strlen(word));
        break;
    case 4: {
        size_t from = below(state, other->n + 1);

        replace_part(input, at, 0, other->bytes + from, below(state, other->n - from + 1));
        break;
    }
    default:
        replace_part(input, at, n_left, "", 0);
        break;
    }
}

static struct input make_input(const struct input *seeds, size_t n_seeds, uint64_t *state)
{
    const struct input *seed = &seeds[below(state, n_seeds)];
    size_t n_changes = 1 + below(state, 8);
    struct input input = {.bytes = hs_xcalloc(seed->n + 1, 1), .n = seed->n};

    memcpy(input.bytes, seed->bytes, seed->n);
    if (below(state, SHARE_RANDOM) == 0) {
        input.n = below(state, input.n + 1);
        for (size_t i = 0; i < input.n; i++) {
            input.bytes[i] = (char)next_random(state);
        }
        input.bytes[input.n] = '\0';
        return input;
    }
    for (size_t i = 0; i < n_changes; i++) {
        mutate(&input, &seeds[below(state, n_seeds)], state);
    }
    return input;
}

static size_t read_seeds(const char *dir, struct input *seeds)
{
    DIR *folder = opendir(dir);
    size_t n = 0;
    struct dirent *entry;

    while (folder != NULL && n < N_SEEDS_MAX && (entry = readdir(folder)) != NULL) {
        char path[1024];
        FILE *file;

        snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        file = entry->d_name[0] != '.' ? fopen(path, "rb") : NULL;
        if (file != NULL) {
            seeds[n].bytes = hs_xcalloc(INPUT_MAX + 1, 1);
            seeds[n].n = fread(seeds[n].bytes, 1, INPUT_MAX, file);
            n++;
            fclose(file);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return n;
}

/* --- the run --- */

static void run_one(const struct parser *parser, const struct input *input, int fd,
                    const char *path)
{
    if (ftruncate(fd, 0) != 0 || pwrite(fd, input->bytes, input->n, 0) != (ssize_t)input->n) {
        perror(path);
        exit(1);
    }
    parser->parse(input, path);
}

static int run(const struct parser *parser, const char *dir, double span_s, uint64_t seed)
{
    HS_AUTO(hs_clock) clock = hs_clock_new_real();
    double end_mono_s = hs_clock_mono_s(clock) + span_s;
    struct input seeds[N_SEEDS_MAX] = {{0}};
    size_t n_seeds = read_seeds(dir, seeds);
    size_t n_inputs = 0;
    uint64_t state = seed != 0 ? seed : 1;
    char name[64];
    HS_AUTO_MEM char *path = NULL;
    HS_AUTO_FD fd = -1;

    snprintf(name, sizeof(name), "fuzz-%s.input", parser->name);
    fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    path = realpath(name, NULL);
    if (n_seeds == 0 || fd < 0 || path == NULL) {
        fprintf(stderr, "fuzz_parsers: no corpus in '%s', or cannot write '%s'\n", dir, name);
        return 1;
    }
    for (size_t i = 0; i < n_seeds; i++) {
        run_one(parser, &seeds[i], fd, path);
    }
    for (; hs_clock_mono_s(clock) < end_mono_s; n_inputs++) {
        struct input input = make_input(seeds, n_seeds, &state);

        run_one(parser, &input, fd, path);
        free(input.bytes);
    }
    for (size_t i = 0; i < n_seeds; i++) {
        free(seeds[i].bytes);
    }
    (void)unlink(name);
    printf("%s: %zu of the corpus, %zu mutated\n", parser->name, n_seeds, n_inputs);
    return 0;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 5 && i < sizeof(parsers) / sizeof(parsers[0]); i++) {
        if (strcmp(argv[1], parsers[i].name) == 0) {
            return run(&parsers[i], argv[2], strtod(argv[3], NULL), strtoull(argv[4], NULL, 10));
        }
    }
    fprintf(stderr, "usage: fuzz_parsers PARSER CORPUS_DIR SECONDS SEED\n");
    return 2;
}
