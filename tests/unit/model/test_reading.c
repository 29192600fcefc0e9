/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/model/reading.h"
#include "tests/support/near.h"

static const char estate_text[] =
    "{\"estate\":\"e\",\"sites\":[{\"name\":\"pool\",\"electricity\":{\"price_cur_per_mwh\":1},"
    "\"loops\":[{\"name\":\"main\",\"sinks\":["
    "{\"name\":\"hall\",\"kind\":\"pool\",\"backup\":{\"kind\":\"electric\"}},"
    "{\"name\":\"basin\",\"kind\":\"pool\",\"backup\":{\"kind\":\"electric\"}}]}],"
    "\"racks\":[{\"name\":\"r1\"},{\"name\":\"main\"}]}]}";

static int setup(void **state)
{
    struct hs_conf_report report = {0};
    struct hs_estate *estate = NULL;

    assert_int_equal(hs_estate_parse("e", estate_text, &report, &estate), 0);
    *state = estate;
    return 0;
}

static int teardown(void **state)
{
    hs_estate_free(*state);
    return 0;
}

static void point__comes_back_by_format(void **state)
{
    static const struct {
        const char *path;
        enum hs_point_kind kind;
        size_t thing_idx;
    } rows[] = {
        {"pool/main/basin/demand_heat_w", HS_POINT_DEMAND_HEAT_W, 1},
        {"pool/main/hall/useful_heat_wh", HS_POINT_USEFUL_HEAT_WH, 0},
        {"pool/main/tank/0.9_c", HS_POINT_TANK_C, 0},
        {"pool/main/tank/1_c", HS_POINT_TANK_C, 0},
        {"pool/main/supply_c", HS_POINT_SUPPLY_C, 0},
        {"pool/main/captured_heat_wh", HS_POINT_CAPTURED_HEAT_WH, 0},
        {"pool/main/elec_w", HS_POINT_RACK_ELEC_W, 1},
        {"pool/r1/elec_w", HS_POINT_RACK_ELEC_W, 0},
        {"pool/outdoor_c", HS_POINT_OUTDOOR_C, 0},
        {"pool/elec_w", HS_POINT_ELEC_W, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hs_point point;
        char path[HS_POINT_MAX];

        assert_int_equal(hs_reading_parse_point(*state, rows[i].path, &point, NULL), 0);
        assert_int_equal(point.kind, rows[i].kind);
        assert_int_equal(point.thing_idx, rows[i].thing_idx);
        hs_reading_format_point(*state, &point, path);
        assert_string_equal(path, rows[i].path);
    }
}

static void check(void **state, const char *path, const char *want)
{
    struct hs_err err = {0};
    struct hs_point point;

    assert_int_equal(hs_reading_parse_point(*state, path, &point, &err), -HS_E_NOTFOUND);
    assert_string_equal(err.text, want);
}

static void point__names_the_unknown_part_and_the_nearest(void **state)
{
    check(state, "poll/main/basin/demand_heat_w", "there is no site 'poll', did you mean 'pool'?");
    check(state, "pool/mian/supply_c", "there is no loop or rack 'mian', did you mean 'main'?");
    check(state, "pool/main/bassin/demand_heat_w",
          "there is no sink 'bassin', did you mean 'basin'?");
    check(state, "pool/main/basin/demand_w",
          "there is no quantity of a sink 'demand_w'; known is demand_heat_w");
    check(state, "pool/main/suply_c",
          "there is no quantity of a loop 'suply_c', did you mean 'supply_c'?");
    check(state, "pool/outdor_c",
          "there is no quantity of a site 'outdor_c', did you mean 'outdoor_c'?");
    check(state, "pool/main/tank/2_c",
          "'2_c' is no height in the tank; write 0_c (bottom) to 1_c (top)");
    check(state, "pool/main/valve_ratio", "'valve_ratio' is not read by this version");
    check(state, "pool", "not a point; write <site>/<loop>/<sink>/demand_heat_w or the like");
    check(state, "a/b/c/d/e", "not a point; write <site>/<loop>/<sink>/demand_heat_w or the like");
    check(state, "pool/r1/basin/demand_heat_w", "there is no loop 'r1'; known is main");
}

static void check__knows_nonsense_from_values(void **state)
{
    assert_int_equal(hs_reading_check(HS_POINT_DEMAND_HEAT_W, 0), HS_QUALITY_GOOD);
    assert_int_equal(hs_reading_check(HS_POINT_DEMAND_HEAT_W, -1), HS_QUALITY_OUT_OF_RANGE);
    assert_int_equal(hs_reading_check(HS_POINT_TANK_C, 850), HS_QUALITY_OUT_OF_RANGE);
    assert_int_equal(hs_reading_check(HS_POINT_OUTDOOR_C, -12), HS_QUALITY_GOOD);
    assert_int_equal(hs_reading_check(HS_POINT_SUPPLY_C, NAN), HS_QUALITY_NOT_A_NUMBER);
    assert_int_equal(hs_reading_check(HS_POINT_ELEC_W, INFINITY), HS_QUALITY_OUT_OF_RANGE);
    assert_string_equal(hs_reading_quality_word(HS_QUALITY_NOT_A_NUMBER), "not-a-number");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(point__comes_back_by_format),
        cmocka_unit_test(point__names_the_unknown_part_and_the_nearest),
        cmocka_unit_test(check__knows_nonsense_from_values),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
