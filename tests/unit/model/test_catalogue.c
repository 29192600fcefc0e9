/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/model/advice.h"
#include "scheduler/model/catalogue.h"
#include "scheduler/model/estate.h"
#include "tests/support/near.h"

#define HOSTS                                                                                  \
    "\"hosts\":[{\"name\":\"h\",\"count\":4,\"uri\":\"sim:\",\"vcpus\":8,\"memory_mib\":1024," \
    "\"idle_w\":50,\"max_w\":250}]"
#define SITE(more)     "{\"name\":\"s\"" more "}"
#define ESTATE(more)   "{\"estate\":\"e\",\"sites\":[" SITE(more) "]}"
#define TEMPLATE(name) ",\"template\":\"" name "\""
#define RACK(more)     ",\"racks\":[{\"name\":\"r\"" more "," HOSTS "}]"
#define FULL_W         1000.0 /* of the four hosts above */

static struct hs_estate *parse_good(const char *text)
{
    struct hs_conf_report report = {0};
    struct hs_estate *estate = NULL;

    if (hs_estate_parse("e.json", text, &report, &estate) != 0) {
        fail_msg("%s", report.errors[0]);
    }
    return estate;
}

static void check_refused(const char *text, const char *want)
{
    struct hs_conf_report report = {0};
    struct hs_estate *estate = NULL;
    HS_AUTO_MEM char *errors = NULL;

    assert_int_equal(hs_estate_parse("e.json", text, &report, &estate), -HS_E_INVALID);
    errors = hs_conf_report_format(&report);
    hs_conf_report_fini(&report);
    if (strstr(errors, want) == NULL) {
        fail_msg("want '%s', got '%s'", want, errors);
    }
}

static void check_advice(const char *text, const char *want)
{
    HS_AUTO(hs_estate) estate = parse_good(text);
    HS_AUTO_MEM char *advice = hs_advice_format(estate, "note: ");

    if (*want == '\0' ? *advice != '\0' : strstr(advice, want) == NULL) {
        fail_msg("want '%s', got '%s'", want, advice);
    }
}

static const struct hs_assumed *find_assumed(const struct hs_estate *estate, const char *path,
                                             const char *field)
{
    for (size_t i = 0; i < estate->assumed.n; i++) {
        const struct hs_assumed *item = &estate->assumed.items[i];

        if (strcmp(item->path, path) == 0 && strcmp(item->field, field) == 0) {
            return item;
        }
    }
    return NULL;
}

static void assert_source(const char *text)
{
    assert_non_null(text);
    assert_true(strlen(text) > 10);
}

static void cooling__rows_are_sane_and_sourced(void **state)
{
    for (size_t i = 0; hs_catalogue_cooling_words[i] != NULL; i++) {
        const struct hs_catalogue_cooling *row =
            hs_catalogue_find_cooling(hs_catalogue_cooling_words[i]);

        assert_in_range((uintmax_t)(row->capture_ratio * 100), 30, 90);
        assert_true(row->supply_min_c >= 15 && row->supply_min_c < row->supply_c);
        assert_true(row->supply_c <= row->supply_max_c && row->supply_max_c <= 70);
        assert_true(row->elec_ratio > 0 && row->elec_ratio < 0.2);
        assert_true(row->ramp_ratio_per_min > 0 && row->ramp_ratio_per_min <= 0.5);
        assert_source(row->source);
        assert_source(row->supply_source);
        assert_source(row->elec_source);
        assert_source(row->spread_source);
        assert_source(row->ramp_source);
        assert_non_null(row->heat_use);
        assert_non_null(row->complexity);
        assert_non_null(row->fit);
        assert_non_null(row->caution);
    }
    /* 1 kW over 8 K: 1000 / (60 x 1.163 x 8) */
    assert_near(hs_catalogue_get_flow_l_per_min_kw(hs_catalogue_find_cooling("direct-to-chip")),
                1.79, 0.01);
    /* liquid beats air in capture and in warmth: the order that the comparison rests on */
    assert_true(hs_catalogue_find_cooling("immersion")->capture_ratio
                > hs_catalogue_find_cooling("direct-to-chip")->capture_ratio);
    assert_true(hs_catalogue_find_cooling("direct-to-chip")->supply_c
                > hs_catalogue_find_cooling("air-to-water")->supply_c);
}

static void figures__are_sourced(void **state)
{
    for (int i = 0; i < HS_CATALOGUE_N_FIGURES; i++) {
        const struct hs_catalogue_figure *figure =
            hs_catalogue_get_figure((enum hs_catalogue_figure_id)i);

        assert_source(figure->source);
        assert_true(figure->value > 0);
    }
    assert_near(hs_catalogue_get_tank_loss_w_per_k(1000),
                hs_catalogue_get_figure(HS_CATALOGUE_TANK_LOSS)->value, 0.01);
    for (size_t i = 0; hs_catalogue_backup_words[i] != NULL; i++) {
        assert_source(hs_catalogue_find_backup(hs_catalogue_backup_words[i])->source);
    }
    for (size_t i = 0; hs_catalogue_sink_words[i] != NULL; i++) {
        assert_source(hs_catalogue_find_sink(hs_catalogue_sink_words[i])->source);
    }
}

static void check_template(const char *name, const char *cooling)
{
    const struct hs_catalogue_template *row = hs_catalogue_find_template(name);
    char text[1024];
    HS_AUTO(hs_estate) estate = NULL;
    HS_AUTO_MEM char *advice = NULL;
    const struct hs_heatloop *loop;

    snprintf(text, sizeof(text), ESTATE(TEMPLATE("%s") RACK(",\"cooling\":\"%s\"")), name, cooling);
    estate = parse_good(text);
    advice = hs_advice_format(estate, "");
    assert_string_equal(advice, "");
    loop = &estate->loops[0];
    assert_string_equal(loop->path, "s/heat");
    assert_true(loop->tank.present && loop->tank.max_c <= loop->supply_c);
    assert_true(loop->tank.volume_l >= 100 && loop->tank.loss_w_per_k > 0);
    assert_true(loop->rejection_limit_w >= FULL_W * estate->racks[0].capture_ratio);
    assert_true(estate->n_sinks >= 1);
    assert_string_equal(estate->sinks[0].kind, row->sink_kind);
    assert_true(estate->sites[0].aux_elec_ratio > 0);
    assert_true(strlen(row->caution) > 5 && row->fit != NULL && row->complexity != NULL);
    for (size_t i = 0; i < estate->assumed.n; i++) {
        assert_source(estate->assumed.items[i].source);
    }
}

static void templates__parse_alone_with_every_cooling(void **state)
{
    for (size_t i = 0; hs_catalogue_template_words[i] != NULL; i++) {
        for (size_t k = 0; hs_catalogue_cooling_words[k] != NULL; k++) {
            check_template(hs_catalogue_template_words[i], hs_catalogue_cooling_words[k]);
        }
        hs_estate_free(parse_good("{\"estate\":\"e\",\"sites\":[{\"name\":\"s\","
                                  "\"template\":\"office\"}]}"));
    }
}

static void template__sizes_tank_and_rejection_from_the_racks(void **state)
{
    HS_AUTO(hs_estate)
    estate = parse_good(ESTATE(TEMPLATE("clinic") RACK(",\"cooling\":\"direct-to-chip\"")));
    const struct hs_heatloop *loop = &estate->loops[0];

    /* 1000 W x 0.65 for 4 h over 10 K: 2600 Wh / 11.63 Wh/l */
    assert_near(loop->supply_c, 45, 0);
    assert_near(loop->tank.min_c, 35, 0);
    assert_near(loop->tank.max_c, 45, 0);
    assert_near(loop->tank.volume_l, 220, 0);
    /* n+1: a quarter more, in steps of 100 W */
    assert_near(loop->rejection_limit_w, 900, 0);
    /* 0.65 x 0.04 for the loop, 0.35 x 0.25 for the room */
    assert_near(estate->sites[0].aux_elec_ratio, 0.114, 1e-9);
    /* 650 W within 5 min */
    assert_near(estate->racks[0].ramp_w_per_min, 130, 0);
    assert_string_equal(estate->sinks[0].lift, "none");
    assert_string_equal(estate->sinks[1].lift, "preheat");
    assert_near(find_assumed(estate, "s/heat", "tank/volume_l")->value, 220, 0);
    assert_string_equal(find_assumed(estate, "s/heat/hot-water", "lift")->word, "preheat");
    assert_near(find_assumed(estate, "s/r", "capture_ratio")->value, 0.65, 0);
}

static void template__lifts_what_the_loop_cannot_reach(void **state)
{
    HS_AUTO(hs_estate) cold = parse_good(ESTATE(TEMPLATE("warehouse") RACK("")));
    HS_AUTO(hs_estate)
    warm = parse_good(ESTATE(TEMPLATE("warehouse") RACK(",\"cooling\":\"immersion\"")));

    /* 28 °C: wash water of 50 °C comes back at 30 °C, so preheating it would do nothing */
    assert_near(cold->loops[0].supply_c, 28, 0);
    assert_string_equal(cold->sinks[0].lift, "heat-pump");
    assert_string_equal(cold->sinks[1].lift, "heat-pump");
    assert_string_equal(warm->sinks[0].lift, "preheat");
    assert_string_equal(warm->sinks[1].lift, "none");
}

static void template__yields_to_the_file_at_every_depth(void **state)
{
    HS_AUTO(hs_estate)
    estate = parse_good(ESTATE(TEMPLATE(
        "leisure-centre") ",\"electricity\":{\"price_cur_per_mwh\":90},"
                          "\"aux_elec_ratio\":0.02,\"redundancy\":\"2n\",\"loops\":[{\"name\":"
                          "\"heat\","
                          "\"capture_ratio\":0.8,\"tank\":{\"volume_l\":3000},\"rejection\":null,"
                          "\"sinks\":["
                          "{\"name\":\"basin\",\"backup\":{\"price_cur_per_mwh\":45}}]}]" RACK(
                              ",\"cooling\":\"direct-to-chip\"")));

    assert_near(estate->sites[0].price_cur_per_mwh, 90, 0);
    assert_near(estate->sites[0].gco2_per_kwh, 281, 0);
    assert_near(estate->sites[0].aux_elec_ratio, 0.02, 0);
    assert_near(estate->racks[0].capture_ratio, 0.8, 0);
    assert_near(estate->loops[0].tank.volume_l, 3000, 0);
    assert_near(estate->loops[0].tank.max_c, 45, 0);
    /* 10 K under that, which is warmer than the 30 °C that a pool needs */
    assert_near(estate->loops[0].tank.min_c, 35, 0);
    assert_true(isinf(estate->loops[0].rejection_limit_w));
    /* the list is the file's: no hot water; the sink named as the template's takes the rest */
    assert_int_equal(estate->n_sinks, 1);
    assert_string_equal(estate->sinks[0].kind, "pool");
    assert_string_equal(estate->sinks[0].backup_kind, "gas-boiler");
    assert_near(estate->sinks[0].backup_price_cur_per_mwh, 45, 0);
    assert_null(find_assumed(estate, "s", "electricity/price_cur_per_mwh"));
    assert_null(find_assumed(estate, "s/heat", "tank/volume_l"));
    assert_non_null(find_assumed(estate, "s/heat", "tank/max_c"));
}

static void template__leaves_loops_of_other_names_alone(void **state)
{
    HS_AUTO(hs_estate)
    estate = parse_good(
        ESTATE(TEMPLATE("leisure-centre") ",\"loops\":[{\"name\":\"main\",\"sinks\":[{\"name\":"
                                          "\"b\",\"backup\":{\"kind\":\"gas-boiler\",\"price_cur_"
                                          "per_mwh\":80}}]}]" RACK("")));

    assert_false(estate->loops[0].tank.present);
    assert_true(isinf(estate->loops[0].rejection_limit_w));
    assert_near(estate->loops[0].supply_c, 45, 0);
    assert_true(isinf(estate->racks[0].ramp_w_per_min));
    assert_string_equal(estate->sinks[0].kind, "pool");
    assert_string_equal(estate->sinks[0].lift, "none");
}

static void template__gives_no_euros_to_another_currency(void **state)
{
    check_refused(
        "{\"estate\":\"e\",\"currency\":\"GBP\",\"sites\":[" SITE(TEMPLATE("office")) "]}",
        "'price_cur_per_mwh' is missing: price where no price series is given");
    check_refused(
        "{\"estate\":\"e\",\"currency\":\"GBP\",\"sites\":[" SITE(TEMPLATE("office")) "]}",
        "'price_cur_per_mwh' is missing: price of the fuel");
}

static void cooling__gives_the_supply_where_it_is_named(void **state)
{
#define LOOP                                                                                       \
    ",\"electricity\":{\"price_cur_per_mwh\":90},\"loops\":[{\"name\":\"l\",\"sinks\":[{\"name\":" \
    "\"b\",\"kind\":\"pool\",\"backup\":{\"kind\":\"gas-boiler\",\"price_cur_per_mwh\":80}}]}]"
    HS_AUTO(hs_estate) named = parse_good(ESTATE(LOOP RACK(",\"cooling\":\"rear-door\"")));
    HS_AUTO(hs_estate) silent = parse_good(ESTATE(LOOP RACK("")));

    assert_near(named->loops[0].supply_c, 30, 0);
    assert_near(silent->loops[0].supply_c, 45, 0);
    assert_near(named->sites[0].aux_elec_ratio, 0, 0);
}

static void advice__names_what_cannot_work(void **state)
{
#define KIND(kind, more)                                                                      \
    ",\"electricity\":{\"price_cur_per_mwh\":90},\"loops\":[{\"name\":\"l\",\"supply_c\":50," \
    "\"sinks\":[{\"name\":\"b\",\"kind\":\"" kind "\"" more                                   \
    ",\"backup\":{\"kind\":\"gas-boiler\",\"price_cur_per_mwh\":80}}]}]"
#define CHIP RACK(",\"cooling\":\"direct-to-chip\"")
    check_advice(ESTATE(KIND("pool", "") CHIP), "");
    check_advice(ESTATE(KIND("pool", "") RACK(",\"cooling\":\"rear-door\"")),
                 "note: rack 's/r': cooling rear-door hands over heat at 35 °C at most, loop 's/l' "
                 "wants 50 °C");
    check_advice(ESTATE(KIND("dhw", "") CHIP),
                 "note: sink 's/l/b': needs 55 °C, loop 's/l' has 50");
    check_advice(ESTATE(KIND("dhw", ",\"lift\":\"preheat\"") CHIP), "");
    check_advice(ESTATE(KIND("process", ",\"lift\":\"preheat\",\"supply_min_c\":75") CHIP),
                 "note: sink 's/l/b': its water comes back at 55 °C, loop 's/l' has 50 °C");
    check_advice(ESTATE(KIND("space-heating-radiator", ",\"supply_min_c\":45") CHIP),
                 "note: sink 's/l/b': radiators need some 55 °C");
    check_advice(ESTATE(KIND("space-heating-radiator", ",\"lift\":\"heat-pump\"") CHIP), "");
    check_advice(ESTATE(TEMPLATE("hospital") CHIP
                        ",\"loops\":[{\"name\":\"heat\",\"rejection\":{\"limit_w\":1000}}]"),
                 "note: loop 's/heat': rejection/limit_w is 1000 W, with redundancy 2n its racks "
                 "ask for 1300 W");
}

static void assumed__is_told_by_site_and_in_one_sentence(void **state)
{
    HS_AUTO(hs_estate)
    estate = parse_good("{\"estate\":\"e\",\"sites\":[{\"name\":\"s\",\"template\":\"office\"},"
                        "{\"name\":\"s2\",\"template\":\"home\"}]}");
    json_auto_t *of_s = hs_assumed_format(&estate->assumed, "s");
    json_auto_t *all = hs_assumed_format(&estate->assumed, NULL);
    HS_AUTO_MEM char *text = hs_assumed_format_text(&estate->assumed, 2);
    const json_t *first = json_array_get(of_s, 0);

    assert_int_equal(json_array_size(all), estate->assumed.n);
    assert_true(json_array_size(of_s) < json_array_size(all));
    assert_string_equal(json_string_value(json_object_get(first, "path")), "s");
    assert_string_equal(json_string_value(json_object_get(first, "field")),
                        "electricity/price_cur_per_mwh");
    assert_near(json_number_value(json_object_get(first, "value")), 200, 0);
    assert_non_null(strstr(json_string_value(json_object_get(first, "source")), "Eurostat"));
    assert_non_null(strstr(text, "values are assumed, neither given nor measured: s "
                                 "electricity/price_cur_per_mwh 200, electricity/gco2_per_kwh 281; "
                                 "and "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cooling__rows_are_sane_and_sourced),
        cmocka_unit_test(figures__are_sourced),
        cmocka_unit_test(templates__parse_alone_with_every_cooling),
        cmocka_unit_test(template__sizes_tank_and_rejection_from_the_racks),
        cmocka_unit_test(template__lifts_what_the_loop_cannot_reach),
        cmocka_unit_test(template__yields_to_the_file_at_every_depth),
        cmocka_unit_test(template__leaves_loops_of_other_names_alone),
        cmocka_unit_test(template__gives_no_euros_to_another_currency),
        cmocka_unit_test(cooling__gives_the_supply_where_it_is_named),
        cmocka_unit_test(advice__names_what_cannot_work),
        cmocka_unit_test(assumed__is_told_by_site_and_in_one_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
