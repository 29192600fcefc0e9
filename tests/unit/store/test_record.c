/* SPDX-License-Identifier: Apache-2.0 */
/* Envelopes: what is damaged is found, and what older versions wrote is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/store/record.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/daemon/intent.h"
#include "scheduler/model/job.h"

#define LINE_MAX_BYTES 65536

static int open_now(const char *table, const char *key, const char *sealed, char *ret_text,
                    size_t size)
{
    HS_AUTO_MEM char *owned = NULL;
    const char *text = NULL;
    int rc = hs_record_open(&hs_record_chain_now, table, key, sealed, &text, &owned, NULL);

    (void)snprintf(ret_text, size, "%s", rc == 0 ? text : "");
    return rc;
}

static void record__comes_back_as_it_was(void **state)
{
    static const char *const texts[] = {"{}", "", "{\"a\":\"b:c\"}", "12", "\xc3\xa9\n"};
    char text[64];

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        HS_AUTO_MEM char *sealed = hs_record_seal(HS_RECORD_SCHEMA, "jobs", "1", texts[i]);

        assert_int_equal(open_now("jobs", "1", sealed, text, sizeof(text)), 0);
        assert_string_equal(text, texts[i]);
    }
}

static void record__is_readable_by_a_person(void **state)
{
    HS_AUTO_MEM char *sealed = hs_record_seal(1, "jobs", "12", "{}");

    assert_string_equal(sealed, "1:c1b463dc:{}");
}

static void record__every_wrong_bit_is_found(void **state)
{
    HS_AUTO_MEM char *sealed =
        hs_record_seal(HS_RECORD_SCHEMA, "jobs", "12", "{\"id\":12,\"state\":\"running\"}");
    char text[64];
    int n_tried = 0;

    for (size_t i = 0; sealed[i] != '\0'; i++) {
        for (int bit = 0; bit < 8; bit++) {
            sealed[i] = (char)(sealed[i] ^ (1 << bit));
            if (sealed[i] != '\0') {
                n_tried++;
                assert_int_equal(open_now("jobs", "12", sealed, text, sizeof(text)),
                                 -HS_E_PROTOCOL);
            }
            sealed[i] = (char)(sealed[i] ^ (1 << bit));
        }
    }
    assert_true(n_tried > 200);
    assert_int_equal(open_now("jobs", "12", sealed, text, sizeof(text)), 0);
}

static void record__that_is_cut_short_is_found(void **state)
{
    HS_AUTO_MEM char *sealed = hs_record_seal(HS_RECORD_SCHEMA, "meta", "next_id", "123456");
    char text[64];

    for (size_t n = strlen(sealed); n-- > 2;) { /* "1" alone is a number of before envelopes */
        sealed[n] = '\0';
        assert_int_equal(open_now("meta", "next_id", sealed, text, sizeof(text)), -HS_E_PROTOCOL);
    }
}

static void record__in_another_place_is_found(void **state)
{
    HS_AUTO_MEM char *sealed = hs_record_seal(HS_RECORD_SCHEMA, "jobs", "12", "{}");
    char text[64];

    assert_int_equal(open_now("jobs", "13", sealed, text, sizeof(text)), -HS_E_PROTOCOL);
    assert_int_equal(open_now("jobs1", "2", sealed, text, sizeof(text)), -HS_E_PROTOCOL);
    assert_int_equal(open_now("intents", "12", sealed, text, sizeof(text)), -HS_E_PROTOCOL);
}

static void record__without_an_envelope_is_an_object_or_a_number(void **state)
{
    static const char *const good[] = {"{\"id\":1}", "{}", "12", "f4de3c6cb9c23100"};
    static const char *const bad[] = {"", "x", "[1]", "12 ", ":", "1:", "1::{}", "01:c1b463dc:{}"};
    char text[64];

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(open_now("meta", "k", good[i], text, sizeof(text)), 0);
        assert_string_equal(text, good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(open_now("meta", "k", bad[i], text, sizeof(text)), -HS_E_PROTOCOL);
    }
}

/* --- carrying forward --- */

static char *append(const char *text, const char *tail)
{
    size_t n = strlen(text) + strlen(tail) + 1;
    char *longer = hs_xcalloc(n, 1);

    (void)snprintf(longer, n, "%s%s", text, tail);
    return longer;
}

static char *step_two(const char *table, const char *key, const char *text)
{
    return append(text, "+2");
}

static char *step_three(const char *table, const char *key, const char *text)
{
    return strcmp(table, "broken") == 0 ? NULL : append(text, "+3");
}

static hs_record_step_fn *const steps[] = {NULL, step_two, step_three};
static const struct hs_record_chain chain = {.schema = 3, .steps = steps};

static void record__of_each_older_schema_is_carried_step_by_step(void **state)
{
    static const char *const wanted[] = {"{}+2+3", "{}+2+3", "{}+3", "{}"};

    for (unsigned schema = 0; schema <= 3; schema++) {
        HS_AUTO_MEM char *sealed = hs_record_seal(schema, "jobs", "1", "{}");
        HS_AUTO_MEM char *owned = NULL;
        const char *text = NULL;

        assert_int_equal(
            hs_record_open(&chain, "jobs", "1", schema == 0 ? "{}" : sealed, &text, &owned, NULL),
            0);
        assert_string_equal(text, wanted[schema]);
    }
}

static void record__that_a_step_cannot_read_is_damaged(void **state)
{
    HS_AUTO_MEM char *owned = NULL;
    const char *text = NULL;
    struct hs_err err;

    assert_int_equal(hs_record_open(&chain, "broken", "1", "{}", &text, &owned, &err),
                     -HS_E_PROTOCOL);
    assert_non_null(strstr(err.text, "'broken/1' cannot be carried from schema 2 to 3"));
    assert_null(owned);
}

static void record__of_a_newer_schema_is_refused(void **state)
{
    HS_AUTO_MEM char *sealed = hs_record_seal(HS_RECORD_SCHEMA + 1, "jobs", "1", "{}");
    HS_AUTO_MEM char *owned = NULL;
    const char *text = NULL;
    struct hs_err err;

    assert_int_equal(hs_record_open(&hs_record_chain_now, "jobs", "1", sealed, &text, &owned, &err),
                     -HS_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "run the newer one"));
    assert_null(text);
}

/* --- what every released version wrote: tests/contract/store/fixtures --- */

static FILE *open_fixture(unsigned schema)
{
    const char *root = getenv("HSCHED_TEST_ROOT");
    char path[1024];

    (void)snprintf(path, sizeof(path), "%s/tests/contract/store/fixtures/schema_%u.jsonl",
                   root != NULL ? root : ".", schema);
    return fopen(path, "r");
}

/* @return true for a job, an intent and so on that our present readers take */
static void read_as_today(const char *table, const char *key, const char *text)
{
    json_auto_t *json = NULL;
    struct hs_err err;

    if (strcmp(table, "jobs") == 0 || strcmp(table, "history") == 0) {
        struct hs_job *job = NULL;

        assert_int_equal(hs_jsonx_parse("job", text, strlen(text), &json, &err), 0);
        assert_int_equal(hs_job_parse(json, &job, &err), 0);
        assert_string_equal(job->name, "frames");
        assert_string_equal(job->team, "render");
        hs_job_free(job);
    } else if (strcmp(table, "intents") == 0) {
        struct hs_intent intent = {0};

        assert_int_equal(hs_intent_parse(key, text, &intent, &err), 0);
        assert_int_equal(intent.job_id, 1);
        assert_int_equal(intent.kind, HS_ACTION_START);
        assert_string_equal(intent.host, "pool/h1");
    } else if (text[0] == '{') {
        assert_int_equal(hs_jsonx_parse(table, text, strlen(text), &json, &err), 0);
    } else {
        assert_string_equal(table, "meta");
        assert_true(strlen(text) > 0);
    }
}

static void record__fixtures_of_every_schema_are_read(void **state)
{
    static const char *const tables[] = {"jobs",    "intents",   "meta",
                                         "journal", "forecasts", "maintenance"};
    HS_AUTO_MEM char *line = hs_xcalloc(LINE_MAX_BYTES, 1);

    for (unsigned schema = 0; schema <= HS_RECORD_SCHEMA; schema++) {
        FILE *file = open_fixture(schema);
        bool is_seen[sizeof(tables) / sizeof(tables[0])] = {false};

        assert_non_null(file); /* raised HS_RECORD_SCHEMA? store what it writes as a fixture */
        while (fgets(line, LINE_MAX_BYTES, file) != NULL) {
            json_auto_t *row = NULL;
            HS_AUTO_MEM char *owned = NULL;
            const char *text = NULL;
            const char *table;
            const char *key;

            assert_int_equal(hs_jsonx_parse("fixture", line, strlen(line), &row, NULL), 0);
            table = json_string_value(json_object_get(row, "table"));
            key = json_string_value(json_object_get(row, "key"));
            assert_int_equal(hs_record_open(&hs_record_chain_now, table, key,
                                            json_string_value(json_object_get(row, "text")), &text,
                                            &owned, NULL),
                             0);
            read_as_today(table, key, text);
            for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
                is_seen[i] |= strcmp(tables[i], table) == 0;
            }
        }
        (void)fclose(file);
        for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
            assert_true(is_seen[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record__comes_back_as_it_was),
        cmocka_unit_test(record__is_readable_by_a_person),
        cmocka_unit_test(record__every_wrong_bit_is_found),
        cmocka_unit_test(record__that_is_cut_short_is_found),
        cmocka_unit_test(record__in_another_place_is_found),
        cmocka_unit_test(record__without_an_envelope_is_an_object_or_a_number),
        cmocka_unit_test(record__of_each_older_schema_is_carried_step_by_step),
        cmocka_unit_test(record__that_a_step_cannot_read_is_damaged),
        cmocka_unit_test(record__of_a_newer_schema_is_refused),
        cmocka_unit_test(record__fixtures_of_every_schema_are_read),
    };
    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
