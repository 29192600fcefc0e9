/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/conf.h"
#include "scheduler/base/jsonx.h"
#include "tests/support/near.h"

struct cask {
    char name[16];
    char kind[16];
    double volume_l;
    double limit_w;
    int nodes;
    uint64_t memory_mib;
    bool hot;
    int64_t wait_s;
    struct {
        bool present;
        double height_m;
    } stand;
    double price_cur;
};

#define CASK(member) .offset = offsetof(struct cask, member)

static const char *const kinds[] = {"oak", "steel", NULL};

static const struct hs_conf_field stand_fields[] = {
    {.name = "height_m",
     .type = HS_CONF_REAL,
     .offset = sizeof(double),
     .min = 0,
     .max = 9,
     .has_default = true,
     .default_number = 1.5},
};
static const struct hs_conf_table stand_table = {"stand", stand_fields, 1};

static const struct hs_conf_field money_fields[] = {
    {.name = "price_cur",
     .type = HS_CONF_REAL,
     CASK(price_cur),
     .has_default = true,
     .default_number = 7},
};
static const struct hs_conf_table money_table = {"money", money_fields, 1};

static const struct hs_conf_field fields[] = {
    {.name = "name",
     .type = HS_CONF_NAME,
     CASK(name),
     .size = 16,
     .required = true,
     .help = "what it is called"},
    {.name = "kind",
     .type = HS_CONF_WORD,
     CASK(kind),
     .size = 16,
     .words = kinds,
     .default_text = "oak"},
    {.name = "volume_l",
     .type = HS_CONF_REAL,
     CASK(volume_l),
     .min = 50,
     .max = 200,
     .unit = "l",
     .required = true,
     .help = "what it holds"},
    {.name = "limit_w",
     .type = HS_CONF_REAL,
     CASK(limit_w),
     .min = 1,
     .max = INFINITY,
     .unit = "W",
     .has_default = true,
     .default_number = INFINITY},
    {.name = "nodes",
     .type = HS_CONF_INT,
     CASK(nodes),
     .min = 1,
     .max = 9,
     .has_default = true,
     .default_number = 3},
    {.name = "memory_mib", .type = HS_CONF_UINT64, CASK(memory_mib)},
    {.name = "hot", .type = HS_CONF_BOOL, CASK(hot), .has_default = true, .default_number = 1},
    {.name = "wait",
     .type = HS_CONF_DURATION,
     CASK(wait_s),
     .min = 60,
     .max = 86400,
     .has_default = true,
     .default_number = 3600},
    {.name = "stand",
     .type = HS_CONF_OBJECT,
     CASK(stand),
     .table = &stand_table,
     .present_offset = offsetof(struct cask, stand.present)},
    {.name = "money", .type = HS_CONF_OBJECT, .table = &money_table, .present_offset = SIZE_MAX},
    {.name = "parts", .type = HS_CONF_CHILDREN},
    {.name = "points", .type = HS_CONF_ANY},
};
static const struct hs_conf_table table = {"cask", fields, sizeof(fields) / sizeof(fields[0])};

/* Read @text; the whole report as one text, owned by the caller. */
static char *read_cask(const char *text, struct cask *cask)
{
    struct hs_conf_report report = {.file = "cask.json", .text = text};
    json_auto_t *json = NULL;
    char *errors;
    bool good;

    assert_int_equal(hs_jsonx_parse("cask.json", text, strlen(text), &json, NULL), 0);
    memset(cask, 0, sizeof(*cask));
    good = hs_conf_read(&table, json, "", cask, &report);
    assert_int_equal(good, report.n_errors == 0);
    errors = hs_conf_report_format(&report);
    hs_conf_report_fini(&report);
    return errors;
}

static void check(const char *text, const char *want)
{
    struct cask cask;
    HS_AUTO_MEM char *errors = read_cask(text, &cask);

    assert_string_equal(errors, want);
}

#define GOOD "\"name\":\"a\",\"volume_l\":60"

static void read__fills_defaults_and_what_is_given(void **state)
{
    struct cask cask;
    HS_AUTO_MEM char *errors =
        read_cask("{\"$comment\":\"x\",\"description\":1,\"$schema\":\"y\",\"name\":\"a-1.b\","
                  "\"volume_l\":60.5,\"memory_mib\":4.0,\"hot\":false,\"wait\":\"1h30m\","
                  "\"nodes\":null,\"points\":5,\"parts\":[]}",
                  &cask);

    assert_string_equal(errors, "");
    assert_string_equal(cask.name, "a-1.b");
    assert_string_equal(cask.kind, "oak");
    assert_near(cask.volume_l, 60.5, 0);
    assert_true(isinf(cask.limit_w));
    assert_int_equal(cask.nodes, 3);
    assert_int_equal(cask.memory_mib, 4);
    assert_false(cask.hot);
    assert_int_equal(cask.wait_s, 5400);
    assert_false(cask.stand.present);
    assert_near(cask.stand.height_m, 1.5, 0);
    assert_near(cask.price_cur, 7, 0);
}

static void read__goes_into_nested_objects(void **state)
{
    struct cask cask;
    HS_AUTO_MEM char *errors =
        read_cask("{" GOOD ",\"stand\":{\"height_m\":2},\"money\":{\"price_cur\":3}}", &cask);

    assert_string_equal(errors, "");
    assert_true(cask.stand.present);
    assert_near(cask.stand.height_m, 2, 0);
    assert_near(cask.price_cur, 3, 0);
    check("{" GOOD ",\"stand\":{\"height\":2}}",
          "cask.json:1:45: /stand/height: unknown key 'height', did you mean 'height_m'?");
    check("{" GOOD ",\"stand\":[]}",
          "cask.json:1:35: /stand: must be an object (a stand), not a list");
}

static void read__names_the_nearest_key_at_its_line_and_column(void **state)
{
    check("{\n  \"name\": \"a\",\n  \"volume_l\": 60,\n  \"wiat\": \"1h\"\n}",
          "cask.json:4:11: /wiat: unknown key 'wiat', did you mean 'wait'?");
    check("{" GOOD ",\"colour\":1}",
          "cask.json:1:36: /colour: unknown key 'colour' in a cask, which has name, kind, "
          "volume_l, limit_w, nodes, memory_mib, hot, wait, stand, money, parts, points");
}

static void read__refuses_wrong_types(void **state)
{
    check("{\"name\":5,\"volume_l\":60}",
          "cask.json:1:9: /name: must be a name in quotes, not a number");
    check("{\"name\":\"a\",\"volume_l\":\"60\"}",
          "cask.json:1:24: /volume_l: must be a number, not a text");
    check("{" GOOD ",\"nodes\":1.5}", "cask.json:1:35: /nodes: must be a whole number, is 1.5");
    check("{" GOOD ",\"memory_mib\":-1}", "cask.json:1:40: /memory_mib: must be at least 0, is -1");
    check("{" GOOD ",\"hot\":1}", "cask.json:1:33: /hot: must be true or false, not a number");
    check("{" GOOD ",\"parts\":1}",
          "cask.json:1:35: /parts: must be a list or an object, not a number");
}

static void read__refuses_numbers_out_of_range_with_their_unit(void **state)
{
    check("{\"name\":\"a\",\"volume_l\":5}",
          "cask.json:1:24: /volume_l: must be 50 l to 200 l, is 5 l");
    check("{" GOOD ",\"limit_w\":0}", "cask.json:1:37: /limit_w: must be at least 1 W, is 0 W");
    check("{" GOOD ",\"nodes\":10}", "cask.json:1:35: /nodes: must be 1 to 9, is 10");
}

static void read__refuses_a_duration_without_a_unit(void **state)
{
    check("{" GOOD ",\"wait\":90}", "cask.json:1:34: /wait: a duration needs a unit: write "
                                    "\"90m\", \"1h30m\" or \"2d\"");
    check("{" GOOD ",\"wait\":\"90\"}",
          "cask.json:1:34: /wait: '90' has no unit; write 90s, 90m or 90h");
    check("{" GOOD ",\"wait\":\"2d\"}", "cask.json:1:34: /wait: must be 1m to 1d, is 2d");
}

static void read__says_what_a_missing_field_is(void **state)
{
    check("{\"name\":\"a\"}", "cask.json:1:1: 'volume_l' is missing: what it holds");
    check("{\"name\":null,\"volume_l\":60}", "cask.json:1:1: 'name' is missing: what it is called");
}

static void read__refuses_words_and_names_that_are_none(void **state)
{
    check("{" GOOD ",\"kind\":\"steal\"}",
          "cask.json:1:34: /kind: 'steal' is not known, did you mean 'steel'? (one of oak, steel)");
    check("{" GOOD ",\"kind\":\"glass\"}",
          "cask.json:1:34: /kind: 'glass' is not known, use one of oak, steel");
    check("{\"name\":\"a/b\",\"volume_l\":60}",
          "cask.json:1:9: /name: 'a/b' is not a name; use letters, digits, '.', '_' and '-', "
          "first a letter or digit");
    check("{\"name\":\"abcdefghijklmnop\",\"volume_l\":60}",
          "cask.json:1:9: /name: is longer than 15 bytes");
}

static void read__reports_every_error_at_once(void **state)
{
    check("{\n\"volume_l\": 5,\n\"nodse\": 1,\n\"hot\": \"yes\"\n}",
          "cask.json:2:13: /volume_l: must be 50 l to 200 l, is 5 l\n"
          "cask.json:3:10: /nodse: unknown key 'nodse', did you mean 'nodes'?\n"
          "cask.json:4:8: /hot: must be true or false, not a text\n"
          "cask.json:1:1: 'name' is missing: what it is called");
}

static void report__keeps_twenty_errors_and_counts_the_rest(void **state)
{
    struct hs_conf_report report = {0};
    HS_AUTO_MEM char *text = NULL;

    for (int i = 0; i < 23; i++) {
        hs_conf_report_add(&report, "/x", "error %d", i);
    }
    assert_int_equal(report.n_errors, 23);
    text = hs_conf_report_format(&report);
    assert_non_null(strstr(text, "/x: error 19\nand 3 more"));
    assert_null(strstr(text, "error 20"));
    hs_conf_report_fini(&report);
}

static void report__leaves_out_what_it_does_not_know(void **state)
{
    struct hs_conf_report bare = {0};
    struct hs_conf_report text_only = {.text = "{\n\"x\":1}"};
    struct hs_conf_report file_only = {.file = "f.json"};

    hs_conf_report_add(&bare, "", "bad\n\x1b[2J");
    hs_conf_report_add(&text_only, "/x", "bad");
    hs_conf_report_add(&file_only, "/x", "bad");
    assert_string_equal(bare.errors[0], "bad??[2J");
    assert_string_equal(text_only.errors[0], "2:5: /x: bad");
    assert_string_equal(file_only.errors[0], "f.json: /x: bad");
    hs_conf_report_fini(&bare);
    hs_conf_report_fini(&text_only);
    hs_conf_report_fini(&file_only);
}

static void parse__reports_a_mistake_in_the_syntax(void **state)
{
    struct hs_conf_report report = {0};
    json_t *json = NULL;

    assert_int_equal(hs_conf_parse("f.json", "{\n\"x\" 1}", &report, &json), -HS_E_INVALID);
    assert_int_equal(hs_conf_parse(NULL, "{\n\"x\" 1}", &report, &json), -HS_E_INVALID);
    assert_null(json);
    assert_string_equal(report.errors[0], "f.json:2:5: ':' expected near '1'");
    assert_string_equal(report.errors[1], "2:5: ':' expected near '1'");
    hs_conf_report_fini(&report);
}

static void check_place(const char *text, const char *pointer, int want_line, int want_column)
{
    int line = 0, column = 0;

    hs_conf_locate(text, pointer, &line, &column);
    assert_int_equal(line, want_line);
    assert_int_equal(column, want_column);
}

static void locate__walks_lists_and_escaped_keys(void **state)
{
    static const char text[] = "{\"a\": [ {\"x\": \"]}\\\"\"},\n"
                               "        {\"b/~c\": [1, 2],\n"
                               "         \"\\u0064\": {\"\xc3\xa9\": 1, \"e\": true}}]}";

    check_place(text, "", 1, 1);
    check_place(text, "/a/0/x", 1, 15);
    check_place(text, "/a/1", 2, 9);
    check_place(text, "/a/1/b~1~0c/1", 2, 22);
    check_place(text, "/a/1/d/e", 3, 34);
    check_place(text, "/a/1/d/nothing/here", 3, 20);
    check_place(text, "/a/7", 1, 7);
    check_place("", "/a", 1, 1);
    check_place("{\"a\": \"", "/a/b", 1, 7);
}

static void nearest__forgives_slips_but_does_not_guess(void **state)
{
    static const char *const words[] = {"gas-boiler", "heat-pump", "district", "dhw", NULL};

    assert_string_equal(hs_conf_nearest(words, "gasboiler"), "gas-boiler");
    assert_string_equal(hs_conf_nearest(words, "Heat-Pump"), "heat-pump");
    assert_string_equal(hs_conf_nearest(words, "distrcit"), "district");
    assert_string_equal(hs_conf_nearest(words, "dist"), "district");
    assert_string_equal(hs_conf_nearest(words, "dwh"), "dhw");
    assert_null(hs_conf_nearest(words, "oil"));
    assert_null(hs_conf_nearest(words, ""));
}

static void markdown__lists_each_field_and_the_tables_below(void **state)
{
    HS_AUTO_MEM char *text = hs_conf_format_markdown(&table);

    assert_non_null(strstr(text, "## cask\n"));
    assert_non_null(
        strstr(text, "| `volume_l` | number | l | 50 to 200 | **required** | what it holds |\n"));
    assert_non_null(strstr(text, "| `limit_w` | number | W | 1 or more | no limit |  |\n"));
    assert_non_null(strstr(text, "| `wait` | duration |  | 1m to 1d | 1h |  |\n"));
    assert_non_null(strstr(text, "| `kind` | `oak`, `steel` |  |  | `oak` |  |\n"));
    assert_non_null(strstr(text, "## stand\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read__fills_defaults_and_what_is_given),
        cmocka_unit_test(read__goes_into_nested_objects),
        cmocka_unit_test(read__names_the_nearest_key_at_its_line_and_column),
        cmocka_unit_test(read__refuses_wrong_types),
        cmocka_unit_test(read__refuses_numbers_out_of_range_with_their_unit),
        cmocka_unit_test(read__refuses_a_duration_without_a_unit),
        cmocka_unit_test(read__says_what_a_missing_field_is),
        cmocka_unit_test(read__refuses_words_and_names_that_are_none),
        cmocka_unit_test(read__reports_every_error_at_once),
        cmocka_unit_test(report__keeps_twenty_errors_and_counts_the_rest),
        cmocka_unit_test(report__leaves_out_what_it_does_not_know),
        cmocka_unit_test(parse__reports_a_mistake_in_the_syntax),
        cmocka_unit_test(locate__walks_lists_and_escaped_keys),
        cmocka_unit_test(nearest__forgives_slips_but_does_not_guess),
        cmocka_unit_test(markdown__lists_each_field_and_the_tables_below),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
