/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/model/estate.h"
#include "tests/support/near.h"

#define SITE_HEAD "{\"name\":\"s\",\"electricity\":{\"price_cur_per_mwh\":100},"
#define BACKUP    "\"backup\":{\"kind\":\"gas-boiler\",\"price_cur_per_mwh\":80}"
#define SINK      "{\"name\":\"b\",\"kind\":\"pool\"," BACKUP "}"
#define TANK      "\"tank\":{\"volume_l\":1000,\"min_c\":35,\"max_c\":60},"
#define LOOP      "{\"name\":\"l\"," TANK "\"sinks\":[" SINK "]}"
#define HOST(name, more)                                                                     \
    "{\"name\":\"" name "\",\"uri\":\"sim:\",\"vcpus\":8,\"memory_mib\":1024,\"idle_w\":50," \
    "\"max_w\":250" more "}"
#define RACK(more, hosts) "{\"name\":\"r\"" more ",\"hosts\":[" hosts "]}"
#define ESTATE(sites)     "{\"estate\":\"e\",\"sites\":[" sites "]}"
#define ONE(loops, racks) ESTATE(SITE_HEAD "\"loops\":[" loops "],\"racks\":[" racks "]}")

/* The report of @text, owned by the caller; *ret_estate is set where it parses. */
static char *parse(const char *text, struct hs_estate **ret_estate)
{
    struct hs_conf_report report = {0};
    int rc = hs_estate_parse(NULL, text, &report, ret_estate);
    char *errors = hs_conf_report_format(&report);

    assert_int_equal(rc, report.n_errors == 0 ? 0 : -HS_E_INVALID);
    hs_conf_report_fini(&report);
    return errors;
}

static struct hs_estate *parse_good(const char *text)
{
    struct hs_estate *estate = NULL;
    HS_AUTO_MEM char *errors = parse(text, &estate);

    assert_string_equal(errors, "");
    return estate;
}

/* One error, and it is about @pointer and says @want. */
static void check(const char *text, const char *pointer, const char *want)
{
    struct hs_estate *estate = NULL;
    HS_AUTO_MEM char *errors = parse(text, &estate);
    char place[128];

    assert_null(estate);
    snprintf(place, sizeof(place), " %s: ", pointer);
    if (strstr(errors, place) == NULL || strstr(errors, want) == NULL
        || strchr(errors, '\n') != NULL) {
        fail_msg("want '%s' at '%s', got '%s'", want, pointer, errors);
    }
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t n_bytes = 0;

    if (file == NULL || getdelim(&text, &n_bytes, '\0', file) < 0) {
        fail_msg("cannot read '%s'", path);
    }
    fclose(file);
    return text;
}

static void parse__fills_what_is_left_open(void **state)
{
    HS_AUTO(hs_estate) estate = parse_good(ONE(LOOP, RACK("", HOST("h", ""))));
    const struct hs_sink *sink = &estate->sinks[0];
    const struct hs_rack *rack = &estate->racks[0];

    assert_string_equal(estate->cell, "main");
    assert_int_equal(estate->slot_s, 900);
    assert_string_equal(estate->sites[0].timezone, "UTC");
    assert_true(isinf(estate->sites[0].limit_w));
    assert_int_equal(estate->loops[0].tank.nodes, 3);
    assert_true(isinf(estate->loops[0].rejection_limit_w));
    assert_true(isinf(estate->loops[0].tank.charge_limit_w));
    assert_string_equal(sink->path, "s/l/b");
    assert_string_equal(sink->lift, "none");
    assert_near(sink->supply_min_c, 30, 0);
    assert_near(sink->backup_efficiency_ratio, 0.9, 0);
    assert_near(sink->backup_gco2_per_kwh, 202, 0);
    assert_near(hs_sink_worth_cur_per_mwh(sink, 100), (80 + 20.2) / 0.9, 1e-9);
    assert_string_equal(rack->loop, "l");
    assert_near(rack->capture_ratio, 0.5, 0);
    assert_int_equal(estate->hosts[0].count, 1);
    assert_string_equal(estate->hosts[0].name, "h");
    assert_near(hs_host_elec_w(&estate->hosts[0], 4), 150, 1e-9);
}

static void parse__takes_capture_from_rack_then_loop_then_cooling(void **state)
{
    HS_AUTO(hs_estate)
    estate = parse_good(
        ONE("{\"name\":\"l\",\"capture_ratio\":0.7,\"sinks\":[]},{\"name\":\"m\",\"sinks\":[]}",
            "{\"name\":\"a\",\"loop\":\"l\",\"capture_ratio\":0.9},"
            "{\"name\":\"b\",\"loop\":\"l\"},"
            "{\"name\":\"c\",\"loop\":\"m\",\"cooling\":\"immersion\"}"));

    assert_near(estate->racks[0].capture_ratio, 0.9, 0);
    assert_near(estate->racks[1].capture_ratio, 0.7, 0);
    assert_near(estate->racks[2].capture_ratio, 0.85, 0);
    assert_int_equal(estate->racks[2].loop_idx, 1);
}

static void parse__repeats_a_host_by_its_count(void **state)
{
    HS_AUTO(hs_estate)
    estate =
        parse_good(ONE(LOOP, RACK("", HOST("h", ",\"count\":3") "," HOST("one", ",\"count\":1"))));

    assert_int_equal(estate->n_hosts, 4);
    assert_int_equal(estate->racks[0].n_hosts, 4);
    assert_string_equal(estate->hosts[0].path, "s/h-1");
    assert_string_equal(estate->hosts[2].name, "h-3");
    assert_string_equal(estate->hosts[3].name, "one");
    assert_int_equal(hs_estate_find_host(estate, "s/h-2"), 1);
    check(ONE(LOOP, RACK("", HOST("h", ",\"count\":2") "," HOST("h-2", ""))),
          "/sites/0/racks/0/hosts/1/name", "there is already a host named 'h-2' here");
}

static void find__knows_paths_and_nothing_else(void **state)
{
    HS_AUTO(hs_estate) estate = parse_good(ONE(LOOP, RACK("", HOST("h", ""))));

    assert_int_equal(hs_estate_find_site(estate, "s"), 0);
    assert_int_equal(hs_estate_find_loop(estate, "s/l"), 0);
    assert_int_equal(hs_estate_find_sink(estate, "s/l/b"), 0);
    assert_int_equal(hs_estate_find_rack(estate, "s/r"), 0);
    assert_true(hs_estate_find_site(estate, "s/l") == SIZE_MAX);
    assert_true(hs_estate_find_loop(estate, "s/") == SIZE_MAX);
    assert_true(hs_estate_find_loop(estate, "ss/l") == SIZE_MAX);
    assert_true(hs_estate_find_sink(estate, "s/l") == SIZE_MAX);
    assert_true(hs_estate_find_host(estate, "") == SIZE_MAX);
}

static void template__gives_the_kind_of_sinks(void **state)
{
    HS_AUTO(hs_estate)
    estate = parse_good(
        ESTATE(SITE_HEAD "\"template\":\"leisure-centre\",\"loops\":[{\"name\":\"l\",\"sinks\":"
                         "[{\"name\":\"b\"," BACKUP "}]}]}"));

    assert_string_equal(estate->sinks[0].kind, "pool");
    check(ONE("{\"name\":\"l\",\"sinks\":[{\"name\":\"b\"," BACKUP "}]}", ""),
          "/sites/0/loops/0/sinks/0", "'kind' is missing");
}

static void backup__defaults_by_kind_and_knows_other_names(void **state)
{
    HS_AUTO(hs_estate)
    estate = parse_good(
        ONE("{\"name\":\"l\",\"sinks\":[{\"name\":\"a\",\"kind\":\"dhw\",\"backup\":{\"kind\":"
            "\"resistive\"}},{\"name\":\"b\",\"kind\":\"dhw\",\"backup\":{\"kind\":\"district-heat"
            "\",\"price_cur_per_mwh\":110,\"gco2_per_kwh\":140}}]}",
            ""));

    assert_string_equal(estate->sinks[0].backup_kind, "electric");
    assert_near(estate->sinks[0].backup_price_cur_per_mwh, 100, 0);
    assert_string_equal(estate->sinks[1].backup_kind, "district");
    assert_near(estate->sinks[1].backup_efficiency_ratio, 1, 0);
    check(ONE("{\"name\":\"l\",\"sinks\":[{\"name\":\"a\",\"kind\":\"dhw\",\"backup\":{\"kind\":"
              "\"district\",\"price_cur_per_mwh\":1}}]}",
              ""),
          "/sites/0/loops/0/sinks/0/backup", "'gco2_per_kwh' is missing");
    check(ONE("{\"name\":\"l\",\"sinks\":[{\"name\":\"a\",\"kind\":\"dhw\",\"backup\":{\"kind\":"
              "\"gas-boiler\"}}]}",
              ""),
          "/sites/0/loops/0/sinks/0/backup", "'price_cur_per_mwh' is missing");
}

static void parse__refuses_duplicate_names(void **state)
{
    check(ONE(LOOP "," LOOP, ""), "/sites/0/loops/1/name",
          "there is already a loop named 'l' here");
    check(ONE("{\"name\":\"l\",\"sinks\":[" SINK "," SINK "]}", ""),
          "/sites/0/loops/0/sinks/1/name", "there is already a sink named 'b' here");
    check(ONE(LOOP, RACK("", HOST("h", "")) "," RACK("", HOST("i", ""))), "/sites/0/racks/1/name",
          "there is already a rack named 'r' here");
    check(ONE(LOOP, RACK("", HOST("h", "") "," HOST("h", ""))), "/sites/0/racks/0/hosts/1/name",
          "there is already a host named 'h' here");
    check(ESTATE(SITE_HEAD "\"loops\":[]}," SITE_HEAD "\"loops\":[]}"), "/sites/1/name",
          "there is already a site named 's' here");
}

static void parse__refuses_a_rack_on_no_loop_of_its_site(void **state)
{
    check(ONE("{\"name\":\"main\",\"sinks\":[]}", RACK(",\"loop\":\"mian\"", "")),
          "/sites/0/racks/0/loop", "site 's' has no loop 'mian', did you mean 'main'?");
    check(ONE("{\"name\":\"l\",\"sinks\":[]},{\"name\":\"m\",\"sinks\":[]}", RACK("", "")),
          "/sites/0/racks/0", "'loop' is missing: site 's' has 2 loops");
}

static void parse__refuses_tanks_that_cannot_be(void **state)
{
    check(ONE("{\"name\":\"l\",\"tank\":{\"volume_l\":1,\"min_c\":35,\"max_c\":60},\"sinks\":[]}",
              ""),
          "/sites/0/loops/0/tank/volume_l", "must be 10 l to");
    check(ONE("{\"name\":\"l\",\"tank\":{\"volume_l\":99,\"min_c\":60,\"max_c\":60},\"sinks\":[]}",
              ""),
          "/sites/0/loops/0/tank/max_c", "must be above min_c (60 °C), is 60 °C");
    check(ONE("{\"name\":\"l\"," TANK "\"sinks\":[{\"name\":\"b\",\"kind\":\"dhw\"," BACKUP "}]}",
              ""),
          "/sites/0/loops/0/sinks/0/supply_min_c", "is 55 °C, but the tank may be as cold");
    hs_estate_free(parse_good(ONE("{\"name\":\"l\"," TANK "\"sinks\":[{\"name\":\"b\",\"kind\":"
                                  "\"dhw\",\"lift\":\"preheat\"," BACKUP "}]}",
                                  "")));
}

static void parse__refuses_hosts_that_cannot_be(void **state)
{
    check(ONE(LOOP, RACK("", "{\"name\":\"h\",\"uri\":\"sim:\",\"vcpus\":8,\"memory_mib\":1024,"
                             "\"idle_w\":50,\"max_w\":40}")),
          "/sites/0/racks/0/hosts/0/max_w", "must be at least idle_w (50 W), is 40 W");
    check(ONE(LOOP, RACK("", HOST("h", ",\"pinned_vcpus\":9"))),
          "/sites/0/racks/0/hosts/0/pinned_vcpus", "must be at most vcpus (8), is 9");
    check(ONE(LOOP, RACK(",\"limit_w\":0", "")), "/sites/0/racks/0/limit_w",
          "must be at least 1 W, is 0 W");
    check(ONE(LOOP, RACK("", HOST("h", ",\"vcpu\":9"))), "/sites/0/racks/0/hosts/0/vcpu",
          "unknown key 'vcpu', did you mean 'vcpus'?");
}

static void parse__refuses_a_slot_that_does_not_divide_a_day(void **state)
{
    check("{\"estate\":\"e\",\"slot_s\":7000,\"sites\":[" SITE_HEAD "\"loops\":[]}]}", "/slot_s",
          "must divide a day");
    check("{\"estate\":\"e\",\"sites\":[]}", "/sites", "an estate has at least one site");
    check("{\"estate\":\"e\",\"sites\":{}}", "/sites", "must be a list");
}

static void parse__says_line_and_column_and_every_error(void **state)
{
    static const char text[] = "{\n"
                               "  \"estate\": \"e\",\n"
                               "  \"sites\": [\n"
                               "    {\"name\": \"s\",\n"
                               "     \"electricty\": {},\n"
                               "     \"loops\": [{\"name\": \"l\", \"sinks\": [\n"
                               "       {\"name\": \"b\", \"kind\": \"poll\"}]}]}]\n"
                               "}\n";
    struct hs_conf_report report = {0};
    struct hs_estate *estate = NULL;
    HS_AUTO_MEM char *errors = NULL;

    assert_int_equal(hs_estate_parse("e.json", text, &report, &estate), -HS_E_INVALID);
    errors = hs_conf_report_format(&report);
    hs_conf_report_fini(&report);
    assert_string_equal(
        errors,
        "e.json:5:20: /sites/0/electricty: unknown key 'electricty', did you mean 'electricity'?\n"
        "e.json:4:5: /sites/0: 'electricity' is missing: what electricity costs and emits\n"
        "e.json:7:30: /sites/0/loops/0/sinks/0/kind: 'poll' is not known, did you mean 'pool'? "
        "(one of space-heating-floor, space-heating-low-temperature, space-heating-radiator, dhw, "
        "pool, district-return, district-preheat, process, greenhouse, absorption)\n"
        "e.json:7:8: /sites/0/loops/0/sinks/0: 'backup' is missing: what its heat costs otherwise, "
        "so what ours is worth");
}

static void parse__survives_shapes_that_are_all_wrong(void **state)
{
    static const char *const bad[] = {"[]",
                                      "{}",
                                      "{\"estate\":1,\"sites\":[1,null,[]]}",
                                      ONE("1,[]", "\"x\",{}"),
                                      "",
                                      "{",
                                      ONE("{\"sinks\":[0]}", "{\"hosts\":[0]}"),
                                      ONE("{\"sinks\":{}}", "{\"hosts\":3}")};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct hs_estate *estate = NULL;
        HS_AUTO_MEM char *errors = parse(bad[i], &estate);

        assert_null(estate);
        assert_true(strlen(errors) > 0);
    }
}

static void example__is_valid(void **state)
{
    const char *root = getenv("HSCHED_TEST_ROOT");
    char path[4096];
    HS_AUTO_MEM char *text = NULL;
    HS_AUTO(hs_estate) estate = NULL;

    snprintf(path, sizeof(path), "%s/docs/examples/estate.json", root != NULL ? root : ".");
    text = read_file(path);
    estate = parse_good(text);
    assert_string_equal(estate->name, "riverside");
    assert_near(hs_tank_max_wh(&estate->loops[0].tank), 5000 * 1.163 * 25, 1e-6);
    assert_near(hs_tank_wh_from_c(&estate->loops[0].tank, 40), 5000 * 1.163 * 5, 1e-6);
    assert_near(hs_tank_wh_from_c(&estate->loops[0].tank, 20), 0, 0);
    assert_near(hs_tank_c_from_wh(&estate->loops[0].tank, 5000 * 1.163 * 5), 40, 1e-9);
}

static void check_scenario(const char *path)
{
    HS_AUTO_MEM char *text = read_file(path);
    struct hs_conf_report report = {.file = path, .text = text};
    HS_AUTO(hs_estate) estate = NULL;
    json_auto_t *json = NULL;

    assert_int_equal(hs_jsonx_parse(path, text, strlen(text), &json, NULL), 0);
    if (hs_estate_parse_json(json_object_get(json, "estate"), "/estate", &report, &estate) != 0) {
        fail_msg("%s", report.errors[0]);
    }
    assert_true(estate->n_hosts > estate->n_racks);
}

static void scenarios__inline_estates_parse(void **state)
{
    const char *shared = getenv("HSCHED_TEST_SHARED");
    char path[4096];
    DIR *dir;
    int n = 0;

    snprintf(path, sizeof(path), "%s/scenarios", shared != NULL ? shared : ".");
    dir = opendir(path);
    if (dir == NULL) {
        print_message("skipped: no shared scenarios at '%s'\n", path);
        skip();
    }
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        size_t n_bytes = strlen(entry->d_name);

        if (n_bytes > 5 && strcmp(entry->d_name + n_bytes - 5, ".json") == 0
            && strstr(entry->d_name, ".reference.") == NULL) {
            snprintf(path, sizeof(path), "%s/scenarios/%s", shared, entry->d_name);
            check_scenario(path);
            n++;
        }
    }
    closedir(dir);
    assert_true(n >= 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__fills_what_is_left_open),
        cmocka_unit_test(parse__takes_capture_from_rack_then_loop_then_cooling),
        cmocka_unit_test(parse__repeats_a_host_by_its_count),
        cmocka_unit_test(find__knows_paths_and_nothing_else),
        cmocka_unit_test(template__gives_the_kind_of_sinks),
        cmocka_unit_test(backup__defaults_by_kind_and_knows_other_names),
        cmocka_unit_test(parse__refuses_duplicate_names),
        cmocka_unit_test(parse__refuses_a_rack_on_no_loop_of_its_site),
        cmocka_unit_test(parse__refuses_tanks_that_cannot_be),
        cmocka_unit_test(parse__refuses_hosts_that_cannot_be),
        cmocka_unit_test(parse__refuses_a_slot_that_does_not_divide_a_day),
        cmocka_unit_test(parse__says_line_and_column_and_every_error),
        cmocka_unit_test(parse__survives_shapes_that_are_all_wrong),
        cmocka_unit_test(example__is_valid),
        cmocka_unit_test(scenarios__inline_estates_parse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
