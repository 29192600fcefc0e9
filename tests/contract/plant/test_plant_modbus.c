/* SPDX-License-Identifier: Apache-2.0 */
/* A Modbus device over a real socket: what is read, what is written, and what goes wrong. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/plant/plant_modbus.h"
#include "adapters/plant/plant_modbus_server.h"
#include "scheduler/base/mem.h"
#include "scheduler/daemon/reactor.h"
#include "tests/support/near.h"

#define NOW_AT_S  1767607200
#define SPEED     20.0
#define PATIENT_S 15.0
#define SEEN_MAX  4096
#define WORDS_MAX 4

static const char estate_text[] =
    "{\"estate\":\"e\",\"cell\":\"t\",\"sites\":[{\"name\":\"pool\","
    "\"electricity\":{\"price_cur_per_mwh\":100},\"loops\":[{\"name\":\"main\","
    "\"points\":{"
    "\"supply_c\":{\"modbus\":\"plc\",\"address\":40101,\"base\":1,\"type\":\"float32\","
    "\"word_order\":\"CDAB\",\"max\":90},"
    "\"return_c\":{\"modbus\":\"plc\",\"address\":40110,\"type\":\"int16\",\"scale\":0.1,"
    "\"sentinels\":[-32768],\"max_age\":\"4s\"},"
    "\"pump_ok\":{\"modbus\":\"plc\",\"table\":\"discrete\",\"address\":3},"
    "\"captured_heat_wh\":{\"modbus\":\"plc\",\"table\":\"input\",\"address\":0,"
    "\"type\":\"uint64\",\"scale\":1000,\"word_order\":\"DCBA\"},"
    "\"rejection_wanted\":{\"modbus\":\"plc\",\"table\":\"coil\",\"address\":9,\"write\":true},"
    "\"heat_offer_w\":{\"modbus\":\"plc\",\"address\":500,\"type\":\"uint32\",\"write\":true},"
    "\"heartbeat\":{\"modbus\":\"plc\",\"address\":510,\"write\":true}},"
    "\"sinks\":[{\"name\":\"basin\",\"kind\":\"pool\","
    "\"backup\":{\"kind\":\"gas-boiler\",\"price_cur_per_mwh\":80}}]}],"
    "\"racks\":[{\"name\":\"r\",\"hosts\":[{\"name\":\"h\",\"uri\":\"sim:\",\"vcpus\":8,"
    "\"memory_mib\":1024,\"idle_w\":50,\"max_w\":250}]}]}]}";

struct fixture {
    struct hs_reactor *reactor;
    struct hs_clock *clock;
    struct hs_estate *estate;
    struct hs_plant_modbus_server *server;
    struct hs_plant_modbus_device device;
    struct hs_plant *plant;
    struct hs_timer *guard;
    bool is_overdue;
    bool (*is_reached)(struct fixture *f);
    struct hs_reading last[HS_POINT_KIND_COUNT_]; /* newest of each kind */
    int n_of[HS_POINT_KIND_COUNT_];
    int n_good[HS_POINT_KIND_COUNT_];
    double want;
    enum hs_point_kind kind;
    enum hs_quality quality;
    char refusal[512];
    int n_refusals;
    char connection[512];
    int n_ups;
    int n_downs;
    int n_written;
};

static void check(struct fixture *f)
{
    if (f->is_reached != NULL && f->is_reached(f)) {
        hs_reactor_stop(f->reactor);
    }
}

static void on_reading(void *arg, const struct hs_reading *reading)
{
    struct fixture *f = arg;

    f->last[reading->point.kind] = *reading;
    f->n_of[reading->point.kind]++;
    f->n_good[reading->point.kind] += reading->quality == HS_QUALITY_GOOD;
    check(f);
}

static void on_refused(void *arg, const char *text)
{
    struct fixture *f = arg;

    snprintf(f->refusal, sizeof(f->refusal), "%s", text);
    f->n_refusals++;
    check(f);
}

static void on_connection(void *arg, bool is_up, const char *text)
{
    struct fixture *f = arg;

    snprintf(f->connection, sizeof(f->connection), "%s", text);
    f->n_ups += is_up;
    f->n_downs += !is_up;
    check(f);
}

static void on_written(void *arg)
{
    struct fixture *f = arg;

    f->n_written++;
    check(f);
}

static void overdue(void *arg)
{
    struct fixture *f = arg;

    f->is_overdue = true;
    hs_reactor_stop(f->reactor);
}

static void wait_until(struct fixture *f, bool (*is_reached)(struct fixture *f))
{
    f->is_reached = is_reached;
    hs_executor_timer_set(hs_reactor_get_executor(f->reactor), f->guard, PATIENT_S);
    hs_reactor_run(f->reactor);
    f->is_reached = NULL;
    assert_false(f->is_overdue);
}

static bool has_value(struct fixture *f)
{
    const struct hs_reading *last = &f->last[f->kind];

    return f->n_of[f->kind] > 0 && last->quality == HS_QUALITY_GOOD && last->value == f->want;
}

static bool has_quality(struct fixture *f)
{
    return f->n_of[f->kind] > 0 && f->last[f->kind].quality == f->quality;
}

static void wait_value(struct fixture *f, enum hs_point_kind kind, double want)
{
    f->kind = kind;
    f->want = want;
    wait_until(f, has_value);
}

static void wait_quality(struct fixture *f, enum hs_point_kind kind, enum hs_quality quality)
{
    f->kind = kind;
    f->quality = quality;
    wait_until(f, has_quality);
}

static void set_word(struct fixture *f, enum hs_pointmap_table table, int address, uint16_t word)
{
    hs_plant_modbus_server_set(f->server, table, address, &word, 1);
}

/* 45.5 as two words, low word first, at register 40100 of the wire. */
static void set_supply(struct fixture *f, float celsius)
{
    uint32_t bits;
    uint16_t words[2];

    memcpy(&bits, &celsius, sizeof(bits));
    words[0] = (uint16_t)bits;
    words[1] = (uint16_t)(bits >> 16);
    hs_plant_modbus_server_set(f->server, HS_POINTMAP_HOLDING, 40100, words, 2);
}

static int setup(void **state)
{
    struct fixture *f = hs_xcalloc(1, sizeof(*f));
    struct hs_conf_report report = {0};
    struct hs_plant_modbus_server_options options = {
        .host = "127.0.0.1", .written = on_written, .arg = f};

    *state = f;
    assert_int_equal(hs_reactor_new(NULL, &f->reactor, NULL), 0);
    f->guard = hs_executor_timer_add(hs_reactor_get_executor(f->reactor), -1.0, overdue, f);
    f->clock = hs_clock_new_accelerated(NOW_AT_S, SPEED);
    if (hs_estate_parse(NULL, estate_text, &report, &f->estate) != 0) {
        fail_msg("%s", report.errors[0]);
    }
    hs_conf_report_fini(&report);
    options.executor = hs_reactor_get_executor(f->reactor);
    assert_int_equal(hs_plant_modbus_server_new(&options, &f->server, NULL), 0);
    f->device = (struct hs_plant_modbus_device){.name = "plc",
                                                .host = "127.0.0.1",
                                                .port = hs_plant_modbus_server_get_port(f->server),
                                                .period_s = 1,
                                                .timeout_s = 0.3,
                                                .gap = 100,
                                                .can_write = true};
    set_supply(f, 45.5F);
    set_word(f, HS_POINTMAP_HOLDING, 40110, 385);
    set_word(f, HS_POINTMAP_DISCRETE, 3, 1);
    return 0;
}

static void start(struct fixture *f)
{
    const struct hs_plant_options options = {
        .executor = hs_reactor_get_executor(f->reactor),
        .clock = f->clock,
        .estate = f->estate,
        .listener = {.reading = on_reading,
                     .refused = on_refused,
                     .connection = on_connection,
                     .arg = f},
    };

    assert_int_equal(hs_plant_modbus_new(&options, &f->device, &f->plant, NULL), 0);
    hs_plant_start(f->plant);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    hs_plant_free(f->plant);
    hs_plant_modbus_server_free(f->server);
    hs_executor_timer_remove(hs_reactor_get_executor(f->reactor), f->guard);
    hs_estate_free(f->estate);
    hs_clock_free(f->clock);
    hs_reactor_free(f->reactor);
    free(f);
    return 0;
}

static void plant_modbus__reads_tables_types_orders_and_bases(void **state)
{
    /* 1234567 with all bytes turned round: 0x000000000012D687 as 87D6 1200 0000 0000 */
    static const uint16_t counter[WORDS_MAX] = {0x87D6, 0x1200, 0, 0};
    struct fixture *f = *state;

    hs_plant_modbus_server_set(f->server, HS_POINTMAP_INPUT, 0, counter, WORDS_MAX);
    start(f);
    wait_value(f, HS_POINT_SUPPLY_C, 45.5);
    wait_value(f, HS_POINT_PUMP_OK, 1);
    wait_value(f, HS_POINT_CAPTURED_HEAT_WH, 1234567000.0);
    assert_near(f->last[HS_POINT_RETURN_C].value, 38.5, 1e-9);
    assert_int_equal(f->n_ups, 1);
    assert_int_equal(f->n_refusals, 0);
}

static void plant_modbus__first_readings_wait_for_confirmation(void **state)
{
    struct fixture *f = *state;

    start(f);
    wait_value(f, HS_POINT_SUPPLY_C, 45.5);
    assert_int_equal(f->n_of[HS_POINT_SUPPLY_C], 3); /* two were not believed */
    assert_int_equal(f->n_good[HS_POINT_SUPPLY_C], 1);
}

static void plant_modbus__sentinel_nan_and_range_are_no_values(void **state)
{
    struct fixture *f = *state;

    start(f);
    wait_value(f, HS_POINT_SUPPLY_C, 45.5);
    set_word(f, HS_POINTMAP_HOLDING, 40110, 0x8000);
    wait_quality(f, HS_POINT_RETURN_C, HS_QUALITY_NOT_A_NUMBER);
    assert_true(isnan(f->last[HS_POINT_RETURN_C].value));
    set_supply(f, NAN);
    wait_quality(f, HS_POINT_SUPPLY_C, HS_QUALITY_NOT_A_NUMBER);
    set_supply(f, 95);
    wait_quality(f, HS_POINT_SUPPLY_C, HS_QUALITY_OUT_OF_RANGE);
    set_supply(f, 44);
    wait_value(f, HS_POINT_SUPPLY_C, 44);
}

static bool is_lost(struct fixture *f)
{
    return f->n_downs > 0;
}

static void plant_modbus__lost_device_is_stale_never_zero_and_comes_back(void **state)
{
    struct fixture *f = *state;
    int n_before;

    start(f);
    wait_value(f, HS_POINT_RETURN_C, 38.5);
    hs_plant_modbus_server_set_down(f->server, true);
    wait_until(f, is_lost);
    assert_non_null(strstr(f->connection, "modbus 'plc' at 127.0.0.1"));
    wait_quality(f, HS_POINT_RETURN_C, HS_QUALITY_STALE);
    assert_true(isnan(f->last[HS_POINT_RETURN_C].value));
    assert_int_equal(f->n_downs, 1); /* said once */
    n_before = f->n_good[HS_POINT_RETURN_C];
    hs_plant_modbus_server_set_down(f->server, false);
    wait_quality(f, HS_POINT_RETURN_C, HS_QUALITY_UNCONFIRMED);
    assert_int_equal(f->n_good[HS_POINT_RETURN_C], n_before);
    wait_value(f, HS_POINT_RETURN_C, 38.5);
    assert_int_equal(f->n_ups, 2);
}

static void plant_modbus__mute_device_times_out_and_comes_back(void **state)
{
    struct fixture *f = *state;

    hs_plant_modbus_server_set_mute(f->server, true);
    start(f);
    wait_until(f, is_lost);
    assert_non_null(strstr(f->connection, "no answer within 0.3 s"));
    hs_plant_modbus_server_set_mute(f->server, false);
    wait_value(f, HS_POINT_RETURN_C, 38.5);
}

static void plant_modbus__hole_in_a_read_is_gone_around(void **state)
{
    struct fixture *f = *state;

    hs_plant_modbus_server_set_hole(f->server, HS_POINTMAP_HOLDING, 40105, true);
    start(f);
    wait_value(f, HS_POINT_SUPPLY_C, 45.5);
    wait_value(f, HS_POINT_RETURN_C, 38.5);
    assert_int_equal(f->n_refusals, 0);
}

static bool is_refused(struct fixture *f)
{
    return f->n_refusals > 0;
}

static void plant_modbus__missing_register_is_said_once_and_costs_only_itself(void **state)
{
    struct fixture *f = *state;

    hs_plant_modbus_server_set_hole(f->server, HS_POINTMAP_HOLDING, 40110, true);
    start(f);
    wait_until(f, is_refused);
    assert_non_null(strstr(f->refusal, "pool/main/return_c"));
    assert_non_null(strstr(f->refusal, "no such address"));
    wait_value(f, HS_POINT_SUPPLY_C, 45.5);
    wait_quality(f, HS_POINT_RETURN_C, HS_QUALITY_STALE);
    assert_int_equal(f->n_refusals, 1);
    assert_int_equal(f->n_downs, 0);
    hs_plant_modbus_server_set_hole(f->server, HS_POINTMAP_HOLDING, 40110, false);
    wait_value(f, HS_POINT_RETURN_C, 38.5);
}

static bool is_told(struct fixture *f)
{
    uint16_t words[2];
    uint16_t coil;

    hs_plant_modbus_server_get(f->server, HS_POINTMAP_HOLDING, 500, words, 2);
    hs_plant_modbus_server_get(f->server, HS_POINTMAP_COIL, 9, &coil, 1);
    return coil == 1 && words[0] == 1 && words[1] == 0x86A0; /* 100000 */
}

static void plant_modbus__writes_what_it_is_told_and_again_after_a_loss(void **state)
{
    static const uint16_t nothing[2] = {0, 0};
    const struct hs_point offer = {.kind = HS_POINT_HEAT_OFFER_W};
    const struct hs_point rejection = {.kind = HS_POINT_REJECTION_WANTED};
    struct fixture *f = *state;

    start(f);
    assert_int_equal(hs_plant_write(f->plant, &offer, 100000, NULL), 0);
    assert_int_equal(hs_plant_write(f->plant, &rejection, 1, NULL), 0);
    wait_until(f, is_told);
    hs_plant_modbus_server_set_down(f->server, true);
    wait_until(f, is_lost);
    hs_plant_modbus_server_set(f->server, HS_POINTMAP_HOLDING, 500, nothing, 2);
    set_word(f, HS_POINTMAP_COIL, 9, 0);
    hs_plant_modbus_server_set_down(f->server, false);
    wait_until(f, is_told);
}

static bool has_beaten(struct fixture *f)
{
    uint16_t beat;

    hs_plant_modbus_server_get(f->server, HS_POINTMAP_HOLDING, 510, &beat, 1);
    return beat == (uint16_t)f->want;
}

static void plant_modbus__heartbeat_toggles(void **state)
{
    struct fixture *f = *state;

    start(f);
    for (int i = 0; i < 4; i++) {
        f->want = i % 2 == 0;
        wait_until(f, has_beaten);
    }
}

static void plant_modbus__writes_nothing_unless_write_is_on(void **state)
{
    const struct hs_point offer = {.kind = HS_POINT_HEAT_OFFER_W};
    const struct hs_point measured = {.kind = HS_POINT_SUPPLY_C};
    struct fixture *f = *state;

    f->device.can_write = false;
    start(f);
    assert_int_equal(hs_plant_write(f->plant, &offer, 1, NULL), -HS_E_DENIED);
    assert_int_equal(hs_plant_write(f->plant, &measured, 1, NULL), -HS_E_NOTFOUND);
    wait_value(f, HS_POINT_SUPPLY_C, 45.5);
    assert_int_equal(f->n_written, 0);
}

static void plant_modbus__value_that_does_not_fit_is_refused(void **state)
{
    const struct hs_point offer = {.kind = HS_POINT_HEAT_OFFER_W};
    struct fixture *f = *state;

    start(f);
    assert_int_equal(hs_plant_write(f->plant, &offer, -1, NULL), -HS_E_INVALID);
    assert_int_equal(hs_plant_write(f->plant, &offer, 5e9, NULL), -HS_E_INVALID);
}

static void plant_modbus__heartbeat_that_stands_still_makes_all_of_it_stuck(void **state)
{
    struct fixture *f = *state;

    f->device.heartbeat = (struct hs_plant_modbus_heartbeat){
        .present = true,
        .reg = {.type = HS_POINTMAP_UINT16, .address = 40200, .order = -1, .base = -1, .unit = -1},
        .max_age_s = 4};
    f->device.heartbeat.reg.scale = 1;
    set_word(f, HS_POINTMAP_HOLDING, 40200, 1);
    start(f);
    wait_value(f, HS_POINT_SUPPLY_C, 45.5);
    wait_quality(f, HS_POINT_SUPPLY_C, HS_QUALITY_STUCK);
    assert_true(isnan(f->last[HS_POINT_SUPPLY_C].value));
    set_word(f, HS_POINTMAP_HOLDING, 40200, 2);
    wait_value(f, HS_POINT_SUPPLY_C, 45.5);
}

static void plant_modbus__nobody_there_is_said_once_and_freed_in_time(void **state)
{
    struct fixture *f = *state;

    hs_plant_modbus_server_free(f->server);
    f->server = NULL;
    start(f);
    wait_until(f, is_lost);
    assert_non_null(strstr(f->connection, "Connection refused"));
    assert_int_equal(f->n_of[HS_POINT_SUPPLY_C] - f->n_good[HS_POINT_SUPPLY_C],
                     f->n_of[HS_POINT_SUPPLY_C]);
}

#define CASE(fn)                       \
    {                                  \
#fn, fn, setup, teardown, NULL \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(plant_modbus__reads_tables_types_orders_and_bases),
        CASE(plant_modbus__first_readings_wait_for_confirmation),
        CASE(plant_modbus__sentinel_nan_and_range_are_no_values),
        CASE(plant_modbus__lost_device_is_stale_never_zero_and_comes_back),
        CASE(plant_modbus__mute_device_times_out_and_comes_back),
        CASE(plant_modbus__hole_in_a_read_is_gone_around),
        CASE(plant_modbus__missing_register_is_said_once_and_costs_only_itself),
        CASE(plant_modbus__writes_what_it_is_told_and_again_after_a_loss),
        CASE(plant_modbus__heartbeat_toggles),
        CASE(plant_modbus__writes_nothing_unless_write_is_on),
        CASE(plant_modbus__value_that_does_not_fit_is_refused),
        CASE(plant_modbus__heartbeat_that_stands_still_makes_all_of_it_stuck),
        CASE(plant_modbus__nobody_there_is_said_once_and_freed_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
