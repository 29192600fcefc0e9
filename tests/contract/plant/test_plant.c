/* SPDX-License-Identifier: Apache-2.0 */
/* What every plant backend must do, and what the stream does with what anyone may add to it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "adapters/plant/plant.h"
#include "adapters/plant/plant_modbus.h"
#include "adapters/plant/plant_modbus_server.h"
#include "adapters/plant/plant_push.h"
#include "adapters/redis/redis_access.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"
#include "scheduler/daemon/reactor.h"
#include "tests/support/near.h"
#include "tests/support/redis_server.h"

#define STREAM    "hs:{t}:readings"
#define DEMAND    "pool/main/basin/demand_heat_w"
#define MAPPED    "pool/main/return_c"
#define SEEN_MAX  64
#define NOW_AT_S  1767607200 /* 2026-01-05T10:00:00Z */
#define NOW_TEXT  "2026-01-05T10:00:00Z"
#define PATIENT_S 15.0

static const char estate_text[] =
    "{\"estate\":\"e\",\"cell\":\"t\",\"sites\":[{\"name\":\"pool\","
    "\"electricity\":{\"price_cur_per_mwh\":100},\"loops\":[{\"name\":\"main\","
    "\"tank\":{\"volume_l\":1000,\"min_c\":35,\"max_c\":60},\"sinks\":[{\"name\":\"basin\","
    "\"kind\":\"pool\",\"points\":{\"demand_heat_w\":{\"modbus\":\"plc\",\"table\":\"input\","
    "\"address\":7,\"type\":\"uint16\",\"scale\":10,\"confirm\":1}},\"backup\":{\"kind\":\"gas-"
    "boiler\",\"price_cur_per_mwh\":80}}]}],"
    "\"racks\":[{\"name\":\"r\",\"hosts\":[{\"name\":\"h\",\"uri\":\"sim:\",\"vcpus\":8,"
    "\"memory_mib\":1024,\"idle_w\":50,\"max_w\":250}]}]}]}";

static struct hs_redis_server *server; /* NULL: none installed */

enum backend { BACKEND_CSV, BACKEND_SIM, BACKEND_REDIS, BACKEND_MODBUS, BACKEND_PUSH };
static enum backend rows[] = {BACKEND_CSV, BACKEND_SIM, BACKEND_REDIS, BACKEND_MODBUS,
                              BACKEND_PUSH};

struct fixture {
    enum backend backend;
    struct hs_reactor *reactor;
    struct hs_clock *clock;
    struct hs_estate *estate;
    struct hs_series *demand_heat_w;
    const struct hs_series *all[1];
    struct hs_plant *plant;
    struct hs_plant_modbus_server *device;
    struct hs_timer *guard;
    struct hs_timer *probe;
    bool is_overdue;
    size_t n_wanted; /* readings and refusals */
    struct hs_reading readings[SEEN_MAX];
    size_t n_readings;
    char refusals[SEEN_MAX][256];
    size_t n_refusals;
    int n_probes;
};

static void on_any(struct fixture *f)
{
    assert_true(f->n_readings < SEEN_MAX && f->n_refusals < SEEN_MAX);
    if (f->n_readings + f->n_refusals >= f->n_wanted) {
        hs_reactor_stop(f->reactor);
    }
}

static void on_reading(void *arg, const struct hs_reading *reading)
{
    struct fixture *f = arg;

    f->readings[f->n_readings++] = *reading;
    on_any(f);
}

static void on_refused(void *arg, const char *text)
{
    struct fixture *f = arg;

    snprintf(f->refusals[f->n_refusals++], sizeof(f->refusals[0]), "%s", text);
    on_any(f);
}

static void overdue(void *arg)
{
    struct fixture *f = arg;

    f->is_overdue = true;
    hs_reactor_stop(f->reactor);
}

/* Run until so many readings and refusals have come in this call. */
static void wait_for(struct fixture *f, size_t n_wanted)
{
    f->n_readings = 0;
    f->n_refusals = 0;
    f->n_wanted = n_wanted;
    hs_executor_timer_set(hs_reactor_get_executor(f->reactor), f->guard, PATIENT_S);
    hs_reactor_run(f->reactor);
    assert_false(f->is_overdue);
}

/* A device on a port of its own that says what the other backends say. */
static void make_modbus(struct fixture *f, const struct hs_plant_options *options)
{
    const struct hs_plant_modbus_server_options server_options = {.executor = options->executor,
                                                                  .host = "127.0.0.1"};
    struct hs_plant_modbus_device device = {
        .name = "plc", .host = "127.0.0.1", .period_s = 1, .timeout_s = 5.0};
    const uint16_t tens_of_w = 2150;

    assert_int_equal(hs_plant_modbus_server_new(&server_options, &f->device, NULL), 0);
    hs_plant_modbus_server_set(f->device, HS_POINTMAP_INPUT, 7, &tens_of_w, 1);
    device.port = hs_plant_modbus_server_get_port(f->device);
    assert_int_equal(hs_plant_modbus_new(options, &device, &f->plant, NULL), 0);
}

static void make_plant(struct fixture *f)
{
    const struct hs_plant_options options = {
        .executor = hs_reactor_get_executor(f->reactor),
        .clock = f->clock,
        .estate = f->estate,
        .listener = {.reading = on_reading, .refused = on_refused, .arg = f},
        .period_plan_s = 0.05,
    };

    if (f->backend != BACKEND_MODBUS) { /* one point has one source: here it is return_c's */
        struct hs_pointmap_row *row = &f->estate->points->rows[0];

        assert_int_equal(hs_reading_parse_point(f->estate, MAPPED, &row->point, NULL), 0);
    }
    switch (f->backend) {
    case BACKEND_CSV:
        f->plant = hs_plant_csv_new(&options, f->all);
        break;
    case BACKEND_SIM:
        f->plant = hs_plant_sim_new(&options, f->all);
        break;
    case BACKEND_REDIS:
        if (server != NULL) {
            assert_int_equal(hs_plant_redis_new(
                                 &options,
                                 &(struct hs_redis_access){.url = hs_redis_server_get_url(server)},
                                 "t", &f->plant, NULL),
                             0);
        }
        break;
    case BACKEND_MODBUS:
        make_modbus(f, &options);
        break;
    case BACKEND_PUSH:
        f->plant = hs_plant_push_new(&options);
        break;
    }
}

static int setup(void **state)
{
    struct fixture *f = hs_xcalloc(1, sizeof(*f));
    struct hs_conf_report report = {0};

    f->backend = *(enum backend *)*state;
    *state = f;
    assert_int_equal(hs_reactor_new(NULL, &f->reactor, NULL), 0);
    f->guard = hs_executor_timer_add(hs_reactor_get_executor(f->reactor), -1.0, overdue, f);
    f->clock = hs_clock_new_accelerated(NOW_AT_S, 1.0);
    assert_int_equal(hs_estate_parse(NULL, estate_text, &report, &f->estate), 0);
    hs_conf_report_fini(&report);
    f->demand_heat_w = hs_series_new();
    hs_series_add(f->demand_heat_w, NOW_AT_S - 3600, 5000.0);
    hs_series_add(f->demand_heat_w, NOW_AT_S, 21500.0);
    hs_series_add(f->demand_heat_w, NOW_AT_S + 3600, 6000.0);
    f->all[0] = f->demand_heat_w;
    make_plant(f);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    hs_plant_free(f->plant);
    hs_plant_modbus_server_free(f->device);
    hs_executor_timer_remove(hs_reactor_get_executor(f->reactor), f->probe);
    hs_executor_timer_remove(hs_reactor_get_executor(f->reactor), f->guard);
    hs_series_free(f->demand_heat_w);
    hs_estate_free(f->estate);
    hs_clock_free(f->clock);
    hs_reactor_free(f->reactor);
    free(f);
    return 0;
}

static void add(const char *point, const char *value, const char *at)
{
    redisReply *reply = hs_redis_server_command(server, "XADD %s * point %s value %s at %s", STREAM,
                                                point, value, at);

    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_REPLY_STRING);
    freeReplyObject(reply);
}

/* Add a probe now and again until the plant listens: it begins at what is newest then. */
static void add_probe(void *arg)
{
    struct fixture *f = arg;

    f->n_probes++;
    add(DEMAND, "1", NOW_TEXT);
    hs_executor_timer_set(hs_reactor_get_executor(f->reactor), f->probe, 0.05);
}

static struct fixture *started(void **state)
{
    struct fixture *f = *state;

    if (f->plant == NULL) {
        print_message("no redis-server installed\n");
        skip();
    }
    hs_plant_start(f->plant);
    assert_int_equal(f->n_readings, 0); /* never inside the call */
    return f;
}

static void push_one(void *arg)
{
    struct fixture *f = arg;
    json_auto_t *json = hs_jsonx_object();

    hs_jsonx_set_text(json, "point", DEMAND);
    hs_jsonx_set_real(json, "value", 21500);
    hs_jsonx_set_text(json, "at", NOW_TEXT);
    assert_int_equal(hs_plant_push_take(f->plant, json, NULL), 0);
}

/* A stream that is being read, with nothing in it that was not delivered. */
static struct fixture *listening(void **state)
{
    struct fixture *f = started(state);

    f->probe = hs_executor_timer_add(hs_reactor_get_executor(f->reactor), 0.0, add_probe, f);
    wait_for(f, 1);
    hs_executor_timer_set(hs_reactor_get_executor(f->reactor), f->probe, -1.0);
    add(DEMAND, "2", NOW_TEXT);
    while (f->readings[f->n_readings - 1].value < 2) {
        wait_for(f, 1);
    }
    return f;
}

/* ---- every backend ---- */

static void plant__delivers_demand_with_both_times_and_quality(void **state)
{
    bool is_stream = ((struct fixture *)*state)->backend == BACKEND_REDIS;
    struct fixture *f = is_stream ? listening(state) : started(state);
    const struct hs_reading *reading = NULL;

    if (is_stream) {
        add(DEMAND, "21500", NOW_TEXT);
    } else if (f->backend == BACKEND_PUSH) {
        f->probe = hs_executor_timer_add(hs_reactor_get_executor(f->reactor), 0.0, push_one, f);
    }
    for (int i = 0; i < 20 && reading == NULL; i++) {
        wait_for(f, 1);
        if (f->readings[0].point.kind == HS_POINT_DEMAND_HEAT_W) {
            reading = &f->readings[0];
        }
    }
    assert_non_null(reading);
    assert_int_equal(reading->point.thing_idx, 0);
    assert_near(reading->value, 21500.0, 1e-9);
    assert_int_equal(reading->quality, HS_QUALITY_GOOD);
    assert_true(reading->taken_at_s >= NOW_AT_S && reading->taken_at_s <= NOW_AT_S + 60);
    assert_true(reading->received_at_s >= NOW_AT_S && reading->received_at_s <= NOW_AT_S + 60);
}

static void plant__only_a_simulated_one_is_fed(void **state)
{
    struct fixture *f = started(state);
    const double rack_elec_w[] = {100.0};

    assert_int_equal(hs_plant_feed(f->plant, rack_elec_w, 1, NULL),
                     f->backend == BACKEND_SIM ? 0 : -HS_E_UNSUPPORTED);
}

static void plant__can_be_freed_without_a_start(void **state)
{
    struct fixture *f = *state;

    hs_plant_free(f->plant);
    f->plant = NULL;
}

/* ---- the stream ---- */

static void plant_redis__begins_with_what_comes_after_it(void **state)
{
    struct fixture *f = *state;

    if (server == NULL) {
        skip();
    }
    add(DEMAND, "99", NOW_TEXT);
    f = listening(state);
    for (size_t i = 0; i < f->n_readings; i++) {
        assert_true(f->readings[i].value < 3);
    }
}

static void plant_redis__malformed_entries_are_refused_and_the_next_one_read(void **state)
{
    static const struct {
        const char *point, *value, *at, *want;
    } cases[] = {
        {"pool/main/bassin/demand_heat_w", "1", NOW_TEXT, "basin"},
        {"", "1", NOW_TEXT, "point"},
        {MAPPED, "1", NOW_TEXT, "is read from modbus 'plc'"},
        {"pool/main/heartbeat", "1", NOW_TEXT, "is told to the plant"},
        {DEMAND, "lots", NOW_TEXT, "'lots' is not a number"},
        {DEMAND, "", NOW_TEXT, "'' is not a number"},
        {DEMAND, "0x10", NOW_TEXT, "is not a number"},
        {DEMAND, "1 W", NOW_TEXT, "is not a number"},
        {DEMAND, "1", "yesterday", "2026-01-05T10:00:00Z"},
        {DEMAND, "1", "now+2h", "2026-01-05T10:00:00Z"},
        {DEMAND, "1", "18:00", "2026-01-05T10:00:00Z"},
        {DEMAND, "1", "1767607200", "2026-01-05T10:00:00Z"},
        {DEMAND, "1", "2026-01-05T11:00:00Z", "future"},
    };
    const size_t n = sizeof(cases) / sizeof(cases[0]);
    struct fixture *f = listening(state);

    for (size_t i = 0; i < n; i++) {
        add(cases[i].point, cases[i].value, cases[i].at);
    }
    freeReplyObject(hs_redis_server_command(server, "XADD %s * value 1 at x", STREAM));
    freeReplyObject(hs_redis_server_command(server, "XADD %s * point x value 1", STREAM));
    freeReplyObject(hs_redis_server_command(server, "XADD %s * point x at y", STREAM));
    freeReplyObject(hs_redis_server_command(
        server, "EVAL %s 1 %s",
        "redis.call('XADD', KEYS[1], '*', 'point', 'x', 'value', '1\\0002', 'at', 'y')", STREAM));
    add(DEMAND, "7", NOW_TEXT);
    wait_for(f, n + 5);
    assert_int_equal(f->n_refusals, n + 4);
    for (size_t i = 0; i < n; i++) {
        if (strstr(f->refusals[i], cases[i].want) == NULL) {
            fail_msg("want '%s' in '%s'", cases[i].want, f->refusals[i]);
        }
    }
    assert_non_null(strstr(f->refusals[n], "no field 'point'"));
    assert_non_null(strstr(f->refusals[n + 1], "no field 'at'"));
    assert_non_null(strstr(f->refusals[n + 2], "no field 'value'"));
    assert_non_null(strstr(f->refusals[n + 3], "no field 'value'"));
    assert_near(f->readings[0].value, 7.0, 0.0);
}

static void plant_redis__doubtful_values_come_with_their_quality(void **state)
{
    struct fixture *f = listening(state);

    add(DEMAND, "nan", NOW_TEXT);
    add(DEMAND, "-5", NOW_TEXT);
    add("pool/main/tank/1_c", "55.5", "2026-01-05T11:00:00+01:00");
    wait_for(f, 3);
    assert_true(isnan(f->readings[0].value));
    assert_int_equal(f->readings[0].quality, HS_QUALITY_NOT_A_NUMBER);
    assert_int_equal(f->readings[1].quality, HS_QUALITY_OUT_OF_RANGE);
    assert_int_equal(f->readings[2].quality, HS_QUALITY_GOOD);
    assert_int_equal(f->readings[2].point.kind, HS_POINT_TANK_C);
    assert_int_equal(f->readings[2].taken_at_s, NOW_AT_S);
}

static void plant_redis__nothing_is_missed_over_a_crash_of_redis(void **state)
{
    struct fixture *f = listening(state);

    hs_redis_server_kill(server);
    assert_true(hs_redis_server_start(server));
    add(DEMAND, "31", NOW_TEXT); /* before the plant is back */
    wait_for(f, 1);
    assert_near(f->readings[0].value, 31.0, 0.0);
    add(DEMAND, "32", NOW_TEXT);
    wait_for(f, 1);
    assert_near(f->readings[0].value, 32.0, 0.0);
}

static void plant_redis__many_entries_arrive_in_order(void **state)
{
    struct fixture *f = listening(state);

    for (int i = 0; i < 50; i++) {
        char value[8];

        snprintf(value, sizeof(value), "%d", 100 + i);
        add(DEMAND, value, NOW_TEXT);
    }
    wait_for(f, 50);
    for (int i = 0; i < 50; i++) {
        assert_near(f->readings[i].value, 100.0 + i, 0.0);
    }
}

static void plant_redis__key_of_another_type_is_said_and_survived(void **state)
{
    struct fixture *f = *state;

    if (server == NULL) {
        skip();
    }
    freeReplyObject(hs_redis_server_command(server, "DEL %s", STREAM));
    freeReplyObject(hs_redis_server_command(server, "SET %s x", STREAM));
    f = started(state);
    wait_for(f, 1);
    assert_non_null(strstr(f->refusals[0], "WRONGTYPE"));
    freeReplyObject(hs_redis_server_command(server, "DEL %s", STREAM));
    f->probe = hs_executor_timer_add(hs_reactor_get_executor(f->reactor), 0.0, add_probe, f);
    wait_for(f, 1);
    assert_int_equal(f->n_readings, 1);
}

static void plant_redis__bad_url_is_refused(void **state)
{
    const struct hs_plant_options options = {0};
    struct hs_plant *plant = NULL;

    assert_int_equal(hs_plant_redis_new(&options, &(struct hs_redis_access){.url = "redis.sock"},
                                        "t", &plant, NULL),
                     -HS_E_INVALID);
    assert_null(plant);
}

static int start_server(void **state)
{
    server = hs_redis_server_new();
    return 0;
}

static int stop_server(void **state)
{
    hs_redis_server_free(server);
    return 0;
}

#define CASE(fn, row)                        \
    {                                        \
#fn, fn, setup, teardown, &rows[row] \
    }
#define ALL(fn)                                                            \
    CASE(fn, BACKEND_CSV), CASE(fn, BACKEND_SIM), CASE(fn, BACKEND_REDIS), \
        CASE(fn, BACKEND_MODBUS), CASE(fn, BACKEND_PUSH)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ALL(plant__delivers_demand_with_both_times_and_quality),
        ALL(plant__only_a_simulated_one_is_fed),
        ALL(plant__can_be_freed_without_a_start),
        CASE(plant_redis__begins_with_what_comes_after_it, BACKEND_REDIS),
        CASE(plant_redis__malformed_entries_are_refused_and_the_next_one_read, BACKEND_REDIS),
        CASE(plant_redis__doubtful_values_come_with_their_quality, BACKEND_REDIS),
        CASE(plant_redis__nothing_is_missed_over_a_crash_of_redis, BACKEND_REDIS),
        CASE(plant_redis__many_entries_arrive_in_order, BACKEND_REDIS),
        CASE(plant_redis__key_of_another_type_is_said_and_survived, BACKEND_REDIS),
        cmocka_unit_test(plant_redis__bad_url_is_refused),
    };
    return cmocka_run_group_tests_name("plant contract", tests, start_server, stop_server);
}
