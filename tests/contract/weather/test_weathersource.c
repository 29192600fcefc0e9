/* SPDX-License-Identifier: Apache-2.0 */
/* Sources against a real HTTP server and real files; time is virtual, so days pass at once. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/weather/weathersource.h"
#include "scheduler/base/mem.h"
#include "scheduler/sim/virtual_executor.h"
#include "tests/contract/weather/weather_server.h"
#include "tests/support/near.h"

#define START  INT64_C(1767607200) /* 2026-01-05T10:00:00Z */
#define HOUR_S 3600

/** What a source has told. */
struct heard {
    int n_told;
    int n_trouble;
    int n_over;
    struct hs_outlook outlook;
    char trouble[192];
};

struct world {
    char dir[64];
    char url[128];
    struct hs_clock *clock;
    struct hs_virtual_executor *executor;
    struct weather_server *server;
    struct hs_weathersource *source;
    struct heard heard;
};

static void on_told(void *arg, const struct hs_outlook *outlook)
{
    struct heard *heard = arg;

    heard->n_told++;
    heard->outlook = *outlook;
}

static void on_trouble(void *arg, const struct hs_err *err)
{
    struct heard *heard = arg;

    heard->n_trouble += err != NULL;
    heard->n_over += err == NULL;
    snprintf(heard->trouble, sizeof(heard->trouble), "%s", err != NULL ? err->text : "");
}

static struct hs_weathersource_options options_of(struct world *world)
{
    return (struct hs_weathersource_options){
        .executor = hs_virtual_executor_get(world->executor),
        .clock = world->clock,
        .wall = world->clock,
        .kind = hs_weathersource_find_kind("open-meteo"),
        .name = "pool",
        .url = world->url,
        .contact = "ops@example.org",
        .cache_dir = world->dir,
        .timeout_s = 5,
        .chance = 7,
        .told = on_told,
        .trouble = on_trouble,
        .arg = &world->heard,
    };
}

static void begin(struct world *world)
{
    struct hs_weathersource_options options = options_of(world);

    world->source = hs_weathersource_new(&options);
}

/** Let time come to @after_s after the start, in steps in which the server's clock goes along. */
static void go_to(struct world *world, double after_s)
{
    double now_s = (double)hs_clock_at_s(world->clock) - (double)START;

    while (now_s < after_s) {
        now_s = fmin(after_s, now_s + 60);
        hs_virtual_executor_advance(world->executor, (double)START + now_s);
        if (world->server != NULL) {
            world->server->now_at_s = START + (int64_t)now_s;
        }
    }
}

static int setup(void **state)
{
    struct world *world = hs_xcalloc(1, sizeof(*world));

    snprintf(world->dir, sizeof(world->dir), "%s", "/tmp/hs-weather-XXXXXX");
    if (mkdtemp(world->dir) == NULL) {
        return -1;
    }
    world->clock = hs_clock_new_virtual(START);
    world->executor = hs_virtual_executor_new(world->clock);
    world->server = weather_server_start();
    world->server->now_at_s = START;
    world->server->changed_at_s = START - 600;
    world->server->t_out_c = -3;
    snprintf(world->url, sizeof(world->url), "http://127.0.0.1:%u/v1/forecast?latitude=50",
             world->server->port);
    *state = world;
    return 0;
}

static void remove_file(const struct world *world, const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", world->dir, name);
    (void)unlink(path);
}

static int teardown(void **state)
{
    static const char *const names[] = {"pool.json", "pool.meta.json", "a.json", "a.csv"};
    struct world *world = *state;

    hs_weathersource_free(world->source);
    weather_server_stop(world->server);
    hs_virtual_executor_free(world->executor);
    hs_clock_free(world->clock);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        remove_file(world, names[i]);
    }
    (void)chmod(world->dir, 0700);
    if (rmdir(world->dir) != 0) {
        return -1; /* a file was left over */
    }
    free(world);
    return 0;
}

/* --- a good service --- */

static void weathersource__asks_again_only_when_the_answer_has_expired(void **state)
{
    struct world *world = *state;

    begin(world);
    go_to(world, 1800);
    assert_int_equal(world->server->n_requests, 1);
    assert_int_equal(world->heard.n_told, 1);
    assert_int_equal(world->heard.outlook.issued_at_s, START - 600); /* its Last-Modified */
    assert_near(hs_outlook_get(&world->heard.outlook, START + HOUR_S).t_out_c, -3, 0);
    assert_string_equal(world->server->query, "/v1/forecast?latitude=50");
    assert_non_null(strstr(world->server->agent, "hsched/"));
    assert_non_null(strstr(world->server->agent, "ops@example.org"));
    go_to(world, 2100);
    assert_int_equal(world->server->n_requests, 2);
    assert_int_equal(world->server->n_conditional, 1);
    assert_int_equal(world->heard.n_told, 1); /* nothing new: 304 */
    world->server->changed_at_s = START + 2000;
    world->server->t_out_c = 4;
    go_to(world, 4200);
    assert_int_equal(world->server->n_requests, 3);
    assert_int_equal(world->heard.n_told, 2);
    assert_near(hs_outlook_get(&world->heard.outlook, START + 2 * HOUR_S).t_out_c, 4, 0);
    assert_int_equal(world->heard.n_trouble, 0);
}

static void weathersource__honours_max_age_over_a_day(void **state)
{
    struct world *world = *state;

    world->server->mode = SERVES_MAX_AGE;
    begin(world);
    go_to(world, 24 * HOUR_S);
    assert_true(world->server->n_requests <= 12); /* a day of two hours */
    assert_true(world->server->n_requests >= 11);
}

static void weathersource__a_restart_neither_forgets_nor_asks(void **state)
{
    struct world *world = *state;

    begin(world);
    go_to(world, 600);
    hs_weathersource_free(world->source);
    world->heard = (struct heard){0};
    begin(world);
    go_to(world, 1800);
    assert_int_equal(world->heard.n_told, 1); /* from the disk */
    assert_int_equal(world->heard.outlook.issued_at_s, START - 600);
    assert_near(hs_outlook_get(&world->heard.outlook, START + HOUR_S).t_out_c, -3, 0);
    assert_int_equal(world->server->n_requests, 1);
    go_to(world, 2100);
    assert_int_equal(world->server->n_requests, 2);
    assert_int_equal(world->server->n_conditional, 1); /* and knows what it has */
}

static void weathersource__a_crash_loop_asks_no_oftener(void **state)
{
    struct world *world = *state;

    world->server->mode = SERVES_500;
    for (int i = 0; i < 10; i++) {
        begin(world);
        go_to(world, 5.0 * (i + 1));
        hs_weathersource_free(world->source);
        world->source = NULL;
    }
    assert_int_equal(world->server->n_requests, 1);
}

static void weathersource__another_url_is_another_question(void **state)
{
    struct world *world = *state;

    begin(world);
    go_to(world, 60);
    hs_weathersource_free(world->source);
    strcat(world->url, "&longitude=9");
    world->heard = (struct heard){0};
    begin(world);
    go_to(world, 120);
    assert_int_equal(world->server->n_requests, 2);
    assert_int_equal(world->server->n_conditional, 0);
    assert_int_equal(world->heard.n_told, 1);
}

static void weathersource__a_service_that_is_to_end_is_used_and_named(void **state)
{
    struct world *world = *state;

    world->server->mode = SERVES_203;
    begin(world);
    go_to(world, 2 * HOUR_S);
    assert_int_equal(world->heard.n_told, 1);
    assert_int_equal(world->heard.n_trouble, 1);
    assert_non_null(strstr(world->heard.trouble, "to end"));
}

/* --- a bad one --- */

static void weathersource__fault_dead_service_is_left_in_peace(void **state)
{
    struct world *world = *state;
    struct hs_weathersource_status status;

    begin(world);
    go_to(world, 60);
    assert_int_equal(world->heard.n_told, 1);
    weather_server_stop(world->server);
    go_to(world, 24 * HOUR_S);
    hs_weathersource_get_status(world->source, &status);
    assert_int_equal(world->heard.n_told, 1);
    assert_non_null(strstr(world->heard.trouble, "no answer"));
    assert_int_equal(world->heard.n_trouble, 1); /* said once, not each time */
    assert_true(status.n_asked > 15 && status.n_asked < 35);
    assert_int_equal(status.issued_at_s, START - 600); /* what it said holds, with its age */
}

static void weathersource__fault_slow_service_costs_its_timeout_only(void **state)
{
    struct world *world = *state;
    struct hs_weathersource_options options = options_of(world);

    world->server->mode = SERVES_SLOWLY;
    options.timeout_s = 0.2;
    world->source = hs_weathersource_new(&options);
    go_to(world, 30);
    assert_int_equal(world->heard.n_told, 0);
    assert_string_equal(world->heard.trouble, "no answer in 0.2 s");
    world->server->mode = SERVES_NORMAL;
    go_to(world, 120);
    assert_int_equal(world->heard.n_told, 1);
    assert_int_equal(world->heard.n_over, 1);
}

/** A bad answer after a good one: said, not told, not kept. */
static void assert_bad_answer(void **state, enum weather_server_mode mode, const char *part)
{
    struct world *world = *state;

    begin(world);
    go_to(world, 60);
    world->server->mode = (int)mode;
    world->server->changed_at_s = START + 60;
    go_to(world, 2100);
    assert_true(world->server->n_requests >= 2);
    assert_int_equal(world->heard.n_told, 1);
    if (strstr(world->heard.trouble, part) == NULL) {
        fail_msg("'%s' does not say '%s'", world->heard.trouble, part);
    }
    hs_weathersource_free(world->source);
    world->heard = (struct heard){0};
    begin(world);
    go_to(world, 2101);
    assert_int_equal(world->heard.n_told, 1);
    assert_int_equal(world->heard.outlook.issued_at_s, START - 600);
}

static void weathersource__fault_garbage_keeps_the_last_forecast(void **state)
{
    assert_bad_answer(state, SERVES_GARBAGE, "'[' or '{' expected");
}

static void weathersource__fault_truncated_answer_keeps_the_last_forecast(void **state)
{
    assert_bad_answer(state, SERVES_TRUNCATED, "");
}

static void weathersource__fault_wrong_units_keep_the_last_forecast(void **state)
{
    assert_bad_answer(state, SERVES_UNITS, "'K' is not known");
}

static void weathersource__fault_huge_answer_keeps_the_last_forecast(void **state)
{
    assert_bad_answer(state, SERVES_HUGE, "larger than 2 MiB");
}

static void weathersource__fault_packed_bomb_keeps_the_last_forecast(void **state)
{
    assert_bad_answer(state, SERVES_BOMB, "larger than 2 MiB");
}

static void weathersource__fault_redirect_to_http_is_not_followed(void **state)
{
    assert_bad_answer(state, SERVES_REDIRECT, "302");
}

static void weathersource__fault_no_tls_is_no_answer(void **state)
{
    struct world *world = *state;

    snprintf(world->url, sizeof(world->url), "https://127.0.0.1:%u/v1/forecast",
             world->server->port);
    begin(world);
    go_to(world, 60);
    assert_int_equal(world->heard.n_told, 0);
    assert_int_equal(world->server->n_requests, 0);
    assert_non_null(strstr(world->heard.trouble, "no answer: "));
}

static void weathersource__fault_too_many_requests_waits_as_long_as_asked(void **state)
{
    struct world *world = *state;

    world->server->mode = SERVES_429;
    begin(world);
    go_to(world, 7190);
    assert_int_equal(world->server->n_requests, 1);
    go_to(world, 7300);
    assert_int_equal(world->server->n_requests, 2);
    assert_non_null(strstr(world->heard.trouble, "429"));
}

static void weathersource__fault_refusal_is_not_repeated_within_the_hour(void **state)
{
    struct world *world = *state;

    world->server->mode = SERVES_403;
    begin(world);
    go_to(world, 3590);
    assert_int_equal(world->server->n_requests, 1);
    assert_non_null(strstr(world->heard.trouble, "contact"));
}

static void weathersource__fault_server_error_backs_off(void **state)
{
    struct world *world = *state;

    world->server->mode = SERVES_500;
    begin(world);
    go_to(world, 6 * HOUR_S);
    assert_true(world->server->n_requests >= 8 && world->server->n_requests <= 13);
}

/* --- the disk --- */

static void weathersource__fault_damaged_cache_is_no_answer(void **state)
{
    struct world *world = *state;
    char path[128];
    FILE *file;

    begin(world);
    go_to(world, 60);
    hs_weathersource_free(world->source);
    snprintf(path, sizeof(path), "%s/pool.json", world->dir);
    file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, 40, SEEK_SET), 0);
    assert_true(fputs("9", file) >= 0);
    assert_int_equal(fclose(file), 0);
    world->heard = (struct heard){0};
    begin(world);
    go_to(world, 2100);
    assert_int_equal(world->heard.n_told, 1);
    assert_int_equal(world->server->n_requests, 2);
    assert_int_equal(world->server->n_conditional, 0); /* the whole of it, please */
}

static void weathersource__fault_cache_cannot_be_written(void **state)
{
    struct world *world = *state;
    struct hs_weathersource_options options = options_of(world);

    options.cache_dir = "/proc/nowhere/weather";
    world->source = hs_weathersource_new(&options);
    go_to(world, 60);
    assert_int_equal(world->heard.n_told, 1);
    assert_non_null(strstr(world->heard.trouble, "folder"));
}

/* --- files --- */

static void write_file(const struct world *world, const char *name, const char *text)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", world->dir, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void begin_file(struct world *world, const char *kind, const char *name)
{
    struct hs_weathersource_options options = options_of(world);
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", world->dir, name);
    options.kind = hs_weathersource_find_kind(kind);
    options.url = NULL;
    options.path = path;
    world->source = hs_weathersource_new(&options);
}

static void weathersource__fault_file_missing_then_half_written_then_there(void **state)
{
    static const char good[] =
        "{\"hourly_units\":{\"time\":\"unixtime\",\"temperature_2m\":\"°C\"},\"hourly\":{\"time\":"
        "[1767607200,1767610800,1767614400],\"temperature_2m\":[1,1,1]}}";
    struct world *world = *state;

    begin_file(world, "open-meteo", "a.json");
    go_to(world, 30);
    assert_int_equal(world->heard.n_trouble, 1);
    assert_non_null(strstr(world->heard.trouble, "cannot open"));
    write_file(world, "a.json", "{\"hourly_units\":{\"time\"");
    go_to(world, 90);
    assert_int_equal(world->heard.n_told, 0);
    write_file(world, "a.json", good);
    go_to(world, 150);
    assert_int_equal(world->heard.n_told, 1);
    assert_int_equal(world->heard.n_over, 1);
    assert_int_equal(world->heard.outlook.issued_at_s, START); /* the file is much newer */
    go_to(world, 600);
    assert_int_equal(world->heard.n_told, 1); /* read again on change only */
    write_file(world, "a.json", "{}");
    go_to(world, 700);
    assert_int_equal(world->heard.n_told, 1);
    assert_non_null(strstr(world->heard.trouble, "no hourly forecast"));
}

static void weathersource__tells_each_recorded_issue_when_it_comes_out(void **state)
{
    struct world *world = *state;

    write_file(world, "a.csv",
               "issue_utc,lead_h,valid_start_utc,t_out_c_fc\n"
               "2026-01-05T11:00:00Z,1,2026-01-05T11:00:00Z,1\n"
               "2026-01-05T12:00:00Z,1,2026-01-05T12:00:00Z,2\n");
    begin_file(world, "csv", "a.csv");
    go_to(world, HOUR_S - 1);
    assert_int_equal(world->heard.n_told, 0); /* nothing sees the future */
    go_to(world, HOUR_S + 1);
    assert_int_equal(world->heard.n_told, 1);
    assert_near(world->heard.outlook.hours[0].t_out_c, 1, 0);
    go_to(world, 2 * HOUR_S - 1);
    assert_int_equal(world->heard.n_told, 1);
    go_to(world, 3 * HOUR_S);
    assert_int_equal(world->heard.n_told, 2);
    assert_near(world->heard.outlook.hours[0].t_out_c, 2, 0);
    assert_int_equal(world->heard.n_trouble, 0);
}

/* --- the rest --- */

static void weathersource__freed_while_it_reads_says_no_more(void **state)
{
    struct world *world = *state;

    begin(world);
    hs_virtual_executor_advance(world->executor, (double)START); /* the timer: a read begins */
    hs_weathersource_free(world->source);
    world->source = NULL;
    world->heard = (struct heard){0};
    go_to(world, HOUR_S);
    assert_int_equal(world->heard.n_told + world->heard.n_trouble, 0);
    assert_true(world->server->n_requests <= 1);
}

static void weathersource__asks_by_https_or_on_this_machine_only(void **state)
{
    assert_int_equal(hs_weathersource_check_url("https://api.met.no/x?lat=1", NULL), 0);
    assert_int_equal(hs_weathersource_check_url("http://localhost:8080/x", NULL), 0);
    assert_int_equal(hs_weathersource_check_url("http://[::1]/x", NULL), 0);
    assert_true(hs_weathersource_check_url("http://api.met.no/x", NULL) < 0);
    assert_true(hs_weathersource_check_url("http://localhost.example.org/x", NULL) < 0);
    assert_true(hs_weathersource_check_url("http://127.0.0.1@example.org/x", NULL) < 0);
    assert_true(hs_weathersource_check_url("file:///etc/passwd", NULL) < 0);
    assert_true(hs_weathersource_check_url("https://", NULL) < 0);
    assert_true(hs_weathersource_check_url("https://a b", NULL) < 0);
}

static void weathersource__asks_for_a_place_with_four_decimals(void **state)
{
    char url[512];

    hs_weathersource_format_url(hs_weathersource_find_kind("met-norway"), 54.913811, 9.792178, url,
                                sizeof(url));
    assert_string_equal(
        url, "https://api.met.no/weatherapi/locationforecast/2.0/compact?lat=54.9138&lon=9.7922");
    assert_null(hs_weathersource_find_kind("crystal-ball"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(weathersource__##name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(asks_again_only_when_the_answer_has_expired),
        CASE(honours_max_age_over_a_day),
        CASE(a_restart_neither_forgets_nor_asks),
        CASE(a_crash_loop_asks_no_oftener),
        CASE(another_url_is_another_question),
        CASE(a_service_that_is_to_end_is_used_and_named),
        CASE(fault_dead_service_is_left_in_peace),
        CASE(fault_slow_service_costs_its_timeout_only),
        CASE(fault_garbage_keeps_the_last_forecast),
        CASE(fault_truncated_answer_keeps_the_last_forecast),
        CASE(fault_wrong_units_keep_the_last_forecast),
        CASE(fault_huge_answer_keeps_the_last_forecast),
        CASE(fault_packed_bomb_keeps_the_last_forecast),
        CASE(fault_redirect_to_http_is_not_followed),
        CASE(fault_no_tls_is_no_answer),
        CASE(fault_too_many_requests_waits_as_long_as_asked),
        CASE(fault_refusal_is_not_repeated_within_the_hour),
        CASE(fault_server_error_backs_off),
        CASE(fault_damaged_cache_is_no_answer),
        CASE(fault_cache_cannot_be_written),
        CASE(fault_file_missing_then_half_written_then_there),
        CASE(tells_each_recorded_issue_when_it_comes_out),
        CASE(freed_while_it_reads_says_no_more),
        CASE(asks_by_https_or_on_this_machine_only),
        CASE(asks_for_a_place_with_four_decimals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
