/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/near.h"
#include "tests/unit/sim/small_world.h"

#define AT "\"at\": \"2026-01-05T01:00:00Z\", "

static void expect_error(const char *events, const char *pointer, const char *text)
{
    struct small_world world;

    assert_int_equal(small_world_open(&world, 1, events), 1);
    if (strstr(world.report.errors[0], pointer) == NULL
        || strstr(world.report.errors[0], text) == NULL) {
        fail_msg("'%s' has no '%s' at '%s'", world.report.errors[0], text, pointer);
    }
    small_world_close(&world);
}

static void simevents__objects_that_are_not_there_name_the_nearest(void **state)
{
    expect_error("[{" AT
                 "\"for\": \"2h\", \"kind\": \"sink-off\", \"object\": \"pool/main/basn\"}]",
                 "/events/0/object",
                 "no loop or sink 'pool/main/basn'; did you mean "
                 "'pool/main/basin'");
    expect_error("[{" AT "\"for\": \"2h\", \"kind\": \"host-lost\", \"object\": \"pool/h9\"}]",
                 "/events/0/object", "did you mean 'pool/h1'");
    expect_error("[{" AT "\"for\": \"2h\", \"kind\": \"feed-lost\", \"object\": \"nowhere\"}]",
                 "/events/0/object", "known is 'pool'");
    expect_error("[{" AT "\"for\": \"2h\", \"kind\": \"sensor-nan\","
                 "\"object\": \"pool/main/basin/demand_heat\"}]",
                 "/events/0/object", "did you mean 'demand_heat_w'");
    expect_error("[{" AT "\"for\": \"2h\", \"kind\": \"pump-fault\", \"object\": \"pool\"}]",
                 "/events/0/object", "no loop 'pool'");
}

static void simevents__kinds_that_are_not_there_name_the_nearest(void **state)
{
    expect_error("[{" AT "\"for\": \"2h\", \"kind\": \"sink-of\", \"object\": \"pool\"}]",
                 "/events/0/kind", "sink-off");
}

static void simevents__spans_must_make_sense(void **state)
{
    static const char tail[] = "\"kind\": \"feed-lost\", \"object\": \"pool\"}]";
    char text[256];

    snprintf(text, sizeof(text), "[{" AT "\"until\": \"2026-01-05T00:30:00Z\", %s", tail);
    expect_error(text, "/events/0/until", "is not after 'at'");
    snprintf(text, sizeof(text), "[{" AT "%s", tail);
    expect_error(text, "/events/0", "either with 'until' or with 'for'");
    snprintf(text, sizeof(text), "[{" AT "\"until\": \"2026-01-05T02:00:00Z\", \"for\": \"1h\", %s",
             tail);
    expect_error(text, "/events/0", "either with 'until' or with 'for'");
    snprintf(text, sizeof(text), "[{\"at\": \"yesterday\", \"for\": \"1h\", %s", tail);
    expect_error(text, "/events/0/at", "write RFC 3339");
    snprintf(text, sizeof(text), "[{\"at\": \"2026-01-06T00:00:00Z\", \"for\": \"1h\", %s", tail);
    expect_error(text, "/events/0/at", "outside the run, 2026-01-05T00:00:00Z to 2026-01-06");
}

static void simevents__a_value_that_is_needed_must_be_there(void **state)
{
    expect_error("[{" AT "\"for\": \"2h\", \"kind\": \"sensor-jump\","
                 "\"object\": \"pool/main/tank/0.5_c\"}]",
                 "/events/0", "'sensor-jump' needs a 'value'");
    expect_error("[{" AT "\"for\": \"2h\", \"kind\": \"rejection-fault\", \"value\": -5,"
                 "\"object\": \"pool/main\"}]",
                 "/events/0/value", "cannot be -5 W");
}

static void simevents__spans_are_cut_to_the_run_and_edges_come_once(void **state)
{
    struct small_world world;
    const struct hs_simevents *events = &world.scenario.events;

    assert_int_equal(
        small_world_open(
            &world, 1,
            "[{\"at\": \"2026-01-04T20:00:00Z\", \"for\": \"5h\", \"kind\": \"host-lost\","
            "  \"object\": \"pool/r1/h1\"},"
            " {" AT "\"until\": \"2026-01-09T00:00:00Z\", \"kind\": \"host-lost\","
            "  \"object\": \"office/h1\"},"
            " {" AT "\"for\": \"2h\", \"kind\": \"maintenance\", \"object\": \"pool\"}]"),
        0);
    assert_int_equal(events->n, 3);
    assert_int_equal(events->items[0].scope, HS_SIMEVENT_HOST);
    assert_int_equal(events->items[0].thing_idx, SMALL_POOL);
    assert_int_equal(events->items[1].thing_idx, SMALL_OFFICE);
    assert_int_equal(events->items[2].scope, HS_SIMEVENT_SITE);
    assert_int_equal(events->n_edges, 4);
    assert_near(events->edges_at_s[0], small_world_at_s(0), 0);
    assert_near(events->edges_at_s[1], small_world_at_s(3600), 0);
    assert_near(events->edges_at_s[2], small_world_at_s(3 * 3600), 0);
    assert_near(events->edges_at_s[3], small_world_at_s(86400), 0);
    small_world_close(&world);
}

static void simevents__every_kind_has_a_word_and_a_summary(void **state)
{
    for (size_t k = 0; k < HS_SIMEVENT_KIND_COUNT_; k++) {
        char text[256];
        struct small_world world;

        assert_true(strlen(hs_simevents_summary((enum hs_simevent_kind)k)) > 10);
        /* the word is one that a file may use */
        snprintf(text, sizeof(text),
                 "[{" AT "\"for\": \"1h\", \"kind\": \"%s\", \"object\": \"x\"}]",
                 hs_simevents_word((enum hs_simevent_kind)k));
        small_world_open(&world, 1, text);
        assert_null(strstr(world.report.errors[0], "/kind"));
        small_world_close(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simevents__objects_that_are_not_there_name_the_nearest),
        cmocka_unit_test(simevents__kinds_that_are_not_there_name_the_nearest),
        cmocka_unit_test(simevents__spans_must_make_sense),
        cmocka_unit_test(simevents__a_value_that_is_needed_must_be_there),
        cmocka_unit_test(simevents__spans_are_cut_to_the_run_and_edges_come_once),
        cmocka_unit_test(simevents__every_kind_has_a_word_and_a_summary),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
