/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/model/estate.h"
#include "scheduler/model/pointmap.h"
#include "tests/support/near.h"

/* An estate with @points in its loop, its sink, its rack and its site. */
static char *make_text(const char *loop, const char *sink, const char *rack, const char *site)
{
    char *text = NULL;

    if (asprintf(&text,
                 "{\"estate\":\"e\",\"sites\":[{\"name\":\"pool\",\"points\":{%s},"
                 "\"electricity\":{\"price_cur_per_mwh\":100},\"loops\":[{\"name\":\"main\","
                 "\"points\":{%s},\"sinks\":[{\"name\":\"basin\",\"kind\":\"pool\","
                 "\"points\":{%s},\"backup\":{\"kind\":\"gas-boiler\","
                 "\"price_cur_per_mwh\":80}}]}],\"racks\":[{\"name\":\"r\",\"points\":{%s},"
                 "\"hosts\":[{\"name\":\"h\",\"uri\":\"sim:\",\"vcpus\":8,\"memory_mib\":1024,"
                 "\"idle_w\":50,\"max_w\":250}]}]}]}",
                 site, loop, sink, rack)
        < 0) {
        hs_mem_exhausted();
    }
    return text;
}

static struct hs_estate *parse(const char *loop, const char *sink, const char *rack,
                               const char *site)
{
    HS_AUTO_MEM char *text = make_text(loop, sink, rack, site);
    struct hs_conf_report report = {0};
    struct hs_estate *estate = NULL;

    if (hs_estate_parse(NULL, text, &report, &estate) != 0) {
        fail_msg("%s", report.errors[0]);
    }
    hs_conf_report_fini(&report);
    return estate;
}

static void assert_refused(const char *loop, const char *want)
{
    HS_AUTO_MEM char *text = make_text(loop, "", "", "");
    HS_AUTO_MEM char *said = NULL;
    struct hs_conf_report report = {.file = "estate.json", .text = text};
    struct hs_estate *estate = NULL;

    assert_int_equal(hs_estate_parse("estate.json", text, &report, &estate), -HS_E_INVALID);
    said = hs_conf_report_format(&report);
    if (strstr(said, want) == NULL || strstr(said, "estate.json:1:") == NULL) {
        fail_msg("want '%s' in '%s'", want, said);
    }
    hs_conf_report_fini(&report);
}

static void pointmap__finds_points_on_every_thing(void **state)
{
    HS_AUTO(hs_estate)
    estate = parse("\"supply_c\":{\"modbus\":\"plc\",\"address\":1},"
                   "\"tank/0.9_c\":{\"modbus\":\"plc\",\"address\":2}",
                   "\"demand_heat_w\":{\"mqtt\":\"bms\",\"topic\":\"a/b\",\"pointer\":\"/w\"}",
                   "\"elec_w\":{\"modbus\":\"pdu\",\"address\":3,\"table\":\"input\"}",
                   "\"outdoor_c\":{\"modbus\":\"plc\",\"address\":4}");
    const struct hs_pointmap_row *row;
    const struct hs_point tank = {.kind = HS_POINT_TANK_C, .height_ratio = 0.9};

    assert_int_equal(estate->points->n_rows, 5);
    row = hs_pointmap_find(estate->points, &tank, false);
    assert_non_null(row);
    assert_string_equal(row->path, "pool/main/tank/0.9_c");
    assert_string_equal(row->pointer, "/sites/0/loops/0/points/tank~10.9_c");
    assert_null(hs_pointmap_find(estate->points, &tank, true));
    row =
        hs_pointmap_find(estate->points, &(struct hs_point){.kind = HS_POINT_DEMAND_HEAT_W}, false);
    assert_string_equal(row->topic, "a/b");
    assert_string_equal(row->member, "/w");
}

static void pointmap__defaults_leave_the_device_its_say(void **state)
{
    HS_AUTO(hs_estate)
    estate = parse("\"supply_c\":{\"modbus\":\"plc\",\"address\":0},"
                   "\"pump_ok\":{\"modbus\":\"plc\",\"address\":0,\"table\":\"coil\"}",
                   "", "", "");
    const struct hs_pointmap_row *row = &estate->points->rows[0];

    assert_int_equal(row->reg.type, HS_POINTMAP_INT16);
    assert_int_equal(row->reg.base, -1);
    assert_int_equal(row->reg.unit, -1);
    assert_int_equal(row->reg.order, -1);
    assert_near(row->reg.scale, 1, 0);
    assert_true(isnan(row->rule.min) && isnan(row->rule.max) && isnan(row->rule.rate_per_s));
    assert_int_equal(row->rule.max_age_s, 300);
    assert_int_equal(row->rule.confirm, 3);
    assert_int_equal(estate->points->rows[1].reg.type, HS_POINTMAP_BOOL);
}

static void pointmap__takes_every_field(void **state)
{
    HS_AUTO(hs_estate)
    estate = parse("\"supply_c\":{\"modbus\":\"plc\",\"address\":40001,\"base\":1,\"unit\":0,"
                   "\"table\":\"input\",\"type\":\"uint32\",\"word_order\":\"BADC\","
                   "\"scale\":0.01,\"offset\":-40,\"sentinels\":[4294967295,-1],\"min\":5,"
                   "\"max\":95,\"rate_per_s\":0.5,\"max_age\":\"30s\",\"stuck_after\":\"2h\","
                   "\"confirm\":5}",
                   "", "", "");
    const struct hs_pointmap_row *row = &estate->points->rows[0];

    assert_int_equal(row->reg.address, 40001);
    assert_int_equal(row->reg.base, 1);
    assert_int_equal(row->reg.unit, 0);
    assert_int_equal(row->reg.table, HS_POINTMAP_INPUT);
    assert_int_equal(row->reg.type, HS_POINTMAP_UINT32);
    assert_int_equal(row->reg.order, HS_POINTMAP_BADC);
    assert_near(row->reg.offset, -40, 0);
    assert_int_equal(row->reg.n_sentinels, 2);
    assert_near(row->reg.sentinels[0], 4294967295.0, 0);
    assert_int_equal(row->rule.stuck_after_s, 7200);
    assert_int_equal(row->rule.confirm, 5);
}

static void pointmap__counters_roll_over_at_their_own_number(void **state)
{
    HS_AUTO(hs_estate)
    estate = parse("\"captured_heat_wh\":{\"modbus\":\"p\",\"address\":1,\"type\":\"uint16\","
                   "\"scale\":1000},\"supply_c\":{\"modbus\":\"p\",\"address\":2,"
                   "\"type\":\"uint16\"}",
                   "\"useful_heat_wh\":{\"mqtt\":\"b\",\"topic\":\"t\",\"scale\":10,"
                   "\"rollover\":100000}",
                   "", "");
    const struct hs_pointmap_row *rows = estate->points->rows;

    assert_near(hs_pointmap_get_span(&rows[0]), 65536000, 0);
    assert_near(hs_pointmap_get_span(&rows[1]), 0, 0);
    assert_near(hs_pointmap_get_span(&rows[2]), 1000000, 0);
}

static void pointmap__says_where_and_what_would_be_right(void **state)
{
    static const struct {
        const char *points, *want;
    } cases[] = {
        {"\"suply_c\":{\"modbus\":\"plc\",\"address\":1}", "did you mean 'supply_c'"},
        {"\"supply_c\":{\"modbus\":\"plc\"}", "'address' is missing"},
        {"\"supply_c\":{\"address\":1}", "give either 'modbus' or 'mqtt'"},
        {"\"supply_c\":{\"modbus\":\"a\",\"mqtt\":\"b\",\"topic\":\"t\",\"address\":1}",
         "names two sources"},
        {"\"supply_c\":{\"modbus\":\"plc\",\"adress\":1}", "adress"},
        {"\"supply_c\":{\"modbus\":\"plc\",\"address\":1,\"word_order\":\"ACBD\"}", "word_order"},
        {"\"supply_c\":{\"modbus\":\"plc\",\"address\":1,\"scale\":0}", "must not be 0"},
        {"\"supply_c\":{\"modbus\":\"plc\",\"address\":1,\"min\":9,\"max\":8}", "must be below"},
        {"\"supply_c\":{\"modbus\":\"plc\",\"address\":1,\"sentinels\":5}", "must be a list"},
        {"\"supply_c\":{\"modbus\":\"plc\",\"address\":1,\"sentinels\":[1,2,3,4,5]}",
         "must be a list"},
        {"\"supply_c\":{\"modbus\":\"plc\",\"address\":1,\"write\":true}", "is measured"},
        {"\"heat_offer_w\":{\"modbus\":\"plc\",\"address\":1}", "needs \"write\": true"},
        {"\"heat_offer_w\":{\"modbus\":\"plc\",\"address\":1,\"table\":\"input\",\"write\":true}",
         "cannot be written"},
        {"\"pump_ok\":{\"modbus\":\"p\",\"address\":1,\"table\":\"coil\",\"type\":\"int16\"}",
         "its type is bool"},
        {"\"supply_c\":{\"mqtt\":\"bms\",\"topic\":\"a/+/b\"}", "without + and #"},
        {"\"supply_c\":{\"mqtt\":\"bms\",\"topic\":\"a\",\"pointer\":\"w\"}", "must begin with /"},
        {"\"tank/0.5_c\":{\"modbus\":\"p\",\"address\":1},"
         "\"tank/0.50_c\":{\"modbus\":\"p\",\"address\":2}",
         "has a source already"},
        {"\"valve_ratio\":{\"modbus\":\"p\",\"address\":1}", "not read by this version"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_refused(cases[i].points, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pointmap__finds_points_on_every_thing),
        cmocka_unit_test(pointmap__defaults_leave_the_device_its_say),
        cmocka_unit_test(pointmap__takes_every_field),
        cmocka_unit_test(pointmap__counters_roll_over_at_their_own_number),
        cmocka_unit_test(pointmap__says_where_and_what_would_be_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
